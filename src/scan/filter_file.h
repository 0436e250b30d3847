/*
 * filter_file.h - reads the files behind --filter-from and --files-from, line by line. Used by
 * filter.c alone.
 */
#ifndef SCAN_FILTER_FILE_H
#define SCAN_FILTER_FILE_H

#include "base/err.h"

/*
 * Calls fn with every line that is neither empty nor a comment (# or ;), blanks at both ends, the
 * carriage return and a byte order mark taken off. file "-" is standard input. A non-zero return
 * of fn ends it and is returned. 0, -ERR_USAGE (no such file, a line too long, a NUL byte) or
 * -ERR_NOMEM.
 */
int filter_file_lines(const char *file, int (*fn)(void *user, char *line, struct err *err),
                      void *user, struct err *err) WARN_UNUSED;

#endif
