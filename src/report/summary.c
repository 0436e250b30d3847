/*
 * summary.c - the end of a run, see report.h: the books, what failed and why, where to go next.
 * Called by cli after the run, on its thread.
 */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "report/json.h"
#include "report/record.h"
#include "report/tally.h"
#include "report/text.h"

struct summary {
    struct tally tally;
    struct books_totals totals;
    int balanced;
    char why[BOOKS_WHY_MAX];
};

int summary_new(struct journal *journal, int complete, struct summary **out, struct err *err)
{
    struct summary *summary = calloc(1, sizeof *summary);
    if (!summary)
        return err_set(err, ERR_NOMEM, "no memory for the summary");
    int rc = tally_read(&summary->tally, journal, NULL, NULL, err);
    if (rc) {
        summary_free(summary);
        return rc;
    }
    books_totals(&summary->tally.books, &summary->totals);
    summary->balanced =
        books_balance(&summary->tally.books, &summary->tally.count, complete, summary->why);
    *out = summary;
    return 0;
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;
    tally_release(&summary->tally);
    free(summary);
}

int summary_balanced(const struct summary *summary, const char **out_why)
{
    if (out_why)
        *out_why = summary->why;
    return summary->balanced;
}

const struct journal_books *summary_books(const struct summary *summary)
{
    return &summary->tally.books;
}

/* Never translated, only ever added to. */
static const char *end_name(enum job_end end)
{
    switch (end) {
    case JOB_COMPLETE:
        return "complete";
    case JOB_END_STOPPED:
        return "stopped";
    case JOB_END_DURATION:
        return "max_duration";
    case JOB_END_TRANSFER:
        return "max_transfer";
    case JOB_END_ERRORS:
        return "max_errors";
    case JOB_END_OUTAGE:
        return "outage";
    case JOB_END_REFUSED:
        return "refused";
    case JOB_END_CANARY:
        return "canary";
    case JOB_END_JOURNAL:
        return "journal";
    }
    return "unknown";
}

static int64_t speed_of(const struct job_snapshot *run)
{
    return run->elapsed_ms > 0 ? text_scale(run->stored_bytes, 1000, run->elapsed_ms) : 0;
}

/* In thousandths. */
static int64_t requests_per_file(const struct job_snapshot *run)
{
    return run->files_done > 0 ? text_scale(run->requests, 1000, run->files_done) : 0;
}

/* ---- text --------------------------------------------------------------------------------------
 */

static void print_sum(FILE *out, const char *name, int64_t files, int64_t bytes)
{
    char size[UNITS_TEXT_MAX];
    fprintf(out, "  %-16s %12lld %12s\n", name, (long long)files, units_format_size(bytes, size));
}

static void print_books(const struct summary *summary, FILE *out)
{
    const struct books_sum *files = &summary->totals.files;
    const struct books_sum *bytes = &summary->totals.bytes;
    fprintf(out, "  %-16s %12s %12s\n", "", "files", "bytes");
    print_sum(out, "planned", files->planned, bytes->planned);
    print_sum(out, "confirmed", files->confirmed, bytes->confirmed);
    if (summary->tally.books.unlinked_files)
        fprintf(out, "  %-16s %12lld\n", "  not linked yet",
                (long long)summary->tally.books.unlinked_files);
    print_sum(out, "skipped", files->skipped, bytes->skipped);
    if (files->skipped)
        fprintf(out, "    PXM has files of these names already (--on-conflict)\n");
    print_sum(out, "failed", files->failed, bytes->failed);
    print_sum(out, "excluded", files->excluded, bytes->excluded);
    if (files->queued)
        print_sum(out, "still queued", files->queued, bytes->queued);
    if (summary->balanced)
        fprintf(out, "The books balance: planned = confirmed + skipped + failed + excluded%s.\n",
                files->queued ? " + still queued" : "");
    else
        fprintf(out, "THE BOOKS DO NOT BALANCE: %s.\n", summary->why);
    tally_print_manifest(&summary->tally, out);
    if (!summary->tally.books.walk_complete)
        fprintf(out, "The walk is not complete: there may be more files than these.\n");
    if (summary->tally.books.gone_files)
        fprintf(out,
                "%lld files of earlier waves are not in the source any more, or left out by the "
                "filters; not counted.\n",
                (long long)summary->tally.books.gone_files);
}

static void print_run(const struct job_result *result, FILE *out)
{
    const struct job_snapshot *run = &result->last;
    char elapsed[UNITS_TEXT_MAX];
    char speed[UNITS_TEXT_MAX];
    int64_t per_file = requests_per_file(run);
    fprintf(out, "\nThis run: %lld files confirmed in %s, %s/s, %lld requests",
            (long long)result->confirmed_now, units_format_duration(run->elapsed_ms, elapsed),
            units_format_size(speed_of(run), speed), (long long)run->requests);
    if (run->files_done > 0)
        fprintf(out, ", %lld.%02lld a file", (long long)(per_file / 1000),
                (long long)(per_file % 1000 / 10));
    fprintf(out, ", %lld retries.\n", (long long)run->retries);
    if (result->end == JOB_COMPLETE)
        return;
    char why[ERR_TEXT_MAX];
    snprintf(why, sizeof why, "%s", result->error.text);
    log_redact(why);
    fprintf(out, "Ended before all was done (%s)%s%s.\n", end_name(result->end), *why ? ": " : "",
            why);
    if (result->error.code != ERR_NONE)
        fprintf(out, "Advice: %s.\n", err_advice(result->error.code));
}

static int print_next(const struct summary *summary, const char *journal, FILE *out)
{
    struct buf quoted;
    buf_init(&quoted, TEXT_MAX_BYTES);
    int rc = text_shell(journal, &quoted);
    if (!rc) {
        fprintf(out, "\n");
        if (summary->totals.files.queued || summary->tally.books.unlinked_files)
            fprintf(out, "To go on:      pxload resume %s\n", buf_str(&quoted));
        if (summary->totals.files.failed)
            fprintf(out, "To try again:  pxload retry %s\n", buf_str(&quoted));
        fprintf(out, "Every file:    pxload report %s --format csv -o FILE\n", buf_str(&quoted));
    }
    buf_release(&quoted);
    return rc;
}

static int print_text(const struct summary *summary, const struct summary_options *options,
                      FILE *out)
{
    print_books(summary, out);
    tally_print_excluded(&summary->tally, out);
    tally_print_failures(&summary->tally, out);
    tally_print_issues(&summary->tally, out);
    if (options->result)
        print_run(options->result, out);
    return options->journal ? print_next(summary, options->journal, out) : 0;
}

/* ---- JSON
 * ------------------------------------------------------------------------------------------ */

static void json_sums(struct json *json, const struct books_totals *totals)
{
    json_int(json, "planned", totals->files.planned);
    json_int(json, "confirmed", totals->files.confirmed);
    json_int(json, "skipped", totals->files.skipped);
    json_int(json, "failed", totals->files.failed);
    json_int(json, "excluded", totals->files.excluded);
    json_int(json, "queued", totals->files.queued);
    json_int(json, "bytes", totals->bytes.confirmed);
    json_int(json, "totalBytes", totals->bytes.planned);
    json_int(json, "bytes_skipped", totals->bytes.skipped);
    json_int(json, "bytes_failed", totals->bytes.failed);
    json_int(json, "bytes_excluded", totals->bytes.excluded);
    json_int(json, "bytes_queued", totals->bytes.queued);
}

static void json_run(struct json *json, const struct job_result *result)
{
    const struct job_snapshot *run = &result->last;
    json_str(json, "end", end_name(result->end));
    json_int(json, "requests", run->requests);
    json_milli(json, "requests_per_file", requests_per_file(run));
    json_milli(json, "elapsed", run->elapsed_ms);
    json_int(json, "speed", speed_of(run));
    json_int(json, "bytes_sent", run->sent_bytes);
    json_int(json, "retries", run->retries);
    record_json_limits(run->limit_ms, json);
    record_json_times(result->times, result->time_count, json);
    if (result->error.code == ERR_NONE)
        return;
    char why[ERR_TEXT_MAX];
    snprintf(why, sizeof why, "%s", result->error.text);
    log_redact(why);
    json_str(json, "error", why);
    json_str(json, "error_class", err_name(result->error.code));
    json_str(json, "advice", err_advice(result->error.code));
}

static int print_json(const struct summary *summary, const struct summary_options *options,
                      FILE *out, struct err *err)
{
    const struct journal_books *books = &summary->tally.books;
    struct json json;
    json_init(&json);
    json_begin(&json, "summary", clock_wall_ms());
    json_int(&json, "version", 1);
    json_sums(&json, &summary->totals);
    json_flag(&json, "balanced", summary->balanced);
    if (!summary->balanced)
        json_str(&json, "unbalanced", summary->why);
    json_int(&json, "exit_code", options->exit_code);
    json_int(&json, "wave", books->wave);
    json_flag(&json, "walk_complete", books->walk_complete);
    json_int(&json, "linked", books->files[ASSET_LINKED]);
    json_int(&json, "unlinked", books->unlinked_files);
    json_int(&json, "issues", books->issues);
    tally_json_manifest(&summary->tally, &json);
    json_int(&json, "gone", books->gone_files);
    if (options->result)
        json_run(&json, options->result);
    tally_json_failures(&summary->tally, &json);
    json_str(&json, "journal", options->journal);
    int rc = json_write(&json, out, err);
    json_release(&json);
    return rc;
}

int summary_print(const struct summary *summary, const struct summary_options *options, FILE *out,
                  struct err *err)
{
    int rc = 0;
    if (options->json)
        rc = print_json(summary, options, out, err);
    else if (!options->quiet || options->exit_code)
        rc = print_text(summary, options, out);
    if (rc == -ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "no memory for the summary");
    return rc ? rc : text_flush(out, err);
}
