/* Categories and collections: list, get, create, their files. API thread. */
#include <string.h>

#include "sim/api.h"
#include "sim/audit.h"
#include "sim/folder.h"
#include "sim/options.h"
#include "sim/presign.h"

#define IDS_BYTES 4096

static const char *const kind_names[] = {"category", "collection"};

static void list(struct exch *x, enum folder_kind kind, int shape, const char *usual)
{
    char parent[IDENT_UUID_TEXT + 16];
    char ids[IDS_BYTES] = "";
    struct folder *f = NULL;
    struct page p;

    bool by_parent = presign_query_value(x->query, "parent_id", parent, sizeof parent);
    (void)presign_query_value(x->query, "ids", ids, sizeof ids);
    page_begin(&p, x, shape, usual);
    tenant_lock();
    for (size_t i = 0; p.left > 0 && (f = folder_at(kind, i)) != NULL; i++) {
        if (by_parent && (f->parent_id == NULL || strcmp(f->parent_id, parent) != 0))
            continue;
        if (ids[0] != '\0' && strstr(ids, f->id_text) == NULL)
            continue;
        if (page_row(&p))
            folder_json(&p.text, f);
    }
    tenant_unlock();
    page_end(&p, x);
}

void api_categories(struct exch *x, const char *arg, json_object *body)
{
    (void)arg;
    (void)body;
    list(x, FOLDER_CATEGORY, options_current()->quirk.category_shape, NULL);
}

void api_collections(struct exch *x, const char *arg, json_object *body)
{
    (void)arg;
    (void)body;
    list(x, FOLDER_COLLECTION, options_current()->quirk.collection_shape, "collections");
}

static void get(struct exch *x, enum folder_kind kind, const char *id)
{
    struct text t = {0};

    tenant_lock();
    const struct folder *f = folder_by_id(id);
    if (f != NULL && f->kind == kind)
        folder_json(&t, f);
    tenant_unlock();
    if (t.len > 0)
        api_reply(x, 200, &t);
    else
        api_error(x, 404, "NotFound", "No %s %s", kind_names[kind], id);
}

void api_category(struct exch *x, const char *arg, json_object *body)
{
    (void)body;
    get(x, FOLDER_CATEGORY, arg);
}

void api_collection(struct exch *x, const char *arg, json_object *body)
{
    (void)body;
    get(x, FOLDER_COLLECTION, arg);
}

/* Whether the parent that the body names is one; categories nest in categories alone. */
static bool check_parent(struct exch *x, enum folder_kind kind, json_object *body)
{
    json_object *parent = api_member(body, "parent_id");
    const char *id = api_string(body, "parent_id");

    if (parent == NULL)
        return true;
    const struct folder *f = id == NULL ? NULL : folder_by_id(id);
    if (f != NULL && (kind == FOLDER_COLLECTION || f->kind == FOLDER_CATEGORY))
        return true;
    audit_add(AUDIT_BAD_VALUE, x->where, "parent_id %s", json_object_to_json_string(parent));
    api_error(x, 400, "BadRequest", "parent_id is no folder");
    return false;
}

static bool check_variant(struct exch *x, json_object *body)
{
    const char *type = api_string(body, "collection_type");
    const char *topic = api_string(body, "parent_topic_id");
    const struct folder *f = topic == NULL ? NULL : folder_by_id(topic);

    if (type == NULL || strcmp(type, "parent") == 0)
        return true;
    if (strcmp(type, "variant") == 0 && f != NULL && f->kind == FOLDER_COLLECTION)
        return true;
    audit_add(AUDIT_BAD_VALUE, x->where, "collection_type %s of %s", type,
              topic == NULL ? "-" : topic);
    api_error(x, 400, "BadRequest", "a variant needs the parent_topic_id of a collection");
    return false;
}

static void create(struct exch *x, enum folder_kind kind, json_object *body)
{
    const char *name = api_string(body, "name");
    struct text t = {0};
    bool twin = false;

    if (name == NULL || name[0] == '\0') {
        audit_add(AUDIT_BAD_VALUE, x->where, "a folder without a name");
        api_error(x, 400, "BadRequest", "name is required");
        return;
    }
    tenant_lock();
    if (check_parent(x, kind, body) && (kind == FOLDER_CATEGORY || check_variant(x, body))) {
        struct folder *f = folder_add(kind, name, api_string(body, "parent_id"), body, &twin);
        folder_json(&t, f);
        api_reply(x, 200, &t);
    }
    tenant_unlock();
    if (twin)
        audit_add(kind == FOLDER_CATEGORY ? AUDIT_CATEGORY_TWICE : AUDIT_COLLECTION_TWICE, x->where,
                  "%s is there already", name);
}

void api_category_create(struct exch *x, const char *arg, json_object *body)
{
    (void)arg;
    create(x, FOLDER_CATEGORY, body);
}

void api_collection_create(struct exch *x, const char *arg, json_object *body)
{
    (void)arg;
    create(x, FOLDER_COLLECTION, body);
}

/* A category holds the files of the collections right below it. */
static bool holds(const struct folder *folder, const struct file *f)
{
    for (uint32_t i = 0; f->extra != NULL && i < f->extra->n_collections; i++) {
        char id[IDENT_UUID_TEXT];
        ident_uuid_text(f->extra->collections[i], id);
        if (strcmp(id, folder->id_text) == 0)
            return true;
        const struct folder *linked = folder_by_id(id);
        if (linked != NULL && linked->parent_id != NULL &&
            strcmp(linked->parent_id, folder->id_text) == 0 && folder->kind == FOLDER_CATEGORY)
            return true;
    }
    return false;
}

static void files(struct exch *x, enum folder_kind kind, const char *id)
{
    const struct tenant *t = tenant_data();
    struct page p;

    tenant_lock();
    const struct folder *folder = folder_by_id(id);
    if (folder == NULL || folder->kind != kind) {
        tenant_unlock();
        api_error(x, 404, "NotFound", "No %s %s", kind_names[kind], id);
        return;
    }
    page_begin(&p, x, options_current()->quirk.folder_files_shape, NULL);
    for (size_t i = 0; i < t->n_files && p.left > 0; i++) {
        if (holds(folder, t->files[i]) && page_row(&p))
            file_json(&p.text, t->files[i], false);
    }
    tenant_unlock();
    page_end(&p, x);
}

void api_category_files(struct exch *x, const char *arg, json_object *body)
{
    (void)body;
    files(x, FOLDER_CATEGORY, arg);
}

void api_collection_files(struct exch *x, const char *arg, json_object *body)
{
    (void)body;
    files(x, FOLDER_COLLECTION, arg);
}
