/*
 * claim.h - which pending assets this process was given. Each lane has a cursor: every pending
 * row of the current wave before it is claimed. A row that becomes pending behind a cursor is
 * *offered*, which moves the cursor back to it, so a lane can never miss a row, and passes over
 * claimed rows only where a cursor was moved back. On the writer's thread.
 */
#ifndef JOURNAL_CLAIM_H
#define JOURNAL_CLAIM_H

#include "journal/idset.h"
#include "journal/journal.h"

struct store;

#define CLAIM_LANE_COUNT 5

struct claim_cursor {
    int64_t key;            /* the first not looked at yet: an id, or a claim_size_key() */
    int64_t boundary_bytes; /* of the last request; another one starts the lane over */
};

struct claims {
    struct idset given;
    struct claim_cursor cursors[CLAIM_LANE_COUNT];
};

/* What a claim brought. The caller owns the array and what is in it. */
struct claim_list {
    struct claim **items;
    size_t count;
    int dry; /* the lane had no more */
};

/*
 * The order of the lanes by size: 64 classes an octave, largest first, so files of one class
 * differ by less than 1.6 %; in a class by id. Classes, as with the sizes themselves each insert
 * would go to another page of a tree of a million. Stored: never change it.
 */
#define CLAIM_ID_BITS 36
#define CLAIM_ID_MASK (((int64_t)1 << CLAIM_ID_BITS) - 1)
#define CLAIM_CLASSES 4096
int64_t claim_size_key(int64_t id, int64_t size_bytes);

void claim_release(struct claims *claims);
/* All cursors to the start; what is claimed stays claimed. */
void claim_restart(struct claims *claims);
/* A row became pending: its file is to be sent, or (link) to be linked. */
void claim_offer(struct claims *claims, int64_t id, int64_t size_bytes);
void claim_offer_link(struct claims *claims, int64_t id);
/* It is pending no longer. */
void claim_forget(struct claims *claims, int64_t id);
/* Gives it back. */
int claim_undo(struct store *store, int64_t id, struct err *err) WARN_UNUSED;
/* An asset as a claim, which it is not yet; whole: with what a CONFIRMED one has, in any state. */
int claim_read(struct store *store, int64_t id, int whole, struct claim **out,
               struct err *err) WARN_UNUSED;
/* At most max pending assets into list->items, which has room for them. */
int claim_take(struct store *store, enum claim_lane lane, size_t max, int64_t boundary_bytes,
               struct claim_list *list, struct err *err) WARN_UNUSED;

#endif
