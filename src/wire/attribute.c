/*
 * attribute.c - the tenant's attributes, and values as their types have them. Called when a
 * manifest is read, on any thread; no state.
 */
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/nearest.h"
#include "wire/date.h"
#include "wire/doc.h"
#include "wire/wire.h"

/* ---- what there is ------------------------------------------------------------------------- */

/* "Pick List", "pick_list" and "PickList" are one type. */
static int is_type(const char *text, const char *letters)
{
    for (; *text; text++) {
        if (strchr(" _-", *text))
            continue;
        if (tolower((unsigned char)*text) != *letters++)
            return 0;
    }
    return !*letters;
}

static enum wire_type type_of(const char *text)
{
    static const struct {
        const char *letters;
        enum wire_type type;
    } types[] = {
        {"number", WIRE_TYPE_NUMBER}, {"boolean", WIRE_TYPE_BOOLEAN}, {"date", WIRE_TYPE_DATE},
        {"list", WIRE_TYPE_LIST},     {"picklist", WIRE_TYPE_PICK},
    };
    for (size_t i = 0; text && i < sizeof types / sizeof *types; i++)
        if (is_type(text, types[i].letters))
            return types[i].type;
    return WIRE_TYPE_TEXT;
}

/* An option is a text, or an object that holds it. */
static const char *option_text(struct json_object *option)
{
    static const char *const keys[] = {"value", "label", "name"};
    const char *text = NULL;
    if (json_object_is_type(option, json_type_string))
        return json_object_get_string_len(option) ? json_object_get_string(option) : NULL;
    for (size_t i = 0; !text && i < sizeof keys / sizeof *keys; i++)
        text = doc_text(option, keys[i]);
    return text;
}

/* No page says how the options are called in the reply. */
static struct json_object *find_options(struct json_object *object)
{
    static const char *const keys[] = {"options", "values", "pick_list", "pick_list_values",
                                       "choices"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct json_object *list = doc_get(object, keys[i]);
        if (json_object_is_type(list, json_type_array))
            return list;
    }
    return NULL;
}

static int read_options(struct json_object *object, struct wire_attribute *out)
{
    struct json_object *list = find_options(object);
    size_t count = list ? json_object_array_length(list) : 0;
    if (out->type != WIRE_TYPE_PICK || !count)
        return 0;
    out->options = calloc(count, sizeof *out->options);
    if (!out->options)
        return -ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const char *text = option_text(json_object_array_get_idx(list, i));
        if (!text)
            continue;
        if (!(out->options[out->option_count] = strdup(text)))
            return -ERR_NOMEM;
        out->option_count++;
    }
    return 0;
}

static int read_attribute(struct json_object *object, struct wire_attribute *out)
{
    const char *label = doc_text(object, "label");
    if (!label)
        label = doc_text(object, "name");
    *out = (struct wire_attribute){.type = type_of(doc_text(object, "value_type"))};
    out->id = strdup(doc_id(object, "id"));
    out->label = strdup(label ? label : "");
    return out->id && out->label ? read_options(object, out) : -ERR_NOMEM;
}

static int read_all(struct json_object *doc, struct wire_attributes *out, struct err *err)
{
    struct json_object *list = doc_list(doc);
    if (!list)
        return err_set(err, ERR_BAD_REPLY, "attributes: the reply is no list");
    size_t count = json_object_array_length(list);
    out->items = calloc(count ? count : 1, sizeof *out->items);
    int rc = out->items ? 0 : -ERR_NOMEM;
    for (size_t i = 0; i < count && !rc; i++) {
        struct json_object *object = json_object_array_get_idx(list, i);
        if (doc_id(object, "id"))
            rc = read_attribute(object, &out->items[out->count++]);
    }
    return rc ? err_set(err, ERR_NOMEM, "attributes: out of memory") : 0;
}

int wire_decode_attributes(const char *body, size_t len, struct wire_attributes *out,
                           struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_attributes){0};
    int rc = doc_parse(body, len, "attributes", &doc, err);
    if (rc)
        return rc;
    rc = read_all(doc, out, err);
    json_object_put(doc);
    if (rc)
        wire_attributes_release(out);
    return rc;
}

void wire_attributes_release(struct wire_attributes *attributes)
{
    for (size_t i = 0; i < attributes->count; i++) {
        struct wire_attribute *attribute = &attributes->items[i];
        for (size_t k = 0; k < attribute->option_count; k++)
            free(attribute->options[k]);
        free(attribute->options);
        free(attribute->id);
        free(attribute->label);
    }
    free(attributes->items);
    *attributes = (struct wire_attributes){0};
}

/* ---- values -------------------------------------------------------------------------------- */

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* RFC 8259's number, which goes into the body as it stands. */
static int is_number(const char *text)
{
    text += *text == '-';
    size_t digits = count_digits(text);
    if (!digits || digits > 300 || (*text == '0' && digits > 1))
        return 0;
    text += digits;
    if (*text == '.') {
        digits = count_digits(++text);
        if (!digits)
            return 0;
        text += digits;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        digits = count_digits(text);
        if (!digits || digits > 2)
            return 0;
        text += digits;
    }
    return !*text;
}

static int put_number(const char *text, struct buf *out, struct err *err)
{
    if (!is_number(text))
        return err_set(err, ERR_USAGE, "'%.80s' is no number; write 12, -3 or 1.5", text);
    return buf_puts(out, text);
}

int wire_boolean(const char *text)
{
    static const char *const words[] = {"false", "no", "0", "true", "yes", "1"};
    for (int i = 0; i < 6; i++)
        if (!strcasecmp(text, words[i]))
            return i >= 3;
    return -1;
}

static int put_boolean(const char *text, struct buf *out, struct err *err)
{
    int value = wire_boolean(text);
    if (value < 0)
        return err_set(err, ERR_USAGE, "'%.80s' is neither true nor false; write true or false",
                       text);
    return buf_puts(out, value ? "true" : "false");
}

int wire_parse_date(const char *text, int64_t *out_ms)
{
    return date_parse(text, out_ms);
}

static int put_date(const char *text, struct buf *out, struct err *err)
{
    int64_t ms;
    if (strlen(text) != 10 || date_parse(text, &ms))
        return err_set(err, ERR_USAGE, "'%.80s' is no date; write YYYY-MM-DD, as in 2026-01-31",
                       text);
    return log_append_json_string(out, text, strlen(text));
}

static int put_list(const char *const *values, size_t count, struct buf *out)
{
    int rc = buf_puts(out, "[");
    for (size_t i = 0; !rc && i < count; i++) {
        rc = i ? buf_puts(out, ",") : 0;
        if (!rc)
            rc = log_append_json_string(out, values[i], strlen(values[i]));
    }
    return rc ? rc : buf_puts(out, "]");
}

static int put_pick(const struct wire_attribute *attribute, const char *text, struct buf *out,
                    struct err *err)
{
    struct nearest nearest;
    struct buf all;
    nearest_init(&nearest, text);
    buf_init(&all, ERR_TEXT_MAX / 2);
    for (size_t i = 0; i < attribute->option_count; i++) {
        const char *option = attribute->options[i];
        if (!strcmp(option, text)) {
            buf_release(&all);
            return log_append_json_string(out, text, strlen(text));
        }
        nearest_offer(&nearest, option);
        (void)!buf_printf(&all, "%s%s", i ? ", " : "", option);
    }
    if (!attribute->option_count) {
        buf_release(&all);
        return log_append_json_string(out, text, strlen(text));
    }
    const char *like = nearest_result(&nearest);
    err_set(err, ERR_USAGE, "'%.80s' is not in its pick list%s%.60s%s; it has: %s%s", text,
            like ? " (did you mean '" : "", like ? like : "", like ? "'?)" : "", buf_str(&all),
            all.truncated ? ", ..." : "");
    buf_release(&all);
    return -ERR_USAGE;
}

static int put_value(const struct wire_attribute *attribute, const char *const *values,
                     size_t count, struct buf *out, struct err *err)
{
    if (attribute->type == WIRE_TYPE_LIST)
        return put_list(values, count, out);
    if (count != 1)
        return err_set(err, ERR_USAGE, "it takes one value, not %zu", count);
    switch (attribute->type) {
    case WIRE_TYPE_NUMBER:
        return put_number(values[0], out, err);
    case WIRE_TYPE_BOOLEAN:
        return put_boolean(values[0], out, err);
    case WIRE_TYPE_DATE:
        return put_date(values[0], out, err);
    case WIRE_TYPE_PICK:
        return put_pick(attribute, values[0], out, err);
    case WIRE_TYPE_TEXT:
    case WIRE_TYPE_LIST:
        break;
    }
    return log_append_json_string(out, values[0], strlen(values[0]));
}

/* ---- arrays -------------------------------------------------------------------------------- */

/* Opens the array in *out for one more entry, which the caller closes with "]". */
static int open_array(struct buf *out)
{
    if (!out->len)
        return buf_puts(out, "[");
    out->len--;
    return buf_puts(out, ",");
}

int wire_add_id(const char *id, struct buf *out)
{
    int rc = open_array(out);
    if (!rc)
        rc = log_append_json_string(out, id, strlen(id));
    return rc ? rc : buf_puts(out, "]");
}

int wire_add_attribute(const struct wire_attribute *attribute, const char *const *values,
                       size_t count, struct buf *out, struct err *err)
{
    int rc = open_array(out);
    if (!rc)
        rc = buf_puts(out, "{\"id\":");
    if (!rc)
        rc = log_append_json_string(out, attribute->id, strlen(attribute->id));
    if (!rc)
        rc = buf_puts(out, ",\"type\":\"update\",\"value\":");
    if (!rc)
        rc = put_value(attribute, values, count, out, err);
    if (!rc)
        rc = buf_puts(out, "}]");
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "the values of an attribute take over %zu bytes", out->max);
    return rc;
}
