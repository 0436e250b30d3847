/* fuzz_profile.c - a setting that is taken leaves a profile that can be used. */
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the field. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_profile profile;
    struct wire_confirm confirm = {.file_path = "/p", .file_name = "n", .conflict_file_id = "i\""};
    if (!size || !wire_profile_field(data[0]))
        return 0;
    BUG_ON(wire_profile_init(&profile, data[0] % 2 ? "v3" : "v2.1", NULL));
    char *value = strndup((const char *)data + 1, size - 1);
    int rc = wire_profile_set(&profile, wire_profile_field(data[0]), value, NULL);
    BUG_ON(rc != 0 && rc != -ERR_CONFIG);
    free(value);
    BUG_ON(profile.request_path[0] != '/' || !strstr(profile.file_path, "{id}"));
    for (int conflict = 0; conflict < 3; conflict++) {
        struct buf body;
        buf_init(&body, 1024 * 1024);
        confirm.conflict = (enum wire_conflict)conflict;
        BUG_ON(wire_encode_confirm(&profile, &confirm, &body, NULL));
        struct json_object *doc = json_tokener_parse(buf_str(&body));
        BUG_ON(!doc || json_object_object_length(doc) < 4);
        json_object_put(doc);
        buf_release(&body);
    }
    return 0;
}
