/*
 * climb.c - see climb.h. Called by meter.c and remedy.c.
 *
 * A try goes to twice the number, or back to half where the CPU is what is short. It is judged by
 * the bytes of some full seconds against those of the number before, once the new connections had
 * a second to get up to speed. The first try needs one such second to compare with, and a leap is
 * seen in one: a way that is far from full is filled quickly.
 */
#include "pipeline/climb.h"

#include "base/limits.h"

#define SETTLE_SAMPLES  1
#define MEASURE_SAMPLES 2
#define IDLE_SAMPLES    5  /* not full for so long: there is nothing to be learned now */
#define FULL_PERCENT    80 /* of a sample, for it to tell anything */
#define GAIN_PERCENT    5  /* a try must bring as much to be kept */
#define LEAP_PERCENT    50 /* so much more in one sample needs no second one */
#define LOSS_PERCENT    3  /* fewer transfers may lose as much, where they spare the CPU */
#define SHIFT_PERCENT   30 /* the way has changed: what was tried on it before means nothing */
#define SAME_CROWD_MS   1000
#define STALL_CROWD_MS  10000

void climb_init(struct climb *climb, int transfers, int most)
{
    int start = transfers ? transfers : CLIMB_START < most ? CLIMB_START : most;
    *climb = (struct climb){
        .is_auto = !transfers,
        .most = transfers ? transfers : most,
        .limit = start,
        .home = start,
        .rest_ms = CLIMB_REST_MS,
    };
}

static void go_to(struct climb *climb, int limit)
{
    climb->limit = limit;
    climb->pace = (struct climb_pace){0};
    climb->skipped = 0;
}

static void settle_at(struct climb *climb, int limit)
{
    go_to(climb, limit);
    climb->home = limit;
    climb->home_bytes_per_s = 0;
}

static int64_t percent_more(int64_t value, int percent)
{
    return value + value * percent / 100;
}

/*
 * Twice the transfers brought at least half of twice the bytes: each gets what it can get. A
 * smaller gain may be noise, and a limit that is none would make the ETA of a large file many times
 * too long.
 */
static void note_connection(struct climb *climb, int64_t bytes_per_s)
{
    int more_percent = (climb->limit - climb->home) * 100 / climb->home;
    if (bytes_per_s >= percent_more(climb->home_bytes_per_s, more_percent / 2))
        climb->connection_bytes_per_s = climb->home_bytes_per_s / climb->home;
}

/* Fewer transfers carried clearly more than that allows. */
static void doubt_connection(struct climb *climb, const struct climb_sample *sample)
{
    int64_t allowed = climb->connection_bytes_per_s * sample->puts_ms / 1000;
    if (sample->moved_bytes > percent_more(allowed, LEAP_PERCENT))
        climb->connection_bytes_per_s = 0;
}

static void rest(struct climb *climb, int64_t now_ms)
{
    climb->next_try_ms = now_ms + climb->rest_ms;
    climb->rest_ms *= 2;
    if (climb->rest_ms > CLIMB_REST_MAX_MS)
        climb->rest_ms = CLIMB_REST_MAX_MS;
}

static void judge_try(struct climb *climb, int64_t bytes_per_s, int64_t now_ms)
{
    int64_t before = climb->home_bytes_per_s;
    int is_up = climb->limit > climb->home;
    if (bytes_per_s < percent_more(before, is_up ? GAIN_PERCENT : -LOSS_PERCENT)) {
        go_to(climb, climb->home);
        rest(climb, now_ms);
        return;
    }
    if (is_up)
        note_connection(climb, bytes_per_s);
    climb->home = climb->limit;
    climb->home_bytes_per_s = bytes_per_s;
    climb->rest_ms = CLIMB_REST_MS;
    climb->next_try_ms = now_ms;
}

/* Remembers what the present number brings; a sudden change makes new tries worth their price. */
static void judge_home(struct climb *climb, int64_t bytes_per_s, int64_t now_ms)
{
    int64_t before = climb->home_bytes_per_s;
    int has_shifted = before && (bytes_per_s > percent_more(before, SHIFT_PERCENT) ||
                                 bytes_per_s < percent_more(before, -SHIFT_PERCENT));
    climb->home_bytes_per_s = before && !has_shifted ? (before + bytes_per_s) / 2 : bytes_per_s;
    if (has_shifted) {
        climb->next_try_ms = now_ms;
        climb->rest_ms = CLIMB_REST_MS;
        climb->connection_bytes_per_s = 0;
    }
}

static void begin_try(struct climb *climb, const struct climb_sample *sample)
{
    int up = climb->home > climb->most / 2 ? climb->most : climb->home * 2;
    int down = climb->home / 2 < CLIMB_LEAST ? CLIMB_LEAST : climb->home / 2;
    if (sample->now_ms < climb->next_try_ms)
        return;
    if (sample->is_cpu_bound && down < climb->home)
        go_to(climb, down);
    else if (!sample->is_cpu_bound && !sample->is_enough && up > climb->home)
        go_to(climb, up);
}

static int64_t pace_bytes_per_s(const struct climb_pace *pace)
{
    return pace->ms > 0 ? pace->bytes * 1000 / pace->ms : 0;
}

/* Takes a sample into the pace of the present number; 1 where that can be judged now. */
static int measure(struct climb *climb, const struct climb_sample *sample)
{
    struct climb_pace *pace = &climb->pace;
    int64_t before = climb->home_bytes_per_s;
    if (pace->samples++ < SETTLE_SAMPLES)
        return 0;
    pace->bytes += sample->moved_bytes;
    pace->ms += sample->elapsed_ms;
    if (pace->ms <= 0)
        return 0;
    int is_leap =
        climb->limit > climb->home && pace_bytes_per_s(pace) >= percent_more(before, LEAP_PERCENT);
    return !before || is_leap || pace->samples >= SETTLE_SAMPLES + MEASURE_SAMPLES;
}

/* After SlowDown one more every while, until it is what it was; no tries meanwhile. */
static void recover(struct climb *climb, int64_t now_ms)
{
    if (now_ms < climb->grow_ms)
        return;
    settle_at(climb, climb->limit + 1);
    climb->grow_ms = now_ms + THROTTLE_RECOVER_MS;
    if (climb->limit < climb->before_throttle)
        return;
    climb->before_throttle = 0;
    climb->next_try_ms = now_ms + CLIMB_REST_MAX_MS;
}

void climb_sample(struct climb *climb, const struct climb_sample *sample)
{
    int is_trying = climb->limit != climb->home;
    doubt_connection(climb, sample);
    if (climb->before_throttle) {
        recover(climb, sample->now_ms);
        return;
    }
    if (!climb->is_auto)
        return;
    if (sample->full_percent < FULL_PERCENT) {
        if (++climb->skipped >= IDLE_SAMPLES && is_trying)
            go_to(climb, climb->home);
        return;
    }
    if (!measure(climb, sample))
        return;
    int64_t bytes_per_s = pace_bytes_per_s(&climb->pace);
    climb->pace = (struct climb_pace){.samples = SETTLE_SAMPLES};
    climb->skipped = 0;
    if (is_trying)
        judge_try(climb, bytes_per_s, sample->now_ms);
    else
        judge_home(climb, bytes_per_s, sample->now_ms);
    if (climb->limit == climb->home)
        begin_try(climb, sample);
}

void climb_throttled(struct climb *climb, int64_t now_ms)
{
    climb->grow_ms = now_ms + THROTTLE_RECOVER_MS;
    if (climb->throttled_ms && now_ms - climb->throttled_ms < SAME_CROWD_MS)
        return;
    climb->throttled_ms = now_ms;
    if (!climb->before_throttle)
        climb->before_throttle = climb->home;
    int limit = climb->limit < climb->home ? climb->limit : climb->home;
    settle_at(climb, limit > 1 ? (limit + 1) / 2 : 1);
    if (climb->limit == climb->before_throttle) /* it was one */
        climb->before_throttle = 0;
}

int climb_is_throttled(const struct climb *climb)
{
    return climb->before_throttle != 0;
}

void climb_stalled(struct climb *climb, int64_t now_ms)
{
    int fewer = climb->home * 3 / 4;
    int is_same_crowd = climb->stalled_ms && now_ms - climb->stalled_ms < STALL_CROWD_MS;
    if (!climb->is_auto || climb->before_throttle || is_same_crowd)
        return;
    climb->stalled_ms = now_ms;
    settle_at(climb, fewer > CLIMB_LEAST ? fewer : CLIMB_LEAST);
    rest(climb, now_ms);
}
