/*
 * subtotals.c - see subtotals.h. Called by gather.c.
 *
 * Invariants: a parent stands before its children; slots has each folder once, by its parent and
 * name; no folder is deeper than max_depth.
 */
#include "report/subtotals.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#define SLOTS (4 * SUBTOTALS_MAX) /* a power of two */
/* Roots and their "all others" find room always. */
#define ITEMS (SUBTOTALS_MAX + 2 * LIMIT_ROOTS)

int subtotals_init(struct subtotals *folders)
{
    *folders = (struct subtotals){.max_depth = INT_MAX, .last = -1};
    folders->items = calloc(ITEMS, sizeof *folders->items);
    folders->slots = malloc(SLOTS * sizeof *folders->slots);
    if (!folders->items || !folders->slots)
        return -ERR_NOMEM;
    for (int i = 0; i < SLOTS; i++)
        folders->slots[i] = -1;
    return 0;
}

static void forget_last(struct subtotals *folders)
{
    free(folders->last_root);
    free(folders->last_path);
    folders->last_root = folders->last_path = NULL;
    folders->last = -1;
}

void subtotals_release(struct subtotals *folders)
{
    for (int i = 0; i < folders->count; i++)
        free(folders->items[i].name);
    forget_last(folders);
    free(folders->items);
    free(folders->slots);
    *folders = (struct subtotals){0};
}

/* Where a folder stands or would stand. name NULL: "all others". */
static int *slot_of(struct subtotals *folders, int parent, const char *name, size_t len)
{
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)(parent + 1);
    hash *= 0x100000001b3u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3u;
    size_t at = (size_t)(hash ^ hash >> 29) & (SLOTS - 1);
    for (;; at = (at + 1) & (SLOTS - 1)) {
        int *slot = &folders->slots[at];
        const struct folder *item = *slot < 0 ? NULL : &folders->items[*slot];
        if (!item)
            return slot;
        if (item->parent != parent || !item->name != !name)
            continue;
        if (!name || (!strncmp(item->name, name, len) && !item->name[len]))
            return slot;
    }
}

static void fill_slots(struct subtotals *folders)
{
    for (int i = 0; i < SLOTS; i++)
        folders->slots[i] = -1;
    for (int i = 0; i < folders->count; i++) {
        const struct folder *item = &folders->items[i];
        *slot_of(folders, item->parent, item->name, item->name ? strlen(item->name) : 0) = i;
    }
}

/* Folders deeper than max_depth go, and count in the one above that stays. */
static void fold(struct subtotals *folders, int max_depth)
{
    struct folder *items = folders->items;
    int *moved = folders->slots; /* where each one goes; the table is made anew after */
    int kept = 0;
    for (int i = folders->count - 1; i >= 0; i--) {
        if (items[i].depth <= max_depth)
            continue;
        outcome_add(&items[items[i].parent].own, &items[i].own);
        free(items[i].name);
    }
    for (int i = 0; i < folders->count; i++) {
        if (items[i].depth > max_depth)
            continue;
        moved[i] = kept++;
        struct folder item = items[i];
        item.parent = item.parent < 0 ? -1 : moved[item.parent];
        items[moved[i]] = item;
    }
    folders->count = kept;
    folders->max_depth = folders->deepest = max_depth;
    fill_slots(folders);
}

static int add_item(struct subtotals *folders, int parent, const char *name, size_t len)
{
    char *copy = name ? strndup(name, len) : NULL;
    if (name && !copy)
        return -ERR_NOMEM;
    BUG_ON(folders->count == ITEMS);
    int i = folders->count++;
    int depth = parent < 0 ? 0 : folders->items[parent].depth + 1;
    *slot_of(folders, parent, name, len) = i;
    folders->items[i] = (struct folder){.parent = parent, .depth = depth, .name = copy};
    if (depth > folders->deepest)
        folders->deepest = depth;
    return i;
}

/* No failure: folders were folded, and indices are others now. */
#define BEGIN_AGAIN (-ERR_COUNT)

static int child_of(struct subtotals *folders, int parent, const char *name, size_t len)
{
    int found = *slot_of(folders, parent, name, len);
    if (found >= 0)
        return found;
    if (parent < 0 || folders->count < SUBTOTALS_MAX)
        return add_item(folders, parent, name, len);
    if (folders->deepest > 1) {
        fold(folders, folders->deepest - 1);
        return BEGIN_AGAIN;
    }
    found = *slot_of(folders, parent, NULL, 0);
    return found >= 0 ? found : add_item(folders, parent, NULL, 0);
}

/* The folder that a row counts in. */
static int find(struct subtotals *folders, const char *root, const char *path, size_t len)
{
    int at = child_of(folders, -1, root, strlen(root));
    while (at >= 0 && len && folders->items[at].depth < folders->max_depth &&
           (folders->items[at].name || folders->items[at].parent < 0)) {
        size_t name_len = strcspn(path, "/");
        at = child_of(folders, at, path, name_len);
        path += name_len + 1;
        len -= name_len + 1;
    }
    return at;
}

static int is_last(const struct subtotals *folders, const char *root, const char *path, size_t len)
{
    return folders->last >= 0 && folders->last_len == len &&
           !strncmp(folders->last_path, path, len) && !strcmp(folders->last_root, root);
}

int subtotals_add(struct subtotals *folders, const struct journal_row *row)
{
    const char *slash = strrchr(row->path, '/');
    size_t len = slash ? (size_t)(slash - row->path) + 1 : 0;
    if (!is_last(folders, row->root, row->path, len)) {
        forget_last(folders);
        int at;
        while ((at = find(folders, row->root, row->path, len)) == BEGIN_AGAIN)
            ;
        if (at < 0)
            return at;
        folders->last_root = strdup(row->root);
        folders->last_path = strndup(row->path, len);
        if (!folders->last_root || !folders->last_path)
            return -ERR_NOMEM;
        folders->last_len = len;
        folders->last = at;
    }
    outcome_count(&folders->items[folders->last].own, row);
    return 0;
}

void subtotals_finish(struct subtotals *folders)
{
    struct folder *items = folders->items;
    int last_root = -1;
    for (int i = 0; i < folders->count; i++) {
        items[i].all = items[i].own;
        items[i].below = 0;
        items[i].first_child = items[i].last_child = items[i].next = -1;
    }
    for (int i = folders->count - 1; i >= 0; i--) {
        if (items[i].parent < 0)
            continue;
        outcome_add(&items[items[i].parent].all, &items[i].all);
        items[items[i].parent].below += items[i].below + 1;
    }
    for (int i = 0; i < folders->count; i++) {
        int *last = items[i].parent < 0 ? &last_root : &items[items[i].parent].last_child;
        if (*last >= 0)
            items[*last].next = i;
        else if (items[i].parent >= 0)
            items[items[i].parent].first_child = i;
        *last = i;
    }
}

int subtotals_next(const struct subtotals *folders, int i, int max_depth)
{
    const struct folder *items = folders->items;
    if (i < 0)
        return folders->count ? 0 : -1;
    if (items[i].depth < max_depth && items[i].first_child >= 0)
        return items[i].first_child;
    while (i >= 0 && items[i].next < 0)
        i = items[i].parent;
    return i < 0 ? -1 : items[i].next;
}

int subtotals_depth_of(const struct subtotals *folders, int64_t most)
{
    int64_t so_far = 0;
    int depth = 0;
    for (;; depth++) {
        for (int i = 0; i < folders->count; i++)
            so_far += folders->items[i].depth == depth;
        if (so_far > most || depth > folders->deepest)
            break;
    }
    return depth > 1 ? depth - 1 : 1;
}

int subtotals_path(const struct subtotals *folders, int i, struct buf *out)
{
    const struct folder *item = &folders->items[i];
    if (item->parent < 0)
        return 0;
    int rc = subtotals_path(folders, item->parent, out);
    if (!rc)
        rc = buf_puts(out, item->name ? item->name : "");
    return rc || !item->name ? rc : buf_puts(out, "/");
}
