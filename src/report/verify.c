/* verify.c - how far a verification is; what it found, a line or an object each; its sum. Main
 * thread. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "report/json.h"
#include "report/line.h"
#include "report/progress.h"
#include "report/record.h"
#include "report/report.h"
#include "report/text.h"

#define DRAW_MS 500

/* ---- progress ------------------------------------------------------------------------------ */

int verify_report_begin(struct verify_report *report, struct err *err)
{
    if (report->quiet)
        return 0;
    report->progress = calloc(1, sizeof *report->progress);
    if (!report->progress)
        return err_set(err, ERR_NOMEM, "no memory for the progress");
    int is_drawn_over = report->json && isatty(fileno(report->out));
    progress_init(report->progress, fileno(stderr), !is_drawn_over, 1);
    if (report->progress->block)
        log_set_sink(progress_log, report->progress);
    if (!report->stats_ms)
        report->stats_ms = INT32_MAX;
    report->next_ms = clock_now_ms() + (report->progress->block ? 0 : report->stats_ms);
    return 0;
}

void verify_report_done(struct verify_report *report)
{
    if (!report->progress)
        return;
    if (report->progress->block)
        log_set_sink(NULL, NULL);
    progress_release(report->progress);
    free(report->progress);
    report->progress = NULL;
}

static int put_progress(const struct job_snapshot *snapshot, const struct verify_result *so_far,
                        struct buf *out)
{
    int64_t findings = 0;
    int64_t converting = so_far->found[VERIFY_CONVERTING];
    for (int kind = 0; kind < VERIFY_FINDING_COUNT; kind++)
        findings += kind == VERIFY_CONVERTING ? 0 : so_far->found[kind];
    int rc =
        buf_printf(out, "Verified: %lld / %lld files, %lld findings", (long long)so_far->checked,
                   (long long)so_far->expected, (long long)findings);
    if (!rc && converting)
        rc = buf_printf(out, ", %lld still converting", (long long)converting);
    if (!rc)
        rc = buf_puts(out, ", api ");
    return rc ? rc : view_budget(snapshot, out);
}

static void draw(struct progress *progress, const struct buf *text)
{
    struct view_size size;
    struct buf line;
    progress_size(progress, &size);
    buf_init(&line, TEXT_MAX_BYTES);
    if (!line_fit(buf_str(text), size.columns - 1, LINE_CUT_END, size.ascii, &line) &&
        !buf_puts(&line, "\n"))
        progress_draw(progress, buf_str(&line));
    buf_release(&line);
}

void verify_report_tick(void *user, struct job *job, const struct verify_result *so_far)
{
    struct verify_report *report = user;
    int64_t now_ms = clock_now_ms();
    if (!report->progress || now_ms < report->next_ms)
        return;
    int is_block = report->progress->block;
    report->next_ms = now_ms + (is_block ? DRAW_MS : report->stats_ms);
    struct job_snapshot snapshot;
    char when[CLOCK_TEXT_MAX];
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    job_snapshot(job, &snapshot);
    int rc = is_block ? 0 : buf_printf(&text, "%s ", clock_format(clock_wall_ms(), when));
    if (!rc && !put_progress(&snapshot, so_far, &text)) {
        if (is_block)
            draw(report->progress, &text);
        else
            progress_print(report->progress, buf_str(&text));
    }
    buf_release(&text);
}

void verify_report_notice(void *user, const char *path, const struct err *error, int tries,
                          int64_t wait_ms)
{
    (void)user;
    (void)path;
    char wait[UNITS_TEXT_MAX];
    log_warning("%s [%s], try %d; again in %s", error->text, err_name(error->code), tries,
                units_format_duration(wait_ms > 0 ? wait_ms : 0, wait));
}

/* ---- what was found ------------------------------------------------------------------------ */

static void tell(const struct verify_finding *finding, char *out, size_t size)
{
    switch (finding->kind) {
    case VERIFY_MISSING:
        snprintf(out, size, "PXM does not have file %s any more",
                 finding->file_id ? finding->file_id : "of this name");
        break;
    case VERIFY_DIFFERENT:
        snprintf(out, size, "PXM has %lld bytes, the upload had %lld",
                 (long long)finding->pxm_bytes, (long long)finding->local_bytes);
        break;
    case VERIFY_DOUBLED:
        snprintf(out, size, "PXM has another file of this name, %s, beside %s", finding->other_id,
                 finding->file_id);
        break;
    case VERIFY_RENAMED:
        snprintf(out, size, "it is named %.300s in PXM now", finding->other_id);
        break;
    case VERIFY_UNLINKED:
        snprintf(out, size, "a collection or an attribute that it was given is missing");
        break;
    case VERIFY_UNPUBLISHED:
        snprintf(out, size, "it is not published");
        break;
    case VERIFY_CONVERTING:
        snprintf(out, size, "PXM is still making its renditions");
        break;
    case VERIFY_FINDING_COUNT:
        break;
    }
}

static void print_json(const struct verify_report *report, const struct verify_finding *finding,
                       const char *what)
{
    struct json json;
    struct buf scratch;
    struct err ignored;
    json_init(&json);
    buf_init(&scratch, TEXT_MAX_BYTES);
    json_begin(&json, "file", clock_wall_ms());
    json_str(&json, "operation", "verify");
    json_flag(&json, "success", 0);
    int rc = record_json_source(finding->root, finding->path, &json, &scratch);
    json_str(&json, "destination", finding->name);
    json_str(&json, "file_id", finding->file_id);
    json_str(&json, "finding", verify_finding_name(finding->kind));
    json_str(&json, "error", what);
    json_str(&json, "advice", verify_finding_advice(finding->kind));
    if (!rc)
        (void)!json_write(&json, report->out, &ignored); /* verify_report_end tells */
    buf_release(&scratch);
    json_release(&json);
}

void verify_report_found(void *user, const struct verify_finding *finding)
{
    const struct verify_report *report = user;
    if (report->progress)
        progress_draw(report->progress, ""); /* what follows may go to the same terminal */
    char what[ERR_TEXT_MAX] = "";
    struct buf source, form, told;
    tell(finding, what, sizeof what);
    if (report->json) {
        print_json(report, finding, what);
        return;
    }
    buf_init(&source, TEXT_MAX_BYTES);
    buf_init(&form, TEXT_MAX_BYTES);
    buf_init(&told, TEXT_MAX_BYTES);
    /* Names and ids are the words of PXM's users: they must not act on the terminal. */
    if (!text_source(finding->root, finding->path, &source) &&
        !name_printable(buf_str(&source), &form) && !name_printable(what, &told))
        fprintf(report->out, "%s: %s: %s\n", verify_finding_name(finding->kind), buf_str(&form),
                buf_str(&told));
    buf_release(&told);
    buf_release(&source);
    buf_release(&form);
}

static void print_sum_json(const struct verify_report *report, const struct verify_result *result,
                           int exit_code)
{
    struct json json;
    struct err ignored;
    json_init(&json);
    json_begin(&json, "summary", clock_wall_ms());
    json_str(&json, "operation", "verify");
    json_int(&json, "planned", result->planned);
    json_int(&json, "checked", result->checked);
    for (int kind = 0; kind < VERIFY_FINDING_COUNT; kind++)
        json_int(&json, verify_finding_name((enum verify_finding_kind)kind), result->found[kind]);
    json_int(&json, "repaired", result->repaired);
    json_int(&json, "requests", result->requests);
    json_int(&json, "exit_code", exit_code);
    (void)!json_write(&json, report->out, &ignored);
    json_release(&json);
}

static void print_sum(const struct verify_report *report, const struct verify_result *result,
                      const char *journal)
{
    FILE *out = report->out;
    int64_t findings = 0;
    for (int kind = 0; kind < VERIFY_FINDING_COUNT; kind++)
        findings += result->found[kind];
    fprintf(out, "%lld of %lld files are in PXM; %lld requests.\n", (long long)result->checked,
            (long long)result->planned, (long long)result->requests);
    if (!findings)
        fprintf(out, "All of them are as they were sent.\n");
    for (int kind = 0; kind < VERIFY_FINDING_COUNT; kind++)
        if (result->found[kind])
            fprintf(out, "  %-15s %9lld   %s\n",
                    verify_finding_name((enum verify_finding_kind)kind),
                    (long long)result->found[kind],
                    verify_finding_advice((enum verify_finding_kind)kind));
    if (result->repaired)
        fprintf(out, "%lld are queued again. Next: pxload resume %s\n", (long long)result->repaired,
                journal);
}

int verify_report_end(const struct verify_report *report, const struct verify_result *result,
                      const char *journal, int exit_code, struct err *err)
{
    if (report->json)
        print_sum_json(report, result, exit_code);
    else
        print_sum(report, result, journal);
    return text_flush(report->out, err);
}
