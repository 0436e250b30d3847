/*
 * collide.h - files of one name: who owns it, and whether both hold the same bytes (a true
 * duplicate, which may simply stay behind). Bounded: beyond COLLIDE_MAX they are only counted.
 */
#ifndef REPORT_COLLIDE_H
#define REPORT_COLLIDE_H

#include "journal/journal.h"

#define COLLIDE_MAX 10000

enum collide_kind {
    COLLIDE_UNKNOWN, /* of equal size, but not read: unreadable, or past the limit of bytes */
    COLLIDE_DIFFERENT,
    COLLIDE_DUPLICATE,
};
const char *collide_kind_name(enum collide_kind kind);

struct collision {
    int64_t owner_id;
    int64_t size_bytes;
    int64_t owner_bytes;
    char *root;
    char *path;
    char *owner_root; /* NULL: the owner's row is gone */
    char *owner_path;
    enum collide_kind kind;
};

struct collide {
    struct collision *items;
    size_t count;
    size_t cap;
    int64_t total; /* those past COLLIDE_MAX included */
    int64_t duplicates;
    int64_t different;
};

struct collide_limits {
    int copy_links;
    int64_t read_bytes; /* at most; <= 0: read nothing */
};

void collide_init(struct collide *collide);
void collide_release(struct collide *collide);
/* Remembers a row that failed with name_collision. 0 or -ERR_NOMEM. */
int collide_add(struct collide *collide, const struct journal_row *row) WARN_UNUSED;
/* Finds the owners in the journal, compares sizes, then bytes. Order changes. Blocking. */
int collide_resolve(struct collide *collide, struct journal *journal,
                    const struct collide_limits *limits, struct err *err) WARN_UNUSED;

#endif
