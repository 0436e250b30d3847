/*
 * watch.c - pxload watch, see report.h: a running job as its own process shows it, seen from
 * another one. Everything comes from the journal, which is opened anew for each look, so that the
 * watcher holds nothing that the run would wait for.
 */
#include "report/report.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "report/progress.h"
#include "report/text.h"
#include "report/view.h"

#define LOOK_MS       1000
#define PAUSE_LENGTHS 5 /* so many moments without a run end a period of work */

/* What the history says of now. */
struct recent {
    int64_t now_ms; /* wall */
    int64_t begun_ms;
    int64_t last_ms;
    int64_t window[HISTORY_MEASURE_COUNT]; /* of about RATE_WINDOW_MS */
    int64_t period[HISTORY_MEASURE_COUNT]; /* of this period of work */
};

static int on_moment(const struct journal_moment *moment, void *user)
{
    struct recent *recent = user;
    int64_t width_ms = moment->to_ms - moment->from_ms;
    if (!recent->begun_ms || moment->from_ms - recent->last_ms > PAUSE_LENGTHS * width_ms) {
        recent->begun_ms = moment->from_ms;
        memset(recent->period, 0, sizeof recent->period);
    }
    recent->last_ms = moment->to_ms;
    for (int i = 0; i < HISTORY_MEASURE_COUNT; i++) {
        recent->period[i] += moment->sums[i];
        if (moment->to_ms > recent->now_ms - RATE_WINDOW_MS)
            recent->window[i] += moment->sums[i];
    }
    return 0;
}

static enum job_limit limit_of(const int64_t sums[HISTORY_MEASURE_COUNT])
{
    static const struct {
        enum history_measure measure;
        enum job_limit limit;
    } limits[] = {
        {HISTORY_BY_API_MS, JOB_LIMIT_API},       {HISTORY_BY_NETWORK_MS, JOB_LIMIT_NETWORK},
        {HISTORY_BY_LOCAL_MS, JOB_LIMIT_CPU},     {HISTORY_BY_TAIL_MS, JOB_LIMIT_TAIL},
        {HISTORY_BY_SERVER_MS, JOB_LIMIT_SERVER},
    };
    enum job_limit most = JOB_LIMIT_STARTING;
    int64_t most_ms = 0;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (sums[limits[i].measure] <= most_ms)
            continue;
        most_ms = sums[limits[i].measure];
        most = limits[i].limit;
    }
    return most;
}

/* The journal in the words of a snapshot; what only the run itself knows stays 0. */
static void fill_snapshot(const struct recent *recent, struct job_snapshot *out)
{
    const int64_t *window = recent->window;
    int64_t ran_ms = window[HISTORY_RUN_MS] > 0 ? window[HISTORY_RUN_MS] : 1;
    int64_t requests = window[HISTORY_REQUESTS];
    /* The moments of a long job are longer than the window. */
    if (ran_ms > RATE_WINDOW_MS)
        requests = text_scale(requests, RATE_WINDOW_MS, ran_ms);
    for (int state = ASSET_DISCOVERED; state <= ASSET_REQUESTED; state++)
        out->unsent_bytes += out->books.bytes[state];
    out->walking = !out->books.walk_complete;
    out->elapsed_ms = recent->begun_ms ? recent->now_ms - recent->begun_ms : 0;
    out->requests = recent->period[HISTORY_REQUESTS];
    out->retries = recent->period[HISTORY_RETRIES];
    out->sent_bytes = recent->period[HISTORY_SENT_BYTES];
    out->requests_in_window = (int)requests;
    out->api_rate = (int)((window[HISTORY_RATE_MS] + ran_ms / 2) / ran_ms);
    out->puts_active = (int)((window[HISTORY_PUTS_MS] + ran_ms / 2) / ran_ms);
    out->goodput_bytes_per_s = text_scale(window[HISTORY_SENT_BYTES], 1000, ran_ms);
    out->capable_bytes_per_s = out->goodput_bytes_per_s;
    out->limit = limit_of(window);
}

static int look(const char *path, struct job_snapshot *out, struct err *err)
{
    struct journal *journal = NULL;
    struct recent recent = {.now_ms = clock_wall_ms()};
    *out = (struct job_snapshot){0};
    int rc = journal_open(path, JOURNAL_READ, NULL, NULL, &journal, err);
    if (!rc)
        rc = journal_read_begin(journal, err);
    if (!rc) {
        rc = journal_read_books(journal, &out->books, err);
        if (!rc)
            rc = journal_each_moment(journal, on_moment, &recent, err);
        journal_read_end(journal);
    }
    journal_close(journal);
    if (!rc)
        fill_snapshot(&recent, out);
    return rc;
}

static int show(struct progress *progress, const struct job_snapshot *snapshot)
{
    struct view_sums sums;
    struct view_size size;
    struct buf text;
    char when[CLOCK_TEXT_MAX];
    view_sums(snapshot, &sums);
    buf_init(&text, TEXT_MAX_BYTES);
    int rc;
    if (progress->block) {
        progress_size(progress, &size);
        rc = view_block(snapshot, &sums, &size, &text);
        if (!rc)
            progress_draw(progress, buf_str(&text));
    } else {
        rc = buf_printf(&text, "%s ", clock_format(clock_wall_ms(), when));
        if (!rc)
            rc = view_line(snapshot, &sums, &text);
        if (!rc)
            progress_print(progress, buf_str(&text));
    }
    buf_release(&text);
    return rc;
}

int watch_print(const char *path, const struct watch_options *options, struct err *err)
{
    struct progress progress;
    struct job_snapshot snapshot;
    struct timespec pause = {.tv_sec = LOOK_MS / 1000, .tv_nsec = LOOK_MS % 1000 * 1000000};
    int64_t stats_ms = options->stats_ms > 0 ? options->stats_ms : REPORTER_STATS_MS;
    int64_t next_ms = 0;
    int rc = 0;
    progress_init(&progress, fileno(stderr), 1, 1);
    if (!progress.block && stats_ms < LOOK_MS)
        pause.tv_sec = 0, pause.tv_nsec = stats_ms * 1000000;
    /* Before the look: a run that ends behind it is looked at once more by what follows. */
    while (!rc && journal_is_running(path)) {
        int is_due = progress.block || clock_now_ms() >= next_ms;
        if (is_due && !options->quiet) {
            rc = look(path, &snapshot, err);
            if (!rc && show(&progress, &snapshot))
                rc = err_set(err, ERR_NOMEM, "no memory for the progress");
            next_ms = clock_now_ms() + stats_ms;
        }
        if (!rc)
            nanosleep(&pause, NULL);
    }
    progress_release(&progress);
    return rc;
}
