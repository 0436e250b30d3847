/* fuzz_link.c - what a file has is merged whole, or not at all. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wire_link link = {
        .file_id = "f1",
        .folder_collection = "c3",
        .collections = "[\"c1\",\"c2\"]",
        .attributes = "[{\"id\":\"a1\",\"type\":\"update\",\"value\":[\"x\"]}]",
    };
    struct buf out, again;
    int needed = 0;
    buf_init(&out, LIMIT_REPLY_BYTES);
    buf_init(&again, LIMIT_REPLY_BYTES);
    int rc = wire_encode_link(&link, (const char *)data, size, &out, &needed, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    BUG_ON(rc != 0 && needed);
    BUG_ON(rc == 0 && (!strstr(buf_str(&out), "\"c3\"") || !strstr(buf_str(&out), "\"a1\"")));
    /* Once it is written and read back, nothing more is needed. */
    if (rc == 0 && out.len > 2 && !buf_puts(&again, "{\"id\":\"f1\",") &&
        !buf_puts(&again, buf_str(&out) + 1)) {
        struct buf third;
        buf_init(&third, LIMIT_REPLY_BYTES);
        BUG_ON(wire_encode_link(&link, buf_str(&again), again.len, &third, &needed, NULL));
        BUG_ON(needed || strcmp(buf_str(&out), buf_str(&third)) != 0);
        buf_release(&third);
    }
    buf_release(&out);
    buf_release(&again);
    return 0;
}
