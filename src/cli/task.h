/*
 * task.h - what the commands that work on a job share: from settings to job options, the journal
 * with the job's own settings in it, the run with its signals. Main thread.
 */
#ifndef CLI_TASK_H
#define CLI_TASK_H

#include "cli/credentials.h"
#include "cli/settings.h"
#include "pipeline/pipeline.h"

struct task {
    struct settings *settings;
    struct job_options options;
    struct credentials credentials;
    struct filter *filter;
    char **roots; /* absolute */
    size_t root_count;
    char *journal_path;
    char *token_cache_dir;
    struct job *job;
    struct journal *journal;
};

/*
 * From settings: absolute roots of PATH... (none for resume), filters, wire profile, journal path.
 * 0, -ERR_USAGE, -ERR_CONFIG, or the source's errors. Release it in any case.
 */
int task_init(struct task *task, struct settings *settings, struct err *err) WARN_UNUSED;
void task_release(struct task *task);

/* An id and a secret, or a token, from where they are kept. */
int task_load_credentials(struct task *task, struct err *err) WARN_UNUSED;
/* The job's own settings from an existing journal into settings, before task_init (resume). */
int task_load_job(struct settings *settings, const char *journal_path, struct err *err) WARN_UNUSED;
/*
 * Opens the journal of task->journal_path for writing, makes the job over it, stores the job's
 * settings in a new one; in an old one a different target is refused (-ERR_USAGE), any other
 * difference is said and stored.
 */
int task_open(struct task *task, enum journal_mode mode, const struct job_observer *observer,
              struct err *err) WARN_UNUSED;
/* Where an earlier run's walk did not get to its end: walk the job's roots again. */
int task_restore_walk(struct task *task, struct err *err) WARN_UNUSED;
/* Walk the job's roots again in any case, and read its manifest again. */
int task_walk_again(struct task *task, struct err *err) WARN_UNUSED;

#endif
