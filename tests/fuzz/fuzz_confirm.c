/* fuzz_confirm.c - a confirm's reply, and a conflict id that is put into its body. */
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_confirmed reply;
    struct err err = ERR_INIT;
    int rc = wire_decode_confirm((const char *)data, size, &reply, &err);
    BUG_ON(rc != 0 && (rc != -ERR_BAD_REPLY || err.effect != EFFECT_MAYBE || *reply.id));

    char *text = strndup((const char *)data, size);
    struct wire_profile profile;
    BUG_ON(wire_profile_init(&profile, "v3", NULL));
    struct wire_etag_of part = {1, text};
    struct wire_confirm confirm = {.file_path = text,
                                   .file_name = text,
                                   .upload_id = text,
                                   .parts = &part,
                                   .part_count = 1,
                                   .publish_start = size % 2 ? text : NULL,
                                   .conflict = WIRE_CONFLICT_VERSION,
                                   .conflict_file_id = text};
    struct buf body;
    buf_init(&body, 64 * size + 1024);
    rc = wire_encode_confirm(&profile, &confirm, &body, NULL);
    BUG_ON(rc != 0 && rc != -ERR_USAGE);
    struct json_object *doc = rc ? NULL : json_tokener_parse(buf_str(&body));
    BUG_ON(!rc && (!doc || json_object_object_length(doc) != 8));
    json_object_put(doc);
    buf_release(&body);
    free(text);
    return 0;
}
