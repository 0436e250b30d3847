/*
 * cmd_plan.c - `pxload plan` and --dry-run: walk into a throw-away journal, a copy of the job's
 * where that has begun, then say what it means.
 */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/task.h"
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder of our own for the journal and its companions. */
static int make_scratch(char **out_dir, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    struct buf path;
    buf_init(&path, LIMIT_PATH_BYTES);
    int rc = buf_printf(&path, "%s/pxload-plan-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (rc || !mkdtemp(path.data))
        rc = err_set_errno(err, ERR_IO, rc ? ENAMETOOLONG : errno, "no scratch folder %s",
                           buf_str(&path));
    *out_dir = rc ? NULL : strdup(buf_str(&path));
    buf_release(&path);
    return rc;
}

static void remove_scratch(const char *dir)
{
    static const char *const names[] = {"plan.journal", "plan.journal-wal", "plan.journal-shm",
                                        "plan.journal.lock"};
    char path[4096];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

static int has_source_trouble(const struct journal_books *books)
{
    return books->issues || books->failed_by_code[ERR_MANIFEST] ||
           books->failed_by_code[ERR_NAME_INVALID] || books->failed_by_code[ERR_SOURCE_UNREADABLE];
}

/* The lists that an upload asks for to make ids of what the manifest names. */
static int manifest_lists(const struct job_options *options)
{
    const int *has = options->manifest_info.has;
    if (!options->manifest)
        return 0;
    return has[MANIFEST_ATTRIBUTE] + has[MANIFEST_COLLECTIONS] + has[MANIFEST_REGIONS];
}

/* A job that has begun is planned from where it is; of any other all files are new. */
static enum journal_mode take_job(const char *job, const char *scratch)
{
    struct err error = ERR_INIT;
    if (!job || access(job, F_OK))
        return JOURNAL_CREATE;
    if (!journal_copy(job, scratch, &error))
        return JOURNAL_OPEN;
    log_notice("planned as if nothing was sent before: %s", error.text);
    unlink(scratch);
    return JOURNAL_CREATE;
}

static int plan(struct task *task, const char *job, int *out_code, struct err *err)
{
    const struct settings *settings = task->settings;
    struct journal_books books;
    struct plan_options options = {
        .api_rate = task->options.api_rate,
        .transfers = task->options.transfers ? task->options.transfers : LIMIT_TRANSFERS_AUTO,
        .bwlimit_bytes_per_s = task->options.bwlimit_bytes_per_s,
        .on_conflict = task->options.on_conflict,
        .map_folders = task->options.map_folders,
        .has_regions = task->options.region_count > 0,
        .has_parent = task->options.parent_category != NULL,
        .manifest_lists = manifest_lists(&task->options),
        .copy_links = settings->copy_links,
        .json = settings->json,
    };
    enum journal_mode mode = take_job(job, task->journal_path);
    int rc = journal_open(task->journal_path, mode, NULL, NULL, &task->journal, err);
    if (!rc)
        rc = job_walk(&task->options, task->journal, err);
    if (!rc)
        rc = plan_print(task->journal, &options, stdout, err);
    if (!rc)
        rc = journal_read_books(task->journal, &books, err);
    if (!rc)
        *out_code = has_source_trouble(&books) ? EXIT_IS_SOURCE : EXIT_IS_OK;
    return rc;
}

int cmd_plan(struct settings *settings)
{
    struct task task;
    struct err error = ERR_INIT;
    char *scratch = NULL;
    char *job;
    int code = EXIT_IS_OK;
    int rc = task_init(&task, settings, &error);
    if (!rc)
        rc = make_scratch(&scratch, &error);
    job = task.journal_path;
    task.journal_path = NULL;
    if (!rc && asprintf(&task.journal_path, "%s/plan.journal", scratch) < 0) {
        task.journal_path = NULL;
        rc = err_set(&error, ERR_NOMEM, "no memory for a path");
    }
    if (!rc)
        rc = plan(&task, job, &code, &error);
    free(job);
    task_release(&task);
    if (scratch)
        remove_scratch(scratch);
    free(scratch);
    if (rc) {
        log_error("%s", error.text);
        code = (int)exit_of_error(error.code);
    }
    return code;
}
