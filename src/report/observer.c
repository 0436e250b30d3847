/*
 * observer.c - the reporter: turns the pipeline's events into log lines, JSON objects and
 * progress. Runs on the loop thread but for reporter_ask_status, which a signal handler calls.
 *
 * Invariant: a stdout that fails (closed pipe, full disk) is said once at level ERROR, so that
 * the exit code shows it, and the job goes on.
 */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/units.h"
#include "report/json.h"
#include "report/metrics.h"
#include "report/progress.h"
#include "report/record.h"
#include "report/text.h"
#include "report/view.h"

#define DRAW_MS          500
#define FLUSH_MS         250
#define SLOW_STATS_FILES 1000000 /* above, a line every two minutes is enough (azcopy's habit) */
#define SLOW_STATS_MS    120000
#define HELD_SAID_MS     10000 /* between two lines that say so */
#define FAILURE_LINES    100   /* of one class at level ERROR; the report has them all */

struct reporter {
    struct reporter_options options;
    struct job_observer observer;
    struct progress progress;
    FILE *out;
    int lines;
    int finished;
    int sink_set;
    int out_failed;
    int metrics_failed; /* and said */
    int dirty;          /* out has lines that are not flushed */
    int ask;            /* atomic: a status line is wanted */
    int64_t stats_ms;
    int64_t next_draw_ms; /* 0: not begun */
    int64_t next_stats_ms;
    int64_t next_metrics_ms;
    int64_t held_said_ms; /* when a line told that a 429 holds everybody back */
    int64_t next_flush_ms;
    int64_t bytes_shown; /* what was done never shrinks, though the books are a second late */
    int64_t failures[ERR_COUNT];
    struct json json;
    struct buf scratch;
    struct buf text;
    struct job_snapshot snapshot;
};

/* ---- stdout ---------------------------------------------------------------------------------- */

static void out_failed(struct reporter *reporter, const struct err *why)
{
    if (!reporter->out_failed)
        log_error("the JSON stream ends here: %s", why->text);
    reporter->out_failed = 1;
}

static void write_json(struct reporter *reporter, int rc)
{
    struct err err = ERR_INIT;
    if (rc)
        rc = err_set(&err, (enum err_code) - rc, "a line could not be built");
    else
        rc = json_write(&reporter->json, reporter->out, &err);
    if (rc == -ERR_NOMEM)
        log_warning("a JSON line was left out: %s", err.text);
    else if (rc)
        out_failed(reporter, &err);
    reporter->dirty = 1;
}

static void flush_out(struct reporter *reporter)
{
    if (!reporter->dirty || reporter->out_failed)
        return;
    reporter->dirty = 0;
    struct err err = ERR_INIT;
    if (fflush(reporter->out)) {
        err_set(&err, ERR_IO, "cannot write to stdout");
        out_failed(reporter, &err);
    }
}

/* ---- a file's end --------------------------------------------------------------------------- */

static const char *printable(struct reporter *reporter, const char *raw)
{
    buf_reset(&reporter->text);
    return name_printable(raw, &reporter->text) ? "(a name too long to show)"
                                                : buf_str(&reporter->text);
}

static void log_failure(struct reporter *reporter, const struct file_event *event)
{
    static const struct err unsaid = ERR_INIT;
    const struct err *error = event->error ? event->error : &unsaid;
    int64_t seen = reporter->failures[error->code]++;
    const char *path = printable(reporter, event->path);
    if (seen < FAILURE_LINES)
        log_error("%s: %s [%s] - %s", path, error->text, err_name(error->code),
                  err_advice(error->code));
    else
        log_info("%s: %s [%s]", path, error->text, err_name(error->code));
    if (seen == FAILURE_LINES)
        log_notice("more failures of class %s are left to the report", err_name(error->code));
}

static void on_file(void *user, const struct file_event *event)
{
    struct reporter *reporter = user;
    if (event->state == ASSET_FAILED)
        log_failure(reporter, event);
    else if (log_enabled(LOG_INFO))
        log_info("%s: %s%s%s", printable(reporter, event->path), asset_state_name(event->state),
                 event->file_id ? " as " : "", event->file_id ? event->file_id : "");
    if (!reporter->options.json || reporter->out_failed)
        return;
    struct record record;
    record_of_event(event, &record);
    json_begin(&reporter->json, "file", clock_wall_ms());
    json_str(&reporter->json, "level", event->state == ASSET_FAILED ? "error" : "info");
    write_json(reporter, record_json(&record, &reporter->json, &reporter->scratch));
}

/* ---- notices ----------------------------------------------------------------------------------
 */

static void log_notice_of(struct reporter *reporter, const char *path, const struct err *error,
                          int tries, int64_t wait_ms)
{
    char wait[UNITS_TEXT_MAX] = "";
    if (wait_ms > 0)
        units_format_duration(wait_ms, wait);
    const char *where = path ? printable(reporter, path) : "";
    const char *colon = path ? ": " : "";
    const char *again = wait_ms > 0 ? "; again in " : "";
    int64_t now_ms = clock_now_ms();
    int is_routine = path && tries > 0;
    /* A 429 holds everybody back: the requests that were under way all tell the same. */
    if (error->code == ERR_RATE_LIMITED) {
        is_routine = now_ms - reporter->held_said_ms < HELD_SAID_MS;
        if (!is_routine)
            reporter->held_said_ms = now_ms;
    }
    /* One file's next try is routine; a hold of everybody, or what was left out, is not. */
    if (is_routine)
        log_info("%s%s%s [%s], try %d%s%s", where, colon, error->text, err_name(error->code), tries,
                 again, wait);
    else
        log_warning("%s%s%s [%s]%s%s", where, colon, error->text, err_name(error->code), again,
                    wait);
}

static void on_notice(void *user, const char *path, const struct err *error, int tries,
                      int64_t wait_ms)
{
    struct reporter *reporter = user;
    log_notice_of(reporter, path, error, tries, wait_ms);
    if (!reporter->options.json || reporter->out_failed)
        return;
    json_begin(&reporter->json, "error", clock_wall_ms());
    json_str(&reporter->json, "level", path && tries > 0 ? "info" : "warning");
    int rc = 0;
    if (path)
        rc = record_json_source(path, NULL, &reporter->json, &reporter->scratch);
    record_json_error(error, &reporter->json);
    json_int(&reporter->json, "attempt", tries);
    json_int(&reporter->json, "wait_ms", wait_ms > 0 ? wait_ms : 0);
    write_json(reporter, rc);
}

/* ---- status
 * -------------------------------------------------------------------------------------- */

static void status_json(struct json *json, const struct job_snapshot *snapshot,
                        const struct view_sums *sums)
{
    const struct books_sum *files = &sums->totals.files;
    json_int(json, "bytes", sums->bytes_done);
    json_int(json, "totalBytes", sums->bytes_total);
    json_int(json, "transfers", sums->files_done);
    json_int(json, "totalTransfers", sums->files_total);
    json_int(json, "errors", files->failed);
    if (sums->eta.ms < 0) {
        json_null(json, "eta");
        json_null(json, "eta_ms");
    } else {
        json_int(json, "eta", sums->eta.ms / 1000);
        json_int(json, "eta_ms", sums->eta.ms);
    }
    json_int(json, "speed", snapshot->goodput_bytes_per_s);
    json_milli(json, "elapsedTime", snapshot->elapsed_ms);
    json_int(json, "confirmed", files->confirmed);
    json_int(json, "skipped", files->skipped);
    json_int(json, "excluded", files->excluded);
    json_int(json, "queued", files->queued);
    json_int(json, "toLink", snapshot->books.to_link_files);
    json_int(json, "categoriesToMake", snapshot->books.categories);
    json_int(json, "collectionsToMake", snapshot->books.collections);
    json_int(json, "issues", snapshot->books.issues);
    json_int(json, "apiCalls", snapshot->requests);
    json_int(json, "apiCallsInWindow", snapshot->requests_in_window);
    json_int(json, "apiBudget", snapshot->api_rate);
    json_int(json, "apiHeldMs", snapshot->held_ms);
    json_int(json, "apiWaitMs", snapshot->budget_wait_ms);
    json_int(json, "retries", snapshot->retries);
    json_int(json, "puts", snapshot->puts_active);
    json_int(json, "putLimit", snapshot->put_limit);
    json_str(json, "limiter", job_limit_name(snapshot->limit));
    json_flag(json, "walking", snapshot->walking);
    json_flag(json, "draining", snapshot->draining);
}

static void sum_snapshot(struct reporter *reporter, const struct job_snapshot *snapshot,
                         struct view_sums *out)
{
    view_sums(snapshot, out);
    if (out->bytes_done < reporter->bytes_shown)
        out->bytes_done = reporter->bytes_shown;
    /* A file that changed or failed takes its bytes out of the total. */
    if (out->bytes_done > out->bytes_total)
        out->bytes_done = out->bytes_total;
    reporter->bytes_shown = out->bytes_done;
}

static void print_line(struct reporter *reporter, const struct job_snapshot *snapshot,
                       const struct view_sums *sums)
{
    char when[CLOCK_TEXT_MAX];
    buf_reset(&reporter->text);
    if (buf_printf(&reporter->text, "%s ", clock_format(clock_wall_ms(), when)) ||
        view_line(snapshot, sums, &reporter->text))
        return;
    progress_print(&reporter->progress, buf_str(&reporter->text));
}

void reporter_status_line(struct reporter *reporter, const struct job_snapshot *snapshot)
{
    struct view_sums sums;
    sum_snapshot(reporter, snapshot, &sums);
    print_line(reporter, snapshot, &sums);
}

void reporter_ask_status(struct reporter *reporter)
{
    __atomic_store_n(&reporter->ask, 1, __ATOMIC_RELAXED);
}

static void draw(struct reporter *reporter, const struct job_snapshot *snapshot,
                 const struct view_sums *sums)
{
    struct view_size size;
    progress_size(&reporter->progress, &size);
    buf_reset(&reporter->text);
    if (!view_block(snapshot, sums, &size, &reporter->text))
        progress_draw(&reporter->progress, buf_str(&reporter->text));
    buf_reset(&reporter->text);
    if (reporter->options.title && !view_title(sums, &reporter->text))
        progress_title(&reporter->progress, buf_str(&reporter->text));
}

/* ---- metrics ----------------------------------------------------------------------------------
 */

/* A file that cannot be written is said once; the job goes on. */
static void write_metrics(struct reporter *reporter, const struct job_snapshot *snapshot,
                          const struct view_sums *sums, int running)
{
    const struct reporter_options *options = &reporter->options;
    struct err err = ERR_INIT;
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    int rc = metrics_format(snapshot, sums, options->metrics_job, running, clock_wall_ms(), &text);
    if (rc)
        err_set(&err, ERR_NOMEM, "no memory for the metrics");
    else
        rc = metrics_write(options->metrics_file, &text, &err);
    buf_release(&text);
    if (rc && !reporter->metrics_failed)
        log_warning("metrics: %s", err.text);
    reporter->metrics_failed = rc != 0;
}

void reporter_end_metrics(struct reporter *reporter, const struct job_result *result)
{
    struct job_snapshot last = result->last;
    struct view_sums sums;
    if (!reporter->options.metrics_file)
        return;
    last.books = result->books;
    last.active_count = 0;
    view_sums(&last, &sums);
    write_metrics(reporter, &last, &sums, 0);
}

/* What is due at a time; the snapshot is taken for these alone. */
enum due { DUE_DRAW = 1, DUE_STATS = 2, DUE_ASKED = 4, DUE_METRICS = 8 };

static unsigned what_is_due(struct reporter *reporter, int64_t now_ms)
{
    unsigned due = 0;
    if (!reporter->next_draw_ms) {
        reporter->next_draw_ms = now_ms;
        reporter->next_stats_ms = now_ms + reporter->stats_ms;
    }
    if (reporter->progress.block && now_ms >= reporter->next_draw_ms)
        due |= DUE_DRAW;
    if ((reporter->lines || reporter->options.json) && now_ms >= reporter->next_stats_ms)
        due |= DUE_STATS;
    if (reporter->options.metrics_file && now_ms >= reporter->next_metrics_ms)
        due |= DUE_METRICS;
    if (__atomic_exchange_n(&reporter->ask, 0, __ATOMIC_RELAXED))
        due |= DUE_ASKED;
    return due;
}

static void stats(struct reporter *reporter, const struct view_sums *sums, int64_t now_ms)
{
    int64_t every_ms = reporter->stats_ms;
    if (sums->files_total > SLOW_STATS_FILES && every_ms < SLOW_STATS_MS)
        every_ms = SLOW_STATS_MS;
    reporter->next_stats_ms = now_ms + every_ms;
    if (reporter->lines)
        print_line(reporter, &reporter->snapshot, sums);
    if (!reporter->options.json || reporter->out_failed)
        return;
    json_begin(&reporter->json, "status", clock_wall_ms());
    status_json(&reporter->json, &reporter->snapshot, sums);
    write_json(reporter, 0);
}

static void on_tick(void *user, struct job *job)
{
    struct reporter *reporter = user;
    int64_t now_ms = clock_now_ms();
    unsigned due = what_is_due(reporter, now_ms);
    if (due) {
        struct view_sums sums;
        job_snapshot(job, &reporter->snapshot);
        sum_snapshot(reporter, &reporter->snapshot, &sums);
        if (due & DUE_STATS)
            stats(reporter, &sums, now_ms);
        if (due & DUE_METRICS) {
            write_metrics(reporter, &reporter->snapshot, &sums, 1);
            reporter->next_metrics_ms = now_ms + reporter->stats_ms;
        }
        if (due & DUE_ASKED)
            print_line(reporter, &reporter->snapshot, &sums);
        if (due & DUE_DRAW) {
            draw(reporter, &reporter->snapshot, &sums);
            reporter->next_draw_ms = now_ms + DRAW_MS;
        }
    }
    if (now_ms >= reporter->next_flush_ms) {
        flush_out(reporter);
        reporter->next_flush_ms = now_ms + FLUSH_MS;
    }
}

/* ---- making one
 * ------------------------------------------------------------------------------------ */

static int wants_block(const struct reporter_options *options, FILE *out)
{
    if (options->quiet)
        return 0;
    switch (options->progress) {
    case PROGRESS_BLOCK:
        return 1;
    case PROGRESS_AUTO:
        /* Objects on the same terminal would be drawn over. */
        return !(options->json && isatty(fileno(out)));
    case PROGRESS_LINES:
    case PROGRESS_NONE:
        break;
    }
    return 0;
}

static int wants_lines(const struct reporter_options *options, int has_block)
{
    if (options->quiet || has_block)
        return 0;
    if (options->progress == PROGRESS_AUTO)
        return !options->json;
    return options->progress != PROGRESS_NONE;
}

int reporter_new(const struct reporter_options *options, struct reporter **out, struct err *err)
{
    struct reporter *reporter = calloc(1, sizeof *reporter);
    if (!reporter)
        return err_set(err, ERR_NOMEM, "no memory for the progress");
    FILE *terminal = options->err ? options->err : stderr;
    reporter->options = *options;
    reporter->held_said_ms = -HELD_SAID_MS;
    reporter->out = options->out ? options->out : stdout;
    reporter->stats_ms = options->stats_ms > 0 ? options->stats_ms : REPORTER_STATS_MS;
    reporter->observer = (struct job_observer){
        .user = reporter, .file = on_file, .notice = on_notice, .tick = on_tick};
    json_init(&reporter->json);
    buf_init(&reporter->scratch, TEXT_MAX_BYTES);
    buf_init(&reporter->text, TEXT_MAX_BYTES);
    progress_init(&reporter->progress, fileno(terminal), wants_block(options, reporter->out),
                  options->color);
    reporter->lines = wants_lines(options, reporter->progress.block);
    if (reporter->progress.block) {
        log_set_sink(progress_log, &reporter->progress);
        reporter->sink_set = 1;
    }
    *out = reporter;
    return 0;
}

const struct job_observer *reporter_observer(struct reporter *reporter)
{
    return &reporter->observer;
}

void reporter_finish(struct reporter *reporter)
{
    if (reporter->finished)
        return;
    reporter->finished = 1;
    progress_end(&reporter->progress);
    if (reporter->sink_set)
        log_set_sink(NULL, NULL);
    flush_out(reporter);
}

void reporter_free(struct reporter *reporter)
{
    if (!reporter)
        return;
    reporter_finish(reporter);
    progress_release(&reporter->progress);
    json_release(&reporter->json);
    buf_release(&reporter->scratch);
    buf_release(&reporter->text);
    free(reporter);
}
