/*
 * remedy.c - the table (error class, step) -> remedy, and its application. Loop thread.
 */
#include "pipeline/remedy.h"

#include "base/log.h"
#include "pipeline/job.h"

#include <string.h>

/* Files that are refused alike, before any was accepted, that show the setting to be wrong. */
#define REFUSALS_TO_STOP 3
/* Files given up in a row, without any success between, that show the server to be down. */
#define EXHAUSTED_TO_OUTAGE 3
/* Canaries that were confirmed and could not be read back. */
#define CANARIES_UNREAD_TO_STOP 3
/* 429 in a row, without any success between. */
#define HOLDS_TO_OUTAGE 40
/* A session older than this may have been forgotten by the server. */
#define SESSION_STALE_MS (50 * 60 * 1000)

/*
 * The columns are prepare, request, put, confirm, and what may be repeated at will: the look-ups
 * (resolve, identify, canary) and the links (read, link).
 * A class that a step cannot meet is FAIL there: nothing is repeated that nobody thought about.
 */
enum column { COL_PREPARE, COL_REQUEST, COL_PUT, COL_CONFIRM, COL_LOOKUP, COL_COUNT };

#define ROW(code, prepare, request, put, confirm, lookup)                               \
    [ERR_##code] = {REMEDY_##prepare, REMEDY_##request, REMEDY_##put, REMEDY_##confirm, \
                    REMEDY_##lookup}

/* clang-format off */
static const unsigned char table[ERR_COUNT][COL_COUNT] = {
    /*  class                prepare  request      put          confirm  look-ups, links */
    ROW(USAGE,               FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(CONFIG,              FAIL,    STOP,        STOP,        STOP,    STOP),
    ROW(NOMEM,               RETRY,   RETRY,       RETRY,       RETRY,   RETRY),
    ROW(IO,                  RETRY,   FAIL,        RETRY,       FAIL,    FAIL),
    ROW(SOURCE_UNREADABLE,   FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(SOURCE_VANISHED,     FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(SOURCE_CHANGED,      PREPARE, PREPARE,     PREPARE,     PREPARE, FAIL),
    ROW(NAME_INVALID,        FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(NAME_COLLISION,      FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(MANIFEST,            FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(NETWORK,             FAIL,    RETRY,       RETRY,       RESOLVE, RETRY),
    ROW(TIMEOUT,             FAIL,    RETRY,       RETRY,       RESOLVE, RETRY),
    ROW(TLS,                 FAIL,    STOP,        STOP,        STOP,    STOP),
    ROW(AUTH,                FAIL,    REFRESH,     FAIL,        REFRESH, REFRESH),
    ROW(PERMISSION,          FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(BAD_REQUEST,         FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(NOT_FOUND,           FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(CONFLICT,            FAIL,    FAIL,        FAIL,        RESOLVE, FAIL),
    ROW(CONFLICT_UNSENDABLE, FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(RATE_LIMITED,        FAIL,    HOLD,        THROTTLE,    HOLD,    HOLD),
    ROW(SERVER,              FAIL,    RETRY,       RETRY,       RESOLVE, RETRY),
    ROW(THROTTLED,           FAIL,    RETRY,       THROTTLE,    RESOLVE, RETRY),
    ROW(URL_EXPIRED,         FAIL,    FAIL,        NEW_SESSION, FAIL,    FAIL),
    ROW(TRANSFER_BROKEN,     FAIL,    FAIL,        RETRY,       FAIL,    FAIL),
    ROW(SESSION_LOST,        FAIL,    FAIL,        NEW_SESSION, FAIL,    FAIL),
    ROW(S3_REFUSED,          FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(ETAG_MISMATCH,       FAIL,    FAIL,        RETRY,       FAIL,    FAIL),
    ROW(BAD_REPLY,           FAIL,    FAIL,        FAIL,        RESOLVE, RETRY),
    ROW(CANARY,              FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(OUTCOME_UNKNOWN,     FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(JOURNAL,             STOP,    STOP,        STOP,        STOP,    STOP),
    ROW(JOURNAL_BUSY,        STOP,    STOP,        STOP,        STOP,    STOP),
    ROW(STOPPED,             FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
    ROW(INTERNAL,            FAIL,    FAIL,        FAIL,        FAIL,    FAIL),
};
/* clang-format on */

static const enum column column_of[STEP_COUNT] = {
    [STEP_PREPARE] = COL_PREPARE, [STEP_REQUEST] = COL_REQUEST, [STEP_PUT] = COL_PUT,
    [STEP_CONFIRM] = COL_CONFIRM, [STEP_RESOLVE] = COL_LOOKUP,  [STEP_IDENTIFY] = COL_LOOKUP,
    [STEP_CANARY] = COL_LOOKUP,   [STEP_READ] = COL_LOOKUP,     [STEP_LINK] = COL_LOOKUP,
    [STEP_FINISH] = COL_PREPARE,
};

static const char *const names[] = {"none",    "fail",    "retry",       "throttle", "hold",
                                    "refresh", "prepare", "new_session", "resolve",  "stop"};
_Static_assert(sizeof names / sizeof *names == REMEDY_COUNT, "a name a remedy");

const char *remedy_name(enum remedy remedy)
{
    return names[remedy];
}

enum remedy remedy_for(enum step_id step, const struct err *error)
{
    enum remedy remedy = (enum remedy)table[error->code][column_of[step]];
    if (remedy == REMEDY_RESOLVE && error->effect == EFFECT_NONE && error->code != ERR_CONFLICT)
        return REMEDY_RETRY;
    return remedy;
}

/* What the table cannot know: how the run as a whole stands. */
static enum remedy refine(struct job *job, const struct asset *asset, enum remedy remedy,
                          const struct err *error)
{
    int is_api = asset->step != STEP_PREPARE && asset->step != STEP_PUT;
    if (!is_api)
        return remedy;
    if (!job->files_called && error->code == ERR_PERMISSION)
        return REMEDY_STOP;
    if (!job->files_called && error->code == ERR_NOT_FOUND &&
        ++job->refused_in_a_row >= REFUSALS_TO_STOP)
        return REMEDY_STOP;
    if (remedy == REMEDY_REFRESH && asset->token_refused)
        return job->gate.generation_proven ? REMEDY_FAIL : REMEDY_STOP;
    int stale = asset->claim->state == ASSET_STORED || asset->claim->intent_ms ||
                (asset->session_ms && job->now_ms - asset->session_ms > SESSION_STALE_MS);
    if (asset->step == STEP_CONFIRM && stale && !asset->restarts &&
        (error->code == ERR_NOT_FOUND || error->code == ERR_BAD_REQUEST))
        return REMEDY_NEW_SESSION;
    return remedy;
}

/* What a look-up that cannot be answered means for its file. */
static void give_up(struct job *job, struct asset *asset)
{
    struct err error = asset->error;
    if (asset->step == STEP_CANARY && ++job->canaries_unread >= CANARIES_UNREAD_TO_STOP) {
        struct err stop;
        err_set(&stop, ERR_CANARY,
                "the outcome of --on-conflict cannot be read back, so nothing proves that it "
                "works: %.300s",
                error.text);
        job_end(job, JOB_END_CANARY, &stop);
    }
    if (asset->step == STEP_IDENTIFY && asset->state == ASSET_CONFIRMED) {
        err_set(&error, asset->error.code,
                "PXM named no id for it, and the search for one failed: %.300s", asset->error.text);
        error.http_status = asset->error.http_status;
        finish_failed(job, asset, &error);
        return;
    }
    if (asset->step == STEP_IDENTIFY || asset->step == STEP_CANARY) {
        /* The confirm itself was answered with success; only its echo is missing. */
        finish_confirmed(job, asset);
        return;
    }
    if (asset->step == STEP_RESOLVE) {
        err_set(&error, ERR_OUTCOME_UNKNOWN,
                "the confirm's reply was lost, and the look-up failed: %.300s", asset->error.text);
        error.http_status = asset->error.http_status;
    }
    finish_failed(job, asset, &error);
}

void remedy_leave(struct job *job, struct asset *asset)
{
    struct err error = asset->error;
    enum remedy remedy = asset->leaving;
    asset->leaving = REMEDY_NONE;
    session_close(job, asset);
    if (remedy != REMEDY_FAIL && job_is_draining(job)) {
        park(job, asset);
        return;
    }
    if (remedy == REMEDY_FAIL || ++asset->restarts > job->options->retries) {
        give_up(job, asset);
        return;
    }
    asset_drop_session(asset);
    asset->claim->part_count = 0; /* the journal forgets them below, so must we */
    int from_file = remedy == REMEDY_PREPARE || (!asset->source && !asset->snapshot);
    enum asset_state back = from_file ? ASSET_DISCOVERED : ASSET_PREPARED;
    /* A confirm of what is given up may have been sent. */
    asset->claim->has_former_md5 = 0;
    if (asset->state != back)
        asset_set_state(job, asset, back, FACT_NO_SESSION);
    asset->step = from_file ? STEP_PREPARE : STEP_REQUEST;
    asset->tries = 0;
    asset->due_ms = job->now_ms;
    if (asset->restarts > 1 || error.code == ERR_SOURCE_CHANGED)
        asset->due_ms += backoff_ms(&job->rng, asset->restarts);
    asset_wait(job, asset, WAIT_RETRY);
}

/* Cancels what the asset has under way and leaves its step, now or when the workers are done. */
static void leave(struct job *job, struct asset *asset, enum remedy remedy)
{
    put_cancel(job, asset);
    asset->leaving = remedy;
    if (asset->works_out)
        asset_wait(job, asset, WAIT_WORKER);
    else
        remedy_leave(job, asset);
}

static void stop(struct job *job, struct asset *asset, const struct err *error, enum job_end end)
{
    job_end(job, end, error);
    leave(job, asset, REMEDY_PREPARE); /* draining: it is parked */
}

/*
 * Tries are used up. One file's fault where others went well meanwhile; an outage where nothing
 * does: then no file is blamed, and the run ends when it lasts.
 */
static int is_exhausted(struct job *job, struct asset *asset, int tries, const struct err *error,
                        int *out_outage)
{
    *out_outage = 0;
    if (tries < job->options->retries)
        return 0;
    struct health *health = &job->health[asset->step == STEP_PUT ? PEER_S3 : PEER_API];
    int is_away = error->code == ERR_NETWORK || error->code == ERR_TIMEOUT;
    int is_failing = error->code == ERR_SERVER || error->code == ERR_THROTTLED;
    int others_well = health->last_success_ms >= asset->failing_since_ms;
    if (others_well || (!is_away && !is_failing)) {
        health->exhausted_in_a_row = 0;
        return 1;
    }
    if (is_failing && ++health->exhausted_in_a_row < EXHAUSTED_TO_OUTAGE)
        return 1;
    *out_outage = job->now_ms - asset->failing_since_ms >= job->options->timeout_ms;
    return 0;
}

static void retry(struct job *job, struct asset *asset, struct part *part, const struct err *error)
{
    int *tries = part ? &part->tries : &asset->tries;
    ++*tries;
    asset->tries_all++;
    if (!asset->failing_since_ms)
        asset->failing_since_ms = job->now_ms;
    int outage = 0;
    if (is_exhausted(job, asset, *tries, error, &outage)) {
        leave(job, asset, REMEDY_FAIL);
        return;
    }
    if (outage) {
        stop(job, asset, error, JOB_END_OUTAGE);
        return;
    }
    if (job_is_parking(job) && asset->step != STEP_CONFIRM) {
        leave(job, asset, REMEDY_PREPARE);
        return;
    }
    int64_t wait =
        retry_budget_take(&job->retry_budget) ? backoff_ms(&job->rng, *tries - 1) : RETRY_CAP_MS;
    if (error->retry_after_ms > wait)
        wait = error->retry_after_ms;
    job->retries++;
    job_notice(job, asset, error, *tries, wait);
    if (part) {
        part->status = PART_TODO;
        part->due_ms = job->now_ms + wait;
        part->last_error = error->code;
        put_settle(job, asset);
    } else {
        asset->due_ms = job->now_ms + wait;
        asset_wait(job, asset, WAIT_RETRY);
    }
}

int remedy_hold(struct job *job, const struct err *error)
{
    int64_t wait = error->retry_after_ms >= 0 ? error->retry_after_ms : RATE_LIMITED_HOLD_MS;
    if (wait < RETRY_BASE_MS) /* a server that says 0 must not be asked in a loop */
        wait = RETRY_BASE_MS;
    /* Calls that were under way together are refused together: that is one hold. */
    if (!pacer_held_ms(job->pacer, job->now_ms) && ++job->holds_in_a_row > HOLDS_TO_OUTAGE) {
        job_end(job, JOB_END_OUTAGE, error);
        return -(int)error->code;
    }
    pacer_hold(job->pacer, job->now_ms + wait);
    return 0;
}

static void hold(struct job *job, struct asset *asset, const struct err *error)
{
    if (remedy_hold(job, error)) {
        leave(job, asset, REMEDY_PREPARE); /* draining: it is parked */
        return;
    }
    job_notice(job, asset, error, asset->tries, pacer_held_ms(job->pacer, job->now_ms));
    asset_wait_first(job, asset, steps[asset->step].limiter);
}

static void resolve(struct job *job, struct asset *asset, const struct err *error)
{
    job_notice(job, asset, error, asset->tries, 0);
    asset->step = STEP_RESOLVE;
    asset->tries = 0;
    asset->tries_all++;
    asset->due_ms = job->now_ms + backoff_ms(&job->rng, 0);
    asset_wait(job, asset, WAIT_RETRY);
}

void remedy_apply(struct job *job, struct asset *asset, struct part *part, const struct err *error)
{
    struct err copy = *error; /* it may be asset->error itself */
    asset->error = copy;
    enum remedy remedy = refine(job, asset, remedy_for(asset->step, &copy), &copy);
    log_debug("%s: %s failed (%s: %s), remedy %s", asset->claim->path, steps[asset->step].name,
              err_name(copy.code), copy.text, remedy_name(remedy));
    if (asset->step == STEP_REQUEST)
        session_close(job, asset);
    switch (remedy) {
    case REMEDY_FAIL:
    case REMEDY_PREPARE:
    case REMEDY_NEW_SESSION:
        leave(job, asset, remedy);
        break;
    case REMEDY_THROTTLE:
        climb_throttled(&job->climb, job->now_ms);
        retry(job, asset, part, &copy);
        break;
    case REMEDY_RETRY:
        if (part && copy.code == ERR_TIMEOUT)
            climb_stalled(&job->climb, job->now_ms);
        retry(job, asset, part, &copy);
        break;
    case REMEDY_HOLD:
        hold(job, asset, &copy);
        break;
    case REMEDY_REFRESH:
        asset->token_refused = 1;
        gate_token_refused(job, asset->token_generation);
        asset_wait_first(job, asset, steps[asset->step].limiter);
        break;
    case REMEDY_RESOLVE:
        resolve(job, asset, &copy);
        break;
    case REMEDY_STOP:
        stop(job, asset, &copy, JOB_END_REFUSED);
        break;
    case REMEDY_NONE:
    case REMEDY_COUNT:
        BUG_ON(1);
    }
}
