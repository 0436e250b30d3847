/*
 * history.c - what this run does and when, for the journal's history. Loop thread. A moment goes
 * along with the facts of a batch; only where there are none for long is it a reason to commit.
 */
#include "pipeline/job.h"

#define SAMPLE_MS 1000
#define ALONE_MS  10000 /* without any other reason to commit */

/* Which sum the time goes to in which this was the limit. */
static enum history_measure measure_of(enum job_limit limit)
{
    switch (limit) {
    case JOB_LIMIT_API:
        return HISTORY_BY_API_MS;
    case JOB_LIMIT_NETWORK:
        return HISTORY_BY_NETWORK_MS;
    case JOB_LIMIT_DISK:
    case JOB_LIMIT_CPU:
        return HISTORY_BY_LOCAL_MS;
    case JOB_LIMIT_TAIL:
        return HISTORY_BY_TAIL_MS;
    case JOB_LIMIT_SERVER:
        return HISTORY_BY_SERVER_MS;
    case JOB_LIMIT_STARTING:
    case JOB_LIMIT_COUNT:
        break;
    }
    return HISTORY_MEASURE_COUNT;
}

/* What is measured over time and not counted: from the tick before to this one. */
static void measure(struct job *job)
{
    struct history *history = &job->history;
    int64_t since_ms = job->now_ms - history->tick_ms;
    enum history_measure by = measure_of(job_limit_now(job));
    history->moment.sums[HISTORY_PUTS_MS] += job->puts_active * since_ms;
    if (by != HISTORY_MEASURE_COUNT)
        history->moment.sums[by] += since_ms;
    history->tick_ms = job->now_ms;
}

static void totals(const struct job *job, int64_t out[HISTORY_MEASURE_COUNT])
{
    out[HISTORY_RUN_MS] = job->now_ms - job->started_ms;
    out[HISTORY_CONFIRMED] = job->files_confirmed;
    out[HISTORY_SKIPPED] = job->files_done - job->files_confirmed - job->failed_durable;
    out[HISTORY_FAILED] = job->failed_durable;
    out[HISTORY_SENT_BYTES] = net_sent_bytes(job->net);
    out[HISTORY_REQUESTS] = job->requests;
    out[HISTORY_RETRIES] = job->retries;
}

/* Puts what happened since the last time into the batch that is being filled. */
static void take(struct job *job)
{
    static const enum history_measure counted[] = {
        HISTORY_RUN_MS,     HISTORY_CONFIRMED, HISTORY_SKIPPED, HISTORY_FAILED,
        HISTORY_SENT_BYTES, HISTORY_REQUESTS,  HISTORY_RETRIES,
    };
    struct history *history = &job->history;
    struct journal_moment *moment = &history->moment;
    int64_t now[HISTORY_MEASURE_COUNT] = {0};
    totals(job, now);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        enum history_measure sum = counted[i];
        moment->sums[sum] = now[sum] - history->taken[sum];
        history->taken[sum] = now[sum];
    }
    moment->to_ms = job->wall_ms;
    moment->from_ms = job->wall_ms - moment->sums[HISTORY_RUN_MS];
    journal_batch_moment(job->batch, moment);
    history->taken_seq = job->batch_seq;
    *moment = (struct journal_moment){0};
}

void history_tick(struct job *job)
{
    struct history *history = &job->history;
    if (!history->tick_ms)
        history->tick_ms = job->started_ms;
    measure(job);
    int64_t since_ms = job->now_ms - job->started_ms - history->taken[HISTORY_RUN_MS];
    int is_free = history->taken_seq != job->batch_seq;
    if (is_free &&
        (since_ms >= ALONE_MS || (since_ms >= SAMPLE_MS && !journal_batch_is_empty(job->batch))))
        take(job);
}

void history_end(struct job *job)
{
    if (!job->history.tick_ms || job->history.taken_seq == job->batch_seq)
        return;
    measure(job);
    take(job);
}
