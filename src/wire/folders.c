/* folders.c - collections and categories: pages of them, and making one. Any thread; no state. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "wire/doc.h"
#include "wire/wire.h"

static int read_folder(struct json_object *object, struct wire_folder *out)
{
    const char *name = doc_text(object, "name");
    const char *parent = doc_id(object, "parent_id");
    *out = (struct wire_folder){
        .id = strdup(doc_id(object, "id")),
        .name = strdup(name ? name : ""),
        .parent_id = parent ? strdup(parent) : NULL,
    };
    return out->id && out->name && (!parent || out->parent_id) ? 0 : -ERR_NOMEM;
}

static int read_all(struct json_object *doc, struct wire_folders *out, struct err *err)
{
    struct json_object *list = doc_list(doc);
    if (!list)
        return err_set(err, ERR_BAD_REPLY, "folders: the reply is no list");
    size_t count = json_object_array_length(list);
    out->rows = count;
    out->items = calloc(count ? count : 1, sizeof *out->items);
    int rc = out->items ? 0 : -ERR_NOMEM;
    for (size_t i = 0; i < count && !rc; i++) {
        struct json_object *object = json_object_array_get_idx(list, i);
        if (doc_id(object, "id"))
            rc = read_folder(object, &out->items[out->count++]);
    }
    return rc ? err_set(err, ERR_NOMEM, "folders: out of memory") : 0;
}

int wire_decode_folders(const char *body, size_t len, struct wire_folders *out, struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_folders){0};
    int rc = doc_parse(body, len, "folders", &doc, err);
    if (rc)
        return rc;
    rc = read_all(doc, out, err);
    json_object_put(doc);
    if (rc)
        wire_folders_release(out);
    return rc;
}

void wire_folders_release(struct wire_folders *folders)
{
    for (size_t i = 0; i < folders->count; i++) {
        free(folders->items[i].id);
        free(folders->items[i].name);
        free(folders->items[i].parent_id);
    }
    free(folders->items);
    *folders = (struct wire_folders){0};
}

int wire_encode_folder(const char *name, const char *parent_id, struct buf *out)
{
    buf_puts(out, "{\"name\":");
    log_append_json_string(out, name, strlen(name));
    if (parent_id) {
        buf_puts(out, ",\"parent_id\":");
        log_append_json_string(out, parent_id, strlen(parent_id));
    }
    buf_puts(out, "}");
    return out->truncated ? -ERR_NOMEM : 0;
}

int wire_decode_created(const char *body, size_t len, char out_id[LIMIT_ID_BYTES], struct err *err)
{
    static const char *const wrappers[] = {"category", "collection", "folder", "data"};
    struct json_object *doc = NULL;
    out_id[0] = '\0';
    if (!len)
        return 0;
    int rc = doc_parse(body, len, "folder", &doc, err);
    if (rc) {
        if (err)
            err->effect = EFFECT_MAYBE;
        return rc;
    }
    const char *id = doc_id(doc, "id");
    for (size_t i = 0; !id && i < sizeof wrappers / sizeof *wrappers; i++)
        id = doc_id(doc_object(doc, wrappers[i]), "id");
    snprintf(out_id, LIMIT_ID_BYTES, "%s", id ? id : "");
    json_object_put(doc);
    return 0;
}
