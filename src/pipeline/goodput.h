/*
 * goodput.h - inside pipeline/: how fast bytes get to S3, second by second. Pure.
 */
#ifndef PIPELINE_GOODPUT_H
#define PIPELINE_GOODPUT_H

#include "pipeline/pipeline.h"

struct goodput {
    int64_t bytes_per_s; /* smoothed over some seconds, idle ones too: what a person is shown */
    /*
     * What the way to S3 is able to carry, for the ETA: seconds in which the request budget kept
     * the bytes back say nothing about it unless they were faster, and those with too few files
     * left only where they were at least half as fast.
     */
    int64_t capable_bytes_per_s;
    int samples; /* that made it, up to GOODPUT_SAMPLES */
};

#define GOODPUT_SAMPLES 8

/* One second's bytes, and what limited the run in it. */
void goodput_add(struct goodput *goodput, int64_t bytes_per_s, enum job_limit limit, int is_held);
/* The way has changed (another number of transfers): the seconds before count for less. */
void goodput_forget(struct goodput *goodput);

#endif
