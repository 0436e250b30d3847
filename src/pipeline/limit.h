/*
 * limit.h - inside pipeline/: what limits the run, decided from how things stand at one moment and
 * named by what held for the longest part of a second. Pure.
 */
#ifndef PIPELINE_LIMIT_H
#define PIPELINE_LIMIT_H

#include "pipeline/pipeline.h"

/* How things stand; shares are in percent of the second before. */
struct limit_input {
    int is_held;         /* a 429 holds everybody back */
    int is_begun;        /* there was something to do already */
    int is_walking;      /* the walk still looks for files */
    int has_more;        /* the journal has, or may get, files that were not claimed */
    int is_budget_spent; /* no request may start in this window any more */
    int is_throttled;    /* S3 has asked for fewer PUTs */
    int assets;
    int waiting[WAIT_COUNT];
    int api_active;
    int api_concurrency;
    int puts_active;
    int put_limit;
    int loop_busy;       /* the loop thread did not sleep */
    int loop_reads_disk; /* it waited for pages of local files meanwhile */
    int cpu_busy;        /* the process used of all cores */
};
enum job_limit limit_now(const struct limit_input *input);

/* From here on a thread, or all cores, count as the limit. */
#define LIMIT_BUSY_PERCENT 90

struct limit_clock {
    int64_t ms[JOB_LIMIT_COUNT]; /* of this second */
    int64_t total_ms[JOB_LIMIT_COUNT];
    enum job_limit named;
};
void limit_clock_add(struct limit_clock *clock, enum job_limit limit, int64_t ms);
/* The second is over: names what held longest in it. */
void limit_clock_turn(struct limit_clock *clock);

#endif
