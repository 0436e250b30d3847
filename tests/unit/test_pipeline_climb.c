/*
 * The number of transfers on simulated ways to S3: a shared link, a share for each connection, a
 * machine that gets slower beyond some number, SlowDown. A second is a sample.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "pipeline/climb.h"

#define MB 1000000ll

struct way {
    int64_t link_bytes_per_s;       /* of all together; 0: no limit */
    int64_t connection_bytes_per_s; /* of one */
    int knee;                       /* beyond it each transfer costs a percent; 0: none */
    int noise_percent;
    int cpu_bound_from; /* transfers; 0: never */
    int is_enough;
    int full_percent;
};

struct run {
    struct climb climb;
    struct rng rng;
    int64_t now_ms;
    int64_t moved_bytes;
    int most_seen;
};

static int64_t speed(const struct way *way, int transfers)
{
    int64_t bytes_per_s = way->connection_bytes_per_s * transfers;
    if (way->link_bytes_per_s && bytes_per_s > way->link_bytes_per_s)
        bytes_per_s = way->link_bytes_per_s;
    if (way->knee && transfers > way->knee)
        bytes_per_s -= bytes_per_s * (transfers - way->knee) / 100;
    return bytes_per_s;
}

static void start(struct run *run, int transfers, int most)
{
    *run = (struct run){.now_ms = 1000};
    rng_seed(&run->rng, 7);
    climb_init(&run->climb, transfers, most);
}

static void go(struct run *run, const struct way *way, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        int64_t bytes = speed(way, run->climb.limit);
        if (way->noise_percent)
            bytes += bytes *
                     ((int64_t)rng_below(&run->rng, (uint64_t)(2 * way->noise_percent + 1)) -
                      way->noise_percent) /
                     100;
        run->now_ms += 1000;
        run->moved_bytes += bytes;
        if (run->climb.limit > run->most_seen)
            run->most_seen = run->climb.limit;
        struct climb_sample sample = {
            .now_ms = run->now_ms,
            .elapsed_ms = 1000,
            .moved_bytes = bytes,
            .puts_ms = run->climb.limit * 1000ll,
            .full_percent = way->full_percent ? way->full_percent : 100,
            .is_cpu_bound = way->cpu_bound_from && run->climb.limit >= way->cpu_bound_from,
            .is_enough = way->is_enough,
        };
        climb_sample(&run->climb, &sample);
    }
}

static int64_t best_fixed(const struct way *way, int most)
{
    int64_t best = 0;
    for (int n = 1; n <= most; n++)
        best = speed(way, n) > best ? speed(way, n) : best;
    return best;
}

/* What it came to in a minute and a half, start included, in percent of the best fixed number. */
static int64_t reaches(const struct way *way)
{
    struct run run;
    start(&run, 0, 64);
    go(&run, way, 90);
    assert_in_range(run.climb.limit, 1, 64);
    return run.moved_bytes * 100 / (90 * best_fixed(way, 64));
}

static void comes_within_a_twentieth_of_the_best_without_being_told(void **state)
{
    (void)state;
    static const struct way ways[] = {
        /* 1 Gbit/s, 50 ms: one full link by 2, 12, 25 and 50 connections, or by none. */
        {.link_bytes_per_s = 125 * MB, .connection_bytes_per_s = 80 * MB},
        {.link_bytes_per_s = 125 * MB, .connection_bytes_per_s = 10 * MB, .noise_percent = 3},
        {.link_bytes_per_s = 125 * MB, .connection_bytes_per_s = 5 * MB},
        {.link_bytes_per_s = 125 * MB, .connection_bytes_per_s = 5 * MB, .noise_percent = 4},
        {.link_bytes_per_s = 125 * MB, .connection_bytes_per_s = 5 * MB / 2},
        {.connection_bytes_per_s = 1 * MB, .noise_percent = 3},
        /* Beyond 16 and 40 transfers it gets slower again. */
        {.connection_bytes_per_s = 4 * MB, .knee = 16, .link_bytes_per_s = 64 * MB},
        {.connection_bytes_per_s = 4 * MB, .knee = 40, .link_bytes_per_s = 128 * MB},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int64_t percent = reaches(&ways[i]);
        if (percent < 95)
            fail_msg("way %zu: %d %% of the best", i, (int)percent);
    }
}

static void a_full_way_is_not_crowded(void **state)
{
    (void)state;
    struct way way = {.link_bytes_per_s = 50 * MB, .connection_bytes_per_s = 10 * MB};
    struct run run;
    start(&run, 0, 64);
    go(&run, &way, 3);
    assert_int_equal(run.climb.limit, 2 * CLIMB_START); /* the first try */
    go(&run, &way, 10);
    assert_int_equal(run.climb.limit, CLIMB_START);
    /* Tries become rare: a few seconds of twice the number in ten minutes. */
    int crowded = 0;
    for (int i = 0; i < 600; i++) {
        go(&run, &way, 1);
        crowded += run.climb.limit > CLIMB_START;
    }
    assert_in_range(crowded, 1, 30);
    assert_int_equal(run.climb.connection_bytes_per_s, 0);
}

static void what_one_connection_gets_is_known_while_the_way_is_not_full(void **state)
{
    (void)state;
    struct way way = {.link_bytes_per_s = 500 * MB, .connection_bytes_per_s = 5 * MB};
    struct run run;
    start(&run, 0, 64);
    go(&run, &way, 20);
    assert_int_equal(run.climb.limit, 64);
    assert_int_equal(run.climb.connection_bytes_per_s, 5 * MB);
    /* A few that are faster than that show that it is no limit. */
    struct climb_sample few = {.now_ms = run.now_ms + 1000, .elapsed_ms = 1000, .puts_ms = 4000};
    few.moved_bytes = 28 * MB;
    climb_sample(&run.climb, &few);
    assert_int_equal(run.climb.connection_bytes_per_s, 5 * MB);
    few.moved_bytes = 31 * MB;
    climb_sample(&run.climb, &few);
    assert_int_equal(run.climb.connection_bytes_per_s, 0);
    way.link_bytes_per_s = 100 * MB; /* full with 20: a quarter more may as well be noise */
    start(&run, 0, 64);
    go(&run, &way, 20);
    assert_int_equal(run.climb.limit, 32);
    assert_int_equal(run.climb.connection_bytes_per_s, 0);
}

static void a_way_that_is_far_from_full_is_filled_quickly(void **state)
{
    (void)state;
    struct way way = {.link_bytes_per_s = 500 * MB, .connection_bytes_per_s = 5 * MB};
    struct run run;
    start(&run, 0, 64);
    go(&run, &way, 4); /* each number settles for a second, and is measured for one */
    assert_int_equal(run.climb.limit, 64);
    /* A gain that may be noise is looked at for longer. */
    way = (struct way){.link_bytes_per_s = 100 * MB, .connection_bytes_per_s = 5 * MB};
    start(&run, 0, 64);
    go(&run, &way, 4);
    assert_int_equal(run.climb.limit, 32);
    assert_int_equal(run.climb.home, 16);
    go(&run, &way, 1);
    assert_int_equal(run.climb.home, 32);
}

static void a_way_that_got_wider_is_tried_again(void **state)
{
    (void)state;
    struct way way = {.link_bytes_per_s = 40 * MB, .connection_bytes_per_s = 5 * MB};
    struct run run;
    start(&run, 0, 64);
    go(&run, &way, 300);
    assert_int_equal(run.climb.limit, CLIMB_START);
    way.link_bytes_per_s = 300 * MB;
    go(&run, &way, 20);
    assert_true(speed(&way, run.climb.limit) >= 285 * MB);
}

static void nothing_climbs_that_is_told_enough_idle_or_short_of_cpu(void **state)
{
    (void)state;
    struct way way = {.connection_bytes_per_s = 5 * MB, .is_enough = 1};
    struct run run;
    start(&run, 0, 64);
    go(&run, &way, 100);
    assert_int_equal(run.most_seen, CLIMB_START);
    way = (struct way){.connection_bytes_per_s = 5 * MB, .full_percent = 50};
    go(&run, &way, 100);
    assert_int_equal(run.most_seen, CLIMB_START);
    start(&run, 7, 64);
    way.full_percent = 100;
    go(&run, &way, 100);
    assert_int_equal(run.most_seen, 7);
    assert_int_equal(run.climb.limit, 7);
    start(&run, 0, 10); /* memory or files allow fewer */
    go(&run, &way, 100);
    assert_int_equal(run.most_seen, 10);
}

static void a_busy_cpu_makes_it_fewer_where_that_costs_nothing(void **state)
{
    (void)state;
    struct way free = {
        .link_bytes_per_s = 30 * MB, .connection_bytes_per_s = 10 * MB, .cpu_bound_from = 1};
    struct run run;
    start(&run, 0, 64);
    go(&run, &free, 60);
    assert_int_equal(run.climb.limit, CLIMB_LEAST);
    assert_int_equal(run.most_seen, CLIMB_START);
    struct way dear = {.connection_bytes_per_s = 10 * MB, .cpu_bound_from = 1};
    start(&run, 0, 64);
    go(&run, &dear, 20);
    assert_int_equal(run.climb.limit, CLIMB_START);
}

static void a_try_that_nothing_fills_is_given_up(void **state)
{
    (void)state;
    struct way way = {.connection_bytes_per_s = 5 * MB};
    struct run run;
    start(&run, 0, 64);
    go(&run, &way, 3);
    assert_int_equal(run.climb.limit, 2 * CLIMB_START);
    way.full_percent = 10;
    go(&run, &way, 5);
    assert_int_equal(run.climb.limit, CLIMB_START);
}

static void slow_down_halves_once_a_crowd_and_comes_back_slowly(void **state)
{
    (void)state;
    struct way way = {.connection_bytes_per_s = 5 * MB};
    for (int transfers = 0; transfers <= 16; transfers += 16) {
        struct run run;
        start(&run, transfers, 64);
        for (int i = 0; i < 16; i++) /* all that were under way */
            climb_throttled(&run.climb, run.now_ms + i * 10);
        assert_int_equal(run.climb.limit, 8);
        assert_true(climb_is_throttled(&run.climb));
        climb_throttled(&run.climb, run.now_ms + 2000);
        climb_throttled(&run.climb, run.now_ms + 4000);
        climb_throttled(&run.climb, run.now_ms + 6000);
        climb_throttled(&run.climb, run.now_ms + 8000);
        assert_int_equal(run.climb.limit, 1);
        run.now_ms += 8000;
        go(&run, &way, THROTTLE_RECOVER_MS / 1000 * 5);
        assert_int_equal(run.climb.limit, 6);
        go(&run, &way, THROTTLE_RECOVER_MS / 1000 * 10);
        assert_int_equal(run.climb.limit, 16);
        assert_false(climb_is_throttled(&run.climb));
        go(&run, &way, 60); /* it does not run into the same wall at once */
        assert_int_equal(run.climb.limit, 16);
    }
}

static void one_transfer_is_the_least_that_slow_down_leaves(void **state)
{
    (void)state;
    struct climb climb;
    climb_init(&climb, 1, 64);
    climb_throttled(&climb, 1000);
    assert_int_equal(climb.limit, 1);
    assert_false(climb_is_throttled(&climb));
}

static void stalls_make_it_fewer_when_it_is_automatic(void **state)
{
    (void)state;
    struct climb climb;
    climb_init(&climb, 0, 64);
    for (int i = 0; i < 16; i++)
        climb_stalled(&climb, 5000 + i);
    assert_int_equal(climb.limit, 12);
    for (int i = 1; i < 20; i++)
        climb_stalled(&climb, 5000 + i * 20000);
    assert_int_equal(climb.limit, CLIMB_LEAST);
    climb_init(&climb, 16, 64);
    climb_stalled(&climb, 5000);
    assert_int_equal(climb.limit, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_within_a_twentieth_of_the_best_without_being_told),
        cmocka_unit_test(a_full_way_is_not_crowded),
        cmocka_unit_test(what_one_connection_gets_is_known_while_the_way_is_not_full),
        cmocka_unit_test(a_way_that_is_far_from_full_is_filled_quickly),
        cmocka_unit_test(a_way_that_got_wider_is_tried_again),
        cmocka_unit_test(nothing_climbs_that_is_told_enough_idle_or_short_of_cpu),
        cmocka_unit_test(a_busy_cpu_makes_it_fewer_where_that_costs_nothing),
        cmocka_unit_test(a_try_that_nothing_fills_is_given_up),
        cmocka_unit_test(slow_down_halves_once_a_crowd_and_comes_back_slowly),
        cmocka_unit_test(one_transfer_is_the_least_that_slow_down_leaves),
        cmocka_unit_test(stalls_make_it_fewer_when_it_is_automatic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
