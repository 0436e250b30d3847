/*
 * status.c - how a job stands, from its journal alone, see report.h; works beside a running job.
 * Called by cli on its thread.
 *
 * What the journal cannot tell (requests under way, what limits the run) is left to the running
 * process itself; rate and ETA are derived from when rows reached their end.
 */
#include "report/report.h"

#include <string.h>

#include "base/units.h"
#include "report/eta.h"
#include "report/json.h"
#include "report/record.h"
#include "report/tally.h"
#include "report/text.h"

#define RATE_OVER_MS 60000
#define MEAN_SPREAD  10 /* files of such different sizes are not compared */

struct status {
    const struct status_options *options;
    struct tally tally;
    struct books_totals totals;
    int64_t recent_files; /* that reached their end in the last RATE_OVER_MS */
    int64_t recent_bytes; /* of those, confirmed ones */
    int64_t recent_ms;    /* how much of RATE_OVER_MS a run worked; 0: not known */
    int64_t last_done_ms;
    int api_rate;   /* requests per RATE_WINDOW_MS of the last moment of work; 0: no limit */
    int64_t eta_ms; /* -1 */
};

static int on_row(const struct journal_row *row, void *user)
{
    struct status *status = user;
    if (row->done_ms <= 0)
        return 0;
    if (row->done_ms > status->last_done_ms)
        status->last_done_ms = row->done_ms;
    if (row->done_ms <= status->options->now_wall_ms - RATE_OVER_MS)
        return 0;
    status->recent_files++;
    if (strcmp(record_result(row->state), "OK") == 0)
        status->recent_bytes += row->stamp.size_bytes;
    return 0;
}

/* Moments come in order, so the last stays. */
static int on_moment(const struct journal_moment *moment, void *user)
{
    struct status *status = user;
    int64_t ran_ms = moment->sums[HISTORY_RUN_MS];
    if (ran_ms > 0)
        status->api_rate = (int)((moment->sums[HISTORY_RATE_MS] + ran_ms / 2) / ran_ms);
    if (moment->to_ms > status->options->now_wall_ms - RATE_OVER_MS)
        status->recent_ms += ran_ms;
    return 0;
}

/* What recent files and bytes are the work of: a run that began just now had less than a minute. */
static int64_t pace_ms(const struct status *status)
{
    int64_t ms = status->recent_ms > 0 ? status->recent_ms : RATE_OVER_MS;
    return ms < 1000 ? 1000 : ms > RATE_OVER_MS ? RATE_OVER_MS : ms;
}

/* The slowest of requests, bytes and files at the last minute's pace; unknown without a pace. */
static int64_t derive_eta(const struct status *status)
{
    int64_t over_ms = pace_ms(status);
    const struct journal_books *books = &status->tally.books;
    const struct books_sum *files = &status->totals.files;
    if (!files->queued && !books->unlinked_files)
        return books->walk_complete ? 0 : -1;
    if (!status->options->running || !status->recent_files || !books->walk_complete)
        return -1;
    int64_t by_files = text_scale(files->queued, over_ms, status->recent_files);
    int64_t by_requests = eta_requests_ms(eta_requests_left(books), status->api_rate, NULL);
    int64_t left_mean = files->queued ? status->totals.bytes.queued / files->queued : 0;
    int64_t recent_mean = status->recent_bytes / status->recent_files;
    /* Bytes show up here when their file ends: small files say nothing about large ones. */
    if (left_mean / MEAN_SPREAD > recent_mean)
        return -1;
    int64_t by_bytes = 0;
    if (status->recent_bytes > 0)
        by_bytes = text_scale(status->totals.bytes.queued, over_ms, status->recent_bytes);
    int64_t eta_ms = by_files < by_bytes ? by_bytes : by_files;
    return eta_ms > by_requests ? eta_ms : by_requests;
}

/* ---- text
 * ---------------------------------------------------------------------------------------- */

static void print_pace(const struct status *status, FILE *out)
{
    char text[UNITS_TEXT_MAX];
    if (status->recent_files)
        fprintf(out, "Last minute: %lld files, %s/s\n", (long long)status->recent_files,
                units_format_size(status->recent_bytes * 1000 / pace_ms(status), text));
    else if (status->last_done_ms)
        fprintf(out, "Last file finished %s ago\n",
                units_format_duration(
                    (status->options->now_wall_ms - status->last_done_ms) / 1000 * 1000, text));
    if (status->eta_ms > 0)
        fprintf(out, "ETA: %s\n", units_format_duration(status->eta_ms, text));
}

static void print_text(const struct status *status, const char *journal, FILE *out)
{
    const struct journal_books *books = &status->tally.books;
    char size[UNITS_TEXT_MAX];
    fprintf(out, "Journal: %s\n", journal);
    fprintf(out, "Wave %lld, walk %s; %s\n", (long long)books->wave,
            books->walk_complete ? "complete" : "not complete",
            status->options->running ? "a run works on it now" : "no run works on it now");
    for (int state = 0; state < ASSET_STATE_COUNT; state++)
        if (books->files[state])
            fprintf(out, "  %-16s %12lld %12s\n", asset_state_name((enum asset_state)state),
                    (long long)books->files[state], units_format_size(books->bytes[state], size));
    if (books->unlinked_files)
        fprintf(out, "  %-16s %12lld\n", "  not linked yet", (long long)books->unlinked_files);
    fprintf(out, "  %-16s %12lld %12s\n", "excluded", (long long)books->excluded_files,
            units_format_size(books->excluded_bytes, size));
    fprintf(out, "  %-16s %12lld %12s\n", "planned", (long long)status->totals.files.planned,
            units_format_size(status->totals.bytes.planned, size));
    if (books->gone_files)
        fprintf(out, "  %-16s %12lld\n", "gone", (long long)books->gone_files);
    print_pace(status, out);
    tally_print_failures(&status->tally, out);
    tally_print_issues(&status->tally, out);
}

static int print_next(const struct status *status, const char *journal, FILE *out)
{
    const struct books_sum *files = &status->totals.files;
    int is_unfinished = files->queued || status->tally.books.unlinked_files;
    if (status->options->running || (!is_unfinished && !files->failed))
        return 0;
    struct buf quoted;
    buf_init(&quoted, TEXT_MAX_BYTES);
    int rc = text_shell(journal, &quoted);
    if (!rc && is_unfinished)
        fprintf(out, "\nTo go on:      pxload resume %s\n", buf_str(&quoted));
    if (!rc && files->failed)
        fprintf(out, "%sTo try again:  pxload retry %s\n", is_unfinished ? "" : "\n",
                buf_str(&quoted));
    buf_release(&quoted);
    return rc;
}

/* ---- JSON
 * ------------------------------------------------------------------------------------------- */

static int print_json(const struct status *status, const char *journal, FILE *out, struct err *err)
{
    const struct journal_books *books = &status->tally.books;
    const struct books_sum *files = &status->totals.files;
    struct json json;
    json_init(&json);
    json_begin(&json, "status", status->options->now_wall_ms);
    json_str(&json, "journal", journal);
    json_flag(&json, "running", status->options->running);
    json_int(&json, "bytes", status->totals.bytes.confirmed);
    json_int(&json, "totalBytes", status->totals.bytes.confirmed + status->totals.bytes.queued);
    json_int(&json, "transfers", files->confirmed + files->skipped + files->failed);
    json_int(&json, "totalTransfers", files->planned - files->excluded);
    json_int(&json, "errors", files->failed);
    if (status->eta_ms < 0)
        json_null(&json, "eta");
    else
        json_int(&json, "eta", status->eta_ms / 1000);
    json_int(&json, "speed", status->recent_bytes * 1000 / RATE_OVER_MS);
    json_int(&json, "files_last_minute", status->recent_files);
    for (int state = 0; state < ASSET_STATE_COUNT; state++)
        json_int(&json, asset_state_name((enum asset_state)state), books->files[state]);
    json_int(&json, "excluded", books->excluded_files);
    json_int(&json, "planned", files->planned);
    json_int(&json, "queued", files->queued);
    json_int(&json, "unlinked", books->unlinked_files);
    json_int(&json, "gone", books->gone_files);
    json_int(&json, "issues", books->issues);
    json_int(&json, "wave", books->wave);
    json_flag(&json, "walk_complete", books->walk_complete);
    tally_json_failures(&status->tally, &json);
    int rc = json_write(&json, out, err);
    json_release(&json);
    return rc;
}

int status_print(struct journal *journal, const struct status_options *options, FILE *out,
                 struct err *err)
{
    struct status status = {.options = options};
    int rc = tally_read(&status.tally, journal, on_row, &status, err);
    if (!rc)
        rc = journal_each_moment(journal, on_moment, &status, err);
    if (!rc) {
        books_totals(&status.tally.books, &status.totals);
        status.eta_ms = derive_eta(&status);
        const char *path = journal_path(journal);
        if (options->json) {
            rc = print_json(&status, path, out, err);
        } else {
            print_text(&status, path, out);
            rc = print_next(&status, path, out);
        }
    }
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for the status");
    tally_release(&status.tally);
    return rc ? rc : text_flush(out, err);
}
