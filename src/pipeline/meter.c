/* meter.c - see meter.h. Called by job.c each tick; reads, and changes nothing but itself and the
 * climb. */
#include "base/log.h"
#include "pipeline/job.h"

#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS      1000
#define PACE_SAMPLES 8 /* a file's pace is that of about so many seconds */

static void describe(const struct job *job, struct limit_input *out)
{
    const int *waiting = job->waiting_count;
    const struct meter *meter = &job->meter;
    *out = (struct limit_input){
        .is_held = pacer_held_ms(job->pacer, job->now_ms) > 0,
        .is_begun = job->files_done || job->puts_active || waiting[WAIT_API] || waiting[WAIT_SLOT],
        .is_walking = intake_is_walking(job),
        .has_more = !lanes_all_sent(job),
        .is_budget_spent = pacer_wait_ms(job->pacer, job->now_ms) > 0,
        .is_throttled = climb_is_throttled(&job->climb),
        .assets = job->assets,
        .api_active = job->api_active,
        .api_concurrency = job->options->api_concurrency,
        .puts_active = job->puts_active,
        .put_limit = job->climb.limit,
        .loop_busy = meter->loop_busy,
        .loop_reads_disk = meter->loop_reads_disk,
        .cpu_busy = meter->cpu_busy,
    };
    memcpy(out->waiting, waiting, sizeof out->waiting);
}

static int64_t process_cpu_us(void)
{
    struct timespec ts;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts))
        return 0;
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Reads of this thread that had to wait for a disk, mapped pages included. */
static int64_t thread_disk_reads(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage))
        return 0;
    return usage.ru_majflt + usage.ru_inblock;
}

static int percent(int64_t part, int64_t whole)
{
    return part <= 0 || whole <= 0 ? 0 : part >= whole ? 100 : (int)(part * 100 / whole);
}

/* How fast each file goes of late: an average since its begin would remember the crowd then. */
static void measure_paces(struct job *job, int64_t elapsed_ms)
{
    for (int i = 0; i < WAIT_COUNT; i++) {
        struct asset *asset;
        TAILQ_FOREACH(asset, &job->waiting[i], link)
        {
            if (asset->step != STEP_PUT)
                continue;
            int64_t sent = asset_sent_bytes(asset);
            int64_t moved = sent > asset->sent_then ? sent - asset->sent_then : 0;
            /* The first one saw only a part of its second. */
            if (asset->pace_samples)
                asset->pace_bytes_per_s +=
                    (moved * 1000 / elapsed_ms - asset->pace_bytes_per_s) / asset->pace_samples;
            if (asset->pace_samples < PACE_SAMPLES)
                asset->pace_samples++;
            asset->sent_then = sent;
        }
    }
}

/*
 * 1 where the request budget will be the limit, whatever the transfers do: they use it up faster
 * than it grows, and what is left needs more than there is.
 */
static int is_budget_short(const struct job *job)
{
    const int64_t *files = job->books.files;
    int rate = job->options->api_rate;
    int64_t left = 2 * (files[ASSET_DISCOVERED] + files[ASSET_PREPARED]) + files[ASSET_REQUESTED] +
                   files[ASSET_STORED];
    int64_t run_ms = job->now_ms - job->started_ms;
    if (!rate || left <= pacer_available(job->pacer, job->now_ms))
        return 0;
    int64_t used = pacer_in_window(job->pacer, job->now_ms);
    if (run_ms < RATE_WINDOW_MS && job->requests < used)
        used = job->requests;
    return used * RATE_WINDOW_MS >= rate * (run_ms < RATE_WINDOW_MS ? run_ms : RATE_WINDOW_MS);
}

static void climb(struct job *job, int64_t moved_bytes, int64_t elapsed_ms)
{
    struct meter *meter = &job->meter;
    int limit = job->climb.limit;
    struct climb_sample sample = {
        .now_ms = job->now_ms,
        .elapsed_ms = elapsed_ms,
        .moved_bytes = moved_bytes,
        .puts_ms = meter->puts_ms - meter->puts_then_ms,
        .full_percent = percent(meter->full_ms, elapsed_ms),
        .is_cpu_bound = meter->limits.named == JOB_LIMIT_CPU,
        .is_enough = is_budget_short(job),
    };
    climb_sample(&job->climb, &sample);
    if (job->climb.limit == limit)
        return;
    log_debug("%d transfers may run at once, after %d", job->climb.limit, limit);
    goodput_forget(&meter->goodput);
}

static void turn(struct job *job, int64_t elapsed_ms)
{
    struct meter *meter = &job->meter;
    int64_t cpu_us = process_cpu_us();
    int64_t disk_reads = thread_disk_reads();
    int64_t moved = net_moved_bytes(job->net);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    meter->loop_busy = percent(elapsed_ms - meter->slept_ms, elapsed_ms);
    meter->loop_reads_disk = disk_reads > meter->disk_reads;
    meter->cpu_busy =
        percent((cpu_us - meter->cpu_us) / 1000, elapsed_ms * (cores > 1 ? cores : 1));
    limit_clock_turn(&meter->limits);
    goodput_add(&meter->goodput, (moved - meter->moved_bytes) * 1000 / elapsed_ms,
                meter->limits.named, pacer_held_ms(job->pacer, job->now_ms) > 0);
    measure_paces(job, elapsed_ms);
    climb(job, moved - meter->moved_bytes, elapsed_ms);
    meter->turned_ms = job->now_ms;
    meter->slept_ms = 0;
    meter->full_ms = 0;
    meter->puts_then_ms = meter->puts_ms;
    meter->moved_bytes = moved;
    meter->cpu_us = cpu_us;
    meter->disk_reads = disk_reads;
}

void meter_tick(struct job *job)
{
    struct meter *meter = &job->meter;
    if (!meter->at_ms) {
        meter->at_ms = meter->turned_ms = job->started_ms;
        meter->cpu_us = process_cpu_us();
        meter->disk_reads = thread_disk_reads();
    }
    if (job->now_ms == meter->at_ms)
        return;
    struct limit_input input;
    int64_t since_ms = job->now_ms - meter->at_ms;
    describe(job, &input);
    limit_clock_add(&meter->limits, limit_now(&input), since_ms);
    meter->puts_ms += job->puts_active * since_ms;
    if (job->puts_active >= job->climb.limit)
        meter->full_ms += since_ms;
    meter->at_ms = job->now_ms;
    int64_t elapsed_ms = job->now_ms - meter->turned_ms;
    if (elapsed_ms >= TURN_MS)
        turn(job, elapsed_ms);
}

void meter_took(struct job *job, enum step_id step, const struct exchange *exchange)
{
    spread_add(&job->meter.took[step], exchange_took_us(exchange));
}

int meter_times(const struct job *job, struct step_time out[STEP_TIMES_MAX])
{
    static const enum step_id shown[] = {STEP_REQUEST, STEP_PUT, STEP_CONFIRM};
    _Static_assert(sizeof shown / sizeof *shown <= STEP_TIMES_MAX, "room for all");
    int count = 0;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const struct spread *took = &job->meter.took[shown[i]];
        out[count++] = (struct step_time){
            .step = steps[shown[i]].name,
            .count = took->count,
            .p50_us = spread_quantile_us(took, 50),
            .p95_us = spread_quantile_us(took, 95),
            .p99_us = spread_quantile_us(took, 99),
            .most_us = took->most_us,
        };
    }
    return count;
}

void meter_sleep(struct job *job)
{
    job->meter.slept_at_ms = clock_now_ms();
}

void meter_woke(struct job *job)
{
    struct meter *meter = &job->meter;
    if (meter->slept_at_ms)
        meter->slept_ms += job->now_ms - meter->slept_at_ms;
    meter->slept_at_ms = 0;
}
