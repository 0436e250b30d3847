/*
 * intake.c - the walker's thread: tree -> journal. It touches nothing of the loop's but the flags
 * below; the journal's blocking calls are made for it.
 */
#include "base/log.h"
#include "pipeline/folder_walk.h"
#include "pipeline/job.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reasons a walk gives for leaving a file out; more distinct ones than this are a bug. */
#define REASONS_MAX 16

struct tally {
    char reason[32];
    int64_t files;
    int64_t bytes;
};

struct intake {
    const struct job_options *options;
    struct journal *journal;
    struct job *job; /* woken when the walk is over; NULL for job_walk */
    pthread_t thread;
    int stop;
    int walking;
    int rc;
    struct err error;

    int64_t root_ids[LIMIT_ROOTS];
    struct journal_found rows[LIMIT_WALK_BATCH];
    struct name_of names[LIMIT_WALK_BATCH];
    char *paths[LIMIT_WALK_BATCH];
    char failures[LIMIT_WALK_BATCH][256];
    struct folder_walk folders;
    size_t count;
    struct tally tallies[REASONS_MAX];
};

static int flush(struct intake *intake, struct err *err)
{
    int rc = 0;
    if (intake->count)
        rc = journal_add_found(intake->journal, intake->rows, intake->count, err);
    for (size_t i = 0; i < intake->count; i++)
        free(intake->paths[i]);
    intake->count = 0;
    return rc;
}

/* Its name for PXM, and its folder's. A failure is the file's alone, unless it ends the walk. */
static int name_file(struct intake *intake, const struct walk_entry *entry,
                     struct journal_found *row, struct name_of *name, struct err *error)
{
    const struct job_options *options = intake->options;
    const char *root = options->walk.roots[entry->root_idx];
    const char *root_name = strrchr(root, '/') ? strrchr(root, '/') + 1 : root;
    int rc = name_make(options->name_policy, root_name, entry->path, name, error);
    if (!rc && options->map_folders != MAP_NONE)
        rc = folder_walk_find(&intake->folders, entry->root_idx, entry->path, &row->folder_id,
                              error);
    return rc;
}

static int add_file(struct intake *intake, const struct walk_entry *entry)
{
    size_t i = intake->count;
    struct err error = ERR_INIT;
    struct journal_found *row = &intake->rows[i];
    if (!(intake->paths[i] = strdup(entry->path)))
        return err_set(&intake->error, ERR_NOMEM, "no memory for the walk");
    *row = (struct journal_found){
        .root_id = intake->root_ids[entry->root_idx],
        .path = intake->paths[i],
        .stamp = entry->stamp,
    };
    int rc = name_file(intake, entry, row, &intake->names[i], &error);
    if (rc && rc != -ERR_NAME_INVALID) {
        free(intake->paths[i]);
        intake->error = error;
        return rc;
    }
    if (rc) {
        row->failure = error.code;
        snprintf(intake->failures[i], sizeof intake->failures[i], "%.*s",
                 (int)sizeof intake->failures[i] - 1, error.text);
        row->failure_text = intake->failures[i];
    } else {
        row->name = intake->names[i].name;
        row->other_name = intake->names[i].other_name[0] ? intake->names[i].other_name : NULL;
    }
    intake->count++;
    return intake->count < LIMIT_WALK_BATCH ? 0 : flush(intake, &intake->error);
}

static void add_excluded(struct intake *intake, const struct walk_entry *entry)
{
    for (size_t i = 0; i < REASONS_MAX; i++) {
        struct tally *tally = &intake->tallies[i];
        if (!tally->reason[0])
            snprintf(tally->reason, sizeof tally->reason, "%s", entry->reason);
        if (!strcmp(tally->reason, entry->reason)) {
            tally->files++;
            tally->bytes += entry->stamp.size_bytes;
            return;
        }
    }
    BUG_ON(1);
}

static int on_entry(const struct walk_entry *entry, void *user)
{
    struct intake *intake = user;
    switch (entry->kind) {
    case WALK_FILE:
        return add_file(intake, entry);
    case WALK_EXCLUDED:
        add_excluded(intake, entry);
        return 0;
    case WALK_ISSUE:
        log_warning("%s: %s", entry->path, entry->error->text);
        return journal_add_issue(intake->journal, entry->path, entry->error->code,
                                 entry->error->text, &intake->error);
    }
    return 0;
}

static int walk(struct intake *intake)
{
    struct walk_options options = intake->options->walk;
    struct err *err = &intake->error;
    options.stop = &intake->stop;
    int rc = 0;
    for (size_t i = 0; !rc && i < options.root_count; i++)
        rc = journal_root_id(intake->journal, options.roots[i], &intake->root_ids[i], err);
    if (!rc)
        rc = walk_run(&options, on_entry, intake, err);
    struct err ignored;
    int flushed = flush(intake, rc ? &ignored : err);
    rc = rc ? rc : flushed;
    for (size_t i = 0; !rc && i < REASONS_MAX && intake->tallies[i].reason[0]; i++)
        rc = journal_add_excluded(intake->journal, intake->tallies[i].reason,
                                  intake->tallies[i].files, intake->tallies[i].bytes, err);
    if (!rc)
        rc = journal_walk_finish(intake->journal, err);
    return rc;
}

static void intake_free(struct intake *intake)
{
    folder_walk_release(&intake->folders);
    free(intake);
}

/*
 * The wave begins here, before anything is claimed: a row that an earlier wave saw must not be
 * worked on until this walk has found its file unchanged.
 */
static struct intake *intake_new(const struct job_options *options, struct journal *journal,
                                 struct err *err)
{
    if (options->walk.root_count > LIMIT_ROOTS) {
        err_set(err, ERR_USAGE, "%zu paths are too many, at most %d", options->walk.root_count,
                LIMIT_ROOTS);
        return NULL;
    }
    struct intake *intake = calloc(1, sizeof *intake);
    if (!intake) {
        err_set(err, ERR_NOMEM, "no memory for the walk");
        return NULL;
    }
    intake->options = options;
    intake->journal = journal;
    err_clear(&intake->error);
    folder_walk_init(&intake->folders, options, journal);
    int64_t wave = 0;
    if (journal_walk_begin(journal, &wave, err)) {
        intake_free(intake);
        return NULL;
    }
    return intake;
}

int job_walk(const struct job_options *options, struct journal *journal, struct err *err)
{
    struct intake *intake =
        folders_map(options, journal, err) ? NULL : intake_new(options, journal, err);
    if (!intake)
        return -(int)err->code;
    int rc = walk(intake);
    if (rc)
        *err = intake->error;
    intake_free(intake);
    return rc;
}

static void *run(void *user)
{
    struct intake *intake = user;
    intake->rc = walk(intake);
    __atomic_store_n(&intake->walking, 0, __ATOMIC_RELEASE);
    job_wake(intake->job);
    return NULL;
}

int intake_start(struct job *job, struct err *err)
{
    if (!job->options->walk.root_count)
        return 0;
    struct intake *intake = intake_new(job->options, job->journal, err);
    if (!intake)
        return -(int)err->code;
    intake->job = job;
    intake->walking = 1;
    if (pthread_create(&intake->thread, NULL, run, intake)) {
        intake_free(intake);
        return err_set(err, ERR_NOMEM, "the walker's thread could not be started");
    }
    job->intake = intake;
    return 0;
}

int intake_is_walking(const struct job *job)
{
    return job->intake && __atomic_load_n(&job->intake->walking, __ATOMIC_ACQUIRE);
}

int intake_result(const struct job *job, struct err *err)
{
    if (!job->intake || !job->intake->rc)
        return 0;
    *err = job->intake->error;
    return job->intake->rc;
}

void intake_ask_stop(struct job *job)
{
    if (job->intake)
        __atomic_store_n(&job->intake->stop, 1, __ATOMIC_RELAXED);
}

void intake_stop(struct job *job)
{
    struct intake *intake = job->intake;
    if (!intake)
        return;
    intake_ask_stop(job);
    pthread_join(intake->thread, NULL);
    intake_free(intake);
    job->intake = NULL;
}
