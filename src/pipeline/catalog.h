/*
 * catalog.h - inside pipeline/: what the tenant has that a manifest speaks of by name or id: its
 * attributes, collections and regions. Filled on the loop thread, page by page; whole and constant
 * before another thread gets it.
 */
#ifndef PIPELINE_CATALOG_H
#define PIPELINE_CATALOG_H

#include "wire/wire.h"

enum catalog_kind { CATALOG_ATTRIBUTES, CATALOG_COLLECTIONS, CATALOG_REGIONS, CATALOG_COUNT };

struct catalog_entry {
    char *id;
    char *name;
    const struct wire_attribute *attribute; /* CATALOG_ATTRIBUTES; else NULL */
};

struct catalog_list {
    int is_wanted;
    int is_whole;
    int64_t offset; /* of the next page */
    int pages;
    size_t most_rows;              /* of a page before */
    struct catalog_entry *entries; /* by id */
    size_t count;
    const struct catalog_entry **by_name; /* once it is whole */
};

struct catalog {
    struct catalog_list lists[CATALOG_COUNT];
    struct wire_attributes *attribute_pages; /* where the entries' attributes stand */
    size_t attribute_page_count;
};

void catalog_release(struct catalog *catalog);
/* The list that is wanted and not whole yet; CATALOG_COUNT: none. */
enum catalog_kind catalog_next(const struct catalog *catalog);
/* "attributes" */
const char *catalog_kind_name(enum catalog_kind kind);
/* The path of its next page. 0 or -ERR_NOMEM. */
int catalog_path(const struct catalog *catalog, enum catalog_kind kind,
                 const struct wire_profile *wire, struct buf *out) WARN_UNUSED;
/* Takes that page. 0, -ERR_BAD_REPLY, -ERR_NOMEM. */
int catalog_take(struct catalog *catalog, enum catalog_kind kind, const char *body, size_t len,
                 struct err *err) WARN_UNUSED;

/*
 * The entry of an id or, where there is none, of a name. NULL, and *why what is wrong and what to
 * do, where there is no such entry or several bear the name.
 */
const struct catalog_entry *catalog_find(const struct catalog *catalog, enum catalog_kind kind,
                                         const char *text, struct buf *why);

#endif
