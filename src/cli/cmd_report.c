/*
 * cmd_report.c - pxload report: what a journal knows, in one of several forms. Works beside a
 * running job. Main thread.
 */
#include "base/clock.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/settings.h"
#include "report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETTINGS_MAX 128

/* What is reported, and what the job's journal says of it. */
struct report {
    struct settings *settings;
    struct journal *journal;
    char *cdn_url; /* NULL: none */
    struct err *err;

    /* for people */
    char *title;
    char *destination;
    char *roots[LIMIT_ROOTS];
    size_t root_count;
    struct html_setting job[SETTINGS_MAX];
    size_t job_count;
};

static void release(struct report *report)
{
    journal_close(report->journal);
    free(report->cdn_url);
    free(report->title);
    free(report->destination);
    for (size_t i = 0; i < report->root_count; i++)
        free(report->roots[i]);
    for (size_t i = 0; i < report->job_count; i++) {
        free(report->job[i].name);
        free(report->job[i].value);
    }
}

/* Of the command line, the environment and the profile, else what the upload was given. */
static int find_cdn_url(struct report *report)
{
    const struct settings *settings = report->settings;
    int rc = 0;
    if (!settings->cdn_url)
        rc = journal_get_meta(report->journal, "option.cdn-url", &report->cdn_url, report->err);
    else if (!(report->cdn_url = strdup(settings->cdn_url)))
        rc = err_set(report->err, ERR_NOMEM, "no memory for the report");
    if (report->cdn_url && !*report->cdn_url) {
        free(report->cdn_url);
        report->cdn_url = NULL;
    }
    return rc;
}

/* ---- for people -------------------------------------------------------------------------------
 */

static int keep_setting(const char *key, const char *value, void *user)
{
    (void)value;
    struct report *report = user;
    char name[128];
    char *kept = NULL;
    snprintf(name, sizeof name, "option.%s", key);
    int rc = journal_get_meta(report->journal, name, &kept, report->err);
    int says_nothing = !kept || !*kept || !strcmp(kept, "off") || !strcmp(kept, "false");
    if (rc || says_nothing || report->job_count == SETTINGS_MAX) {
        free(kept);
        return rc;
    }
    char *copy = strdup(key);
    if (!copy) {
        free(kept);
        return err_set(report->err, ERR_NOMEM, "no memory for the report");
    }
    report->job[report->job_count++] = (struct html_setting){copy, kept};
    return 0;
}

static int find_roots(struct report *report)
{
    int rc = 0;
    for (size_t i = 0; i < LIMIT_ROOTS && !rc; i++) {
        char key[32];
        snprintf(key, sizeof key, "job.root.%zu", i);
        rc = journal_get_meta(report->journal, key, &report->roots[i], report->err);
        if (rc || !report->roots[i])
            break;
        report->root_count++;
    }
    return rc;
}

/* The journal's name without folder and ending. */
static int make_title(struct report *report)
{
    const char *path = journal_path(report->journal);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t len = strlen(name);
    if (len > 8 && !strcmp(name + len - 8, ".journal"))
        len -= 8;
    report->title = strndup(name, len);
    return report->title ? 0 : err_set(report->err, ERR_NOMEM, "no memory for the report");
}

static int print_html(struct report *report, FILE *out)
{
    int rc = make_title(report);
    if (!rc)
        rc =
            journal_get_meta(report->journal, "option.base-url", &report->destination, report->err);
    if (!rc)
        rc = find_roots(report);
    if (!rc)
        rc = settings_each_job_value(report->settings, keep_setting, report);
    if (rc)
        return rc;
    struct html_options options = {
        .running = journal_is_running(journal_path(report->journal)),
        .now_wall_ms = clock_wall_ms(),
        .title = report->title,
        .destination = report->destination,
        .roots = (const char *const *)report->roots,
        .root_count = report->root_count,
        .settings = report->job,
        .setting_count = report->job_count,
    };
    return html_print(report->journal, &options, out, report->err);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static int print_rows(struct report *report, enum rows_format format, FILE *out)
{
    struct rows_options options = {.format = format, .cdn_url = report->cdn_url};
    return rows_print(report->journal, &options, out, report->err);
}

static int print_map(struct report *report, int is_nginx, FILE *out)
{
    struct map_result result;
    struct map_options options = {
        .is_nginx = is_nginx,
        .prefix = report->settings->map_prefix,
        .cdn_url = report->cdn_url,
    };
    int rc = map_print(report->journal, &options, &result, out, report->err);
    if (!rc && result.left_out)
        log_notice("%lld files have no public URL and are left out", (long long)result.left_out);
    if (!rc && result.doubled)
        log_notice("%lld files of a second PATH have the old address of another one, which stays",
                   (long long)result.doubled);
    if (!rc && result.too_long)
        log_notice("%lld old addresses are too long for nginx and are left out",
                   (long long)result.too_long);
    return rc;
}

static int print(struct report *report, FILE *out)
{
    switch (report->settings->format) {
    case FORMAT_NDJSON:
        return print_rows(report, ROWS_NDJSON, out);
    case FORMAT_HTML:
        return print_html(report, out);
    case FORMAT_NGINX_MAP:
        return print_map(report, 1, out);
    case FORMAT_CSV_MAP:
        return print_map(report, 0, out);
    case FORMAT_CSV:
    case FORMAT_UNSET:
    case FORMAT_MAN:
    case FORMAT_MARKDOWN:
    case FORMAT_BASH:
    case FORMAT_ZSH:
    case FORMAT_FISH:
        break;
    }
    return print_rows(report, ROWS_CSV, out);
}

/* -o FILE is complete or not there: written beside it and renamed. */
static int print_to_file(struct report *report, const char *path)
{
    char *fresh = NULL;
    if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
        return err_set(report->err, ERR_NOMEM, "no memory for a path");
    int fd = mkostemp(fresh, O_CLOEXEC);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    int rc = out ? print(report, out) : -ERR_IO;
    int is_bad = !out || fclose(out) || (!rc && rename(fresh, path));
    if (is_bad && (!rc || !out))
        rc = err_set_errno(report->err, ERR_IO, errno, "cannot write %s", path);
    if (rc && fd >= 0)
        unlink(fresh);
    free(fresh);
    return rc;
}

int cmd_report(struct settings *settings)
{
    struct err error = ERR_INIT;
    struct report report = {.settings = settings, .err = &error};
    int rc = journal_open(settings->args[0], JOURNAL_READ, NULL, NULL, &report.journal, &error);
    if (!rc)
        rc = find_cdn_url(&report);
    /* A run may go on meanwhile: all numbers of one report are of one moment. */
    if (!rc)
        rc = journal_read_begin(report.journal, &error);
    if (!rc) {
        rc = strcmp(settings->output, "-") ? print_to_file(&report, settings->output)
                                           : print(&report, stdout);
        journal_read_end(report.journal);
    }
    release(&report);
    if (rc)
        log_error("%s", error.text);
    return rc ? (int)exit_of_error(error.code) : EXIT_IS_OK;
}
