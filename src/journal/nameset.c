/* nameset.c - see nameset.h. */
#include "journal/nameset.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_WORDS 8          /* a cache line */
#define BLOCKS      (1u << 15) /* 2 MiB: under a hundredth of false hits at a million names */
#define PROBES      4          /* bits of a name in its block */
#define SLOT_BITS   17         /* 2 MiB, too */
#define SLOTS       ((size_t)1 << SLOT_BITS)
#define SLACK       512             /* farther from its place no name stands, nor behind the last */
#define ITEMS_MAX   (SLOTS / 4 * 3) /* with more, clusters are long */

void nameset_release(struct nameset *set)
{
    free(set->seen);
    free(set->items);
    free(set->used);
    *set = (struct nameset){0};
}

static int prepare(struct nameset *set, struct err *err)
{
    if (!set->seen)
        set->seen = calloc((size_t)BLOCKS * BLOCK_WORDS, sizeof *set->seen);
    if (!set->items)
        set->items = calloc(SLOTS + SLACK, sizeof *set->items);
    if (!set->used)
        set->used = calloc((SLOTS + SLACK) / 64, sizeof *set->used);
    return set->seen && set->items && set->used
               ? 0
               : err_set(err, ERR_NOMEM, "no memory for the names");
}

/* ---- what was seen ----------------------------------------------------------------------- */

/* The key's lower bits: a block, then nine bits a probe. The slots go by its upper ones. */
static size_t block_of(uint64_t key)
{
    return (size_t)(key & (BLOCKS - 1)) * BLOCK_WORDS;
}

static unsigned bit_of(uint64_t key, int probe)
{
    return (unsigned)(key >> (15 + 9 * probe)) & 511;
}

int nameset_is_new(const struct nameset *set, int64_t key)
{
    if (!set->is_whole || !set->seen)
        return set->is_whole;
    const uint64_t *block = set->seen + block_of((uint64_t)key);
    for (int i = 0; i < PROBES; i++) {
        unsigned bit = bit_of((uint64_t)key, i);
        if (!(block[bit / 64] >> bit % 64 & 1))
            return 1;
    }
    return 0;
}

int nameset_see(struct nameset *set, int64_t key, struct err *err)
{
    if (!set->is_whole)
        return 0;
    int rc = prepare(set, err);
    if (rc)
        return rc;
    uint64_t *block = set->seen + block_of((uint64_t)key);
    for (int i = 0; i < PROBES; i++) {
        unsigned bit = bit_of((uint64_t)key, i);
        block[bit / 64] |= (uint64_t)1 << bit % 64;
    }
    return 0;
}

/* ---- what waits -------------------------------------------------------------------------- */

/* In the order of signed keys. */
static size_t slot_of(int64_t key)
{
    return (size_t)(((uint64_t)key ^ (uint64_t)INT64_MIN) >> (64 - SLOT_BITS));
}

int64_t nameset_get(const struct nameset *set, int64_t key)
{
    if (!set->count)
        return 0;
    for (size_t i = slot_of(key); i < SLOTS + SLACK && set->items[i].id; i++)
        if (set->items[i].key == key)
            return set->items[i].id;
    return 0;
}

/* Names made for it could pile up: then there is no room near a key's place. */
static size_t empty_slot(const struct nameset *set, int64_t key)
{
    size_t first = slot_of(key);
    size_t i = first;
    while (i < first + SLACK && set->items[i].id)
        i++;
    return i < first + SLACK ? i : SIZE_MAX;
}

int nameset_fits(const struct nameset *set, int64_t key)
{
    return !set->count || (set->count < ITEMS_MAX && empty_slot(set, key) != SIZE_MAX);
}

int nameset_add(struct nameset *set, int64_t key, int64_t id, struct err *err)
{
    int rc = prepare(set, err);
    if (!rc)
        rc = nameset_see(set, key, err);
    if (rc)
        return rc;
    size_t i = empty_slot(set, key);
    BUG_ON(i == SIZE_MAX);
    set->items[i] = (struct nameset_item){key, id};
    set->used[i / 64] |= (uint64_t)1 << i % 64;
    set->count++;
    return 0;
}

size_t nameset_sort(struct nameset *set)
{
    struct nameset_item *items = set->items;
    size_t count = 0;
    for (size_t word = 0; count < set->count; word++) {
        while (set->used[word]) {
            size_t i = word * 64 + (size_t)__builtin_ctzll(set->used[word]);
            struct nameset_item item = items[i];
            set->used[word] &= set->used[word] - 1;
            items[i].id = 0;
            /* Each is a few slots from its place at most. */
            size_t at = count++;
            for (; at > 0 && items[at - 1].key > item.key; at--)
                items[at] = items[at - 1];
            items[at] = item;
        }
    }
    return count;
}

void nameset_clear(struct nameset *set)
{
    if (set->count)
        memset(set->items, 0, set->count * sizeof *set->items);
    set->count = 0;
}
