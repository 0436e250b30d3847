/*
 * batch.h - what travels to the writer: batches of facts and claims, and blocking calls. The
 * loop fills a batch, the writer reads it and puts claims in, the loop takes them out; it is
 * never with both.
 */
#ifndef JOURNAL_BATCH_H
#define JOURNAL_BATCH_H

#include "journal/claim.h"
#include "journal/folder_task.h"

struct store;

/* Runs on the writer's thread, inside its transaction. */
typedef int batch_call_fn(struct store *store, void *arg, struct err *err);

struct message {
    struct message *next;
    struct journal_batch *batch; /* NULL: a blocking call */
    batch_call_fn *call;
    void *arg;
    int relaxed;  /* the call is answered before its commit: its work may be done again */
    int answered; /* under the writer's lock */
    int rc;
    struct err err;
};

struct batch_chunk {
    struct batch_chunk *next;
    size_t used;
    size_t cap;
    char bytes[];
};

struct batch_request {
    int asked;
    size_t max;
    int64_t boundary_bytes;
    struct claim_list list;
    size_t taken; /* of the list, by the loop */
};

struct journal_batch {
    struct message message;
    void *user;
    struct journal_fact *facts; /* their strings stand in the chunks */
    size_t fact_count;
    size_t fact_cap;
    struct batch_chunk *chunks;
    int64_t *request_times;
    size_t request_count;
    size_t request_cap;
    struct journal_moment moment;
    int has_moment;
    int64_t *unclaims;
    size_t unclaim_count;
    size_t unclaim_cap;
    struct batch_request requests[CLAIM_LANE_COUNT];
    struct folder_request folders;
    struct journal_folder_fact *folder_facts; /* their strings stand in the chunks */
    size_t folder_fact_count;
    size_t folder_fact_cap;
    int64_t list_began_ms; /* 0: no listing began */
    struct folder_listed *listed;
    size_t listed_count;
    size_t listed_cap;
};

#endif
