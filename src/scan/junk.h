/*
 * junk.h - the files and folders that operating systems and editors leave behind (field note 27).
 * Used by filter.c alone.
 */
#ifndef SCAN_JUNK_H
#define SCAN_JUNK_H

#include <stddef.h>

#include "base/buf.h"

/* Whether the last component of path, of a folder with its trailing slash, is junk. */
int junk_is(const char *path);
/*
 * Appends path with the mark that makes it junk taken out ("a/._b.jpg" -> "a/b.jpg",
 * "a/.git/" -> "a/x/"). A rule that matches this as well did not mean the junk. 0 or -ERR_NOMEM.
 */
int junk_unmarked(const char *path, struct buf *out) WARN_UNUSED;

#endif
