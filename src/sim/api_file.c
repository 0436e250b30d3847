/* File records: list, get, search. API thread. */
#include <stdlib.h>
#include <string.h>

#include "sim/api.h"
#include "sim/attribute.h"
#include "sim/options.h"
#include "sim/presign.h"
#include "sim/when.h"

#define FILTER_BYTES      2048
#define SEARCH_FROM_MAX   10000
#define SEARCH_SIZE_MAX   1000
#define SEARCH_SIZE_USUAL 100

static void add_variants(struct text *out, const char *id, const char *name)
{
    static const char *const sizes[] = {"thumb", "small", "medium", "large", "preview"};
    struct text path = {0};

    text_uri(&path, name, false);
    text_puts(out, ",\"variants\":{");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        text_addf(out, "%s\"%s\":\"https://cdn.sim.example/%s/%s/%s\"", i == 0 ? "" : ",", sizes[i],
                  id, sizes[i], path.data);
    text_addf(out, "},\"cdn_url\":\"https://cdn.sim.example/%s/%s\"", id, path.data);
    text_release(&path);
}

void file_regions_json(struct text *out, const struct file *f)
{
    const char *comma = "";

    text_puts(out, "[");
    for (unsigned i = 0; i < TENANT_REGIONS; i++) {
        if ((f->region_mask >> i & 1) == 0)
            continue;
        text_addf(out, "%s\"%s\"", comma, tenant_data()->regions[i].id_text);
        comma = ",";
    }
    text_puts(out, "]");
}

void file_attributes_json(struct text *out, const struct file *f)
{
    const struct file_extra *x = f->extra;
    const char *comma = "";

    text_puts(out, "[");
    for (size_t i = 0; x != NULL && x->attributes != NULL && i < attribute_count(); i++) {
        if (x->attributes[i] == NULL)
            continue;
        text_puts(out, comma);
        attribute_value_json(out, i, x->attributes[i]);
        comma = ",";
    }
    text_puts(out, "]");
}

static void add_links(struct text *out, const struct file *f)
{
    const struct file_extra *x = f->extra;
    char id[IDENT_UUID_TEXT];

    text_puts(out, ",\"collections\":[");
    for (uint32_t i = 0; x != NULL && i < x->n_collections; i++) {
        ident_uuid_text(x->collections[i], id);
        text_addf(out, "%s{\"id\":\"%s\"}", i == 0 ? "" : ",", id);
    }
    text_puts(out, "],\"region_ids\":");
    file_regions_json(out, f);
    text_puts(out, ",\"attributes\":");
    file_attributes_json(out, f);
}

/* Processing ends by itself after some reads, some time, or both, as configured. */
static bool is_converting(struct file *f)
{
    const struct quirks *q = &options_current()->quirk;

    return f->reads++ < (uint64_t)q->converting_reads ||
           when_now_ms() < f->updated_ms + q->converting_ms;
}

static void add_metadata(struct text *out, const struct file *f, const char *id)
{
    int place = options_current()->quirk.name_place;
    struct text path = {0};

    text_uri(&path, f->name, false);
    text_puts(out, ",\"metadata\":{\"mime_type\":");
    text_json(out, f->mime);
    if (place != NAME_TOP) {
        text_puts(out, ",\"file_name\":");
        text_json(out, f->name);
    }
    text_addf(out, ",\"cdn_url\":\"https://cdn.sim.example/%s/%s\",\"caption\":", id, path.data);
    text_json(out, f->extra == NULL ? NULL : f->extra->caption);
    text_puts(out, "}");
    text_release(&path);
}

void file_json(struct text *out, struct file *f, bool minified)
{
    int place = options_current()->quirk.name_place;
    char id[IDENT_UUID_TEXT];
    char created[WHEN_BYTES];
    char updated[WHEN_BYTES];

    ident_uuid_text(f->id, id);
    when_iso(f->created_ms, created);
    when_iso(f->updated_ms, updated);
    text_addf(out, "{\"id\":\"%s\"", id);
    if (place != NAME_METADATA) {
        text_puts(out, ",\"file_name\":");
        text_json(out, f->name);
    }
    text_addf(out, ",\"file_size\":%llu,\"created_date\":\"%s\",\"updated_date\":\"%s\"",
              (unsigned long long)f->size, created, updated);
    if (!minified) {
        text_addf(out, ",\"is_converting\":%s,\"published\":%s,\"version\":%u",
                  is_converting(f) ? "true" : "false", f->published ? "true" : "false",
                  1 + (f->extra == NULL ? 0 : f->extra->n_older));
        add_variants(out, id, f->name);
    }
    add_metadata(out, f, id);
    add_links(out, f);
    text_puts(out, "}");
}

/* The filters of GET /v2.1/file. */
struct filter {
    char collections[FILTER_BYTES];
    char regions[FILTER_BYTES];
    int64_t created_from, created_to, updated_from, updated_to;
};

static bool read_date(struct exch *x, const char *key, bool is_end, int64_t *out_ms)
{
    char value[WHEN_BYTES];
    bool has_time = false;

    if (!presign_query_value(x->query, key, value, sizeof value))
        return true;
    if (!when_parse_date(value, out_ms, &has_time)) {
        api_error(x, 400, "BadRequest", "%s is no date", key);
        return false;
    }
    if (is_end && !has_time)
        *out_ms += 86400000 - 1; /* "on or before" means to the end of that day */
    else if (is_end)
        *out_ms += 999;
    return true;
}

static bool read_filter(struct exch *x, struct filter *f)
{
    *f = (struct filter){.created_to = INT64_MAX, .updated_to = INT64_MAX};
    (void)presign_query_value(x->query, "collection_ids", f->collections, sizeof f->collections);
    (void)presign_query_value(x->query, "region_ids", f->regions, sizeof f->regions);
    return read_date(x, "created_start_date", false, &f->created_from) &&
           read_date(x, "created_end_date", true, &f->created_to) &&
           read_date(x, "updated_start_date", false, &f->updated_from) &&
           read_date(x, "updated_end_date", true, &f->updated_to);
}

static bool in_collections(const struct file *f, const char *ids)
{
    char id[IDENT_UUID_TEXT];

    for (uint32_t i = 0; f->extra != NULL && i < f->extra->n_collections; i++) {
        ident_uuid_text(f->extra->collections[i], id);
        if (strstr(ids, id) != NULL)
            return true;
    }
    return false;
}

static bool in_regions(const struct file *f, const char *ids)
{
    for (unsigned i = 0; i < TENANT_REGIONS; i++) {
        if ((f->region_mask >> i & 1) != 0 && strstr(ids, tenant_data()->regions[i].id_text))
            return true;
    }
    return false;
}

static bool passes(const struct file *f, const struct filter *filter)
{
    return f->created_ms >= filter->created_from && f->created_ms <= filter->created_to &&
           f->updated_ms >= filter->updated_from && f->updated_ms <= filter->updated_to &&
           (filter->collections[0] == '\0' || in_collections(f, filter->collections)) &&
           (filter->regions[0] == '\0' || in_regions(f, filter->regions));
}

static bool wants_minified(const struct exch *x)
{
    char value[8] = "";

    (void)presign_query_value(x->query, "minified", value, sizeof value);
    return strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

void api_files(struct exch *x, const char *arg, json_object *body)
{
    const struct tenant *t = tenant_data();
    struct filter filter;
    struct page p;

    (void)arg;
    (void)body;
    if (!read_filter(x, &filter))
        return;
    bool minified = wants_minified(x);
    page_begin(&p, x, options_current()->quirk.file_shape, NULL);
    tenant_lock();
    for (size_t i = 0; i < t->n_files && p.left > 0; i++) {
        if (passes(t->files[i], &filter) && page_row(&p))
            file_json(&p.text, t->files[i], minified);
    }
    tenant_unlock();
    page_end(&p, x);
}

void api_file(struct exch *x, const char *arg, json_object *body)
{
    struct text t = {0};

    (void)body;
    tenant_lock();
    struct file *f = tenant_by_id_text(arg);
    if (f != NULL)
        file_json(&t, f, false);
    tenant_unlock();
    if (t.len > 0)
        api_reply(x, 200, &t);
    else
        api_error(x, 404, "NotFound", "No file %s", arg);
}

static int64_t lag_of(const struct exch *x)
{
    if (x->fault != NULL && x->fault->search_lag_ms > 0)
        return x->fault->search_lag_ms;
    return options_current()->quirk.search_lag_ms;
}

/* The search index lags behind: files too young are not in it yet. */
static bool is_indexed(const struct exch *x, const struct file *f)
{
    int64_t lag_ms = lag_of(x);

    return lag_ms == 0 || when_now_ms() >= f->created_ms + lag_ms;
}

/* Of a file that was replaced a lagging index still shows the record before that. */
static void indexed_json(struct text *out, const struct exch *x, struct file *f)
{
    uint64_t size = f->size;
    int64_t updated_ms = f->updated_ms;
    int64_t lag_ms = lag_of(x);

    if (lag_ms > 0 && f->extra != NULL && f->extra->old_updated_ms > 0 &&
        when_now_ms() < f->updated_ms + lag_ms) {
        f->size = f->extra->old_size;
        f->updated_ms = f->extra->old_updated_ms;
    }
    file_json(out, f, false);
    f->size = size;
    f->updated_ms = updated_ms;
}

void api_file_search(struct exch *x, const char *arg, json_object *body)
{
    struct page p;

    (void)body;
    page_begin(&p, x, options_current()->quirk.search_shape, NULL);
    p.left = SEARCH_SIZE_MAX;
    p.skip = 0;
    tenant_lock();
    for (struct file *f = tenant_by_name(arg); f != NULL; f = f->next_same) {
        if (is_indexed(x, f) && page_row(&p))
            indexed_json(&p.text, x, f);
    }
    tenant_unlock();
    page_end(&p, x);
}

void api_keyword_search(struct exch *x, const char *arg, json_object *body)
{
    const struct tenant *t = tenant_data();
    char keyword[FILTER_BYTES] = "";
    int64_t from = api_query_number(x, "from", 0);
    int64_t size = api_query_number(x, "size", SEARCH_SIZE_USUAL);
    struct page p;

    (void)arg;
    (void)body;
    (void)presign_query_value(x->query, "keyword", keyword, sizeof keyword);
    if (from < 0 || from > SEARCH_FROM_MAX || size < 0 || size > SEARCH_SIZE_MAX) {
        api_error(x, 400, "BadRequest", "from is at most 10000, size at most 1000");
        return;
    }
    page_begin(&p, x, SHAPE_HITS, NULL);
    p.skip = (uint64_t)from;
    p.left = (uint64_t)size;
    tenant_lock();
    for (size_t i = 0; i < t->n_files; i++) {
        if (is_indexed(x, t->files[i]) && strcasestr(t->files[i]->name, keyword) != NULL &&
            page_row(&p))
            file_json(&p.text, t->files[i], true);
    }
    tenant_unlock();
    text_addf(&p.text, "],\"total\":%llu}", (unsigned long long)p.total);
    api_reply(x, 200, &p.text);
}
