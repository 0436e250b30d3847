/* classify.h - of a reply: a class, and a text that is fit to be shown. */
#ifndef FUZZ_CLASSIFY_H
#define FUZZ_CLASSIFY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

/* The first two bytes are the status; a line break parts Retry-After from the body. */
static int classify_one(const uint8_t *data, size_t size,
                        int (*classify)(const struct wire_reply *, struct err *))
{
    if (size < 2)
        return 0;
    struct wire_reply reply = {.status = data[0] | data[1] << 8, .wall_ms = 1000000000000};
    const uint8_t *end = memchr(data + 2, '\n', size - 2);
    const uint8_t *body = end ? end + 1 : data + 2;
    char *header = end ? strndup((const char *)data + 2, (size_t)(end - data - 2)) : NULL;
    reply.retry_after = header;
    reply.request_id = header;
    reply.body = (const char *)body;
    reply.body_len = size - (size_t)(body - data);
    struct err err = ERR_INIT;
    int rc = classify(&reply, &err);
    BUG_ON(rc != -(int)err.code);
    BUG_ON(rc && (err.retry_after_ms < -1 || err.retry_after_ms > RETRY_AFTER_MAX_MS));
    for (const char *p = err.text; *p; p++)
        BUG_ON((unsigned char)*p < 0x20 || *p == 0x7f);
    for (const char *p = err.request_id; *p; p++)
        BUG_ON(*p <= 0x20 || *p >= 0x7f);
    free(header);
    return 0;
}

#endif
