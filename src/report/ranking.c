/* ranking.c - see ranking.h. Called by gather.c. */
#include "report/ranking.h"

#include <stdlib.h>
#include <string.h>

static void release(struct ranked *item)
{
    free(item->root);
    free(item->path);
}

int ranking_add(struct ranking *ranking, int64_t key, const struct journal_row *row)
{
    struct ranked *items = ranking->items;
    if (ranking->count == RANKING_MAX && key <= items[RANKING_MAX - 1].key)
        return 0;
    struct ranked item = {
        .key = key,
        .size_bytes = row->stamp.size_bytes,
        .took_ms = row->took_ms,
        .state = row->state,
        .root = strdup(row->root),
        .path = strdup(row->path),
    };
    if (!item.root || !item.path) {
        release(&item);
        return -ERR_NOMEM;
    }
    if (ranking->count == RANKING_MAX)
        release(&items[--ranking->count]);
    size_t at = ranking->count++;
    for (; at > 0 && items[at - 1].key < key; at--)
        items[at] = items[at - 1];
    items[at] = item;
    return 0;
}

void ranking_release(struct ranking *ranking)
{
    while (ranking->count)
        release(&ranking->items[--ranking->count]);
}
