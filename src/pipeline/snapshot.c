/* snapshot.c - what report sees of a running job. Loop thread. */
#include "pipeline/job.h"

#include <string.h>

/* Goodput is smoothed over about this long. */
#define RATE_SAMPLE_MS 1000

static const char *const limit_names[] = {
#define X(sym, name) name,
    JOB_LIMITS(X)
#undef X
};

const char *job_limit_name(enum job_limit limit)
{
    return limit_names[limit];
}

static void sample_rate(struct job *job)
{
    int64_t elapsed = job->now_ms - job->rate_at_ms;
    if (!job->rate_at_ms) {
        job->rate_at_ms = job->now_ms;
        return;
    }
    if (elapsed < RATE_SAMPLE_MS)
        return;
    int64_t sent = net_sent_bytes(job->net);
    int64_t rate = (sent - job->rate_bytes_then) * 1000 / elapsed;
    job->rate_bytes_per_s = job->rate_bytes_per_s ? (3 * job->rate_bytes_per_s + rate) / 4 : rate;
    job->rate_at_ms = job->now_ms;
    job->rate_bytes_then = sent;
}

enum job_limit job_limit_now(const struct job *job)
{
    const int *waiting = job->waiting_count;
    int calls_wait = waiting[WAIT_API] + waiting[WAIT_SLOT];
    if (pacer_held_ms(job->pacer, job->now_ms))
        return JOB_LIMIT_SERVER;
    if (!job->files_done && !job->puts_active && !calls_wait)
        return JOB_LIMIT_STARTING;
    if (calls_wait && pacer_wait_ms(job->pacer, job->now_ms) > 0)
        return JOB_LIMIT_API;
    if (job->assets && waiting[WAIT_RETRY] * 2 > job->assets)
        return JOB_LIMIT_SERVER;
    if (lanes_all_sent(job) && job->puts_active < job->put_limit && !calls_wait)
        return JOB_LIMIT_TAIL;
    if (job->puts_active >= job->put_limit)
        return JOB_LIMIT_NETWORK;
    if (job->api_active >= job->options->api_concurrency)
        return JOB_LIMIT_API;
    return waiting[WAIT_JOURNAL] > waiting[WAIT_WORKER] ? JOB_LIMIT_DISK : JOB_LIMIT_CPU;
}

static int64_t sent_of(const struct asset *asset)
{
    int64_t sent = 0;
    for (size_t i = 0; i < asset->part_count; i++) {
        const struct part *part = &asset->parts[i];
        if (part->status == PART_SENDING)
            sent += exchange_sent_bytes(part->transfer->exchange);
        else if (part->status != PART_TODO)
            sent += part->len;
    }
    return sent;
}

static void list_active(const struct job *job, struct job_snapshot *out)
{
    static const enum wait_reason shown[] = {WAIT_REPLY, WAIT_PUT, WAIT_API, WAIT_RETRY};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const struct asset *asset;
        TAILQ_FOREACH(asset, &job->waiting[shown[i]], link)
        {
            if (out->active_count == SNAPSHOT_ACTIVE_MAX)
                return;
            out->active[out->active_count++] = (struct active_file){
                .path = asset->claim->path,
                .step = steps[asset->step].name,
                .size_bytes = asset->stamp.size_bytes,
                .sent_bytes = sent_of(asset),
                .since_ms = job->now_ms - asset->claimed_ms,
            };
        }
    }
}

void job_snapshot(struct job *job, struct job_snapshot *out)
{
    sample_rate(job);
    *out = (struct job_snapshot){
        .now_ms = job->now_ms,
        .elapsed_ms = job->now_ms - job->started_ms,
        .sent_bytes = net_sent_bytes(job->net),
        .stored_bytes = job->stored_bytes,
        .files_done = job->files_done,
        .requests = job->requests,
        .requests_in_window = pacer_in_window(job->pacer, job->now_ms),
        .api_rate = job->options->api_rate,
        .retries = job->retries,
        .held_ms = pacer_held_ms(job->pacer, job->now_ms),
        .puts_active = job->puts_active,
        .put_limit = job->put_limit,
        .limit = job_limit_now(job),
        .walking = intake_is_walking(job),
        .draining = job_is_draining(job),
        .goodput_bytes_per_s = job->rate_bytes_per_s,
        .eta_ms = -1,
        .books = job->books,
    };
    memcpy(out->waiting, job->waiting_count, sizeof out->waiting);
    list_active(job, out);
}
