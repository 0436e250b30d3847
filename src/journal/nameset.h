/*
 * nameset.h - name keys that stand in no table yet, and which ones may: what saves a walk the
 * look-up of nearly every new name, and gathers its names so that they go into the tree in order
 * instead of one page a name. Its size is fixed. One thread.
 */
#ifndef JOURNAL_NAMESET_H
#define JOURNAL_NAMESET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct nameset_item {
    int64_t key;
    int64_t id; /* 0: an empty slot */
};

struct nameset {
    int is_whole;   /* it saw every key that the table has */
    uint64_t *seen; /* a Bloom filter in blocks of a cache line; NULL before the first */
    struct nameset_item *items; /* open addressing by the key's upper bits, so almost sorted */
    uint64_t *used;             /* a bit for each slot with an item */
    size_t count;
};

void nameset_release(struct nameset *set);
/* Whether nothing was ever seen of this key; false too where not all were. */
int nameset_is_new(const struct nameset *set, int64_t key);
/* Remembers that the table has a key. */
int nameset_see(struct nameset *set, int64_t key, struct err *err) WARN_UNUSED;
/* Who waits with a key; 0: nobody. */
int64_t nameset_get(const struct nameset *set, int64_t key);
/* Whether there is room for one more with this key; an empty set has it. */
int nameset_fits(const struct nameset *set, int64_t key);
/* Adds one that is not here and that fits. */
int nameset_add(struct nameset *set, int64_t key, int64_t id, struct err *err) WARN_UNUSED;
/* All that wait, to the front of `items` and sorted by key; how many. Clear before adding more. */
size_t nameset_sort(struct nameset *set);
void nameset_clear(struct nameset *set);

#endif
