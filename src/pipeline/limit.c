/*
 * limit.c - what limits the run; see limit.h. Called by meter.c.
 *
 * The order of the questions is the decision: what nobody can do anything about this moment comes
 * first, what more of another resource would help against comes last.
 */
#include "pipeline/limit.h"

#include <string.h>

/* The local side keeps the assets that are not sent: its threads compute, or wait for the disk. */
static enum job_limit local_limit(const struct limit_input *in)
{
    const int *waiting = in->waiting;
    if (waiting[WAIT_WORKER] > waiting[WAIT_JOURNAL] && in->cpu_busy >= LIMIT_BUSY_PERCENT)
        return JOB_LIMIT_CPU;
    return JOB_LIMIT_DISK;
}

enum job_limit limit_now(const struct limit_input *in)
{
    const int *waiting = in->waiting;
    int calls_wait = waiting[WAIT_API] + waiting[WAIT_SLOT];
    if (in->is_held)
        return JOB_LIMIT_SERVER;
    if (!in->is_begun)
        return JOB_LIMIT_STARTING;
    if (calls_wait && in->is_budget_spent)
        return JOB_LIMIT_API;
    int puts_full = in->puts_active >= in->put_limit;
    if ((in->is_throttled && puts_full) || waiting[WAIT_RETRY] * 2 > in->assets)
        return JOB_LIMIT_SERVER;
    if (in->loop_busy >= LIMIT_BUSY_PERCENT)
        return in->loop_reads_disk ? JOB_LIMIT_DISK : JOB_LIMIT_CPU;
    if (puts_full)
        return JOB_LIMIT_NETWORK;
    if (!in->has_more && !calls_wait && in->puts_active)
        return JOB_LIMIT_TAIL;
    if (in->api_active >= in->api_concurrency)
        return JOB_LIMIT_SERVER;
    if (waiting[WAIT_WORKER] || waiting[WAIT_JOURNAL] || in->is_walking)
        return local_limit(in);
    return in->has_more ? JOB_LIMIT_DISK : JOB_LIMIT_TAIL;
}

void limit_clock_add(struct limit_clock *clock, enum job_limit limit, int64_t ms)
{
    clock->ms[limit] += ms;
    clock->total_ms[limit] += ms;
}

void limit_clock_turn(struct limit_clock *clock)
{
    for (int i = 0; i < JOB_LIMIT_COUNT; i++)
        if (clock->ms[i] > clock->ms[clock->named])
            clock->named = (enum job_limit)i;
    memset(clock->ms, 0, sizeof clock->ms);
}
