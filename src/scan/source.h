/* source.h - what window.c needs to know of an open source. Callers outside use scan.h. */
#ifndef SCAN_SOURCE_H
#define SCAN_SOURCE_H

#include "base/err.h"

struct source;

/* What a failed system call on a source file means. */
enum err_code source_error(int os_errno);

/* The descriptor, owned by the source and valid until source_close. */
int source_fd(const struct source *source);

#endif
