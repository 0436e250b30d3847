/* manifest_json.c - the NDJSON side of manifest.c: an object a line. */
#include "scan/manifest.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 4 /* an object, "attributes" in it, a list in that */

struct manifest_json {
    struct json_tokener *tokener;
    struct buf line;
};

int manifest_json_begin(struct manifest_reader *reader)
{
    reader->json = calloc(1, sizeof *reader->json);
    if (!reader->json)
        return manifest_no_memory(reader);
    buf_init(&reader->json->line, LIMIT_MANIFEST_ROW_BYTES);
    reader->json->tokener = json_tokener_new_ex(DEPTH);
    return reader->json->tokener ? 0 : manifest_no_memory(reader);
}

/* ---- values -------------------------------------------------------------------------------- */

/* The text of a value that is no container; NULL: it has none that can be relied on. */
static const char *text_of(struct json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_boolean:
    case json_type_double:
        return json_object_get_string(value);
    case json_type_int: {
        /* json-c clamps what is too large in silence. */
        int64_t number = json_object_get_int64(value);
        return number == INT64_MAX || number == INT64_MIN ? NULL : json_object_get_string(value);
    }
    case json_type_string: {
        const char *text = json_object_get_string(value);
        return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
    }
    default:
        return NULL;
    }
}

static void say_bad_value(struct manifest_reader *reader, int field, const char *label)
{
    manifest_row_fail(reader,
                      "%s%s%.80s: the value must be a string, number, true, false, or a list of "
                      "these (numbers with 19 digits as strings)",
                      manifest_field_name(field), label ? ":" : "", label ? label : "");
}

static void take_list(struct manifest_reader *reader, int field, const char *label,
                      struct json_object *list)
{
    size_t count = json_object_array_length(list);
    if (!count)
        return;
    manifest_row_array(reader, field, label);
    for (size_t i = 0; i < count && !reader->row.error; i++) {
        const char *text = text_of(json_object_array_get_idx(list, i));
        if (text)
            manifest_row_item(reader, text);
        else
            say_bad_value(reader, field, label);
    }
}

static void take_value(struct manifest_reader *reader, int field, const char *label,
                       struct json_object *value)
{
    if (!value)
        return;
    if (json_object_is_type(value, json_type_array)) {
        take_list(reader, field, label, value);
        return;
    }
    const char *text = text_of(value);
    if (text)
        manifest_row_text(reader, field, label, text);
    else
        say_bad_value(reader, field, label);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void take_attributes(struct manifest_reader *reader, struct json_object *object)
{
    if (object && !json_object_is_type(object, json_type_object)) {
        manifest_row_fail(reader, "attributes: an object of label and value is expected");
        return;
    }
    json_object_object_foreach(object, key, value)
    {
        if (*key && strlen(key) < LIMIT_MANIFEST_LABEL)
            take_value(reader, MANIFEST_ATTRIBUTE, key, value);
        else
            manifest_row_fail(reader, "attributes: a label has no or over %d bytes",
                              LIMIT_MANIFEST_LABEL - 1);
    }
}

static void take_member(struct manifest_reader *reader, const char *key, struct json_object *value)
{
    const char *label = NULL;
    struct buf why;
    if (!strcmp(key, "attributes")) {
        take_attributes(reader, value);
        return;
    }
    buf_init(&why, ERR_TEXT_MAX);
    int field = manifest_field_of(key, &label, &why);
    if (field < 0)
        manifest_break(reader, reader->row_line, "%s", buf_str(&why));
    else
        take_value(reader, field, label, value);
    buf_release(&why);
}

static struct json_object *parse(struct manifest_reader *reader)
{
    struct json_tokener *tokener = reader->json->tokener;
    const struct buf *line = &reader->json->line;
    json_tokener_reset(tokener);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS |
                                        JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, line->data, (int)line->len);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    const char *rest = line->data + json_tokener_get_parse_end(tokener);
    int is_alone = error == json_tokener_success && !rest[strspn(rest, " \t\r")];
    if (is_alone && json_object_is_type(object, json_type_object))
        return object;
    json_object_put(object);
    if (error == json_tokener_error_parse_utf8_string)
        manifest_break(reader, reader->line, "it is no UTF-8; save the file as UTF-8");
    else if (error == json_tokener_success || error == json_tokener_continue)
        manifest_break(reader, reader->line, "one whole JSON object a line is expected");
    else
        manifest_break(reader, reader->line, "no JSON: %s", json_tokener_error_desc(error));
    return NULL;
}

static void take_line(struct manifest_reader *reader)
{
    const char *text = buf_str(&reader->json->line);
    reader->row_line = reader->line;
    if (!text[strspn(text, " \t\r")])
        return;
    struct json_object *object = parse(reader);
    if (!object)
        return;
    manifest_row_begin(reader);
    json_object_object_foreach(object, key, value)
    {
        if (!reader->rc)
            take_member(reader, key, value);
    }
    if (!reader->rc)
        manifest_row_end(reader);
    json_object_put(object);
}

static void keep(struct manifest_reader *reader, const char *piece, size_t len)
{
    if (len && buf_append(&reader->json->line, piece, len))
        manifest_break(reader, reader->line, "the line has over %d bytes",
                       LIMIT_MANIFEST_ROW_BYTES);
}

void manifest_json_feed(struct manifest_reader *reader, const char *chunk, size_t len)
{
    const char *end = chunk + len;
    while (chunk < end && !reader->rc) {
        const char *newline = memchr(chunk, '\n', (size_t)(end - chunk));
        const char *to = newline ? newline : end;
        keep(reader, chunk, (size_t)(to - chunk));
        chunk = newline ? newline + 1 : end;
        if (reader->rc || !newline)
            continue;
        take_line(reader);
        buf_reset(&reader->json->line);
        reader->line++;
    }
}

void manifest_json_end(struct manifest_reader *reader)
{
    if (reader->json->line.len)
        take_line(reader);
}

void manifest_json_release(struct manifest_reader *reader)
{
    struct manifest_json *json = reader->json;
    if (!json)
        return;
    json_tokener_free(json->tokener);
    buf_release(&json->line);
    free(json);
    reader->json = NULL;
}
