/*
 * commit.c - facts on their way to the journal: the batch being filled, the batches under way,
 * and the assets that wait until theirs is durable. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdlib.h>

void commit_lost(struct job *job, const struct err *error)
{
    job->ended = 1;
    job->end = JOB_END_JOURNAL;
    job->end_error = *error;
    job->stopping = JOB_ABORT;
}

int commit_init(struct job *job, struct err *err)
{
    job->batch = journal_batch_new();
    job->batch_seq = 1;
    job->request_times = calloc(LIMIT_UNSAVED_REQUESTS, sizeof *job->request_times);
    if (!job->batch || !job->request_times)
        return err_set(err, ERR_NOMEM, "no memory for the journal's batches");
    return 0;
}

void commit_fact(struct job *job, const struct journal_fact *fact)
{
    if (journal_batch_fact(job->batch, fact)) {
        struct err error;
        err_set(&error, ERR_NOMEM, "no memory for a journal batch");
        commit_lost(job, &error);
    }
}

void commit_wait(struct job *job, struct asset *asset)
{
    asset->commit_seq = job->batch_seq;
    asset_wait(job, asset, WAIT_JOURNAL);
}

/* At most LIMIT_COMMITS are under way beside the one being filled. */
static int *requests_in(struct job *job, uint64_t batch_seq)
{
    return &job->requests_in[batch_seq % (LIMIT_COMMITS + 2)];
}

void commit_submit(struct job *job)
{
    if (job->request_times_count &&
        !journal_batch_requests(job->batch, job->request_times, (size_t)job->request_times_count)) {
        *requests_in(job, job->batch_seq) += job->request_times_count;
        job->request_times_count = 0;
    }
    if (journal_batch_is_empty(job->batch) || job->commits_out >= LIMIT_COMMITS ||
        commit_wait_ms(job) > 0)
        return;
    struct journal_batch *fresh = journal_batch_new();
    if (!fresh) /* go on filling this one; memory may come back */
        return;
    journal_submit(job->journal, job->batch);
    job->batch = fresh;
    job->batch_seq++;
    job->commits_out++;
    job->submitted_ms = job->now_ms;
}

/* Under load a sync of the disk shall hold the facts of many files, not of those of one tick. */
int64_t commit_wait_ms(const struct job *job)
{
    int64_t due_ms = job->submitted_ms + COMMIT_EVERY_MS;
    return journal_batch_is_empty(job->batch) || due_ms <= job->now_ms ? 0 : due_ms - job->now_ms;
}

static void go_on(struct job *job, struct asset *asset)
{
    if (asset->step == STEP_FINISH) {
        finish_durable(job, asset);
        return;
    }
    asset->intent_durable = 1;
    asset_wait_first(job, asset, WAIT_API);
}

static void take_batch(struct job *job, struct journal_batch *batch)
{
    lanes_take(job, batch);
    folders_take(job, batch);
}

void commit_collect(struct job *job)
{
    struct err error = ERR_INIT;
    struct journal_batch *batch;
    while ((batch = journal_next_done(job->journal, &error))) {
        job->commits_out--;
        job->durable_seq++;
        job->requests_unsaved -= *requests_in(job, job->durable_seq);
        *requests_in(job, job->durable_seq) = 0;
        if (error.code)
            commit_lost(job, &error);
        else
            take_batch(job, batch);
        journal_batch_free(batch);
    }
    if (job->ended && job->end == JOB_END_JOURNAL)
        return;
    struct asset *asset;
    while ((asset = TAILQ_FIRST(&job->waiting[WAIT_JOURNAL])) &&
           asset->commit_seq <= job->durable_seq)
        go_on(job, asset);
}

void commit_last(struct job *job)
{
    if (!journal_batch_is_empty(job->batch))
        journal_submit(job->journal, job->batch);
    else
        journal_batch_free(job->batch);
    job->batch = NULL;
}

void commit_release(struct job *job)
{
    journal_batch_free(job->batch);
    free(job->request_times);
    job->batch = NULL;
    job->request_times = NULL;
}
