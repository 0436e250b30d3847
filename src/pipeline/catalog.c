/* catalog.c - see catalog.h. The gate asks for the pages (gate.c), a manifest's reader looks up. */
#include "pipeline/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

/* As the vendor's examples ask. */
#define PAGE_ROWS 100
/* A tenant whose pages never end. */
#define PAGES_MAX 10000
/* More names than this are not searched for one that is alike. */
#define NEAREST_MAX 2000

static const struct {
    const char *many;
    const char *one;
} kind_names[CATALOG_COUNT] = {
    [CATALOG_ATTRIBUTES] = {"attributes", "attribute"},
    [CATALOG_COLLECTIONS] = {"collections", "collection"},
    [CATALOG_REGIONS] = {"regions", "region"},
};

const char *catalog_kind_name(enum catalog_kind kind)
{
    return kind_names[kind].many;
}

void catalog_release(struct catalog *catalog)
{
    for (int kind = 0; kind < CATALOG_COUNT; kind++) {
        struct catalog_list *list = &catalog->lists[kind];
        for (size_t i = 0; i < list->count; i++) {
            free(list->entries[i].id);
            free(list->entries[i].name);
        }
        free(list->entries);
        free(list->by_name);
    }
    for (size_t i = 0; i < catalog->attribute_page_count; i++)
        wire_attributes_release(&catalog->attribute_pages[i]);
    free(catalog->attribute_pages);
    *catalog = (struct catalog){0};
}

/* ---- filling ------------------------------------------------------------------------------- */

enum catalog_kind catalog_next(const struct catalog *catalog)
{
    int kind = 0;
    while (kind < CATALOG_COUNT &&
           (!catalog->lists[kind].is_wanted || catalog->lists[kind].is_whole))
        kind++;
    return (enum catalog_kind)kind;
}

int catalog_path(const struct catalog *catalog, enum catalog_kind kind,
                 const struct wire_profile *wire, struct buf *out)
{
    const char *const paths[CATALOG_COUNT] = {
        [CATALOG_ATTRIBUTES] = wire->attribute_path,
        [CATALOG_COLLECTIONS] = wire->collection_path,
        [CATALOG_REGIONS] = wire->region_path,
    };
    return wire_page_path(paths[kind], PAGE_ROWS, catalog->lists[kind].offset, out);
}

static int by_id(const void *a, const void *b)
{
    const struct catalog_entry *one = a;
    const struct catalog_entry *other = b;
    return strcmp(one->id, other->id);
}

static int by_name(const void *a, const void *b)
{
    const struct catalog_entry *const *one = a;
    const struct catalog_entry *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

static int compare_id(const void *key, const void *entry)
{
    return strcmp(key, ((const struct catalog_entry *)entry)->id);
}

static const struct catalog_entry *find_id(const struct catalog_list *list, size_t count,
                                           const char *id)
{
    return count ? bsearch(id, list->entries, count, sizeof *list->entries, compare_id) : NULL;
}

/* Adds an entry unless it is among the first `known`, those of earlier pages. */
static int add_entry(struct catalog_list *list, size_t known, const char *id, const char *name,
                     const struct wire_attribute *attribute)
{
    if (find_id(list, known, id))
        return 0;
    if (!(list->count & (list->count - 1))) { /* a power of two, or 0: full */
        size_t cap = list->count ? 2 * list->count : 1;
        struct catalog_entry *entries = realloc(list->entries, cap * sizeof *entries);
        if (!entries)
            return -ERR_NOMEM;
        list->entries = entries;
    }
    struct catalog_entry *entry = &list->entries[list->count];
    *entry = (struct catalog_entry){strdup(id), strdup(name), attribute};
    list->count++;
    return entry->id && entry->name ? 0 : -ERR_NOMEM;
}

static int take_attributes(struct catalog *catalog, const char *body, size_t len, size_t *out_rows,
                           struct err *err)
{
    struct catalog_list *list = &catalog->lists[CATALOG_ATTRIBUTES];
    size_t known = list->count;
    struct wire_attributes *pages =
        reallocarray(catalog->attribute_pages, catalog->attribute_page_count + 1, sizeof *pages);
    if (!pages)
        return -ERR_NOMEM;
    catalog->attribute_pages = pages;
    struct wire_attributes *page = &pages[catalog->attribute_page_count];
    int rc = wire_decode_attributes(body, len, page, err);
    if (rc)
        return rc;
    catalog->attribute_page_count++;
    *out_rows = page->count;
    for (size_t i = 0; !rc && i < page->count; i++)
        rc = add_entry(list, known, page->items[i].id, page->items[i].label, &page->items[i]);
    return rc;
}

static int take_collections(struct catalog_list *list, const char *body, size_t len,
                            size_t *out_rows, struct err *err)
{
    struct wire_folders page;
    size_t known = list->count;
    int rc = wire_decode_folders(body, len, &page, err);
    *out_rows = page.rows;
    for (size_t i = 0; !rc && i < page.count; i++)
        rc = add_entry(list, known, page.items[i].id, page.items[i].name, NULL);
    wire_folders_release(&page);
    return rc;
}

static int take_regions(struct catalog_list *list, const char *body, size_t len, size_t *out_rows,
                        struct err *err)
{
    struct wire_regions page;
    size_t known = list->count;
    int rc = wire_decode_regions(body, len, &page, err);
    *out_rows = page.count;
    for (size_t i = 0; !rc && i < page.count; i++)
        rc = add_entry(list, known, page.items[i].id, page.items[i].name, NULL);
    wire_regions_release(&page);
    return rc;
}

/* In the order of their ids, each once. */
static void sort_entries(struct catalog_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->entries, list->count, sizeof *list->entries, by_id);
    for (size_t i = 0; i < list->count; i++) {
        if (kept && !strcmp(list->entries[kept - 1].id, list->entries[i].id)) {
            free(list->entries[i].id);
            free(list->entries[i].name);
        } else {
            list->entries[kept++] = list->entries[i];
        }
    }
    list->count = kept;
}

static int finish(struct catalog_list *list)
{
    list->by_name = calloc(list->count + 1, sizeof(void *));
    if (!list->by_name)
        return -ERR_NOMEM;
    for (size_t i = 0; i < list->count; i++)
        list->by_name[i] = &list->entries[i];
    if (list->count)
        qsort(list->by_name, list->count, sizeof(void *), by_name);
    list->is_whole = 1;
    return 0;
}

int catalog_take(struct catalog *catalog, enum catalog_kind kind, const char *body, size_t len,
                 struct err *err)
{
    struct catalog_list *list = &catalog->lists[kind];
    size_t known = list->count;
    size_t rows = 0;
    int rc;
    if (kind == CATALOG_ATTRIBUTES)
        rc = take_attributes(catalog, body, len, &rows, err);
    else if (kind == CATALOG_COLLECTIONS)
        rc = take_collections(list, body, len, &rows, err);
    else
        rc = take_regions(list, body, len, &rows, err);
    sort_entries(list);
    list->offset += (int64_t)rows;
    int is_last = wire_page_is_short(rows, PAGE_ROWS, list->most_rows) || list->count == known ||
                  ++list->pages == PAGES_MAX;
    if (rows > list->most_rows)
        list->most_rows = rows;
    if (!rc && is_last)
        rc = finish(list);
    if (rc == -ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "no memory for the tenant's %s", kind_names[kind].many);
    return rc;
}

/* ---- looking up ---------------------------------------------------------------------------- */

/* The first of a name; *out_count has how many bear it. */
static const struct catalog_entry *find_name(const struct catalog_list *list, const char *name,
                                             size_t *out_count)
{
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(list->by_name[mid]->name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *out_count = 0;
    while (low + *out_count < list->count && !strcmp(list->by_name[low + *out_count]->name, name))
        ++*out_count;
    return *out_count ? list->by_name[low] : NULL;
}

static void say_unknown(const struct catalog_list *list, enum catalog_kind kind, const char *text,
                        struct buf *why)
{
    struct nearest nearest;
    nearest_init(&nearest, text);
    for (size_t i = 0; i < list->count && list->count <= NEAREST_MAX; i++)
        nearest_offer(&nearest, list->entries[i].name);
    const char *like = nearest_result(&nearest);
    if (like)
        buf_printf(why, "PXM has no %s of the name or id '%.80s'; did you mean '%.80s'?",
                   kind_names[kind].one, text, like);
    else
        buf_printf(why, "PXM has no %s of the name or id '%.80s'; correct it, or create it there",
                   kind_names[kind].one, text);
}

const struct catalog_entry *catalog_find(const struct catalog *catalog, enum catalog_kind kind,
                                         const char *text, struct buf *why)
{
    const struct catalog_list *list = &catalog->lists[kind];
    BUG_ON(!list->is_whole);
    const struct catalog_entry *entry = find_id(list, list->count, text);
    size_t count;
    if (entry)
        return entry;
    entry = *text ? find_name(list, text, &count) : NULL;
    if (!entry) {
        say_unknown(list, kind, text, why);
        return NULL;
    }
    if (count == 1)
        return entry;
    buf_printf(why, "PXM has %zu %s of the name '%.80s'; write the id of one, such as %.80s", count,
               kind_names[kind].many, text, entry->id);
    return NULL;
}
