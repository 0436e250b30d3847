/* errand.c - see errand.h. Loop thread. */
#include "pipeline/errand.h"

#include "base/log.h"

#include <string.h>

#define ERRAND_POLL_MS 100

int errand_open(struct errand *errand, struct job *job, struct journal *journal, struct err *err)
{
    errand->job = job;
    job->journal = journal;
    job_read_clocks(job);
    job->started_ms = job->now_ms;
    int rc = commit_init(job, err);
    if (!rc)
        rc = job_restore_pacer(job, err);
    if (!rc && !(errand->exchange = exchange_new(NULL)))
        rc = err_set(err, ERR_NOMEM, "no memory for a request");
    return rc;
}

void errand_close(struct errand *errand)
{
    struct job *job = errand->job;
    if (!job)
        return;
    if (job->batch && job->journal) {
        commit_submit(job);
        commit_last(job);
    }
    exchange_free(errand->exchange);
    gate_release(job);
    commit_release(job);
    errand->job = NULL;
}

/* One round of the loop: 1 where the errand's own exchange has ended. */
static int turn(struct errand *errand)
{
    struct job *job = errand->job;
    struct exchange *exchange;
    int is_done = 0;
    job_read_clocks(job);
    net_perform(job->net, job->now_ms);
    while ((exchange = net_next_done(job->net))) {
        job->api_active--;
        if (exchange == job->gate.exchange)
            gate_done(job);
        else
            is_done = 1;
    }
    gate_tick(job);
    commit_collect(job);
    commit_submit(job);
    if (!is_done)
        net_poll(job->net, ERRAND_POLL_MS);
    return is_done;
}

static int check(struct errand *errand, struct err *err)
{
    if (errand->is_stopped && errand->is_stopped(errand->user))
        return err_set(err, ERR_STOPPED, "stopped");
    if (!errand->job->ended)
        return 0;
    *err = errand->job->end_error;
    return -(int)err->code;
}

/* Its turn: the gate is open, the budget agrees, the pause before another try is over. */
static int wait_for_turn(struct errand *errand, int64_t due_ms, struct err *err)
{
    struct job *job = errand->job;
    int rc = check(errand, err);
    while (!rc && (job->gate.state != GATE_OPEN || !call_may_start(job) || job->now_ms < due_ms)) {
        (void)turn(errand);
        rc = check(errand, err);
    }
    return rc;
}

/* Sends it and waits for its end: 0 and *err says how that was, or negative. */
static int exchange_once(struct errand *errand, const char *path, struct err *err)
{
    struct job *job = errand->job;
    struct buf authorization;
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    int rc = buf_printf(&authorization, "Bearer %s", job->gate.token);
    if (rc)
        rc = err_set(err, ERR_NOMEM, "no memory for a request");
    else
        rc = call_send(job, errand->exchange, EXCHANGE_GET, path, buf_str(&authorization), NULL,
                       err);
    if (authorization.data)
        explicit_bzero(authorization.data, authorization.len);
    buf_release(&authorization);
    while (!rc && !turn(errand)) {
        rc = check(errand, err);
        if (rc) {
            exchange_cancel(job->net, errand->exchange);
            job->api_active--;
        }
    }
    return rc;
}

struct trying {
    int tries;
    int token_refused; /* a 401 was answered once */
    int64_t due_ms;    /* of the next try */
};

/* 1 where the call is to be made again; 0 where its error is the end. */
static int is_worth_another(struct errand *errand, const struct err *error, uint64_t generation,
                            struct trying *trying)
{
    struct job *job = errand->job;
    if (error->code == ERR_RATE_LIMITED)
        return !remedy_hold(job, error);
    if (error->code == ERR_AUTH && !trying->token_refused) {
        trying->token_refused = 1;
        gate_token_refused(job, generation);
        return 1;
    }
    if (!err_is_temporary(error->code) || ++trying->tries >= job->options->retries)
        return 0;
    int64_t wait_ms = backoff_ms(&job->rng, trying->tries - 1);
    if (error->retry_after_ms > wait_ms)
        wait_ms = error->retry_after_ms;
    trying->due_ms = job->now_ms + wait_ms;
    job->retries++;
    job_notice(job, NULL, error, trying->tries, wait_ms);
    return 1;
}

int errand_get(struct errand *errand, const char *path, const struct exchange_reply **out,
               struct err *err)
{
    struct job *job = errand->job;
    struct trying trying = {0};
    uint64_t generation;
    do {
        int rc = wait_for_turn(errand, trying.due_ms, err);
        generation = job->gate.generation;
        if (!rc)
            rc = exchange_once(errand, path, err);
        if (rc)
            return rc;
        *out = exchange_reply_of(errand->exchange);
        if (!call_outcome(job, errand->exchange, wire_classify_api, NULL, err)) {
            job_note_success(job, PEER_API);
            job->gate.generation_proven = 1;
            return 0;
        }
    } while (is_worth_another(errand, err, generation, &trying));
    return -(int)err->code;
}

int errand_rest(struct errand *errand, int64_t ms, struct err *err)
{
    struct job *job = errand->job;
    job_read_clocks(job);
    int64_t until_ms = job->now_ms + ms;
    int rc = check(errand, err);
    while (!rc && job->now_ms < until_ms) {
        (void)turn(errand);
        rc = check(errand, err);
    }
    return rc;
}
