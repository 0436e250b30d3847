/* metrics.c - see metrics.h. Called by observer.c. */
#include "report/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct metrics {
    struct buf *out;
    const char *job;
    int rc;
};

static void head(struct metrics *metrics, const char *name, const char *type, const char *help)
{
    if (!metrics->rc)
        metrics->rc = buf_printf(metrics->out, "# HELP pxload_%s %s\n# TYPE pxload_%s %s\n", name,
                                 help, name, type);
}

/* A label's value as the format wants it. */
static void put_label(struct metrics *metrics, const char *text)
{
    for (; *text && !metrics->rc; text++) {
        if (*text == '\n')
            metrics->rc = buf_puts(metrics->out, "\\n");
        else if (*text == '\\' || *text == '"')
            metrics->rc = buf_printf(metrics->out, "\\%c", *text);
        else
            metrics->rc = buf_append(metrics->out, text, 1);
    }
}

/* label NULL: none but the job's. */
static void row(struct metrics *metrics, const char *name, const char *label, const char *value,
                double number)
{
    if (!metrics->rc)
        metrics->rc = buf_printf(metrics->out, "pxload_%s{journal=\"", name);
    put_label(metrics, metrics->job);
    if (!metrics->rc && label)
        metrics->rc = buf_printf(metrics->out, "\",%s=\"%s", label, value);
    if (!metrics->rc)
        metrics->rc = buf_printf(metrics->out, "\"} %.15g\n", number);
}

static void one(struct metrics *metrics, const char *name, const char *type, const char *help,
                double number)
{
    head(metrics, name, type, help);
    row(metrics, name, NULL, NULL, number);
}

static void put_sum(struct metrics *metrics, const char *name, const struct books_sum *sum,
                    const char *help)
{
    head(metrics, name, "gauge", help);
    row(metrics, name, "state", "confirmed", (double)sum->confirmed);
    row(metrics, name, "state", "skipped", (double)sum->skipped);
    row(metrics, name, "state", "failed", (double)sum->failed);
    row(metrics, name, "state", "excluded", (double)sum->excluded);
    row(metrics, name, "state", "queued", (double)sum->queued);
}

static void put_job(struct metrics *metrics, const struct job_snapshot *snapshot,
                    const struct view_sums *sums)
{
    put_sum(metrics, "files", &sums->totals.files, "Files of the job by what became of them.");
    put_sum(metrics, "bytes", &sums->totals.bytes, "Bytes of the job's files, likewise.");
    head(metrics, "failed_files", "gauge", "Failed files by error class.");
    for (int code = 1; code < ERR_COUNT; code++)
        if (snapshot->books.failed_by_code[code])
            row(metrics, "failed_files", "class", err_name((enum err_code)code),
                (double)snapshot->books.failed_by_code[code]);
    one(metrics, "walk_complete", "gauge", "1 once the walk over the folders has ended.",
        snapshot->books.walk_complete);
}

static void put_run(struct metrics *metrics, const struct job_snapshot *snapshot,
                    const struct view_sums *sums)
{
    one(metrics, "elapsed_seconds", "gauge", "How long this run has worked.",
        (double)snapshot->elapsed_ms / 1000);
    one(metrics, "sent_bytes_total", "counter", "Sent to S3 by this run, resends included.",
        (double)snapshot->sent_bytes);
    one(metrics, "api_requests_total", "counter", "API requests of this run.",
        (double)snapshot->requests);
    one(metrics, "retries_total", "counter", "Tries of a step that were repeated by this run.",
        (double)snapshot->retries);
    one(metrics, "api_requests_in_window", "gauge", "API requests in the last 60 seconds.",
        snapshot->requests_in_window);
    one(metrics, "api_request_budget", "gauge", "API requests that 60 seconds may have; 0: any.",
        snapshot->api_rate);
    one(metrics, "held_seconds", "gauge", "How long a 429 still holds all requests back.",
        (double)snapshot->held_ms / 1000);
    one(metrics, "transfers", "gauge", "Transfers to S3 under way.", snapshot->puts_active);
    one(metrics, "transfer_limit", "gauge", "Transfers to S3 allowed now.", snapshot->put_limit);
    one(metrics, "goodput_bytes_per_second", "gauge", "Sent to S3 per second of late.",
        (double)snapshot->goodput_bytes_per_s);
    if (sums->eta.ms >= 0)
        one(metrics, "eta_seconds", "gauge", "Until the job is done; absent while not known.",
            (double)sums->eta.ms / 1000);
    head(metrics, "limit", "gauge", "1 for what limits the run now.");
    for (int limit = 0; limit < JOB_LIMIT_COUNT; limit++)
        row(metrics, "limit", "by", job_limit_name((enum job_limit)limit),
            snapshot->limit == (enum job_limit)limit);
    head(metrics, "limit_seconds_total", "counter", "How long each has limited this run.");
    for (int limit = 0; limit < JOB_LIMIT_COUNT; limit++)
        row(metrics, "limit_seconds_total", "by", job_limit_name((enum job_limit)limit),
            (double)snapshot->limit_ms[limit] / 1000);
}

int metrics_format(const struct job_snapshot *snapshot, const struct view_sums *sums,
                   const char *job, int running, int64_t now_wall_ms, struct buf *out)
{
    struct metrics metrics = {.out = out, .job = job};
    one(&metrics, "running", "gauge", "1 while a run works, 0 after it.", running);
    one(&metrics, "updated_timestamp_seconds", "gauge", "When these numbers were written.",
        (double)now_wall_ms / 1000);
    put_job(&metrics, snapshot, sums);
    put_run(&metrics, snapshot, sums);
    return metrics.rc;
}

int metrics_write(const char *path, const struct buf *text, struct err *err)
{
    char *fresh = NULL;
    if (asprintf(&fresh, "%s.%d.tmp", path, (int)getpid()) < 0)
        return err_set(err, ERR_NOMEM, "no memory for a path");
    unlink(fresh); /* of a killed run of that number; what somebody else puts there is refused */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ssize_t written = fd < 0 ? -1 : write(fd, text->data, text->len);
    int is_bad = written != (ssize_t)text->len;
    int os_errno = written < 0 ? errno : ENOSPC;
    if (fd >= 0 && close(fd) && !is_bad) {
        is_bad = 1;
        os_errno = errno;
    }
    if (!is_bad && rename(fresh, path)) {
        is_bad = 1;
        os_errno = errno;
    }
    int rc = is_bad ? err_set_errno(err, ERR_IO, os_errno, "cannot write %s", path) : 0;
    if (is_bad && fd >= 0)
        unlink(fresh);
    free(fresh);
    return rc;
}
