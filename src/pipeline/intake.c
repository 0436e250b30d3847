/*
 * intake.c - the walker's thread: tree -> journal. It touches nothing of the loop's but the flags
 * below; the journal's blocking calls are made for it.
 */
#include "base/log.h"
#include "pipeline/folder_walk.h"
#include "pipeline/job.h"
#include "pipeline/manifest.h"

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

/* Files that go to the journal together. */
struct load {
    struct journal_found rows[LIMIT_WALK_BATCH];
    size_t root_idx[LIMIT_WALK_BATCH];
    struct name_of names[LIMIT_WALK_BATCH];
    char *paths[LIMIT_WALK_BATCH];
    char failures[LIMIT_WALK_BATCH][256];
    struct journal_manifest_query queries[LIMIT_WALK_BATCH]; /* their texts are owned */
    size_t count;
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

    /* the manifest */
    int must_load;
    int is_counted;                /* how many files each row is for is known already */
    const struct catalog *catalog; /* NULL: nobody can be asked */
    pthread_mutex_t lock;          /* for catalog_is_whole */
    pthread_cond_t catalog_came;
    int catalog_is_whole;

    int64_t root_ids[LIMIT_ROOTS];
    struct folder_walk folders;
    struct load loads[2];
    struct load *load;             /* being filled */
    struct journal_adding *adding; /* the other one is on its way into the journal; NULL: not */
    struct tally tallies[REASONS_MAX];
};

/* ---- names and the manifest's word ---- */

static const char *root_name(const struct intake *intake, size_t i)
{
    const char *root = intake->options->walk.roots[intake->load->root_idx[i]];
    return strrchr(root, '/') ? strrchr(root, '/') + 1 : root;
}

/* NULL where it is no UTF-8, and with *rc set where there is no memory. */
static char *keep_key(const char *raw, struct buf *key, int *rc)
{
    struct err error = ERR_INIT;
    int failed = manifest_key(raw, key, &error);
    char *copy = failed ? NULL : strdup(buf_str(key));
    if (failed == -ERR_NOMEM || (!failed && !copy))
        *rc = -ERR_NOMEM;
    return copy;
}

/* How a manifest may speak of a file; one whose path is no UTF-8 goes by its name alone. */
static int make_query(struct intake *intake, size_t i)
{
    struct journal_manifest_query *query = &intake->load->queries[i];
    const char *path = *intake->load->paths[i] ? intake->load->paths[i] : root_name(intake, i);
    const char *slash = strrchr(path, '/');
    struct buf key;
    const char *root = intake->options->walk.roots[intake->load->root_idx[i]];
    int rc = 0;
    *query = (struct journal_manifest_query){0};
    buf_init(&key, 3 * LIMIT_PATH_BYTES);
    query->name = keep_key(slash ? slash + 1 : path, &key, &rc);
    query->path = keep_key(path, &key, &rc);
    buf_reset(&key);
    int is_whole = query->path && !buf_puts(&key, root) &&
                   (!*intake->load->paths[i] || !buf_printf(&key, "/%s", query->path));
    query->abs_path = is_whole ? strdup(buf_str(&key)) : NULL;
    if (query->path && !query->abs_path)
        rc = -ERR_NOMEM;
    buf_release(&key);
    return rc ? err_set(&intake->error, ERR_NOMEM, "no memory for the walk") : 0;
}

static void drop_query(struct journal_manifest_query *query)
{
    free((void *)(uintptr_t)query->path);
    free((void *)(uintptr_t)query->abs_path);
    free((void *)(uintptr_t)query->name);
    free(query->memory);
    *query = (struct journal_manifest_query){0};
}

static int ask_manifest(struct intake *intake, unsigned how)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < intake->load->count; i++)
        rc = make_query(intake, i);
    return rc ? rc
              : journal_manifest_find(intake->journal, intake->load->queries, intake->load->count,
                                      how, &intake->error);
}

/* The name that PXM gets: by the policy, of the path or of what the manifest puts in its place. */
static int make_name(struct intake *intake, size_t i, struct err *error)
{
    const char *path = intake->load->paths[i];
    const char *file_name = intake->load->queries[i].row.file_name;
    enum name_policy policy = intake->options->name_policy;
    if (!file_name)
        return name_make(policy, root_name(intake, i), path, &intake->load->names[i], error);
    /* A name that was written by hand is taken as it is, but two files cannot both have it. */
    struct buf renamed;
    const char *slash = strrchr(path, '/');
    buf_init(&renamed, 2 * LIMIT_PATH_BYTES);
    int rc = slash ? buf_append(&renamed, path, (size_t)(slash + 1 - path)) : 0;
    if (!rc)
        rc = buf_puts(&renamed, file_name);
    if (rc)
        rc = err_set(error, ERR_NOMEM, "no memory for a name");
    else
        rc = name_make(policy == NAME_PATH ? NAME_KEEP : policy, root_name(intake, i),
                       buf_str(&renamed), &intake->load->names[i], error);
    buf_release(&renamed);
    return rc;
}

/* Why the manifest's row cannot be followed, or NULL. */
static const char *manifest_trouble(struct intake *intake, size_t i)
{
    const struct journal_manifest_query *query = &intake->load->queries[i];
    if (query->row.error || query->files < 2)
        return query->row.error;
    snprintf(intake->load->failures[i], sizeof intake->load->failures[i],
             query->row.by_name
                 ? "manifest line %lld: %lld files bear the name '%.100s'; say which one in column "
                   "path"
                 : "manifest line %lld: %lld files have the path '%.100s', each under another "
                   "PATH; write it from the root on",
             (long long)query->row.line, (long long)query->files, query->row.key);
    return intake->load->failures[i];
}

static void fail_row(struct intake *intake, size_t i, const struct err *error)
{
    struct journal_found *row = &intake->load->rows[i];
    snprintf(intake->load->failures[i], sizeof intake->load->failures[i], "%.*s",
             (int)sizeof intake->load->failures[i] - 1, error->text);
    row->failure = error->code;
    row->failure_text = intake->load->failures[i];
}

/* Its folder's place in PXM. A name that cannot be is the file's failure, all else the walk's. */
static int find_folder(struct intake *intake, size_t i)
{
    struct err error = ERR_INIT;
    if (intake->options->map_folders == MAP_NONE)
        return 0;
    int rc = folder_walk_find(&intake->folders, intake->load->root_idx[i], intake->load->paths[i],
                              &intake->load->rows[i].folder_id, &error);
    if (rc == -ERR_NAME_INVALID) {
        fail_row(intake, i, &error);
        return 0;
    }
    if (rc)
        intake->error = error;
    return rc;
}

static int fill_row(struct intake *intake, size_t i)
{
    struct journal_found *row = &intake->load->rows[i];
    const struct journal_manifest_row *manifest = &intake->load->queries[i].row;
    struct err error = ERR_INIT;
    row->manifest = manifest->line ? manifest : NULL;
    row->wish_collections = manifest->collections;
    row->wish_attributes = manifest->attributes;
    if (make_name(intake, i, &error)) {
        fail_row(intake, i, &error);
        return 0;
    }
    row->name = intake->load->names[i].name;
    row->other_name =
        intake->load->names[i].other_name[0] ? intake->load->names[i].other_name : NULL;
    row->failure_text = manifest_trouble(intake, i);
    row->failure = row->failure_text ? ERR_MANIFEST : ERR_NONE;
    return row->failure ? 0 : find_folder(intake, i);
}

/* ---- the walk ---- */

static void drop_load(struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        free(load->paths[i]);
        drop_query(&load->queries[i]);
    }
    load->count = 0;
}

static struct load *other_load(struct intake *intake)
{
    return &intake->loads[intake->load == intake->loads];
}

/* Until the load before is in the journal. */
static int end_adding(struct intake *intake, struct err *err)
{
    if (!intake->adding)
        return 0;
    int rc = journal_end_adding(intake->journal, intake->adding, err);
    intake->adding = NULL;
    drop_load(other_load(intake));
    return rc;
}

static int flush(struct intake *intake)
{
    unsigned how = JOURNAL_MANIFEST_READ | (intake->is_counted ? 0 : JOURNAL_MANIFEST_COUNT);
    int rc = 0;
    if (intake->options->manifest)
        rc = ask_manifest(intake, how);
    for (size_t i = 0; !rc && i < intake->load->count; i++)
        rc = fill_row(intake, i);
    int ended = end_adding(intake, rc ? NULL : &intake->error);
    rc = rc ? rc : ended;
    if (!rc && intake->load->count)
        rc = journal_start_adding(intake->journal, intake->load->rows, intake->load->count,
                                  &intake->adding, &intake->error);
    if (rc)
        drop_load(intake->load);
    else if (intake->adding)
        intake->load = other_load(intake);
    return rc;
}

static int keep_file(struct intake *intake, const struct walk_entry *entry)
{
    size_t i = intake->load->count;
    if (!(intake->load->paths[i] = strdup(entry->path)))
        return err_set(&intake->error, ERR_NOMEM, "no memory for the walk");
    intake->load->root_idx[i] = entry->root_idx;
    intake->load->rows[i] = (struct journal_found){
        .root_id = intake->root_ids[entry->root_idx],
        .path = intake->load->paths[i],
        .stamp = entry->stamp,
    };
    intake->load->count++;
    return 0;
}

static int add_file(struct intake *intake, const struct walk_entry *entry)
{
    int rc = keep_file(intake, entry);
    return rc || intake->load->count < LIMIT_WALK_BATCH ? rc : flush(intake);
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

/* ---- the manifest before the walk ---- */

/* Waits until the gate has what the manifest speaks of. */
static int wait_for_catalog(struct intake *intake)
{
    if (!intake->job)
        return 0;
    pthread_mutex_lock(&intake->lock);
    while (!intake->catalog_is_whole && !__atomic_load_n(&intake->stop, __ATOMIC_RELAXED))
        pthread_cond_wait(&intake->catalog_came, &intake->lock);
    int is_whole = intake->catalog_is_whole;
    pthread_mutex_unlock(&intake->lock);
    intake->catalog = &intake->job->gate.catalog;
    return is_whole ? 0
                    : err_set(&intake->error, ERR_STOPPED, "stopped before the manifest was read");
}

static int flush_counts(struct intake *intake)
{
    int rc = intake->load->count ? ask_manifest(intake, JOURNAL_MANIFEST_COUNT) : 0;
    drop_load(intake->load);
    return rc;
}

static int on_counted(const struct walk_entry *entry, void *user)
{
    struct intake *intake = user;
    int rc = entry->kind == WALK_FILE ? keep_file(intake, entry) : 0;
    return rc || intake->load->count < LIMIT_WALK_BATCH ? rc : flush_counts(intake);
}

/*
 * A row that goes by name must mean one file, which is known only when all were seen; so a walk for
 * the names alone goes first. Likewise where a path may stand below several roots.
 */
static int count_files(struct intake *intake, const struct walk_options *options)
{
    if (!intake->options->manifest_info.name_rows && options->root_count < 2)
        return 0;
    int rc = walk_run(options, on_counted, intake, &intake->error);
    if (!rc)
        rc = flush_counts(intake);
    drop_load(intake->load);
    intake->is_counted = 1;
    return rc;
}

static int read_manifest(struct intake *intake, const struct walk_options *options)
{
    int rc = 0;
    if (!intake->options->manifest)
        return manifest_forget(intake->journal, &intake->error);
    if (intake->must_load)
        rc = wait_for_catalog(intake);
    if (!rc && intake->must_load)
        rc = manifest_load(intake->options, intake->catalog, intake->journal, &intake->stop,
                           &intake->error);
    return rc ? rc : count_files(intake, options);
}

static int walk(struct intake *intake)
{
    struct walk_options options = intake->options->walk;
    struct err *err = &intake->error;
    options.stop = &intake->stop;
    int rc = read_manifest(intake, &options);
    for (size_t i = 0; !rc && i < options.root_count; i++)
        rc = journal_root_id(intake->journal, options.roots[i], &intake->root_ids[i], err);
    if (!rc)
        rc = walk_run(&options, on_entry, intake, err);
    /* What was found before a failure is worth keeping, and the failure too. */
    struct err failure = *err;
    int flushed = flush(intake);
    int ended = end_adding(intake, flushed ? NULL : err);
    flushed = flushed ? flushed : ended;
    if (rc)
        *err = failure;
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
    pthread_mutex_destroy(&intake->lock);
    pthread_cond_destroy(&intake->catalog_came);
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
    intake->load = intake->loads;
    err_clear(&intake->error);
    folder_walk_init(&intake->folders, options, journal);
    pthread_mutex_init(&intake->lock, NULL);
    pthread_cond_init(&intake->catalog_came, NULL);
    int64_t wave = 0;
    int rc = options->manifest ? manifest_is_loaded(journal, &options->manifest_info, err) : 1;
    intake->must_load = !rc;
    if (rc < 0 || journal_walk_begin(journal, &wave, err)) {
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
    if (intake->must_load) {
        const int *has = job->options->manifest_info.has;
        struct catalog_list *lists = job->gate.catalog.lists;
        lists[CATALOG_ATTRIBUTES].is_wanted = has[MANIFEST_ATTRIBUTE];
        lists[CATALOG_COLLECTIONS].is_wanted = has[MANIFEST_COLLECTIONS];
        lists[CATALOG_REGIONS].is_wanted = has[MANIFEST_REGIONS];
        intake->catalog_is_whole = catalog_next(&job->gate.catalog) == CATALOG_COUNT;
    }
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

int intake_wants_catalog(const struct job *job)
{
    /* The loop alone writes it. */
    return intake_is_walking(job) && job->intake->must_load && !job->intake->catalog_is_whole;
}

void intake_give_catalog(struct job *job)
{
    struct intake *intake = job->intake;
    if (!intake)
        return;
    pthread_mutex_lock(&intake->lock);
    intake->catalog_is_whole = 1;
    pthread_cond_signal(&intake->catalog_came);
    pthread_mutex_unlock(&intake->lock);
}

void intake_ask_stop(struct job *job)
{
    struct intake *intake = job->intake;
    if (!intake)
        return;
    pthread_mutex_lock(&intake->lock);
    __atomic_store_n(&intake->stop, 1, __ATOMIC_RELAXED);
    pthread_cond_signal(&intake->catalog_came);
    pthread_mutex_unlock(&intake->lock);
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
