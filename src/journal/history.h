/*
 * history.h - what the runs of a job did and when: a time series of a bounded size. On the
 * writer's thread.
 */
#ifndef JOURNAL_HISTORY_H
#define JOURNAL_HISTORY_H

#include "journal/store.h"

/* Adds a moment, shared out over the rows that it covers. */
int history_add(struct store *store, const struct journal_moment *moment,
                struct err *err) WARN_UNUSED;

#endif
