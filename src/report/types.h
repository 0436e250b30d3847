/*
 * types.h - how the files of each MIME type came out; bounded. One owner, one thread.
 */
#ifndef REPORT_TYPES_H
#define REPORT_TYPES_H

#include "report/outcome.h"

#define TYPES_MAX     200
#define TYPE_NAME_MAX 128

struct type {
    char name[TYPE_NAME_MAX];
    struct outcome outcome;
};

struct types {
    struct type items[TYPES_MAX];
    size_t count;
    struct outcome others; /* of the types past TYPES_MAX */
};

void types_add(struct types *types, const struct journal_row *row);
/* Most bytes first. */
void types_sort(struct types *types);

#endif
