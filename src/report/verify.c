/* verify.c - what a verification found, a line or an object each, and its sum. Main thread. */
#include <string.h>

#include "base/clock.h"
#include "report/json.h"
#include "report/record.h"
#include "report/report.h"
#include "report/text.h"

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
