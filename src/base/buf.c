/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->truncated = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

static int reserve(struct buf *buf, size_t more)
{
    if (more > buf->max - buf->len)
        return -ERR_NOMEM;
    size_t want = buf->len + more + 1;
    if (want <= buf->cap)
        return 0;
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < want)
        cap *= 2;
    char *data = realloc(buf->data, cap);
    if (!data)
        return -ERR_NOMEM;
    buf->data = data;
    buf->cap = cap;
    return 0;
}

int buf_append(struct buf *buf, const void *data, size_t len)
{
    int rc = reserve(buf, len);
    if (rc) {
        buf->truncated = 1;
        return rc;
    }
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int buf_puts(struct buf *buf, const char *str)
{
    return buf_append(buf, str, strlen(str));
}

int buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    /* It fits nearly always, so it is printed where it belongs and only then measured. */
    size_t room = buf->cap - buf->len;
    int need = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, ap);
    va_end(ap);
    int rc = need < 0 ? -ERR_NOMEM : reserve(buf, (size_t)need);
    if (!rc && (size_t)need >= room)
        vsnprintf(buf->data + buf->len, (size_t)need + 1, fmt, again);
    if (!rc)
        buf->len += (size_t)need;
    else
        buf->truncated = 1;
    if (rc && buf->data)
        buf->data[buf->len] = '\0';
    va_end(again);
    return rc;
}

const char *buf_str(const struct buf *buf)
{
    return buf->data ? buf->data : "";
}
