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

static void totals(const struct job *job, int64_t out[HISTORY_MEASURE_COUNT])
{
    out[HISTORY_RUN_MS] = job->now_ms - job->started_ms;
    out[HISTORY_CONFIRMED] = job->files_confirmed;
    out[HISTORY_SKIPPED] = job->files_done - job->files_confirmed - job->failed_durable;
    out[HISTORY_FAILED] = job->failed_durable;
    out[HISTORY_SENT_BYTES] = net_sent_bytes(job->net);
    out[HISTORY_REQUESTS] = job->requests;
    out[HISTORY_RETRIES] = job->retries;
    out[HISTORY_RATE_MS] = job->options->api_rate * out[HISTORY_RUN_MS];
    out[HISTORY_PUTS_MS] = job->meter.puts_ms;
    for (int i = 0; i < JOB_LIMIT_COUNT; i++) {
        enum history_measure by = measure_of((enum job_limit)i);
        if (by != HISTORY_MEASURE_COUNT)
            out[by] += job->meter.limits.total_ms[i];
    }
}

/* Puts what happened since the last time into the batch that is being filled. */
static void take(struct job *job)
{
    struct history *history = &job->history;
    struct journal_moment moment = {.to_ms = job->wall_ms};
    int64_t now[HISTORY_MEASURE_COUNT] = {0};
    totals(job, now);
    for (int i = 0; i < HISTORY_MEASURE_COUNT; i++) {
        moment.sums[i] = now[i] - history->taken[i];
        history->taken[i] = now[i];
    }
    moment.from_ms = job->wall_ms - moment.sums[HISTORY_RUN_MS];
    journal_batch_moment(job->batch, &moment);
    history->taken_seq = job->batch_seq;
}

void history_tick(struct job *job)
{
    struct history *history = &job->history;
    history->is_begun = 1;
    int64_t since_ms = job->now_ms - job->started_ms - history->taken[HISTORY_RUN_MS];
    int is_free = history->taken_seq != job->batch_seq;
    if (is_free &&
        (since_ms >= ALONE_MS || (since_ms >= SAMPLE_MS && !journal_batch_is_empty(job->batch))))
        take(job);
}

void history_end(struct job *job)
{
    if (job->history.is_begun && job->history.taken_seq != job->batch_seq)
        take(job);
}
