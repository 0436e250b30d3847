/*
 * idset.c - see idset.h. Open addressing with linear probing, at most half full; a removal moves
 * later entries of its run up, so there are no tombstones to clean away.
 */
#include "journal/idset.h"

#include <stdlib.h>

static size_t home_of(const struct idset *set, int64_t id)
{
    uint64_t mixed = (uint64_t)id * 0x9e3779b97f4a7c15u;
    return (size_t)(mixed >> 20) & (set->cap - 1);
}

/* The slot that holds the id, or the empty one where it belongs. */
static size_t find_slot(const struct idset *set, int64_t id)
{
    size_t at = home_of(set, id);
    while (set->slots[at] && set->slots[at] != id)
        at = (at + 1) & (set->cap - 1);
    return at;
}

static int grow(struct idset *set)
{
    struct idset wider = {.cap = set->cap ? set->cap * 2 : 64, .count = set->count};
    wider.slots = calloc(wider.cap, sizeof *wider.slots);
    if (!wider.slots)
        return -ERR_NOMEM;
    for (size_t i = 0; i < set->cap; i++)
        if (set->slots[i])
            wider.slots[find_slot(&wider, set->slots[i])] = set->slots[i];
    free(set->slots);
    *set = wider;
    return 0;
}

void idset_release(struct idset *set)
{
    free(set->slots);
    *set = (struct idset){0};
}

int idset_add(struct idset *set, int64_t id)
{
    BUG_ON(id <= 0);
    if (set->count * 2 >= set->cap) {
        int rc = grow(set);
        if (rc)
            return rc;
    }
    size_t at = find_slot(set, id);
    if (!set->slots[at]) {
        set->slots[at] = id;
        set->count++;
    }
    return 0;
}

void idset_remove(struct idset *set, int64_t id)
{
    if (!idset_has(set, id))
        return;
    size_t mask = set->cap - 1;
    size_t hole = find_slot(set, id);
    for (size_t at = (hole + 1) & mask; set->slots[at]; at = (at + 1) & mask) {
        size_t home = home_of(set, set->slots[at]);
        /* It may move up only if its home does not lie behind the hole. */
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        set->slots[hole] = set->slots[at];
        hole = at;
    }
    set->slots[hole] = 0;
    set->count--;
}

int idset_has(const struct idset *set, int64_t id)
{
    return set->cap && set->slots[find_slot(set, id)] == id;
}
