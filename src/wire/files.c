/*
 * files.c - lists of files and of regions. Called by look-ups, verification and the first calls
 * of a run, on the loop thread; no state.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/date.h"
#include "wire/doc.h"
#include "wire/wire.h"

/* The first of two places that has the text, copied; NULL where neither has. */
static int copy_text(const char *text, const char *otherwise, char **out, struct err *err)
{
    const char *from = text ? text : otherwise;
    *out = from ? strdup(from) : NULL;
    return from && !*out ? err_set(err, ERR_NOMEM, "a list: out of memory") : 0;
}

/* A date, or seconds or milliseconds since 1970; -1 where there is neither. */
static int64_t read_date(struct json_object *object, const char *key)
{
    int64_t ms = -1;
    int64_t number = 0;
    const char *text = doc_text(object, key);
    if (text && !date_parse(text, &ms))
        return ms;
    if (doc_int(object, key, &number) != DOC_FOUND || number <= 0)
        return -1;
    /* 1e11 seconds is the year 5138, 1e11 milliseconds is 1973. */
    return number < INT64_C(100000000000) ? number * 1000 : number;
}

/* The first of the known spellings that holds a date, in the file or in its metadata. */
static int64_t read_dates(struct json_object *file, const char *const *keys)
{
    struct json_object *metadata = doc_object(file, "metadata");
    int64_t ms = -1;
    for (; *keys && ms < 0; keys++) {
        ms = read_date(file, *keys);
        if (ms < 0)
            ms = read_date(metadata, *keys);
    }
    return ms;
}

static int read_file(struct json_object *object, struct wire_file *out, struct err *err)
{
    static const char *const created[] = {"created_date", "created_at", "create_date", "created",
                                          NULL};
    static const char *const updated[] = {"updated_date", "update_date", "updated_at", "updated",
                                          NULL};
    struct json_object *metadata = doc_object(object, "metadata");
    const char *name = doc_text(object, "file_name");
    if (!name)
        name = doc_text(metadata, "file_name");
    *out = (struct wire_file){
        .size_bytes = -1, .is_converting = -1, .published = -1, .object = object};
    if (doc_int(object, "file_size", &out->size_bytes) != DOC_FOUND || out->size_bytes < 0)
        out->size_bytes = -1;
    if (doc_bool(object, "is_converting", &out->is_converting) != DOC_FOUND)
        out->is_converting = -1;
    if (doc_bool(object, "published", &out->published) != DOC_FOUND &&
        doc_bool(metadata, "published", &out->published) != DOC_FOUND)
        out->published = -1;
    out->created_ms = read_dates(object, created);
    out->updated_ms = read_dates(object, updated);
    int rc = copy_text(doc_id(object, "id"), NULL, &out->id, err);
    if (!rc)
        rc = copy_text(name, doc_text(object, "name"), &out->name, err);
    if (!rc)
        rc = copy_text(doc_text(metadata, "cdn_url"), doc_text(object, "cdn_url"), &out->cdn_url,
                       err);
    return rc;
}

static int read_files(struct json_object *doc, struct wire_files *out, struct err *err)
{
    /* An object with an id is a file, even when it has a "collections" array like a list. */
    int is_file = doc_id(doc, "id") != NULL;
    struct json_object *list = is_file ? NULL : doc_list(doc);
    int64_t total = -1;
    if (!is_file && !list && doc_int(doc, "total", &total) == DOC_FOUND && !total)
        return 0; /* an empty list that a server wrote as null */
    /* An unknown shape must not pass for "no such file": a confirm would be repeated on it. */
    if (!is_file && !list)
        return err_set(err, ERR_BAD_REPLY, "files: the reply is neither a list nor a file");
    size_t count = is_file ? 1 : json_object_array_length(list);
    out->items = calloc(count ? count : 1, sizeof *out->items);
    if (!out->items)
        return err_set(err, ERR_NOMEM, "files: out of memory");
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        struct json_object *object = is_file ? doc : json_object_array_get_idx(list, i);
        if (doc_id(object, "id"))
            rc = read_file(object, &out->items[out->count++], err);
    }
    return rc;
}

int wire_decode_files(const char *body, size_t len, struct wire_files *out, struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_files){0};
    int rc = doc_parse(body, len, "files", &doc, err);
    if (rc)
        return rc;
    rc = read_files(doc, out, err);
    out->doc = doc;
    if (rc)
        wire_files_release(out);
    return rc;
}

const char *wire_file_json(const struct wire_file *file)
{
    return json_object_to_json_string_ext(file->object, JSON_C_TO_STRING_PLAIN);
}

void wire_files_release(struct wire_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].id);
        free(files->items[i].name);
        free(files->items[i].cdn_url);
    }
    free(files->items);
    json_object_put(files->doc);
    *files = (struct wire_files){0};
}

static int read_region(struct json_object *object, struct wire_region *out, struct err *err)
{
    int rc = copy_text(doc_id(object, "id"), NULL, &out->id, err);
    if (!rc)
        rc = copy_text(doc_text(object, "name"), "", &out->name, err);
    if (doc_bool(object, "is_primary", &out->is_primary) != DOC_FOUND)
        out->is_primary = 0;
    return rc;
}

static int read_regions(struct json_object *doc, struct wire_regions *out, struct err *err)
{
    struct json_object *list = doc_list(doc);
    if (!list)
        return err_set(err, ERR_BAD_REPLY, "regions: the reply is no list");
    size_t count = json_object_array_length(list);
    out->items = calloc(count ? count : 1, sizeof *out->items);
    if (!out->items)
        return err_set(err, ERR_NOMEM, "regions: out of memory");
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        struct json_object *object = json_object_array_get_idx(list, i);
        if (doc_id(object, "id"))
            rc = read_region(object, &out->items[out->count++], err);
    }
    return rc;
}

int wire_decode_regions(const char *body, size_t len, struct wire_regions *out, struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_regions){0};
    int rc = doc_parse(body, len, "regions", &doc, err);
    if (rc)
        return rc;
    rc = read_regions(doc, out, err);
    json_object_put(doc);
    if (rc)
        wire_regions_release(out);
    return rc;
}

void wire_regions_release(struct wire_regions *regions)
{
    for (size_t i = 0; i < regions->count; i++) {
        free(regions->items[i].id);
        free(regions->items[i].name);
    }
    free(regions->items);
    *regions = (struct wire_regions){0};
}
