/* fuzz_session.c - a session that is taken covers its file exactly, whatever the reply. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first two bytes choose the size of the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_url_rules rules = {0};
    struct wire_upload upload = {"a.jpg", "image/jpeg", 0};
    struct wire_session session;
    struct err err = ERR_INIT;
    if (size < 2)
        return 0;
    upload.size_bytes = data[0] | data[1] << 8;
    int rc = wire_decode_session((const char *)data + 2, size - 2, &upload, &rules, &session, &err);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    BUG_ON(rc && session.parts);
    int64_t at = 0;
    int last = 0;
    for (size_t i = 0; i < session.part_count; i++) {
        const struct wire_part *part = &session.parts[i];
        BUG_ON(part->start != at || part->part_no <= last || part->part_no > LIMIT_PARTS);
        BUG_ON(part->len < 0 || (!part->len && upload.size_bytes));
        BUG_ON(wire_check_url(part->url, &rules, NULL));
        at += part->len;
        last = part->part_no;
    }
    BUG_ON(session.part_count && (at != upload.size_bytes || !*session.file_path));
    BUG_ON(!rc && !session.part_count && !session.is_conflict);
    wire_session_release(&session);
    return 0;
}
