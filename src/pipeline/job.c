/*
 * job.c - the running job: set-up, the tick, the end. The loop thread is the caller of job_run.
 *
 * One tick, in this order: what ended -> facts -> one journal commit -> what waited for
 * durability -> next steps of assets that are begun -> retries that are due -> new assets ->
 * poll. Callbacks record; assets move here alone.
 */
#include "pipeline/job.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK_MAX_MS 500
/* A jump of the clock beyond this between two ticks: the machine slept, connections are dead. */
#define SUSPEND_MS 30000
#define USER_AGENT "pxload/" PXLOAD_VERSION

int job_new(const struct job_options *options, const struct job_observer *observer,
            struct job **out, struct err *err)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return err_set(err, ERR_NOMEM, "no memory for the job");
    job->options = options;
    job->observer = *observer;
    TAILQ_INIT(&job->spare_transfers);
    for (int i = 0; i < WAIT_COUNT; i++)
        TAILQ_INIT(&job->waiting[i]);
    struct net_options net = {
        .ca_cert = options->ca_cert,
        .user_agent = USER_AGENT,
        .contimeout_ms = options->contimeout_ms,
        .stall_ms = options->timeout_ms,
        .bwlimit_bytes_per_s = options->bwlimit_bytes_per_s,
    };
    int rc = net_new(&net, &job->net, err);
    if (!rc && !(job->pacer = pacer_new(options->api_rate)))
        rc = err_set(err, ERR_NOMEM, "no memory for the pacer");
    if (rc) {
        job_free(job);
        return rc;
    }
    rng_seed(&job->rng, options->seed);
    retry_budget_init(&job->retry_budget);
    climb_init(&job->climb, options->transfers, LIMIT_TRANSFERS_AUTO);
    *out = job;
    return 0;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    pacer_free(job->pacer);
    net_free(job->net);
    free(job);
}

void job_wake(void *job)
{
    net_wake(((struct job *)job)->net);
}

void job_notice(struct job *job, const struct asset *asset, const struct err *error, int tries,
                int64_t wait_ms)
{
    if (job->observer.notice)
        job->observer.notice(job->observer.user, asset ? asset->claim->path : NULL, error, tries,
                             wait_ms);
}

void job_note_success(struct job *job, enum peer peer)
{
    job->health[peer] = (struct health){.last_success_ms = job->now_ms};
    if (peer == PEER_API)
        job->holds_in_a_row = 0;
    retry_budget_success(&job->retry_budget);
}

/* ---- the tick ---- */

void job_read_clocks(struct job *job)
{
    int64_t before = job->now_ms;
    job->now_ms = clock_now_ms();
    job->wall_ms = clock_wall_ms();
    if (before && job->now_ms - before > SUSPEND_MS) {
        log_notice("the clock jumped by %lld s: connections are made anew",
                   (long long)((job->now_ms - before) / 1000));
        job->fresh_until_ms = job->now_ms + SUSPEND_MS;
    }
}

static void collect_exchanges(struct job *job)
{
    struct exchange *exchange;
    while ((exchange = net_next_done(job->net))) {
        void *user = exchange_user(exchange);
        if (exchange == job->gate.exchange) {
            job->api_active--;
            gate_done(job);
        } else if (!user) {
            job->api_active--;
            BUG_ON(!folders_done(job, exchange));
        } else if (exchange_is_put(exchange)) {
            put_done(job, user);
        } else {
            struct asset *asset = user;
            BUG_ON(!asset);
            job->api_active--;
            steps[asset->step].done(job, asset);
        }
    }
}

static void collect_works(struct job *job)
{
    struct work *work;
    while ((work = workers_next(job->workers))) {
        if (work->kind == WORK_PREPARE)
            prepare_done(job, work);
        else
            put_digested(job, work);
        free(work);
    }
}

/* API requests: what is begun goes on before anything new begins. */
static void start_calls(struct job *job)
{
    struct asset *asset;
    if (!TAILQ_EMPTY(&job->waiting[WAIT_API]) || !TAILQ_EMPTY(&job->waiting[WAIT_SLOT]) ||
        intake_wants_catalog(job) || folders_want_call(job))
        gate_tick(job);
    if (job->gate.state != GATE_OPEN)
        return;
    while (call_may_start(job) && (asset = TAILQ_FIRST(&job->waiting[WAIT_API])))
        steps[asset->step].start(job, asset);
    if (job_is_draining(job))
        return;
    folders_start(job);
    while (call_may_start(job) && (asset = TAILQ_FIRST(&job->waiting[WAIT_SLOT]))) {
        struct asset *next = asset;
        while (next && !lanes_admit(job, next))
            next = TAILQ_NEXT(next, link);
        if (!next)
            break;
        steps[next->step].start(job, next);
    }
}

static void start_puts(struct job *job)
{
    struct asset *asset;
    while (job->puts_active < job->climb.limit && (asset = TAILQ_FIRST(&job->waiting[WAIT_PUT])))
        put_start(job, asset);
}

static void start_retries(struct job *job)
{
    struct asset *asset, *next;
    for (asset = TAILQ_FIRST(&job->waiting[WAIT_RETRY]); asset; asset = next) {
        next = TAILQ_NEXT(asset, link);
        if (asset->due_ms <= job->now_ms)
            step_again(job, asset);
    }
}

/* Canaries that wait try again as soon as the one that runs is decided. */
static void start_canaries(struct job *job)
{
    struct asset *asset, *next;
    for (asset = TAILQ_FIRST(&job->waiting[WAIT_CANARY]); asset; asset = next) {
        next = TAILQ_NEXT(asset, link);
        if (job->canary[confirm_kind(job, asset)] != CANARY_RUNNING)
            asset_wait(job, asset, WAIT_API);
    }
}

static void check_limits(struct job *job)
{
    const struct job_options *options = job->options;
    struct err error;
    if (options->max_duration_ms && job->now_ms - job->started_ms >= options->max_duration_ms) {
        err_set(&error, ERR_STOPPED, "--max-duration is over");
        job_end(job, JOB_END_DURATION, &error);
    }
    if (options->max_transfer_bytes && net_sent_bytes(job->net) >= options->max_transfer_bytes) {
        err_set(&error, ERR_STOPPED, "--max-transfer is reached");
        job_end(job, JOB_END_TRANSFER, &error);
    }
    int walk_failed = !intake_is_walking(job) && intake_result(job, &error);
    /* A walk that a drain has stopped is no reason of its own. */
    if (walk_failed && (error.code == ERR_IO || error.code == ERR_JOURNAL))
        commit_lost(job, &error);
    else if (walk_failed && (error.code != ERR_STOPPED || !job_is_draining(job)))
        job_end(job, JOB_END_REFUSED, &error);
}

static void refresh_books(struct job *job)
{
    struct err error;
    /* A short run, or the beginning of a long one, is over before a second is. */
    int64_t every = job->now_ms - job->started_ms < 2 * BOOKS_EVERY_MS ? 0 : BOOKS_EVERY_MS;
    if (job->books_at_ms && job->now_ms - job->books_at_ms < every)
        return;
    if (journal_read_books(job->journal, &job->books, &error))
        return;
    job->books_at_ms = job->now_ms;
    job->requests_then = job->requests;
    job->unsent_then = job->unsent_bytes;
}

static int64_t earliest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t until_next_due(const struct job *job)
{
    const struct asset *asset;
    int64_t wait = TICK_MAX_MS;
    TAILQ_FOREACH(asset, &job->waiting[WAIT_RETRY], link)
    wait = earliest(wait, asset->due_ms - job->now_ms);
    int calls_wait =
        !TAILQ_EMPTY(&job->waiting[WAIT_API]) || !TAILQ_EMPTY(&job->waiting[WAIT_SLOT]);
    if (calls_wait && job->api_active < job->options->api_concurrency)
        wait = earliest(wait, pacer_wait_ms(job->pacer, job->now_ms) > 0
                                  ? pacer_wait_ms(job->pacer, job->now_ms)
                                  : TICK_MAX_MS);
    if (job->gate.due_ms > job->now_ms)
        wait = earliest(wait, job->gate.due_ms - job->now_ms);
    for (int i = 0; i < LANES; i++)
        if (job->lanes[i].used && !job->lanes[i].closed && !job->lanes[i].asked &&
            job->lanes[i].due_ms > job->now_ms)
            wait = earliest(wait, job->lanes[i].due_ms - job->now_ms);
    wait = earliest(wait, folders_wait_ms(job));
    if (commit_wait_ms(job) > 0)
        wait = earliest(wait, commit_wait_ms(job));
    return wait > 0 ? wait : 0;
}

/* 1 while there is something to do or to wait for. */
static int is_alive(const struct job *job)
{
    if (job->assets || job->commits_out || !journal_batch_is_empty(job->batch) ||
        folders_have_calls(job))
        return 1;
    if (job_is_draining(job))
        return intake_is_walking(job);
    return intake_is_walking(job) || !lanes_all_closed(job);
}

static void tick(struct job *job)
{
    job_read_clocks(job);
    meter_woke(job);
    net_perform(job->net, job->now_ms);
    collect_exchanges(job);
    collect_works(job);
    commit_collect(job);
    check_limits(job);
    drain_tick(job);
    start_retries(job);
    start_canaries(job);
    start_calls(job);
    start_puts(job);
    lanes_ask(job);
    folders_ask(job);
    meter_tick(job);
    history_tick(job);
    commit_submit(job);
    refresh_books(job);
    if (job->observer.tick)
        job->observer.tick(job->observer.user, job);
    if (!is_alive(job))
        return;
    meter_sleep(job);
    net_poll(job->net, until_next_due(job));
}

/* ---- set-up and end ---- */

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/*
 * The last minute's requests of an earlier run count against the budget. After a kill the last
 * of them may not have reached the journal: as many as may be unsaved are assumed to be now.
 */
int job_restore_pacer(struct job *job, struct err *err)
{
    int64_t *at_ms = NULL;
    size_t count = 0;
    if (!job->options->api_rate)
        return 0;
    int rc = journal_recent_requests(job->journal, job->wall_ms, &at_ms, &count, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++)
        pacer_restore(job->pacer, job->now_ms, job->wall_ms - at_ms[i]);
    free(at_ms);
    if (!count || !journal_was_killed(job->journal))
        return 0;
    /* They go into the journal like real ones: another kill within the minute must know of them. */
    for (int i = 0; i < LIMIT_UNSAVED_REQUESTS; i++) {
        pacer_restore(job->pacer, job->now_ms, 0);
        job->request_times[job->request_times_count++] = job->wall_ms;
    }
    job->requests_unsaved = job->request_times_count;
    return 0;
}

static int set_up(struct job *job, struct journal *journal, struct err *err)
{
    job->journal = journal;
    job->now_ms = clock_now_ms();
    job->wall_ms = clock_wall_ms();
    job->started_ms = job->now_ms;
    job->server_ahead_ms = job->wall_ms - job->now_ms;
    window_guard_install();
    raise_file_limit();
    lanes_init(job);
    folders_init(job);
    int rc = commit_init(job, err);
    if (!rc)
        rc = job_restore_pacer(job, err);
    if (!rc) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        size_t works = (size_t)lanes_most_assets(job) *
                       (size_t)(job->options->part_concurrency + PUT_DIGESTS_BEHIND + 1);
        rc = workers_new(cores > 1 ? (int)cores : 1, works, job_wake, job, &job->workers, err);
    }
    if (!rc)
        rc = journal_read_books(journal, &job->books, err);
    if (!rc)
        rc = folders_map(job->options, journal, err);
    if (!rc)
        rc = intake_start(job, err);
    return rc;
}

static void tear_down(struct job *job)
{
    intake_stop(job);
    workers_free(job->workers);
    job->workers = NULL;
    gate_release(job);
    folders_release(job);
    put_release(job);
    while (job->spare_api_count)
        exchange_free(job->spare_api[--job->spare_api_count]);
    commit_release(job);
}

static int report_walk_failure(const struct journal_row *row, void *user)
{
    struct job *job = user;
    int is_of_walk = row->error == ERR_NAME_INVALID || row->error == ERR_NAME_COLLISION ||
                     row->error == ERR_MANIFEST;
    if (row->state != ASSET_FAILED || !is_of_walk || row->wave != job->books.wave)
        return 0;
    struct err error;
    err_set(&error, row->error, "%s", row->error_text ? row->error_text : "");
    struct file_event event = {
        .asset_id = row->asset_id,
        .root = row->root,
        .path = row->path,
        .name = row->name,
        .size_bytes = row->stamp.size_bytes,
        .state = row->state,
        .tries = row->tries,
        .error = &error,
    };
    job->observer.file(job->observer.user, &event);
    return 0;
}

/*
 * Files that the walk could not give a name of their own never become assets. They are said once
 * the walk is over and the journal is at rest: until then an owner may turn out to be gone.
 */
static int report_walk_failures(struct job *job, struct err *err)
{
    int is_unreadable = job->ended && job->end == JOB_END_JOURNAL;
    if (!job->options->walk.root_count || !job->observer.file || is_unreadable)
        return 0;
    int rc = journal_read_books(job->journal, &job->books, err); /* for the wave's number */
    const int64_t *failed = job->books.failed_by_code;
    int64_t count = failed[ERR_NAME_INVALID] + failed[ERR_NAME_COLLISION] + failed[ERR_MANIFEST];
    if (rc || !count) /* the usual: no reading of a million rows */
        return rc;
    return journal_each_row(job->journal, report_walk_failure, job, err);
}

int job_run(struct job *job, struct journal *journal, struct job_result *result, struct err *err)
{
    memset(result, 0, sizeof *result);
    int rc = set_up(job, journal, err);
    while (!rc && is_alive(job))
        tick(job);
    if (!rc) {
        job_read_clocks(job);
        check_limits(job);
        meter_tick(job);
        history_end(job);
        commit_last(job);
        rc = report_walk_failures(job, err);
    }
    if (!rc) {
        job_snapshot(job, &result->last);
        result->time_count = meter_times(job, result->times);
        int is_unreadable = job->ended && job->end == JOB_END_JOURNAL;
        result->books = job->books;
        if (!is_unreadable)
            rc = journal_read_books(journal, &result->books, err);
    }
    result->end = job->ended ? job->end : job->stopping != JOB_RUN ? JOB_END_STOPPED : JOB_COMPLETE;
    result->confirmed_now = job->files_confirmed;
    result->error = job->end_error;
    tear_down(job);
    return rc;
}

int job_authorize(const struct job_options *options, struct err *err)
{
    struct job_options alone = *options;
    struct job_observer nobody = {0};
    struct job *job = NULL;
    alone.api_rate = 0; /* one request; there is no journal to count it in */
    alone.region_count = 0;
    int rc = job_new(&alone, &nobody, &job, err);
    if (rc)
        return rc;
    job->gate.generation = 1; /* as if there had been a token: neither environment nor cache */
    job_read_clocks(job);
    job->started_ms = job->now_ms;
    while (job->gate.state != GATE_OPEN && !job->ended) {
        job_read_clocks(job);
        net_perform(job->net, job->now_ms);
        collect_exchanges(job);
        gate_tick(job);
        net_poll(job->net, job->gate.busy ? TICK_MAX_MS : TICK_MAX_MS / 10);
    }
    if (job->ended) {
        *err = job->end_error;
        rc = -(int)err->code;
    }
    gate_release(job);
    job_free(job);
    return rc;
}
