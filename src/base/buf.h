/*
 * buf.h - a growing byte buffer with a maximum. Not thread-safe; the owner releases it.
 * The contents are always followed by a NUL that `len` does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"

struct buf {
    char *data; /* NULL only before the first append; use buf_str() for a string */
    size_t len;
    size_t cap;
    size_t max;    /* bytes that `len` may reach */
    int truncated; /* an append did not fit and was dropped whole */
};

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf);
/* Empties it and keeps its memory. */
void buf_reset(struct buf *buf);
/* 0, or -ERR_NOMEM when max or memory is exceeded; then nothing was appended and truncated is 1. */
int buf_append(struct buf *buf, const void *data, size_t len);
int buf_puts(struct buf *buf, const char *str);
int buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The contents as a NUL-terminated string, "" when empty; valid until the next change. */
const char *buf_str(const struct buf *buf);

#endif
