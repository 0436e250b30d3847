/*
 * store.h - what the writer thread owns: the writing connection, the counters, the claims, and
 * the one setter of an asset's hot row. Every call here is made on that thread, inside the
 * writer's open transaction.
 */
#ifndef JOURNAL_STORE_H
#define JOURNAL_STORE_H

#include "journal/claim.h"
#include "journal/counters.h"
#include "journal/folder.h"
#include "journal/fresh.h"

#define STORE_RECENT 4096 /* hot rows remembered, a power of two */
#define STORE_MIMES  64   /* types remembered without asking the database */

struct store_mime {
    char *type;
    int64_t id;
};

struct store {
    struct sql sql;
    struct counters counters;
    struct claims claims;
    struct folder_state folders;
    int64_t last_id;    /* of asset; ids are given in walk order and never again */
    struct fresh fresh; /* new rows on their way into the tables */
    struct store_mime mimes[STORE_MIMES];
    size_t mime_count;
    /*
     * An asset gets its facts within seconds, so most reads of work find it here. Direct mapped
     * by id; true at all times, as the calls below are the only ones that write the table.
     */
    struct work recent[STORE_RECENT];
};

/* Loads counters and cursors; the connection is open already. */
int store_load(struct store *store, struct err *err) WARN_UNUSED;
/* Closes the connection and frees what is held. */
void store_release(struct store *store);

static inline int64_t store_wave(const struct store *store)
{
    return store->counters.numbers[COUNTERS_WAVE];
}

/* Whether a state waits for the pipeline to send the file (DISCOVERED..STORED). */
int store_is_queued(enum asset_state state);
/* Whether a file is to get links or attributes once PXM has it. */
int store_wants_link(const struct work *work);
/* Whether a file that PXM has still waits for its links and attributes. */
int store_is_unlinked(const struct work *work);
/* Either of them. */
int store_is_pending(const struct work *work);
/* Whether a walk that was finished did not see a row of this wave. */
int store_is_gone(const struct store *store, int64_t wave);

/* -ERR_INTERNAL when there is no such asset. */
int store_get_work(struct store *store, int64_t id, struct work *out, struct err *err) WARN_UNUSED;
/* Counts a new row; fresh_write() writes it. */
int store_add_work(struct store *store, const struct work *work, struct err *err) WARN_UNUSED;
/* The one setter: writes the row, moves the counters, and tells the claims. */
int store_set_work(struct store *store, const struct work *before, const struct work *after,
                   struct err *err) WARN_UNUSED;

/* The failure kept beside an asset; owner_id 0: none. Does not touch the hot row. */
int store_set_failure(struct store *store, int64_t id, const struct err *failure, int64_t owner_id,
                      struct err *err) WARN_UNUSED;
/* A confirmed row to be linked, to where it belongs now: its folder may be there or not. */
int store_queue_link(struct store *store, const struct work *work, struct err *err) WARN_UNUSED;
/* A new walk: nothing is queued until it is seen. */
int store_clear_queue(struct store *store, struct err *err) WARN_UNUSED;
/* Forgets session and parts. */
int store_drop_session(struct store *store, int64_t id, struct err *err) WARN_UNUSED;
/*
 * Makes *work DISCOVERED, or CONFIRMED where PXM has the bytes, with no error and no tries; the
 * caller then sets it.
 */
int store_requeue(struct store *store, struct work *work, struct err *err) WARN_UNUSED;
/*
 * Makes *work DISCOVERED and forgets what is known of it but for the file that PXM made of it;
 * has_its_bytes: that file still has the bytes of result.md5. The caller then sets *work.
 */
int store_begin_anew(struct store *store, struct work *work, int has_its_bytes,
                     struct err *err) WARN_UNUSED;
int store_mime_id(struct store *store, const char *type, int64_t *out_id,
                  struct err *err) WARN_UNUSED;

#endif
