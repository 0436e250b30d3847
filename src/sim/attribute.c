/* Attribute definitions; see attribute.h. Constant after set-up, so without a lock. */
#include "sim/attribute.h"

#include <string.h>

#include "sim/ident.h"
#include "sim/options.h"
#include "sim/when.h"

enum type { TYPE_TEXT, TYPE_NUMBER, TYPE_BOOLEAN, TYPE_DATE, TYPE_LIST, TYPE_PICK };

static const char *const type_names[] = {"Text", "Number", "Boolean", "Date", "List", "Pick List"};

static struct definition {
    const char *label;
    enum type type;
    char id[IDENT_UUID_TEXT];
} definitions[] = {
    {"Description", TYPE_TEXT, ""},  {"Weight", TYPE_NUMBER, ""}, {"In Stock", TYPE_BOOLEAN, ""},
    {"Launch Date", TYPE_DATE, ""},  {"Keywords", TYPE_LIST, ""}, {"Color", TYPE_PICK, ""},
    {"Photographer", TYPE_TEXT, ""},
};

static const char *const pick_options[] = {"Red", "Green", "Blue"};

#define N_DEFINITIONS (sizeof definitions / sizeof definitions[0])
#define N_OPTIONS     (sizeof pick_options / sizeof pick_options[0])

void attribute_setup(void)
{
    for (size_t i = 0; i < N_DEFINITIONS; i++) {
        uint8_t uuid[IDENT_UUID_BYTES];
        ident_uuid(uuid);
        ident_uuid_text(uuid, definitions[i].id);
    }
}

size_t attribute_count(void)
{
    return N_DEFINITIONS;
}

int attribute_index(const char *id)
{
    for (size_t i = 0; i < N_DEFINITIONS; i++) {
        if (strcmp(definitions[i].id, id) == 0)
            return (int)i;
    }
    return -1;
}

const char *attribute_type(int index)
{
    return type_names[definitions[index].type];
}

static bool is_string_array(json_object *value)
{
    if (!json_object_is_type(value, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        if (!json_object_is_type(json_object_array_get_idx(value, i), json_type_string))
            return false;
    }
    return true;
}

static bool is_option(const char *str)
{
    for (size_t i = 0; i < N_OPTIONS; i++) {
        if (strcmp(pick_options[i], str) == 0)
            return true;
    }
    return false;
}

bool attribute_accepts(int index, json_object *value)
{
    bool is_string = json_object_is_type(value, json_type_string);
    int64_t ms = 0;
    bool has_time = false;

    switch (definitions[index].type) {
    case TYPE_TEXT:
        return is_string;
    case TYPE_NUMBER:
        return json_object_is_type(value, json_type_int) ||
               json_object_is_type(value, json_type_double);
    case TYPE_BOOLEAN:
        return json_object_is_type(value, json_type_boolean);
    case TYPE_DATE:
        return is_string && when_parse_date(json_object_get_string(value), &ms, &has_time) &&
               !has_time;
    case TYPE_LIST:
        return is_string_array(value);
    case TYPE_PICK:
        return is_string && is_option(json_object_get_string(value));
    }
    return false;
}

static void begin_json(struct text *out, size_t index)
{
    const struct definition *d = &definitions[index];

    text_addf(out, "{\"id\":\"%s\",\"%s\":\"%s\",\"value_type\":\"%s\"", d->id,
              options_current()->quirk.attribute_key_name ? "name" : "label", d->label,
              type_names[d->type]);
}

void attribute_json(struct text *out, size_t index)
{
    begin_json(out, index);
    if (definitions[index].type == TYPE_PICK) {
        text_puts(out, ",\"options\":[");
        for (size_t i = 0; i < N_OPTIONS; i++)
            text_addf(out, "%s\"%s\"", i == 0 ? "" : ",", pick_options[i]);
        text_puts(out, "]");
    }
    text_puts(out, "}");
}

void attribute_value_json(struct text *out, size_t index, json_object *value)
{
    begin_json(out, index);
    text_addf(out, ",\"value\":%s}", json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}
