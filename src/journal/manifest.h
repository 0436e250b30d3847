/*
 * manifest.h - what a manifest says of single files: its rows, found again by path or name, and
 * what it said of each asset. On the writer's thread.
 */
#ifndef JOURNAL_MANIFEST_H
#define JOURNAL_MANIFEST_H

#include "journal/store.h"

int manifest_clear(struct store *store, struct err *err) WARN_UNUSED;
int manifest_add(struct store *store, const struct journal_manifest_row *rows, size_t count,
                 struct err *err) WARN_UNUSED;
int manifest_find(struct store *store, struct journal_manifest_query *queries, size_t count,
                  unsigned how, struct err *err) WARN_UNUSED;
/* A new walk: no row was used yet. */
int manifest_begin_walk(struct store *store, struct err *err) WARN_UNUSED;
/* The walk is over: counts the rows that no file used. */
int manifest_finish_walk(struct store *store, struct err *err) WARN_UNUSED;

/* Keeps what the manifest says of a found row, and marks *work by it; the caller then sets it. */
int manifest_keep(struct store *store, const struct journal_found *row, struct work *work,
                  struct err *err) WARN_UNUSED;

#endif
