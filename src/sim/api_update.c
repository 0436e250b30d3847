/*
 * PUT /v2.1/file/{id}: arrays replace what is stored, attributes are merged by id.
 *
 * Everything is checked before anything is changed. API thread, under the tenant lock.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/api.h"
#include "sim/attribute.h"
#include "sim/audit.h"
#include "sim/folder.h"
#include "sim/mem.h"
#include "sim/when.h"

struct update {
    uint8_t (*collections)[IDENT_UUID_BYTES];
    uint32_t n_collections;
    bool has_collections;
    uint8_t region_mask;
    bool has_regions;
    json_object *attributes;
};

static bool refuse(struct exch *x, const char *what, json_object *value)
{
    const char *seen = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);

    audit_add(AUDIT_BAD_VALUE, x->where, "%s: %.300s", what, seen);
    api_error(x, 400, "BadRequest", "%s: %.300s", what, seen);
    return false;
}

static bool check_collections(struct exch *x, json_object *list, struct update *u)
{
    if (!json_object_is_type(list, json_type_array))
        return refuse(x, "collections must be an array of {id}", list);
    size_t n = json_object_array_length(list);
    u->has_collections = true;
    u->collections = mem_new(n, sizeof *u->collections);
    for (size_t i = 0; i < n; i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        const char *id =
            json_object_is_type(entry, json_type_object) ? api_string(entry, "id") : NULL;
        const struct folder *f = id == NULL ? NULL : folder_by_id(id);
        if (f == NULL || f->kind != FOLDER_COLLECTION)
            return refuse(x, "no collection", entry);
        memcpy(u->collections[u->n_collections++], f->id, IDENT_UUID_BYTES);
    }
    return true;
}

static bool check_regions(struct exch *x, json_object *list, struct update *u)
{
    if (!json_object_is_type(list, json_type_array))
        return refuse(x, "region_ids must be an array", list);
    u->has_regions = true;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *id = json_object_array_get_idx(list, i);
        int index = json_object_is_type(id, json_type_string)
                        ? tenant_region_index(json_object_get_string(id))
                        : -1;
        if (index < 0)
            return refuse(x, "no region", id);
        u->region_mask = (uint8_t)(u->region_mask | 1u << index);
    }
    return true;
}

static bool check_attributes(struct exch *x, json_object *list, struct update *u)
{
    if (!json_object_is_type(list, json_type_array))
        return refuse(x, "attributes must be an array", list);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        if (!json_object_is_type(entry, json_type_object))
            return refuse(x, "an attribute is an object", entry);
        const char *id = api_string(entry, "id");
        const char *type = api_string(entry, "type");
        int index = id == NULL ? -1 : attribute_index(id);
        if (index < 0 || type == NULL)
            return refuse(x, "an attribute needs a known id and a type", entry);
        bool deletes = strcmp(type, "delete") == 0;
        if (!deletes && strcmp(type, "update") != 0)
            return refuse(x, "type is update or delete", entry);
        if (!deletes && !attribute_accepts(index, api_member(entry, "value")))
            return refuse(x, attribute_type(index), entry);
    }
    u->attributes = list;
    return true;
}

static bool check(struct exch *x, json_object *body, struct update *u)
{
    json_object *collections = api_member(body, "collections");
    json_object *regions = api_member(body, "region_ids");
    json_object *attributes = api_member(body, "attributes");

    return (collections == NULL || check_collections(x, collections, u)) &&
           (regions == NULL || check_regions(x, regions, u)) &&
           (attributes == NULL || check_attributes(x, attributes, u));
}

static bool names_attribute(json_object *list, int index)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        if (attribute_index(api_string(entry, "id")) == index)
            return true;
    }
    return false;
}

/* A tenant may replace the whole array: what the file has must stand in it again. */
static void audit_attributes(struct exch *x, const struct file *f, const struct update *u)
{
    if (u->attributes == NULL || f->extra == NULL || f->extra->attributes == NULL)
        return;
    for (size_t i = 0; i < attribute_count(); i++) {
        if (f->extra->attributes[i] != NULL && !names_attribute(u->attributes, (int)i))
            audit_add(AUDIT_PARTIAL_ARRAY, x->where, "an attribute of %s was dropped", f->name);
    }
}

/* Dropping a link that was there is what "never write a partial array" forbids. */
static void audit_partial(struct exch *x, const struct file *f, const struct update *u)
{
    uint32_t n = f->extra == NULL || !u->has_collections ? 0 : f->extra->n_collections;

    for (uint32_t i = 0; i < n; i++) {
        bool kept = false;
        for (uint32_t k = 0; k < u->n_collections && !kept; k++)
            kept = memcmp(f->extra->collections[i], u->collections[k], IDENT_UUID_BYTES) == 0;
        if (!kept)
            audit_add(AUDIT_PARTIAL_ARRAY, x->where, "a collection of %s was dropped", f->name);
    }
    audit_attributes(x, f, u);
    if (u->has_regions && (f->region_mask & ~u->region_mask) != 0)
        audit_add(AUDIT_PARTIAL_ARRAY, x->where, "a region of %s was dropped", f->name);
}

static void merge_attributes(struct file_extra *extra, json_object *list)
{
    if (extra->attributes == NULL)
        extra->attributes = mem_new(attribute_count(), sizeof(json_object *));
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *entry = json_object_array_get_idx(list, i);
        json_object **slot = &extra->attributes[attribute_index(api_string(entry, "id"))];
        json_object_put(*slot);
        *slot = NULL;
        if (strcmp(api_string(entry, "type"), "update") == 0)
            *slot = json_object_get(api_member(entry, "value"));
    }
}

static void apply(struct file *f, json_object *body, struct update *u)
{
    json_object *metadata = api_member(body, "metadata");
    json_object *published = api_member(body, "published");
    const char *caption =
        json_object_is_type(metadata, json_type_object) ? api_string(metadata, "caption") : NULL;

    if (u->has_collections) {
        struct file_extra *extra = tenant_extra(f);
        free(extra->collections);
        extra->collections = u->collections;
        extra->n_collections = u->n_collections;
        u->collections = NULL;
    }
    if (u->has_regions)
        f->region_mask = u->region_mask;
    if (u->attributes != NULL)
        merge_attributes(tenant_extra(f), u->attributes);
    if (json_object_is_type(published, json_type_boolean))
        f->published = json_object_get_boolean(published);
    if (caption != NULL) {
        free(tenant_extra(f)->caption);
        tenant_extra(f)->caption = mem_copy(caption, strlen(caption));
    }
    f->updated_ms = when_now_ms();
}

void api_file_update(struct exch *x, const char *arg, json_object *body)
{
    struct update u = {0};
    struct text t = {0};

    tenant_lock();
    struct file *f = tenant_by_id_text(arg);
    if (f == NULL) {
        api_error(x, 404, "NotFound", "No file %s", arg);
    } else if (check(x, body, &u)) {
        audit_partial(x, f, &u);
        apply(f, body, &u);
        file_json(&t, f, false);
        api_reply(x, 200, &t);
    }
    tenant_unlock();
    free(u.collections);
}
