/*
 * glob_regex.h - a pattern that holds {{regex}} as one POSIX extended expression. Used by glob.c.
 */
#ifndef SCAN_GLOB_REGEX_H
#define SCAN_GLOB_REGEX_H

#include "base/buf.h"

/* True where the pattern holds an unescaped "{{". */
int glob_regex_needed(const char *pattern);
/* Appends the whole pattern, anchors included. 0, -ERR_USAGE or -ERR_NOMEM with *err filled. */
int glob_regex_translate(const char *pattern, struct buf *out, struct err *err) WARN_UNUSED;

#endif
