/*
 * link.c - the body of PUT file/{id}: what a file is linked to and its attributes, merged with
 * what it has already. Called by the steps on the loop thread; no state.
 *
 * An array of that body replaces what PXM stores, so whatever the file has must stand in it again:
 * a reply that cannot be read whole is refused, never written back in part.
 */
#include <json-c/json.h>
#include <string.h>

#include "wire/doc.h"
#include "wire/wire.h"

/* What the file has, by GET file/{id}. */
struct current {
    struct json_object *doc;
    struct json_object *collections; /* borrowed; NULL: none */
    struct json_object *attributes;
};

/* The id of an entry: {"id":...}, or the id itself. */
static const char *entry_id(struct json_object *list, size_t i)
{
    struct json_object *entry = json_object_array_get_idx(list, i);
    if (json_object_is_type(entry, json_type_object))
        return doc_id(entry, "id");
    const char *text =
        json_object_is_type(entry, json_type_string) ? json_object_get_string(entry) : NULL;
    return text && doc_is_id(text) ? text : NULL;
}

/* Where an id stands in a list; its length where it does not. */
static size_t find_id(struct json_object *list, const char *id)
{
    size_t count = list ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *other = entry_id(list, i);
        if (other && !strcmp(other, id))
            return i;
    }
    return count;
}

static int has_id(struct json_object *list, const char *id)
{
    return list && find_id(list, id) < json_object_array_length(list);
}

static int take_list(struct json_object *file, const char *key, struct json_object **out,
                     struct err *err)
{
    struct json_object *list = doc_get(file, key);
    *out = NULL;
    if (!list)
        return 0;
    if (!json_object_is_type(list, json_type_array))
        return err_set(err, ERR_BAD_REPLY, "file: its %s are no array", key);
    if (json_object_array_length(list) > LIMIT_FILE_LINKS)
        return err_set(err, ERR_BAD_REPLY, "file: it has more than %d %s", LIMIT_FILE_LINKS, key);
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!entry_id(list, i))
            return err_set(err, ERR_BAD_REPLY, "file: one of its %s has no id", key);
    *out = list;
    return 0;
}

static int read_current(const char *file_id, const char *body, size_t len, struct current *out,
                        struct err *err)
{
    *out = (struct current){0};
    if (!body)
        return 0;
    int rc = doc_parse_object(body, len, "file", &out->doc, err);
    if (rc)
        return rc;
    struct json_object *file = out->doc;
    if (!doc_id(file, "id"))
        file = doc_object(out->doc, "file") ? doc_object(out->doc, "file")
                                            : doc_object(out->doc, "data");
    const char *id = doc_id(file, "id");
    if (!id || strcmp(id, file_id) != 0)
        return err_set(err, ERR_BAD_REPLY, "file: the reply is not about file %s", file_id);
    rc = take_list(file, "collections", &out->collections, err);
    return rc ? rc : take_list(file, "attributes", &out->attributes, err);
}

static int append_value(struct json_object *array, struct json_object *value)
{
    if (value && !json_object_array_add(array, value))
        return 0;
    json_object_put(value);
    return -ERR_NOMEM;
}

static struct json_object *new_object(const char *key, const char *text)
{
    struct json_object *object = json_object_new_object();
    struct json_object *value = object ? json_object_new_string(text) : NULL;
    if (!value || json_object_object_add(object, key, value)) {
        json_object_put(value);
        json_object_put(object);
        return NULL;
    }
    return object;
}

/* The ids of a list that *all lacks; *out_new counts them. */
static int add_collections(struct json_object *all, struct json_object *list, int *out_new)
{
    size_t count = list ? json_object_array_length(list) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *id = entry_id(list, i);
        if (has_id(all, id))
            continue;
        ++*out_new;
        if (append_value(all, new_object("id", id)))
            return -ERR_NOMEM;
    }
    return 0;
}

/* An attribute as it stands in the file, as an operation that leaves it so. */
static int keep_attribute(struct json_object *all, struct json_object *attribute)
{
    struct json_object *value = doc_get(attribute, "value");
    if (!value) /* it is listed, but has none */
        return 0;
    struct json_object *entry = new_object("id", doc_id(attribute, "id"));
    struct json_object *type = entry ? json_object_new_string("update") : NULL;
    if (!type || json_object_object_add(entry, "type", type) ||
        json_object_object_add(entry, "value", json_object_get(value))) {
        json_object_put(entry);
        return -ERR_NOMEM;
    }
    return append_value(all, entry);
}

static int is_set_alike(struct json_object *current, struct json_object *wanted)
{
    size_t i = current ? find_id(current, doc_id(wanted, "id")) : 0;
    if (!current || i == json_object_array_length(current))
        return 0;
    struct json_object *is = doc_get(json_object_array_get_idx(current, i), "value");
    return json_object_equal(is, doc_get(wanted, "value"));
}

/* The wanted ones, and behind them those of the file that nobody wants otherwise. */
static int add_attributes(struct json_object *all, struct json_object *wanted,
                          struct json_object *current, int *out_new)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < json_object_array_length(wanted); i++) {
        struct json_object *attribute = json_object_array_get_idx(wanted, i);
        *out_new += !is_set_alike(current, attribute);
        rc = append_value(all, json_object_get(attribute));
    }
    size_t count = current ? json_object_array_length(current) : 0;
    for (size_t i = 0; !rc && i < count; i++) {
        struct json_object *attribute = json_object_array_get_idx(current, i);
        if (!has_id(wanted, entry_id(current, i)))
            rc = keep_attribute(all, attribute);
    }
    return rc;
}

/* One of the wish's texts; *out NULL where there is none. */
static int read_wish(const char *text, const char *what, struct json_object **out, struct err *err)
{
    *out = NULL;
    if (!text)
        return 0;
    struct err why = ERR_INIT;
    int rc = doc_parse(text, strlen(text), what, out, &why);
    int is_list = !rc && json_object_is_type(*out, json_type_array) &&
                  json_object_array_length(*out) <= LIMIT_FILE_LINKS;
    for (size_t i = 0; is_list && i < json_object_array_length(*out); i++)
        is_list = entry_id(*out, i) != NULL;
    return is_list ? 0 : err_set(err, ERR_INTERNAL, "the wanted %s are no list of ids", what);
}

static int add_member(struct json_object *body, const char *key, struct json_object **out)
{
    *out = json_object_new_array();
    if (*out && !json_object_object_add(body, key, *out))
        return 0;
    json_object_put(*out);
    return -ERR_NOMEM;
}

struct wish {
    struct json_object *collections; /* NULL: none are wanted */
    struct json_object *folder;      /* likewise: an array of the one id */
    struct json_object *attributes;
};

static int build(const struct wish *wish, const struct current *current, struct json_object *body,
                 int *out_new)
{
    struct json_object *all = NULL;
    int ignored = 0;
    int rc = 0;
    if (wish->collections || wish->folder) {
        rc = add_member(body, "collections", &all);
        if (!rc)
            rc = add_collections(all, current->collections, &ignored);
        if (!rc)
            rc = add_collections(all, wish->collections, out_new);
        if (!rc)
            rc = add_collections(all, wish->folder, out_new);
    }
    if (!rc && wish->attributes) {
        rc = add_member(body, "attributes", &all);
        if (!rc)
            rc = add_attributes(all, wish->attributes, current->attributes, out_new);
    }
    return rc;
}

static int write_body(const struct wish *wish, const struct current *current, struct buf *out,
                      int *out_new, struct err *err)
{
    struct json_object *body = json_object_new_object();
    int rc = body ? build(wish, current, body, out_new) : -ERR_NOMEM;
    const char *text = rc ? NULL
                          : json_object_to_json_string_ext(
                                body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (!text || buf_puts(out, text))
        rc = err_set(err, ERR_NOMEM, "no memory for the links of a file");
    json_object_put(body);
    return rc;
}

static int make_folder(const char *id, struct json_object **out, struct err *err)
{
    if (!id)
        return 0;
    *out = json_object_new_array();
    if (*out && !append_value(*out, json_object_new_string(id)))
        return 0;
    return err_set(err, ERR_NOMEM, "no memory for the links of a file");
}

int wire_encode_link(const struct wire_link *link, const char *body, size_t len, struct buf *out,
                     int *out_needed, struct err *err)
{
    struct wish wish = {0};
    struct current current = {0};
    int changes = 0;
    int rc = read_wish(link->collections, "collections", &wish.collections, err);
    if (!rc)
        rc = read_wish(link->attributes, "attributes", &wish.attributes, err);
    if (!rc)
        rc = make_folder(link->folder_collection, &wish.folder, err);
    if (!rc)
        rc = read_current(link->file_id, body, len, &current, err);
    if (!rc)
        rc = write_body(&wish, &current, out, &changes, err);
    json_object_put(wish.collections);
    json_object_put(wish.attributes);
    json_object_put(wish.folder);
    json_object_put(current.doc);
    *out_needed = !rc && changes > 0;
    return rc;
}

int wire_each_id(const char *ids, int (*fn)(const char *id, void *user), void *user)
{
    struct json_object *list = NULL;
    struct err ignored;
    int rc = 0;
    size_t count = 0;
    if (!read_wish(ids, "ids", &list, &ignored) && list)
        count = json_object_array_length(list);
    for (size_t i = 0; i < count && !rc; i++)
        rc = fn(entry_id(list, i), user);
    json_object_put(list);
    return rc;
}
