/* snapshot.c - what report sees of a running job. Loop thread. */
#include "pipeline/job.h"

#include <string.h>

static const char *const limit_names[] = {
#define X(sym, name) name,
    JOB_LIMITS(X)
#undef X
};

const char *job_limit_name(enum job_limit limit)
{
    return limit_names[limit];
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
            int has_session = asset->file_path && asset->session_ms;
            out->active[out->active_count++] = (struct active_file){
                .path = asset->claim->path,
                .step = steps[asset->step].name,
                .size_bytes = asset->stamp.size_bytes,
                .sent_bytes = asset_sent_bytes(asset),
                .bytes_per_s = asset->pace_bytes_per_s,
                .since_ms = job->now_ms - (has_session ? asset->session_ms : asset->claimed_ms),
            };
        }
    }
}

/* The books are durable facts, up to a second old; what went on since is counted here. */
static int64_t unsent_bytes(const struct job *job)
{
    const int64_t *booked = job->books.bytes;
    int64_t unsent = booked[ASSET_DISCOVERED] + booked[ASSET_PREPARED] + booked[ASSET_REQUESTED] +
                     job->unsent_bytes - job->unsent_then;
    for (int i = 0; i < WAIT_COUNT; i++) {
        const struct asset *asset;
        TAILQ_FOREACH(asset, &job->waiting[i], link)
        if (asset->state == ASSET_REQUESTED)
            unsent -= asset_sent_bytes(asset);
    }
    return unsent > 0 ? unsent : 0;
}

void job_snapshot(struct job *job, struct job_snapshot *out)
{
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
        .budget_wait_ms = pacer_wait_ms(job->pacer, job->now_ms),
        .puts_active = job->puts_active,
        .put_limit = job->climb.limit,
        .limit = job->meter.limits.named,
        .walking = intake_is_walking(job),
        .draining = job_is_draining(job),
        .requests_since_books = job->requests - job->requests_then,
        .goodput_bytes_per_s = job->meter.goodput.bytes_per_s,
        .connection_bytes_per_s = job->climb.connection_bytes_per_s,
        .capable_bytes_per_s = job->meter.goodput.capable_bytes_per_s,
        .unsent_bytes = unsent_bytes(job),
        .books = job->books,
    };
    memcpy(out->waiting, job->waiting_count, sizeof out->waiting);
    memcpy(out->limit_ms, job->meter.limits.total_ms, sizeof out->limit_ms);
    pacer_ages(job->pacer, job->now_ms, out->request_ages);
    list_active(job, out);
}
