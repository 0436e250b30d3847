/*
 * folders.c - see folders.h. What files wait for is asked of the journal a few folders at a time,
 * so a tree of any size needs no more memory than a small one.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks for folders that files wait for. */
#define ASK_MS 250

int folders_map(const struct job_options *options, struct journal *journal, struct err *err)
{
    struct journal_mapping mapping = {
        .has_categories = options->map_folders == MAP_TREE,
        .top_id = options->parent_category,
    };
    return journal_map_folders(journal, options->map_folders == MAP_NONE ? NULL : &mapping, err);
}

void folders_init(struct job *job)
{
    struct folders *folders = &job->folders;
    TAILQ_INIT(&folders->to_make);
    TAILQ_INIT(&folders->doubts);
    folders->limit = LIMIT_LIST_PAGE;
    if (job->options->map_folders == MAP_NONE)
        return;
    folders->stage = FOLDERS_IDLE;
    folders->wanted = 1; /* an earlier run may have left files behind */
}

void folders_need(struct job *job)
{
    struct folders *folders = &job->folders;
    folders->wanted = 1;
    folders->wanted_seq = job->batch_seq;
}

int folders_have_calls(const struct job *job)
{
    const struct folders *folders = &job->folders;
    int busy = folders->list_call.busy;
    for (int i = 0; i < FOLDER_CALLS; i++)
        busy |= folders->calls[i].busy;
    return busy;
}

int folders_are_busy(const struct job *job)
{
    const struct folders *folders = &job->folders;
    return folders->wanted || folders->asked || folders->held || folders->listing.active ||
           folders->fact_seq > job->durable_seq;
}

void folders_fact(struct job *job, const struct journal_folder_fact *fact)
{
    job->folders.fact_seq = job->batch_seq;
    if (journal_batch_folder_fact(job->batch, fact)) {
        struct err error;
        err_set(&error, ERR_NOMEM, "no memory for a journal batch");
        commit_lost(job, &error);
    }
    job->folders.due_ms = job->now_ms; /* what it held up may go on */
}

/* ---- tasks ------------------------------------------------------------------------------- */

static void forget(struct job *job, struct folder_job *made)
{
    folder_task_free(made->task);
    free(made);
    job->folders.held--;
}

void folders_doubt_settled(struct job *job, struct folder_job *doubt)
{
    TAILQ_REMOVE(&job->folders.doubts, doubt, link);
    forget(job, doubt);
}

static const char *kind_name(const struct folder_task *task)
{
    return task->kind == FOLDER_CATEGORY ? "category" : "collection";
}

static void warn_of_twins(const struct folder_task *task)
{
    log_warning("PXM has more than one %s '%s' for the folder %s: the first by its id is used",
                kind_name(task), task->name, task->path);
}

static void take_task(struct job *job, struct folder_task *task)
{
    struct folders *folders = &job->folders;
    struct folder_job *made = NULL;
    if (task->action == FOLDER_TWINS)
        warn_of_twins(task);
    else
        made = calloc(1, sizeof *made);
    if (!made) { /* what is not made now is handed out by the next run */
        folder_task_free(task);
        return;
    }
    made->task = task;
    folders->held++;
    if (task->action == FOLDER_MAKE)
        TAILQ_INSERT_TAIL(&folders->to_make, made, link);
    else
        TAILQ_INSERT_TAIL(&folders->doubts, made, link);
}

void folders_take(struct job *job, struct journal_batch *batch)
{
    struct folders *folders = &job->folders;
    struct folder_task *task;
    if (folders->fact_seq == job->durable_seq)
        lanes_poke_links(job);
    if (!folders->asked || folders->asked_seq != job->durable_seq)
        return;
    folders->asked = 0;
    folders->due_ms = job->now_ms + ASK_MS;
    while ((task = journal_batch_take_folder(batch)))
        take_task(job, task);
    int held = journal_batch_folders_held(batch);
    if (!held && folders->asked_seq >= folders->wanted_seq)
        folders->wanted = 0;
    /* Those that it found in the listing are ready without a fact. */
    lanes_poke_links(job);
    if (!held || folders->stage != FOLDERS_IDLE || job_is_draining(job))
        return;
    folders->stage = FOLDERS_LISTING;
    journal_batch_list(job->batch, job->wall_ms);
    if (job->options->map_folders == MAP_TREE)
        folder_list_begin(job, FOLDER_CATEGORY, NULL, 1);
    else
        folder_list_begin(job, FOLDER_COLLECTION, job->options->parent_category, 1);
}

void folders_ask(struct job *job)
{
    struct folders *folders = &job->folders;
    if (!folders->wanted || folders->asked || folders->stage == FOLDERS_OFF ||
        folders->stage == FOLDERS_LISTING || job_is_draining(job))
        return;
    /* Whether a folder holds folders is known when the walk is over. */
    if (intake_is_walking(job) || folders->held >= FOLDER_TASKS || job->now_ms < folders->due_ms)
        return;
    struct journal_folder_ask ask = {
        .max = (size_t)(FOLDER_TASKS - folders->held),
        .now_ms = job->wall_ms,
        .patience_ms = job->options->lookup_patience_ms,
        .tries_max = job->options->retries,
    };
    journal_batch_folders(job->batch, &ask);
    folders->asked = 1;
    folders->asked_seq = job->batch_seq;
}

/* ---- calls ------------------------------------------------------------------------------- */

int folder_call_send(struct job *job, struct folder_call *call, enum exchange_method method,
                     const char *path, const struct buf *body, struct err *err)
{
    struct buf authorization;
    int rc = 0;
    if (!call->exchange && !(call->exchange = exchange_new(NULL)))
        return err_set(err, ERR_NOMEM, "no memory for a request");
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    if (buf_printf(&authorization, "Bearer %s", job->gate.token))
        rc = err_set(err, ERR_NOMEM, "no memory for a request");
    else
        rc = call_send(job, call->exchange, method, path, buf_str(&authorization), body, err);
    if (authorization.data)
        explicit_bzero(authorization.data, authorization.len);
    buf_release(&authorization);
    call->busy = !rc;
    call->token_generation = job->gate.generation;
    return rc;
}

void folder_call_outcome(struct job *job, struct folder_call *call, struct err *out)
{
    call->busy = 0;
    if (call_outcome(job, call->exchange, wire_classify_api, NULL, out))
        return;
    job_note_success(job, PEER_API);
    call->token_refused = 0;
    call->failing_since_ms = 0;
    if (call->token_generation == job->gate.generation)
        job->gate.generation_proven = 1;
}

/* A 401: one new token for all, once; a second one is final, for all. */
static void refresh(struct job *job, struct folder_call *call, const struct err *error)
{
    if (call->token_refused) {
        job_end(job, JOB_END_REFUSED, error);
        return;
    }
    call->token_refused = 1;
    gate_token_refused(job, call->token_generation);
}

int folder_call_retry(struct job *job, struct folder_call *call, const struct err *error)
{
    if (error->code == ERR_RATE_LIMITED) {
        if (!remedy_hold(job, error))
            job_notice(job, NULL, error, call->tries, pacer_held_ms(job->pacer, job->now_ms));
        return 1;
    }
    if (error->code == ERR_AUTH) {
        refresh(job, call, error);
        return 1;
    }
    int is_away = error->code == ERR_NETWORK || error->code == ERR_TIMEOUT;
    if (!err_is_temporary(error->code) && error->code != ERR_BAD_REPLY)
        return 0;
    if (!call->failing_since_ms)
        call->failing_since_ms = job->now_ms;
    if (++call->tries >= job->options->retries) {
        if (!is_away)
            return 0;
        if (job->now_ms - call->failing_since_ms >= job->options->timeout_ms)
            job_end(job, JOB_END_OUTAGE, error);
    }
    int64_t wait = backoff_ms(&job->rng, call->tries - 1);
    if (error->retry_after_ms > wait)
        wait = error->retry_after_ms;
    call->due_ms = job->now_ms + wait;
    job->retries++;
    job_notice(job, NULL, error, call->tries, wait);
    return 1;
}

/* ---- making one -------------------------------------------------------------------------- */

static void fail_task(struct job *job, struct folder_job *made, const struct err *error)
{
    const struct folder_task *task = made->task;
    struct err failure;
    const char *remedy = err_is_temporary(error->code)
                             ? "run again later"
                             : "make it by hand or rename the folder, then pxload retry";
    (void)!err_set(&failure, error->code,
                   "the %s for its folder %.120s cannot be made in PXM: %.180s; %s",
                   kind_name(task), task->path, error->text, remedy);
    failure.http_status = error->http_status;
    failure.effect = error->effect;
    struct journal_folder_fact fact = {
        .folder_id = task->folder_id, .kind = task->kind, .error = &failure};
    log_info("%s", failure.text);
    folders_fact(job, &fact);
    forget(job, made);
}

/* It may be there: look it up before anything else is done about it. */
static void doubt(struct job *job, struct folder_job *made, const struct err *error)
{
    job_notice(job, NULL, error, 0, 0);
    made->due_ms = job->now_ms + backoff_ms(&job->rng, 0);
    TAILQ_INSERT_TAIL(&job->folders.doubts, made, link);
}

static void make_done(struct job *job, struct folder_call *call)
{
    struct folder_job *made = call->made;
    const struct buf *body = &exchange_reply_of(call->exchange)->body;
    char id[LIMIT_ID_BYTES] = "";
    struct err error;
    folder_call_outcome(job, call, &error);
    int is_answered = !error.code;
    if (is_answered && !wire_decode_created(buf_str(body), body->len, id, &error) && !id[0])
        (void)!err_set(&error, ERR_BAD_REPLY, "the reply names no id");
    if (id[0]) {
        struct journal_folder_fact fact = {
            .folder_id = made->task->folder_id, .kind = made->task->kind, .remote_id = id};
        folders_fact(job, &fact);
        call->made = NULL;
        forget(job, made);
    } else if (is_answered || error.code == ERR_CONFLICT || error.effect == EFFECT_MAYBE) {
        call->made = NULL;
        doubt(job, made, &error);
    } else if (!folder_call_retry(job, call, &error)) {
        call->made = NULL;
        fail_task(job, made, &error);
    }
}

static void make_start(struct job *job, struct folder_call *call)
{
    const struct folder_task *task = call->made->task;
    const struct wire_profile *wire = &job->options->wire;
    const char *path = task->kind == FOLDER_CATEGORY ? wire->category_path : wire->collection_path;
    struct err error = ERR_INIT;
    struct buf body;
    buf_init(&body, LIMIT_URL_BYTES);
    int rc = wire_encode_folder(task->name, task->parent, &body);
    if (rc)
        rc = err_set(&error, ERR_NOMEM, "no memory for a folder");
    else
        rc = folder_call_send(job, call, EXCHANGE_POST, path, &body, &error);
    buf_release(&body);
    if (rc) {
        struct folder_job *made = call->made;
        call->made = NULL;
        fail_task(job, made, &error);
    }
}

/* ---- the tick ---------------------------------------------------------------------------- */

/* A doubt whose time has come; NULL. */
static struct folder_job *due_doubt(const struct job *job)
{
    struct folder_job *doubt;
    TAILQ_FOREACH(doubt, &job->folders.doubts, link)
    if (doubt->due_ms <= job->now_ms)
        return doubt;
    return NULL;
}

static int list_is_due(const struct job *job)
{
    const struct folders *folders = &job->folders;
    return folders->listing.active && !folders->list_call.busy &&
           folders->list_call.due_ms <= job->now_ms;
}

/* A slot whose request can go out now, with a task already or free while one waits; -1. */
static int due_slot(const struct job *job)
{
    const struct folders *folders = &job->folders;
    for (int i = 0; i < FOLDER_CALLS; i++) {
        const struct folder_call *call = &folders->calls[i];
        int is_due = call->made ? call->due_ms <= job->now_ms : !TAILQ_EMPTY(&folders->to_make);
        if (!call->busy && is_due)
            return i;
    }
    return -1;
}

int folders_want_call(const struct job *job)
{
    return !job_is_draining(job) && (list_is_due(job) || due_slot(job) >= 0 ||
                                     (!job->folders.listing.active && due_doubt(job)));
}

static void fail_all(struct job *job, struct folder_job_list *list, enum err_effect effect)
{
    struct folder_job *made;
    struct err error = job->folders.error;
    error.effect = effect;
    while ((made = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, made, link);
        fail_task(job, made, &error);
    }
}

/* Nothing may be made where nothing could be listed. */
static void fail_broken(struct job *job)
{
    fail_all(job, &job->folders.to_make, EFFECT_NONE);
    fail_all(job, &job->folders.doubts, EFFECT_MAYBE);
}

void folders_start(struct job *job)
{
    struct folders *folders = &job->folders;
    struct folder_job *doubt;
    int slot;
    if (folders->stage == FOLDERS_BROKEN)
        fail_broken(job);
    if (!folders->listing.active && (doubt = due_doubt(job)))
        folder_list_begin(job, doubt->task->kind,
                          doubt->task->kind == FOLDER_COLLECTION ? doubt->task->parent : NULL, 0);
    if (list_is_due(job) && call_may_start(job))
        folder_list_start(job);
    while (call_may_start(job) && (slot = due_slot(job)) >= 0) {
        struct folder_call *call = &folders->calls[slot];
        if (!call->made) {
            call->made = TAILQ_FIRST(&folders->to_make);
            TAILQ_REMOVE(&folders->to_make, call->made, link);
            call->tries = 0;
            call->token_refused = 0;
            call->failing_since_ms = 0;
        }
        make_start(job, call);
    }
}

int folders_done(struct job *job, struct exchange *exchange)
{
    struct folders *folders = &job->folders;
    if (exchange == folders->list_call.exchange) {
        folder_list_done(job);
        return 1;
    }
    for (int i = 0; i < FOLDER_CALLS; i++) {
        if (exchange != folders->calls[i].exchange)
            continue;
        make_done(job, &folders->calls[i]);
        return 1;
    }
    return 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t folders_wait_ms(const struct job *job)
{
    const struct folders *folders = &job->folders;
    const struct folder_job *doubt;
    int64_t due = INT64_MAX;
    if (folders->wanted && !folders->asked && folders->held < FOLDER_TASKS &&
        !intake_is_walking(job))
        due = sooner(due, folders->due_ms);
    if (folders->listing.active && !folders->list_call.busy)
        due = sooner(due, folders->list_call.due_ms);
    for (int i = 0; i < FOLDER_CALLS; i++)
        if (folders->calls[i].made && !folders->calls[i].busy)
            due = sooner(due, folders->calls[i].due_ms);
    TAILQ_FOREACH(doubt, &folders->doubts, link)
    due = sooner(due, doubt->due_ms);
    if (due == INT64_MAX || folders->stage == FOLDERS_OFF)
        return INT64_MAX;
    return due > job->now_ms ? due - job->now_ms : 0;
}

/* ---- the end ----------------------------------------------------------------------------- */

/* Its request never went out: the next run need not look for it. */
static void give_back(struct job *job, struct folder_job *made)
{
    struct journal_folder_fact fact = {.folder_id = made->task->folder_id,
                                       .kind = made->task->kind};
    folders_fact(job, &fact);
    forget(job, made);
}

void folders_park(struct job *job)
{
    struct folders *folders = &job->folders;
    struct folder_job *made;
    folders->wanted = 0;
    if (!folders->list_call.busy)
        folders->listing.active = 0;
    while ((made = TAILQ_FIRST(&folders->to_make))) {
        TAILQ_REMOVE(&folders->to_make, made, link);
        give_back(job, made);
    }
    for (int i = 0; i < FOLDER_CALLS; i++) {
        struct folder_call *call = &folders->calls[i];
        if (!call->made || call->busy)
            continue;
        give_back(job, call->made); /* it was refused, or never got there */
        call->made = NULL;
    }
    while ((made = TAILQ_FIRST(&folders->doubts)))
        folders_doubt_settled(job, made);
}

static void cancel(struct job *job, struct folder_call *call)
{
    if (!call->busy)
        return;
    exchange_cancel(job->net, call->exchange);
    call->busy = 0;
    job->api_active--;
    if (call->made)
        forget(job, call->made); /* its intent stays: the next run looks it up */
    call->made = NULL;
}

void folders_abort(struct job *job)
{
    struct folders *folders = &job->folders;
    cancel(job, &folders->list_call);
    for (int i = 0; i < FOLDER_CALLS; i++)
        cancel(job, &folders->calls[i]);
    folders->listing.active = 0;
    folders_park(job);
}

static void forget_all(struct job *job, struct folder_job_list *list)
{
    struct folder_job *made;
    while ((made = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, made, link);
        forget(job, made);
    }
}

void folders_release(struct job *job)
{
    struct folders *folders = &job->folders;
    forget_all(job, &folders->to_make);
    forget_all(job, &folders->doubts);
    folder_list_release(&folders->listing);
    exchange_free(folders->list_call.exchange);
    for (int i = 0; i < FOLDER_CALLS; i++)
        exchange_free(folders->calls[i].exchange);
}
