/*
 * idset.h - a set of positive 64-bit ids that grows. Not thread-safe; the owner releases it.
 */
#ifndef JOURNAL_IDSET_H
#define JOURNAL_IDSET_H

#include "base/err.h"

struct idset {
    int64_t *slots; /* 0: empty */
    size_t cap;     /* a power of two, or 0 */
    size_t count;
};

void idset_release(struct idset *set);
/* 0 (also when it is inside already) or -ERR_NOMEM. */
int idset_add(struct idset *set, int64_t id) WARN_UNUSED;
void idset_remove(struct idset *set, int64_t id);
int idset_has(const struct idset *set, int64_t id);

#endif
