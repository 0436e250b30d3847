/*
 * steps.h - the steps an asset takes, one row each. The only place that knows their order.
 */
#ifndef PIPELINE_STEPS_H
#define PIPELINE_STEPS_H

#include "pipeline/pipeline.h"

enum step_id {
    STEP_PREPARE,  /* open, stat, type, digest the local file */
    STEP_REQUEST,  /* request-upload */
    STEP_PUT,      /* the bytes to S3, part by part */
    STEP_CONFIRM,  /* confirm-upload */
    STEP_RESOLVE,  /* a confirm's reply was lost: look the file up, then decide */
    STEP_IDENTIFY, /* a confirm's reply had no file id: look it up */
    STEP_CANARY,   /* the first overwrite or version: read its outcome back */
    STEP_READ,     /* what a file that was there before is linked to */
    STEP_LINK,     /* its collections and attributes, one PUT */
    STEP_FINISH,   /* the final fact becomes durable */
    STEP_COUNT
};

struct job;
struct asset;

struct step {
    const char *name;
    enum asset_state from; /* the states between which it leads */
    enum asset_state to;
    enum wait_reason limiter; /* where an asset waits to begin it */
    int idempotent;           /* may be repeated without asking */
    int needs_intent;         /* a durable intent goes before it */
    /* Begins it for an asset whose turn has come. */
    void (*start)(struct job *job, struct asset *asset);
    /* Its API exchange ended; NULL where the step has none. */
    void (*done)(struct job *job, struct asset *asset);
};
extern const struct step steps[STEP_COUNT];

/* Puts the asset before a step: tries begin at 0, it waits for the step's limiter. */
void step_enter(struct job *job, struct asset *asset, enum step_id step);
/* Back in front of the step that it is at. */
void step_again(struct job *job, struct asset *asset);

/* The steps' own entries (prepare.c, request.c, put.c, confirm.c, lookup.c). */
struct work;
void prepare_start(struct job *job, struct asset *asset);
void prepare_done(struct job *job, struct work *work);
void request_start(struct job *job, struct asset *asset);
void request_done(struct job *job, struct asset *asset);
/* Its parts are stored, or it gives up: the slot is another's. */
void session_close(struct job *job, struct asset *asset);
/* Its session is of no use any more: from the file again. */
void session_begin_anew(struct job *job, struct asset *asset, const char *why);
void put_start(struct job *job, struct asset *asset);
/* Where an asset in STEP_PUT stands: waits, or is complete. */
void put_settle(struct job *job, struct asset *asset);
void put_digested(struct job *job, struct work *work);
void confirm_start(struct job *job, struct asset *asset);
void confirm_done(struct job *job, struct asset *asset);
void lookup_start(struct job *job, struct asset *asset);
void resolve_done(struct job *job, struct asset *asset);
void identify_done(struct job *job, struct asset *asset);
void canary_done(struct job *job, struct asset *asset);

void read_start(struct job *job, struct asset *asset);
void read_done(struct job *job, struct asset *asset);
void link_start(struct job *job, struct asset *asset);
void link_done(struct job *job, struct asset *asset);

/* Final states; the asset then waits for the journal and is reported when it is durable. */
/* PXM has the file; where links or attributes are wanted, they come next. */
void finish_confirmed(struct job *job, struct asset *asset);
void finish_linked(struct job *job, struct asset *asset);
void finish_skipped(struct job *job, struct asset *asset);
void finish_failed(struct job *job, struct asset *asset, const struct err *error);
/* Its facts are durable: report it and forget it. */
void finish_durable(struct job *job, struct asset *asset);
/* Leaves it queued in the journal as it stands there and forgets it. */
void park(struct job *job, struct asset *asset);

#endif
