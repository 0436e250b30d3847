/*
 * cmd_journal.c - the commands that only read journals: status, jobs. They work beside a running
 * job. Main thread.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/paths.h"
#include "cli/settings.h"
#include "report/report.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const struct err *error)
{
    log_error("%s", error->text);
    return (int)exit_of_error(error->code);
}

int cmd_status(struct settings *settings)
{
    struct journal *journal = NULL;
    struct err error = ERR_INIT;
    const char *path = settings->args[0];
    int rc = journal_open(path, JOURNAL_READ, NULL, NULL, &journal, &error);
    if (!rc) {
        struct status_options options = {
            .running = journal_is_running(path),
            .json = settings->json,
            .now_wall_ms = clock_wall_ms(),
        };
        rc = status_print(journal, &options, stdout, &error);
    }
    journal_close(journal);
    return rc ? fail(&error) : EXIT_IS_OK;
}

/* Ends when the run does, with how the job stands then. */
int cmd_watch(struct settings *settings)
{
    struct err error = ERR_INIT;
    struct watch_options options = {.stats_ms = settings->stats_ms, .quiet = settings->quiet};
    if (watch_print(settings->args[0], &options, &error))
        return fail(&error);
    return cmd_status(settings);
}

/* ---- jobs ---- */

struct job_line {
    char path[4096];
    int running;
    int readable;
    struct journal_books books;
    struct books_totals totals;
    char why[ERR_TEXT_MAX];
};

static void look_at(const char *path, struct job_line *line)
{
    struct journal *journal = NULL;
    struct err error = ERR_INIT;
    memset(line, 0, sizeof *line);
    snprintf(line->path, sizeof line->path, "%s", path);
    line->running = journal_is_running(path);
    int rc = journal_open(path, JOURNAL_READ, NULL, NULL, &journal, &error);
    if (!rc)
        rc = journal_read_books(journal, &line->books, &error);
    journal_close(journal);
    line->readable = !rc;
    if (rc)
        snprintf(line->why, sizeof line->why, "%s", error.text);
    else
        books_totals(&line->books, &line->totals);
}

static int is_done(const struct job_line *line)
{
    return line->readable && !line->running && line->books.walk_complete &&
           !line->totals.files.queued && !line->books.unlinked_files && !line->totals.files.failed;
}

static void list_job(const struct settings *settings, const struct job_line *line)
{
    const struct books_sum *files = &line->totals.files;
    const char *what = !line->readable                               ? "unreadable"
                       : line->running                               ? "running"
                       : is_done(line)                               ? "done"
                       : files->queued || line->books.unlinked_files ? "unfinished"
                       : files->failed                               ? "with failures"
                                                                     : "unfinished";
    if (!settings->json) {
        printf("%-13s %9lld planned %9lld confirmed %6lld failed %9lld queued  %s%s%s\n", what,
               (long long)files->planned, (long long)files->confirmed, (long long)files->failed,
               (long long)files->queued, line->path, line->why[0] ? ": " : "", line->why);
        return;
    }
    struct buf text;
    buf_init(&text, 64 * 1024);
    int rc = buf_puts(&text, "{\"message_type\":\"job\",\"journal\":");
    if (!rc)
        rc = log_append_json_string(&text, line->path, strlen(line->path));
    if (!rc)
        rc = buf_printf(&text,
                        ",\"state\":\"%s\",\"planned\":%lld,\"confirmed\":%lld,\"skipped\":%lld,"
                        "\"failed\":%lld,\"queued\":%lld}",
                        what, (long long)files->planned, (long long)files->confirmed,
                        (long long)files->skipped, (long long)files->failed,
                        (long long)files->queued);
    if (!rc)
        puts(buf_str(&text));
    buf_release(&text);
}

static void remove_journal(const struct settings *settings, const char *path)
{
    static const char *const companions[] = {"", "-wal", "-shm", ".lock"};
    printf("%s %s\n", settings->dry_run ? "would remove" : "removed", path);
    for (size_t i = 0; !settings->dry_run && i < sizeof companions / sizeof *companions; i++) {
        char name[4200];
        snprintf(name, sizeof name, "%s%s", path, companions[i]);
        unlink(name);
    }
}

static int is_journal_name(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 8 && !strcmp(entry->d_name + len - 8, ".journal");
}

int cmd_jobs(struct settings *settings)
{
    struct err error = ERR_INIT;
    const char *what = settings->args[0];
    int clean = !strcmp(what, "clean");
    char *folder = NULL;
    struct dirent **entries = NULL;
    if (!clean && strcmp(what, "list") != 0) {
        err_set(&error, ERR_USAGE, "jobs %s: it is list or clean", what);
        return fail(&error);
    }
    if (paths_folder(PATHS_JOBS, &folder, &error))
        return fail(&error);
    int count = scandir(folder, &entries, is_journal_name, alphasort);
    if (count < 0 && errno != ENOENT)
        err_set_errno(&error, ERR_IO, errno, "cannot list %s", folder);
    for (int i = 0; i < count; i++) {
        struct job_line line;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        look_at(path, &line);
        if (!clean)
            list_job(settings, &line);
        else if (is_done(&line))
            remove_journal(settings, path);
        free(entries[i]);
    }
    if (count <= 0 && !error.code)
        log_notice("no journals in %s; those that --journal put elsewhere are not listed", folder);
    free(entries);
    free(folder);
    return error.code ? fail(&error) : EXIT_IS_OK;
}
