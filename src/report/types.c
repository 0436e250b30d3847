/* types.c - see types.h. Called by gather.c. */
#include "report/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct outcome *outcome_for(struct types *types, const char *name)
{
    for (size_t i = 0; i < types->count; i++) {
        if (strcmp(types->items[i].name, name) != 0)
            continue;
        if (!i)
            return &types->items[0].outcome;
        /* One step forward with each hit: the few usual types end up in front. */
        struct type swap = types->items[i - 1];
        types->items[i - 1] = types->items[i];
        types->items[i] = swap;
        return &types->items[i - 1].outcome;
    }
    if (types->count == TYPES_MAX || strlen(name) >= TYPE_NAME_MAX)
        return &types->others;
    struct type *added = &types->items[types->count++];
    snprintf(added->name, sizeof added->name, "%s", name);
    return &added->outcome;
}

void types_add(struct types *types, const struct journal_row *row)
{
    outcome_count(outcome_for(types, row->mime_type ? row->mime_type : ""), row);
}

static int by_bytes(const void *a, const void *b)
{
    const struct type *x = a;
    const struct type *y = b;
    int64_t more = outcome_bytes(&y->outcome) - outcome_bytes(&x->outcome);
    return more ? (more > 0 ? 1 : -1) : strcmp(x->name, y->name);
}

void types_sort(struct types *types)
{
    qsort(types->items, types->count, sizeof *types->items, by_bytes);
}
