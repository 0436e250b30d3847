/*
 * remedy.h - what is done about an error: one table of (error class, step), one place that
 * applies it.
 */
#ifndef PIPELINE_REMEDY_H
#define PIPELINE_REMEDY_H

#include "pipeline/steps.h"

enum remedy {
    REMEDY_NONE,        /* no error, no remedy */
    REMEDY_FAIL,        /* final for this file */
    REMEDY_RETRY,       /* the same again after a backoff, bounded tries */
    REMEDY_THROTTLE,    /* likewise, and fewer PUTs at once for a while */
    REMEDY_HOLD,        /* nobody calls the API until Retry-After; not counted as a try */
    REMEDY_REFRESH,     /* one new token for all, then once more */
    REMEDY_PREPARE,     /* from the local file on */
    REMEDY_NEW_SESSION, /* from request-upload on */
    REMEDY_RESOLVE,     /* it may have been applied: look up, then decide */
    REMEDY_STOP,        /* no file can do better: end the run, leave the rest queued */
    REMEDY_COUNT
};
const char *remedy_name(enum remedy remedy);

/*
 * The table's cell. A confirm that surely was not applied (EFFECT_NONE) is retried where the cell
 * says RESOLVE.
 */
enum remedy remedy_for(enum step_id step, const struct err *error);

/* Applies it to an asset at its step (part: the one concerned in STEP_PUT, else NULL). */
struct part;
void remedy_apply(struct job *job, struct asset *asset, struct part *part, const struct err *error);
/* Holds every API call back for a 429. Negative: the 429s do not end, and the job does. */
int remedy_hold(struct job *job, const struct err *error) WARN_UNUSED;
/* Ends STEP_PUT as asset->error asks for, when nothing of it is under way any more. */
void remedy_leave(struct job *job, struct asset *asset);

#endif
