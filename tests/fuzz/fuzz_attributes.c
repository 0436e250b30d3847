/*
 * fuzz_attributes.c - any bytes as the attribute list, and as a value: what is taken has an id, and
 * what is encoded is JSON.
 */
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct wire_attribute *attribute, const char *value)
{
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, 8 * (strlen(value) + strlen(attribute->id)) + 1024);
    int rc = wire_add_attribute(attribute, &value, 1, &out, &err);
    BUG_ON(rc && rc != -ERR_USAGE);
    if (!rc) {
        struct json_object *parsed = json_tokener_parse(buf_str(&out));
        struct json_object *member = NULL;
        json_object_object_get_ex(json_object_array_get_idx(parsed, 0), "value", &member);
        BUG_ON(!member);
        json_object_put(parsed);
    } else {
        BUG_ON(!err.text[0]);
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_attributes all;
    char *text = malloc(size + 1);
    BUG_ON(!text);
    memcpy(text, data, size);
    text[size] = '\0';
    int rc = wire_decode_attributes((const char *)data, size, &all, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    for (size_t i = 0; i < all.count; i++) {
        BUG_ON(!*all.items[i].id || !all.items[i].label);
        for (size_t k = 0; k < all.items[i].option_count; k++)
            check_value(&all.items[i], all.items[i].options[k]);
    }
    wire_attributes_release(&all);
    for (int type = WIRE_TYPE_TEXT; type <= WIRE_TYPE_PICK; type++) {
        char *options[] = {text};
        struct wire_attribute attribute = {.id = text,
                                           .label = text,
                                           .type = (enum wire_type)type,
                                           .options = options,
                                           .option_count = 1};
        check_value(&attribute, text);
    }
    free(text);
    return 0;
}
