/* collide.c - see collide.h. Called by plan.c. */
#include "report/collide.h"

#include <stdlib.h>
#include <string.h>

#include "scan/scan.h"

#define CHUNK_BYTES (1024 * 1024)

const char *collide_kind_name(enum collide_kind kind)
{
    switch (kind) {
    case COLLIDE_UNKNOWN:
        return "not_compared";
    case COLLIDE_DIFFERENT:
        return "different";
    case COLLIDE_DUPLICATE:
        return "duplicate";
    }
    return "";
}

void collide_init(struct collide *collide)
{
    *collide = (struct collide){0};
}

void collide_release(struct collide *collide)
{
    for (size_t i = 0; i < collide->count; i++) {
        free(collide->items[i].root);
        free(collide->items[i].path);
        free(collide->items[i].owner_root);
        free(collide->items[i].owner_path);
    }
    free(collide->items);
    collide_init(collide);
}

static int grow(struct collide *collide)
{
    if (collide->count < collide->cap)
        return 0;
    size_t cap = collide->cap ? collide->cap * 2 : 64;
    struct collision *items = realloc(collide->items, cap * sizeof *items);
    if (!items)
        return -ERR_NOMEM;
    collide->items = items;
    collide->cap = cap;
    return 0;
}

int collide_add(struct collide *collide, const struct journal_row *row)
{
    collide->total++;
    if (collide->count == COLLIDE_MAX)
        return 0;
    int rc = grow(collide);
    if (rc)
        return rc;
    struct collision *item = &collide->items[collide->count++];
    *item = (struct collision){
        .owner_id = row->owner_id,
        .size_bytes = row->stamp.size_bytes,
        .root = strdup(row->root),
        .path = strdup(row->path),
    };
    return item->root && item->path ? 0 : -ERR_NOMEM;
}

/* ---- owners ---------------------------------------------------------------------------------- */

static int by_owner(const void *a, const void *b)
{
    const struct collision *one = a;
    const struct collision *other = b;
    return (one->owner_id > other->owner_id) - (one->owner_id < other->owner_id);
}

/* The first item whose owner is not below id. */
static size_t lower_bound(const struct collide *collide, int64_t id)
{
    size_t low = 0;
    size_t high = collide->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (collide->items[mid].owner_id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int on_row(const struct journal_row *row, void *user)
{
    struct collide *collide = user;
    for (size_t i = lower_bound(collide, row->asset_id);
         i < collide->count && collide->items[i].owner_id == row->asset_id; i++) {
        struct collision *item = &collide->items[i];
        item->owner_bytes = row->stamp.size_bytes;
        item->owner_root = strdup(row->root);
        item->owner_path = strdup(row->path);
        if (!item->owner_root || !item->owner_path)
            return -ERR_NOMEM;
    }
    return 0;
}

/* ---- contents ---------------------------------------------------------------------------------
 */

/* Two files of size bytes, chunk by chunk; both buffers hold CHUNK_BYTES. */
static enum collide_kind compare_open(struct source *one, struct source *other, int64_t size,
                                      char *buffers)
{
    for (int64_t at = 0; at < size;) {
        size_t len = size - at < CHUNK_BYTES ? (size_t)(size - at) : CHUNK_BYTES;
        if (source_read(one, buffers, len, at, NULL) ||
            source_read(other, buffers + CHUNK_BYTES, len, at, NULL))
            return COLLIDE_UNKNOWN;
        if (memcmp(buffers, buffers + CHUNK_BYTES, len) != 0)
            return COLLIDE_DIFFERENT;
        at += (int64_t)len;
    }
    return COLLIDE_DUPLICATE;
}

static enum collide_kind compare(const struct collision *item, int copy_links, char *buffers)
{
    struct source *one = NULL;
    struct source *other = NULL;
    struct file_stamp stamp;
    enum collide_kind kind = COLLIDE_UNKNOWN;
    if (source_open(item->root, item->path, copy_links, &one, &stamp, NULL) ||
        stamp.size_bytes != item->size_bytes)
        goto done;
    if (source_open(item->owner_root, item->owner_path, copy_links, &other, &stamp, NULL) ||
        stamp.size_bytes != item->size_bytes)
        goto done;
    kind = compare_open(one, other, item->size_bytes, buffers);
done:
    if (other)
        source_close(other);
    if (one)
        source_close(one);
    return kind;
}

static void judge(struct collide *collide, struct collision *item,
                  const struct collide_limits *limits, int64_t *left_bytes, char *buffers)
{
    if (!item->owner_root)
        return;
    if (item->size_bytes != item->owner_bytes) {
        item->kind = COLLIDE_DIFFERENT;
    } else if (item->size_bytes <= *left_bytes / 2) {
        *left_bytes -= 2 * item->size_bytes;
        item->kind = compare(item, limits->copy_links, buffers);
    }
    collide->different += item->kind == COLLIDE_DIFFERENT;
    collide->duplicates += item->kind == COLLIDE_DUPLICATE;
}

int collide_resolve(struct collide *collide, struct journal *journal,
                    const struct collide_limits *limits, struct err *err)
{
    if (!collide->count)
        return 0;
    qsort(collide->items, collide->count, sizeof *collide->items, by_owner);
    int rc = journal_each_row(journal, on_row, collide, err);
    char *buffers = rc ? NULL : malloc(2 * CHUNK_BYTES);
    if (!rc && !buffers)
        rc = -ERR_NOMEM;
    if (rc == -ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "no memory to compare files of one name");
    if (rc)
        return rc;
    int64_t left_bytes = limits->read_bytes > 0 ? limits->read_bytes : 0;
    for (size_t i = 0; i < collide->count; i++)
        judge(collide, &collide->items[i], limits, &left_bytes, buffers);
    free(buffers);
    return 0;
}
