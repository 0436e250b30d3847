/*
 * found.h - the walker's side: waves, found files, what was left out; and queueing failed rows
 * again. On the writer's thread.
 */
#ifndef JOURNAL_FOUND_H
#define JOURNAL_FOUND_H

#include "journal/store.h"

int found_begin_walk(struct store *store, int64_t *out_wave, struct err *err) WARN_UNUSED;
int found_finish_walk(struct store *store, struct err *err) WARN_UNUSED;
int found_add(struct store *store, const struct journal_found *rows, size_t count,
              struct err *err) WARN_UNUSED;
int found_requeue_failed(struct store *store, enum err_code only, int64_t *out_count,
                         struct err *err) WARN_UNUSED;

#endif
