/*
 * drain.c - how a run comes to its end before its work does: asked to stop, at a limit, or broken.
 *
 * What is under way is finished (a drain), or given back to the journal (parked), or cut off (an
 * abort); nothing new begins.
 */
#include "base/log.h"
#include "pipeline/job.h"

void job_stop(struct job *job, enum job_stop stop)
{
    int seen = __atomic_load_n(&job->stop, __ATOMIC_RELAXED);
    while (seen < (int)stop && !__atomic_compare_exchange_n(&job->stop, &seen, (int)stop, 0,
                                                            __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    job_wake(job);
}

int job_is_draining(const struct job *job)
{
    return job->stopping != JOB_RUN || job->ended;
}

int job_is_parking(const struct job *job)
{
    int is_limit =
        job->end == JOB_END_DURATION || job->end == JOB_END_TRANSFER || job->end == JOB_END_ERRORS;
    return job->stopping != JOB_RUN || (job->ended && !is_limit);
}

void job_end(struct job *job, enum job_end end, const struct err *error)
{
    if (job->ended)
        return;
    job->ended = 1;
    job->end = end;
    job->drain_since_ms = job->now_ms;
    if (error)
        job->end_error = *error;
    log_debug("the job ends: %s", error ? error->text : "");
}

static void abort_asset(struct job *job, struct asset *asset)
{
    put_cancel(job, asset);
    session_close(job, asset);
    if (asset->exchange) {
        exchange_cancel(job->net, asset->exchange);
        job->api_active--;
        call_release(job, asset);
    }
    if (!asset->works_out) {
        park(job, asset);
        return;
    }
    asset->leaving = REMEDY_PREPARE; /* draining: it is parked when the worker is done */
    if (asset->wait != WAIT_WORKER)  /* where nothing new of it can begin */
        asset_wait(job, asset, WAIT_WORKER);
}

static void abort_all(struct job *job)
{
    folders_abort(job);
    for (int i = 0; i < WAIT_COUNT; i++) {
        struct asset *asset, *next;
        for (asset = TAILQ_FIRST(&job->waiting[i]); asset; asset = next) {
            next = TAILQ_NEXT(asset, link);
            int is_done = asset->step == STEP_FINISH && job->end != JOB_END_JOURNAL;
            if (!is_done)
                abort_asset(job, asset);
        }
    }
}

static void park_list(struct job *job, enum wait_reason reason)
{
    struct asset *asset, *next;
    for (asset = TAILQ_FIRST(&job->waiting[reason]); asset; asset = next) {
        next = TAILQ_NEXT(asset, link);
        if (asset->works_out || asset->parts_sending)
            continue;
        /* A confirm that is due again is worth the wait: its bytes are stored. */
        int is_begun = asset->step > STEP_REQUEST;
        if (reason == WAIT_RETRY &&
            (asset->step == STEP_CONFIRM || (is_begun && !job_is_parking(job))))
            continue;
        session_close(job, asset);
        park(job, asset);
    }
}

/* Links that wait for their turn: the journal has them, and they need nothing from before. */
static void park_links(struct job *job)
{
    struct asset *asset, *next;
    for (asset = TAILQ_FIRST(&job->waiting[WAIT_API]); asset; asset = next) {
        next = TAILQ_NEXT(asset, link);
        if (asset->state == ASSET_CONFIRMED)
            park(job, asset);
    }
}

void drain_tick(struct job *job)
{
    enum job_stop asked = (enum job_stop)__atomic_load_n(&job->stop, __ATOMIC_RELAXED);
    if (asked > job->stopping) {
        if (job->stopping == JOB_RUN)
            job->drain_since_ms = job->now_ms;
        job->stopping = asked;
    }
    if (!job_is_draining(job))
        return;
    intake_ask_stop(job);
    folders_park(job);
    park_list(job, WAIT_SLOT);
    park_list(job, WAIT_RETRY);
    if (job_is_parking(job)) {
        park_list(job, WAIT_PUT);
        park_links(job);
    }
    if (job->waiting_count[WAIT_CANARY] && !job->canary_asset[WIRE_CONFLICT_OVERWRITE] &&
        !job->canary_asset[WIRE_CONFLICT_VERSION])
        park_list(job, WAIT_CANARY);
    /* Confirms that the gate or a hold keeps back would drag the end out. */
    int is_held = job->gate.state != GATE_OPEN || pacer_wait_ms(job->pacer, job->now_ms) > 0;
    if (is_held && !job->api_active)
        park_list(job, WAIT_API);
    int is_late = job->stopping == JOB_DRAIN_DEADLINE &&
                  job->now_ms - job->drain_since_ms >= DRAIN_DEADLINE_MS;
    if (is_late || job->stopping == JOB_ABORT)
        abort_all(job);
}
