/* Files, names and regions; see tenant.h for the lock that callers hold. */
#include "sim/tenant.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sim/attribute.h"
#include "sim/mem.h"
#include "sim/when.h"

/* uthash's macros would count as our own statements and nesting. */
/* NOLINTBEGIN(readability-function-size) */

struct interned {
    UT_hash_handle hh;
    char str[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tenant tenant;
static struct file *by_id;
static struct file *by_name;
static struct interned *strings;

static void seed_region(struct region *r, const char *name, const char *language, bool is_primary)
{
    ident_uuid(r->id);
    ident_uuid_text(r->id, r->id_text);
    r->name = name;
    r->language = language;
    r->is_primary = is_primary;
}

void tenant_setup(void)
{
    seed_region(&tenant.regions[0], "US", "en-US", true);
    seed_region(&tenant.regions[1], "EU", "en-GB", false);
}

static void free_extra(struct file_extra *x)
{
    if (x == NULL)
        return;
    for (uint32_t i = 0; i < x->n_older; i++)
        content_drop(x->older[i].content, false);
    free(x->older);
    free(x->collections);
    for (size_t i = 0; x->attributes != NULL && i < attribute_count(); i++)
        json_object_put(x->attributes[i]);
    free(x->attributes);
    free(x->caption);
    free(x->start_date);
    free(x->end_date);
    free(x);
}

void tenant_teardown(void)
{
    HASH_CLEAR(hh_id, by_id);
    HASH_CLEAR(hh_name, by_name);
    for (size_t i = 0; i < tenant.n_files; i++) {
        content_drop(tenant.files[i]->content, false);
        free_extra(tenant.files[i]->extra);
        free(tenant.files[i]);
    }
    free(tenant.files);
    struct interned *at = strings;
    HASH_CLEAR(hh, strings); /* leaves the records and their order */
    while (at != NULL) {
        struct interned *next = at->hh.next;
        free(at);
        at = next;
    }
}

void tenant_lock(void)
{
    pthread_mutex_lock(&lock);
}

void tenant_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

struct tenant *tenant_data(void)
{
    return &tenant;
}

const char *tenant_intern(const char *str)
{
    struct interned *found = NULL;
    size_t len = strlen(str);

    HASH_FIND(hh, strings, str, len, found);
    if (found == NULL) {
        found = mem_new(1, sizeof *found + len + 1);
        memcpy(found->str, str, len + 1);
        HASH_ADD_KEYPTR(hh, strings, found->str, len, found);
    }
    return found->str;
}

struct file *tenant_by_id(const uint8_t id[IDENT_UUID_BYTES])
{
    struct file *f = NULL;

    HASH_FIND(hh_id, by_id, id, IDENT_UUID_BYTES, f);
    return f;
}

struct file *tenant_by_id_text(const char *id)
{
    uint8_t uuid[IDENT_UUID_BYTES];

    return ident_uuid_parse(id, uuid) ? tenant_by_id(uuid) : NULL;
}

struct file *tenant_by_name(const char *name)
{
    struct file *f = NULL;

    HASH_FIND(hh_name, by_name, name, strlen(name), f);
    return f;
}

int tenant_region_index(const char *id)
{
    for (int i = 0; i < TENANT_REGIONS; i++) {
        if (strcmp(tenant.regions[i].id_text, id) == 0)
            return i;
    }
    return -1;
}

static void set_content(struct file *f, const struct new_file *nf)
{
    f->mime = tenant_intern(nf->mime);
    f->size = nf->size;
    f->seq = nf->seq;
    f->content = nf->content;
    f->has_md5 = nf->md5 != NULL;
    if (f->has_md5)
        memcpy(f->md5, nf->md5, DIGEST_MD5_BYTES);
    f->region_mask = nf->region_mask;
    f->published = nf->published;
    f->reads = 0;
    f->updated_ms = when_now_ms();
}

static void append(struct file *f)
{
    if (tenant.n_files == tenant.cap_files) {
        tenant.cap_files = tenant.cap_files == 0 ? 1024 : tenant.cap_files * 2;
        tenant.files = mem_resize(tenant.files, tenant.cap_files, sizeof(struct file *));
    }
    tenant.files[tenant.n_files++] = f;
}

struct file *tenant_add(const struct new_file *nf)
{
    size_t len = strlen(nf->name);
    struct file *f = mem_new(1, sizeof *f + len + 1);

    memcpy(f->name, nf->name, len + 1);
    ident_uuid(f->id);
    set_content(f, nf);
    f->created_ms = f->updated_ms;
    HASH_ADD(hh_id, by_id, id, IDENT_UUID_BYTES, f);
    struct file *first = tenant_by_name(f->name);
    if (first == NULL) {
        HASH_ADD_KEYPTR(hh_name, by_name, f->name, len, f);
    } else {
        while (first->next_same != NULL)
            first = first->next_same;
        first->next_same = f;
        tenant.duplicates++;
    }
    append(f);
    return f;
}

/* Out of the chain of its name, whose first record alone is in the table. */
static void leave_name(struct file *f)
{
    struct file *first = tenant_by_name(f->name);

    if (first == NULL)
        return;
    if (first != f) {
        while (first->next_same != f)
            first = first->next_same;
        first->next_same = f->next_same;
        return;
    }
    HASH_DELETE(hh_name, by_name, f);
    if (f->next_same != NULL)
        HASH_ADD_KEYPTR(hh_name, by_name, f->next_same->name, strlen(f->next_same->name),
                        f->next_same);
}

void tenant_remove(struct file *f)
{
    size_t at = 0;

    leave_name(f);
    HASH_DELETE(hh_id, by_id, f);
    while (tenant.files[at] != f)
        at++;
    memmove(&tenant.files[at], &tenant.files[at + 1],
            (--tenant.n_files - at) * sizeof(struct file *));
    content_drop(f->content, true);
    free_extra(f->extra);
    free(f);
}

struct file_extra *tenant_extra(struct file *f)
{
    if (f->extra == NULL)
        f->extra = mem_new(1, sizeof *f->extra);
    return f->extra;
}

void tenant_replace(struct file *f, const struct new_file *nf, bool keep_old)
{
    struct file_extra *x = tenant_extra(f);

    x->old_size = f->size;
    x->old_updated_ms = f->updated_ms;
    if (keep_old) {
        x->older = mem_resize(x->older, x->n_older + 1, sizeof *x->older);
        struct version *v = &x->older[x->n_older++];
        *v = (struct version){.content = f->content,
                              .size = f->size,
                              .seq = f->seq,
                              .has_md5 = f->has_md5,
                              .at_ms = f->updated_ms};
        memcpy(v->md5, f->md5, DIGEST_MD5_BYTES);
    } else {
        content_drop(f->content, true);
    }
    set_content(f, nf);
}

void tenant_set_id(struct file *f, const char *id)
{
    uint8_t uuid[IDENT_UUID_BYTES];

    if (!ident_uuid_parse(id, uuid) || tenant_by_id(uuid) != NULL)
        return;
    HASH_DELETE(hh_id, by_id, f);
    memcpy(f->id, uuid, sizeof uuid);
    HASH_ADD(hh_id, by_id, id, IDENT_UUID_BYTES, f);
}
/* NOLINTEND(readability-function-size) */
