/* facts.h - a batch's facts and requests into rows. On the writer's thread. */
#ifndef JOURNAL_FACTS_H
#define JOURNAL_FACTS_H

#include "journal/batch.h"
#include "journal/store.h"

/* Everything of a batch but its claims. */
int facts_apply(struct store *store, const struct journal_batch *batch,
                struct err *err) WARN_UNUSED;
/* The claims; last in a transaction, so that "dry" is true at its commit. */
int facts_claim(struct store *store, struct journal_batch *batch, struct err *err) WARN_UNUSED;

#endif
