/*
 * bench.c - what a bench has measured, see report.h: throughput, the time of each step, what
 * limited the run and what to change. Called by cli after the run.
 */
#include "report/report.h"

#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "report/json.h"
#include "report/record.h"
#include "report/text.h"

/* Numbers of so short a run are those of its beginning and its end. */
#define SHORT_MS 3000
/* From here on the cores, or a limit that was set, are what a run was held by. */
#define FULL_PERCENT 85

enum job_limit bench_limit(const int64_t limit_ms[JOB_LIMIT_COUNT])
{
    enum job_limit most = JOB_LIMIT_STARTING;
    for (int i = 0; i < JOB_LIMIT_COUNT; i++)
        if (i != JOB_LIMIT_STARTING && limit_ms[i] > 0 &&
            (most == JOB_LIMIT_STARTING || limit_ms[i] > limit_ms[most]))
            most = (enum job_limit)i;
    return most;
}

/* pxload and pxm-sim leave nothing of the cores to each other. */
static int are_cores_full(const struct job_snapshot *run, const struct bench_options *options)
{
    int64_t used_ms = options->cpu_ms + options->sim_cpu_ms;
    return !options->target && options->cores &&
           text_percent(used_ms, run->elapsed_ms * options->cores) >= FULL_PERCENT;
}

static int is_bwlimit_reached(const struct job_snapshot *run, const struct bench_options *options)
{
    int64_t allowed = text_scale(options->bwlimit_bytes_per_s, run->elapsed_ms, 1000);
    return allowed > 0 && text_percent(run->stored_bytes, allowed) >= FULL_PERCENT;
}

static const char *advice_of_network(const struct bench_options *options)
{
    if (options->transfers)
        return "all transfers were in use: a larger --transfers, or auto";
    if (options->target)
        return "the way to S3 is full, and more transfers do not make it wider; for few large "
               "files try --part-concurrency 4";
    return "pxm-sim takes no more, which says nothing of your line: a bench into a tenant does";
}

static const char *advice_of(const struct job_snapshot *run, const struct bench_options *options)
{
    enum job_limit limit = bench_limit(run->limit_ms);
    if (are_cores_full(run, options) && limit != JOB_LIMIT_API && limit != JOB_LIMIT_STARTING)
        limit = JOB_LIMIT_CPU;
    if (is_bwlimit_reached(run, options) && (limit == JOB_LIMIT_NETWORK || limit == JOB_LIMIT_TAIL))
        return "--bwlimit is the limit: a larger one, or none";
    switch (limit) {
    case JOB_LIMIT_STARTING:
        break;
    case JOB_LIMIT_API:
        return options->target
                   ? "the request budget sets the pace, two requests a file, whatever the line "
                     "carries: fewer and larger files, or a higher limit from the vendor and "
                     "--api-rate"
                   : "the request budget sets the pace, two requests a file, as it will in a "
                     "tenant: fewer and larger files; --api-rate 0 shows what this machine could "
                     "do without it";
    case JOB_LIMIT_NETWORK:
        return advice_of_network(options);
    case JOB_LIMIT_DISK:
        return "the journal's disk is waited for, as the data are in memory: put the journals on "
               "a faster local one (XDG_STATE_HOME)";
    case JOB_LIMIT_CPU:
        return options->target
                   ? "this machine is busy with digests, TLS and copies: more cores or less beside "
                     "it; --verify-etag off shows what the digests take, and gives up that check"
                   : "all cores are busy, and pxm-sim, which computes digests too, needs its "
                     "share: "
                     "a bench into a tenant, or on more cores, tells more; --verify-etag off shows "
                     "what pxload's digests take";
    case JOB_LIMIT_TAIL:
        return "the last files had the line to themselves: more --files, or --part-concurrency 4 "
               "where they are large";
    case JOB_LIMIT_SERVER:
        return options->target
                   ? "the server is waited for: where request and confirm take long, a larger "
                     "--api-concurrency; where it asks for less (429, SlowDown), only patience"
                   : "pxm-sim's replies are waited for, and it shares this machine: a larger "
                     "--api-concurrency, or a bench into a tenant, whose replies take longer still";
    case JOB_LIMIT_COUNT:
        break;
    }
    return "the run was over before anything could limit it: more --files, or a larger --size";
}

/* In thousandths. */
static int64_t per_s(int64_t count, const struct job_snapshot *run)
{
    return run->elapsed_ms > 0 ? text_scale(count, 1000000, run->elapsed_ms) : 0;
}

static int64_t requests_per_file(const struct job_snapshot *run)
{
    return run->files_done > 0 ? text_scale(run->requests, 1000, run->files_done) : 0;
}

/* ---- text -------------------------------------------------------------------------------- */

static void print_us(FILE *out, int64_t us)
{
    fprintf(out, " %9lld.%lld ms", (long long)(us / 1000), (long long)(us % 1000 / 100));
}

static void print_times(const struct job_result *result, FILE *out)
{
    fprintf(out, "\n  %-10s %9s %14s %14s %14s %14s\n", "step", "count", "p50", "p95", "p99",
            "max");
    for (int i = 0; i < result->time_count; i++) {
        const struct step_time *time = &result->times[i];
        fprintf(out, "  %-10s %9lld", time->step, (long long)time->count);
        print_us(out, time->p50_us);
        print_us(out, time->p95_us);
        print_us(out, time->p99_us);
        print_us(out, time->most_us);
        fprintf(out, "\n");
    }
}

/* How many cores a CPU time kept busy. */
static void print_cores(int64_t cpu_ms, const struct job_snapshot *run, FILE *out)
{
    int64_t hundredths = run->elapsed_ms > 0 ? text_scale(cpu_ms, 100, run->elapsed_ms) : 0;
    fprintf(out, "%lld.%02lld", (long long)(hundredths / 100), (long long)(hundredths % 100));
}

static void print_cpu(const struct job_snapshot *run, const struct bench_options *options,
                      FILE *out)
{
    if (!options->cores)
        return;
    fprintf(out, "  %-10s pxload ", "cores");
    print_cores(options->cpu_ms, run, out);
    if (!options->target) {
        fprintf(out, ", pxm-sim ");
        print_cores(options->sim_cpu_ms, run, out);
    }
    fprintf(out, " of %d\n", options->cores);
}

static void print_limits(const struct job_snapshot *run, const struct bench_options *options,
                         FILE *out)
{
    int64_t all_ms = 0;
    const char *before = "";
    for (int i = 0; i < JOB_LIMIT_COUNT; i++)
        all_ms += run->limit_ms[i];
    fprintf(out, "\nLimited by: ");
    for (int i = 0; i < JOB_LIMIT_COUNT; i++) {
        int percent = all_ms ? text_percent(run->limit_ms[i], all_ms) : 0;
        if (!percent)
            continue;
        fprintf(out, "%s%s %d %%", before, job_limit_name((enum job_limit)i), percent);
        before = ", ";
    }
    fprintf(out, "%s\nWhat to change: %s.\n", *before ? "" : "nothing", advice_of(run, options));
    if (run->elapsed_ms < SHORT_MS)
        fprintf(out,
                "A run of less than %d s says little: take more --files, or a larger --size.\n",
                SHORT_MS / 1000);
}

static void print_text(const struct job_result *result, const struct bench_options *options,
                       FILE *out)
{
    const struct job_snapshot *run = &result->last;
    char size[UNITS_TEXT_MAX];
    int64_t files = per_s(result->confirmed_now, run);
    int64_t bytes = per_s(run->stored_bytes, run) / 1000;
    int64_t per_file = requests_per_file(run);
    fprintf(out, "%lld of %d files of %s into %s in %lld.%lld s\n",
            (long long)result->confirmed_now, options->files,
            units_format_size(options->size_bytes, size),
            options->target ? options->target : "a pxm-sim on this machine",
            (long long)(run->elapsed_ms / 1000), (long long)(run->elapsed_ms % 1000 / 100));
    fprintf(out, "\n  %-10s %lld.%lld\n", "files/s", (long long)(files / 1000),
            (long long)(files % 1000 / 100));
    fprintf(out, "  %-10s %lld.%lld\n", "MB/s", (long long)(bytes / 1000000),
            (long long)(bytes % 1000000 / 100000));
    fprintf(out, "  %-10s %lld, %lld.%02lld a file\n", "requests", (long long)run->requests,
            (long long)(per_file / 1000), (long long)(per_file % 1000 / 10));
    fprintf(out, "  %-10s %d at the end%s\n", "transfers", run->put_limit,
            options->transfers ? "" : " (auto)");
    fprintf(out, "  %-10s %lld\n", "retries", (long long)run->retries);
    print_cpu(run, options, out);
    print_times(result, out);
    print_limits(run, options, out);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static int print_json(const struct job_result *result, const struct bench_options *options,
                      FILE *out, struct err *err)
{
    const struct job_snapshot *run = &result->last;
    enum job_limit limit = bench_limit(run->limit_ms);
    struct json json;
    json_init(&json);
    json_begin(&json, "bench", clock_wall_ms());
    json_str(&json, "target", options->target ? options->target : "pxm-sim");
    json_int(&json, "files", options->files);
    json_int(&json, "size", options->size_bytes);
    json_int(&json, "confirmed", result->confirmed_now);
    json_milli(&json, "elapsed", run->elapsed_ms);
    json_milli(&json, "files_per_s", per_s(result->confirmed_now, run));
    json_int(&json, "bytes_per_s", per_s(run->stored_bytes, run) / 1000);
    json_int(&json, "requests", run->requests);
    json_milli(&json, "requests_per_file", requests_per_file(run));
    json_int(&json, "retries", run->retries);
    json_int(&json, "transfers", run->put_limit);
    json_int(&json, "cores", options->cores);
    json_milli(&json, "cpu", options->cpu_ms);
    if (!options->target)
        json_milli(&json, "sim_cpu", options->sim_cpu_ms);
    record_json_times(result->times, result->time_count, &json);
    record_json_limits(run->limit_ms, &json);
    json_str(&json, "limiter", job_limit_name(limit));
    json_str(&json, "advice", advice_of(run, options));
    int rc = json_write(&json, out, err);
    json_release(&json);
    return rc;
}

int bench_print(const struct job_result *result, const struct bench_options *options, FILE *out,
                struct err *err)
{
    if (options->json) {
        int rc = print_json(result, options, out, err);
        return rc ? rc : text_flush(out, err);
    }
    print_text(result, options, out);
    return text_flush(out, err);
}
