/*
 * wish.h - what a file is to get beside its bytes, as the walk was told. On the writer's thread.
 */
#ifndef JOURNAL_WISH_H
#define JOURNAL_WISH_H

#include "journal/store.h"

/*
 * Keeps the wish and the folder of a found row and marks *work by it; the caller then sets it. 1
 * where it is another one than before, 0, or negative.
 */
int wish_keep(struct store *store, const struct journal_found *row, struct work *work,
              struct err *err) WARN_UNUSED;
/* What another wish means for a row that PXM has already: it waits for its link again. */
int wish_renew(struct store *store, struct work *work, struct err *err) WARN_UNUSED;

#endif
