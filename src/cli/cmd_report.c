/*
 * cmd_report.c - pxload report: what a journal knows, in one of several forms. Works beside a
 * running job. Main thread.
 */
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

/* What is reported, and the settings that the job itself has in its journal. */
struct report {
    struct settings *settings;
    struct journal *journal;
    char *cdn_url; /* NULL: none */
};

/* Of the command line, the environment and the profile, else what the upload was given. */
static int find_cdn_url(struct report *report, struct err *err)
{
    const struct settings *settings = report->settings;
    int rc = 0;
    if (settings->cdn_url) {
        report->cdn_url = strdup(settings->cdn_url);
        if (!report->cdn_url)
            rc = err_set(err, ERR_NOMEM, "no memory for the report");
    } else {
        rc = journal_get_meta(report->journal, "option.cdn-url", &report->cdn_url, err);
    }
    if (report->cdn_url && !*report->cdn_url) {
        free(report->cdn_url);
        report->cdn_url = NULL;
    }
    return rc;
}

static int print(const struct report *report, FILE *out, struct err *err)
{
    struct rows_options rows = {.cdn_url = report->cdn_url};
    switch (report->settings->format) {
    case FORMAT_NDJSON:
        rows.format = ROWS_NDJSON;
        break;
    case FORMAT_CSV:
    case FORMAT_UNSET:
    case FORMAT_MAN:
    case FORMAT_MARKDOWN:
    case FORMAT_BASH:
    case FORMAT_ZSH:
    case FORMAT_FISH:
        rows.format = ROWS_CSV;
        break;
    }
    return rows_print(report->journal, &rows, out, err);
}

/* -o FILE is complete or not there: written beside it and renamed. */
static int print_to_file(const struct report *report, const char *path, struct err *err)
{
    char *fresh = NULL;
    if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
        return err_set(err, ERR_NOMEM, "no memory for a path");
    int fd = mkostemp(fresh, O_CLOEXEC);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    int rc = out ? print(report, out, err) : -ERR_IO;
    int is_bad = !out || fclose(out) || (!rc && rename(fresh, path));
    if (is_bad && (!rc || !out))
        rc = err_set_errno(err, ERR_IO, errno, "cannot write %s", path);
    if (rc && fd >= 0)
        unlink(fresh);
    free(fresh);
    return rc;
}

int cmd_report(struct settings *settings)
{
    struct report report = {.settings = settings};
    struct err error = ERR_INIT;
    int rc = journal_open(settings->args[0], JOURNAL_READ, NULL, NULL, &report.journal, &error);
    if (!rc)
        rc = find_cdn_url(&report, &error);
    if (!rc)
        rc = journal_read_begin(report.journal, &error);
    if (!rc) {
        rc = strcmp(settings->output, "-") ? print_to_file(&report, settings->output, &error)
                                           : print(&report, stdout, &error);
        journal_read_end(report.journal);
    }
    journal_close(report.journal);
    free(report.cdn_url);
    if (rc)
        log_error("%s", error.text);
    return rc ? (int)exit_of_error(error.code) : EXIT_IS_OK;
}
