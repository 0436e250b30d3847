/*
 * writer.c - see writer.h.
 *
 * Invariants: the store is touched by the writer's thread alone. Batches and calls are answered
 * after the commit that holds them, in order of submission; relaxed calls (found rows) before
 * it, as a walk can be done again, so many of them share one sync. Claims are read last in a
 * transaction, so that a lane that is called dry is dry at the commit.
 * The first failure is final: nothing is written after it, and everybody gets the same error.
 */
#include "journal/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "journal/facts.h"

/* When found rows are committed though nobody waits for it. */
#define FRESH_ROWS_MAX 200000
#define FRESH_MS_MAX   1000

struct message_list {
    struct message *head;
    struct message **tail;
};

struct writer {
    struct store *store;
    void (*wake)(void *user);
    void *user;
    pthread_t thread;
    int in_transaction; /* the thread's */
    int64_t commit_due_ms;

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t waiting_changed;
    pthread_cond_t call_answered;
    struct message_list waiting;
    struct message_list done; /* batches alone */
    int stopping;
    struct err failure; /* ERR_NONE while all is well */
    struct journal_books books;
};

static void list_init(struct message_list *list)
{
    list->head = NULL;
    list->tail = &list->head;
}

static void list_add(struct message_list *list, struct message *message)
{
    message->next = NULL;
    *list->tail = message;
    list->tail = &message->next;
}

/* ---- the thread -------------------------------------------------------------------------- */

static int begin(struct writer *writer, struct err *err)
{
    if (writer->in_transaction)
        return 0;
    int rc = sql_do(&writer->store->sql, SQL_BEGIN, err);
    writer->in_transaction = !rc;
    writer->commit_due_ms = clock_now_ms() + FRESH_MS_MAX;
    return rc;
}

/* The books follow the counters; the one number that is no counter is a step into an index. */
static int publish(struct writer *writer, struct err *err)
{
    struct store *store = writer->store;
    struct journal_books books;
    counters_fill_books(&store->counters, &books);
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_LARGEST_PENDING);
    sqlite3_bind_int64(stmt, 1, CLAIM_ID_MASK);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    if (rc)
        books.largest_pending_bytes = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    if (store->fresh.largest_bytes > books.largest_pending_bytes)
        books.largest_pending_bytes = store->fresh.largest_bytes;
    pthread_mutex_lock(&writer->lock);
    writer->books = books;
    pthread_mutex_unlock(&writer->lock);
    return 0;
}

static int commit(struct writer *writer, struct err *err)
{
    struct store *store = writer->store;
    if (!writer->in_transaction)
        return 0;
    int rc = fresh_write_names(store, err);
    if (!rc)
        rc = fresh_queue(store, err);
    if (!rc)
        rc = counters_save(&store->counters, &store->sql, err);
    if (!rc)
        rc = publish(writer, err);
    if (!rc)
        rc = sql_do(&store->sql, SQL_COMMIT, err);
    if (rc)
        return rc;
    writer->in_transaction = 0;
    store->fresh.walked = 0;
    return 0;
}

static void fail(struct writer *writer, const struct err *failure)
{
    struct err ignored;
    if (writer->in_transaction && sql_do(&writer->store->sql, SQL_ROLLBACK, &ignored))
        err_clear(&ignored); /* SQLite rolled back by itself */
    writer->in_transaction = 0;
    pthread_mutex_lock(&writer->lock);
    writer->failure = *failure;
    pthread_mutex_unlock(&writer->lock);
}

/* A call's message is its caller's and may be gone once this returns. */
static void answer(struct writer *writer, struct message *message, const struct err *failure)
{
    pthread_mutex_lock(&writer->lock);
    message->err = *failure;
    message->rc = -(int)failure->code;
    message->answered = 1;
    if (message->batch)
        list_add(&writer->done, message);
    else
        pthread_cond_broadcast(&writer->call_answered);
    pthread_mutex_unlock(&writer->lock);
}

static int apply(struct writer *writer, struct message *message, struct err *err)
{
    struct store *store = writer->store;
    int rc = begin(writer, err);
    if (rc)
        return rc;
    if (message->batch)
        return facts_apply(store, message->batch, err);
    rc = message->call(store, message->arg, err);
    return rc || !message->relaxed ? rc : publish(writer, err);
}

/* Applies a group; what must wait for the commit comes back in *out. */
static int apply_group(struct writer *writer, struct message *group, struct message_list *out,
                       struct err *err)
{
    static const struct err fine = ERR_INIT;
    int rc = 0;
    list_init(out);
    while (group) {
        struct message *message = group;
        group = message->next;
        if (!rc)
            rc = apply(writer, message, err);
        if (!rc && message->relaxed)
            answer(writer, message, &fine);
        else
            list_add(out, message);
    }
    for (struct message *message = out->head; !rc && message; message = message->next)
        if (message->batch)
            rc = facts_claim(writer->store, message->batch, err);
    return rc;
}

static void run_group(struct writer *writer, struct message *group)
{
    struct err failure = writer->failure; /* this thread alone writes it */
    struct message_list list;
    int batches = 0;
    if (failure.code) {
        list_init(&list);
        list.head = group;
    } else {
        int rc = apply_group(writer, group, &list, &failure);
        if (!rc && (list.head || writer->store->fresh.walked >= FRESH_ROWS_MAX))
            rc = commit(writer, &failure);
        if (rc)
            fail(writer, &failure);
        else
            err_clear(&failure);
    }
    for (struct message *message = list.head, *next; message; message = next) {
        next = message->next;
        batches += message->batch != NULL;
        answer(writer, message, &failure);
    }
    if (batches && writer->wake)
        writer->wake(writer->user);
}

/* Everything that waits; NULL when an open transaction is due, or at the end (*out_end). */
static struct message *take_group(struct writer *writer, int *out_end)
{
    pthread_mutex_lock(&writer->lock);
    while (!writer->waiting.head && !writer->stopping) {
        if (!writer->in_transaction) {
            pthread_cond_wait(&writer->waiting_changed, &writer->lock);
            continue;
        }
        int64_t left_ms = writer->commit_due_ms - clock_now_ms();
        if (left_ms <= 0)
            break;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t at_ns = until.tv_nsec + left_ms % 1000 * 1000000;
        until.tv_sec += (time_t)(left_ms / 1000 + at_ns / 1000000000);
        until.tv_nsec = (long)(at_ns % 1000000000);
        pthread_cond_timedwait(&writer->waiting_changed, &writer->lock, &until);
    }
    struct message *group = writer->waiting.head;
    list_init(&writer->waiting);
    *out_end = !group && writer->stopping;
    pthread_mutex_unlock(&writer->lock);
    return group;
}

static void *run(void *arg)
{
    struct writer *writer = arg;
    int end = 0;
    while (!end) {
        struct message *group = take_group(writer, &end);
        int due = writer->in_transaction && clock_now_ms() >= writer->commit_due_ms;
        if (group)
            run_group(writer, group);
        struct err failure = ERR_INIT;
        if (writer->in_transaction && (due || end) && commit(writer, &failure))
            fail(writer, &failure);
    }
    return NULL;
}

/* ---- the other threads ------------------------------------------------------------------- */

int writer_start(struct store *store, void (*wake)(void *user), void *user, struct writer **out,
                 struct err *err)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        store_release(store);
        return err_set(err, ERR_NOMEM, "no memory for the journal");
    }
    writer->store = store;
    writer->wake = wake;
    writer->user = user;
    err_clear(&writer->failure);
    list_init(&writer->waiting);
    list_init(&writer->done);
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->call_answered, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&writer->waiting_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int rc = publish(writer, err);
    if (!rc && pthread_create(&writer->thread, NULL, run, writer))
        rc = err_set(err, ERR_NOMEM, "the journal's thread could not be started");
    if (rc) {
        store_release(store);
        free(writer);
        return rc;
    }
    *out = writer;
    return 0;
}

static void mark_clean(struct writer *writer)
{
    struct err failure = ERR_INIT;
    counters_set(&writer->store->counters, COUNTERS_CLEAN, 1);
    if (!begin(writer, &failure) && commit(writer, &failure))
        fail(writer, &failure); /* the next run then sees a journal that was not closed */
}

void writer_stop(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stopping = 1;
    pthread_cond_signal(&writer->waiting_changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    if (!writer->failure.code)
        mark_clean(writer);
    store_release(writer->store);
    while (writer->done.head) {
        struct message *message = writer->done.head;
        writer->done.head = message->next;
        journal_batch_free(message->batch);
    }
    pthread_cond_destroy(&writer->waiting_changed);
    pthread_cond_destroy(&writer->call_answered);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}

static void send(struct writer *writer, struct message *message)
{
    list_add(&writer->waiting, message);
    pthread_cond_signal(&writer->waiting_changed);
}

void writer_submit(struct writer *writer, struct journal_batch *batch)
{
    pthread_mutex_lock(&writer->lock);
    BUG_ON(writer->stopping || batch->message.answered);
    send(writer, &batch->message);
    pthread_mutex_unlock(&writer->lock);
}

struct journal_batch *writer_next_done(struct writer *writer, struct err *out_err)
{
    pthread_mutex_lock(&writer->lock);
    struct message *message = writer->done.head;
    if (message) {
        writer->done.head = message->next;
        if (!writer->done.head)
            list_init(&writer->done);
    }
    pthread_mutex_unlock(&writer->lock);
    if (!message)
        return NULL;
    if (out_err)
        *out_err = message->err;
    return message->batch;
}

void writer_start_call(struct writer *writer, struct message *message)
{
    pthread_mutex_lock(&writer->lock);
    BUG_ON(writer->stopping);
    send(writer, message);
    pthread_mutex_unlock(&writer->lock);
}

int writer_wait_call(struct writer *writer, struct message *message, struct err *err)
{
    pthread_mutex_lock(&writer->lock);
    while (!message->answered)
        pthread_cond_wait(&writer->call_answered, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
    if (message->rc && err)
        *err = message->err;
    return message->rc;
}

int writer_call(struct writer *writer, batch_call_fn *call, void *arg, int relaxed, struct err *err)
{
    struct message message = {.call = call, .arg = arg, .relaxed = relaxed, .err = ERR_INIT};
    writer_start_call(writer, &message);
    return writer_wait_call(writer, &message, err);
}

int writer_books(struct writer *writer, struct journal_books *out, struct err *err)
{
    pthread_mutex_lock(&writer->lock);
    struct err failure = writer->failure;
    *out = writer->books;
    pthread_mutex_unlock(&writer->lock);
    if (failure.code && err)
        *err = failure;
    return -(int)failure.code;
}
