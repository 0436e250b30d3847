/* eta.c and the arithmetic of plan.c: what sets the end of a job. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/plan.h"

static void the_first_window_is_a_burst(void **state)
{
    (void)state;
    assert_int_equal(eta_requests_ms(0, 950, 0), 0);
    assert_int_equal(eta_requests_ms(1, 950, 0), 0);
    assert_int_equal(eta_requests_ms(950, 950, 0), 0);
    assert_int_equal(eta_requests_ms(951, 950, 0), 60000);
    assert_int_equal(eta_requests_ms(1900, 950, 0), 60000);
    assert_int_equal(eta_requests_ms(1901, 950, 0), 120000);
    /* Half a million files: 1,052 windows behind the first one. */
    assert_int_equal(eta_requests_ms(1000000, 950, 0), 1052 * 60000);
}

static void no_rate_is_no_limit(void **state)
{
    (void)state;
    assert_int_equal(eta_requests_ms(1000000, 0, 0), 0);
    assert_int_equal(eta_crossover_bytes(0, 125000000, &(struct eta_each){2, 1}), 0);
}

static void what_was_used_has_to_age_first(void **state)
{
    (void)state;
    int evenly[RATE_AGES] = {0};
    for (int i = 0; i < 60; i++)
        evenly[i] = 15;
    assert_int_equal(eta_requests_ms(100, 1000, evenly), 0);
    /* 900 leave within a minute: the 450th of them after 30 s. */
    assert_int_equal(eta_requests_ms(550, 1000, evenly), 30000);
    assert_in_range(eta_requests_ms(1000, 1000, evenly), 59900, 60000);
    assert_in_range(eta_requests_ms(2000, 1000, evenly), 119900, 120000);
    /* A burst 40 s ago leaves all at once in 20 s, not evenly; half of it is no sooner. */
    int burst[RATE_AGES] = {[39] = 1000};
    assert_in_range(eta_requests_ms(1, 1000, burst), 20000, 20100);
    assert_in_range(eta_requests_ms(500, 1000, burst), 20000, 21000);
    assert_in_range(eta_requests_ms(1000, 1000, burst), 20900, 21000);
    assert_in_range(eta_requests_ms(1001, 1000, burst), 80000, 80100);
    int old[RATE_AGES] = {[60] = 7};
    assert_int_equal(eta_requests_ms(7, 7, old), 0);
}

static void no_count_overflows(void **state)
{
    (void)state;
    int one[RATE_AGES] = {1};
    assert_true(eta_requests_ms(INT64_MAX, 1, one) == INT64_MAX);
    assert_true(eta_bytes_ms(INT64_MAX, 1) == INT64_MAX);
    assert_true(eta_bytes_ms(INT64_MAX, INT64_MAX) == 1000);
}

static void the_slowest_of_three_sets_the_end(void **state)
{
    (void)state;
    struct eta eta;
    struct eta_input input = {
        .requests_left = 1901,
        .api_rate = 950,
        .bytes_left = 1000000,
        .goodput_bytes_per_s = 100000,
        .largest_left_bytes = 10,
        .largest_bytes_per_s = 10,
    };
    eta_compute(&input, &eta);
    assert_int_equal(eta.ms, 120000);
    assert_int_equal(eta.limit, ETA_BY_REQUESTS);
    input.goodput_bytes_per_s = 1000;
    eta_compute(&input, &eta);
    assert_int_equal(eta.ms, 1000000);
    assert_int_equal(eta.limit, ETA_BY_BYTES);
    input.largest_bytes_per_s = 1;
    input.largest_left_bytes = 2000;
    eta_compute(&input, &eta);
    assert_int_equal(eta.ms, 2000000);
    assert_int_equal(eta.limit, ETA_BY_LARGEST);
}

static void a_hold_delays_what_needs_requests(void **state)
{
    (void)state;
    struct eta eta;
    struct eta_input input = {.requests_left = 1, .api_rate = 950, .held_ms = 5000};
    eta_compute(&input, &eta);
    assert_int_equal(eta.ms, 5000);
    input.requests_left = 0;
    eta_compute(&input, &eta);
    assert_int_equal(eta.ms, 0);
}

static void without_a_measured_pace_nothing_is_promised(void **state)
{
    (void)state;
    struct eta eta;
    struct eta_input input = {.requests_left = 2, .api_rate = 950, .bytes_left = 10};
    eta_compute(&input, &eta);
    assert_int_equal(eta.ms, -1);
}

static void a_snapshot_counts_what_is_left(void **state)
{
    (void)state;
    struct job_snapshot *snapshot = calloc(1, sizeof *snapshot);
    assert_non_null(snapshot);
    struct eta eta;
    snapshot->api_rate = 7;
    snapshot->capable_bytes_per_s = 1000;
    snapshot->goodput_bytes_per_s = 10; /* of an idle moment */
    snapshot->unsent_bytes = 50000;
    snapshot->books.files[ASSET_DISCOVERED] = 3;
    snapshot->books.files[ASSET_STORED] = 1;
    assert_int_equal(eta_requests_left(&snapshot->books), 7);
    snapshot->request_ages[20] = 7;
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.bytes_ms, 50000);
    assert_int_equal(eta.requests_ms, 40000);
    snapshot->requests_since_books = 7;
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.requests_ms, 0);
    snapshot->walking = 1;
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.ms, -1);
    free(snapshot);
}

/* 40,000 bytes are left of the one large file among eight, at 100 B/s; the way carries 1000. */
static struct job_snapshot *giant(void)
{
    struct job_snapshot *snapshot = calloc(1, sizeof *snapshot);
    assert_non_null(snapshot);
    snapshot->capable_bytes_per_s = snapshot->goodput_bytes_per_s = 1000;
    snapshot->unsent_bytes = 50000;
    snapshot->limit = JOB_LIMIT_NETWORK;
    snapshot->puts_active = 8;
    snapshot->active_count = 2;
    for (int i = 0; i < 2; i++)
        snapshot->active[i] = (struct active_file){.path = "a",
                                                   .step = "put",
                                                   .size_bytes = i ? 50000 : 1000,
                                                   .sent_bytes = i ? 10000 : 500,
                                                   .bytes_per_s = 100,
                                                   .since_ms = 100000};
    return snapshot;
}

static void a_giant_gets_the_others_share_once_they_are_through(void **state)
{
    (void)state;
    struct eta eta;
    struct job_snapshot *snapshot = giant();
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.largest_ms, 40000); /* all of the way */
    assert_int_equal(eta.bytes_ms, 50000);
    /* Where the number of connections made the speed, it keeps what one gets. */
    snapshot->connection_bytes_per_s = 125;
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.largest_ms, 320000);
    assert_int_equal(eta.limit, ETA_BY_LARGEST);
    assert_int_equal(eta.ms, 320000);
    snapshot->active[1].bytes_per_s = 20; /* in a crowd, too */
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.ms, 320000);
    snapshot->active[1].bytes_per_s = 100;
    snapshot->connection_bytes_per_s = 60; /* its own pace is better */
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.ms, 400000);
    free(snapshot);
}

static void the_last_giant_keeps_the_pace_it_has(void **state)
{
    (void)state;
    struct eta eta;
    struct job_snapshot *snapshot = giant();
    snapshot->limit = JOB_LIMIT_TAIL;
    snapshot->puts_active = 2;
    snapshot->goodput_bytes_per_s = 200; /* the way is not full, and it is no faster */
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.ms, 400000);
    snapshot->connection_bytes_per_s = 400; /* that was once */
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.ms, 400000);
    snapshot->connection_bytes_per_s = 0;
    snapshot->goodput_bytes_per_s = 900; /* it is full: one goes, the other gets its share */
    eta_of_snapshot(snapshot, &eta);
    assert_int_equal(eta.ms, 50000);
    free(snapshot);
}

static int64_t planned(const struct journal_books *books, const struct plan_options *options)
{
    struct plan_calls calls;
    plan_calls(books, options, &calls);
    assert_int_equal(calls.all, calls.files + calls.links + calls.categories + calls.collections +
                                    calls.lists + calls.once);
    return calls.all;
}

static void a_plan_needs_two_requests_a_file(void **state)
{
    (void)state;
    struct journal_books books = {0};
    struct plan_options options = {.on_conflict = CONFLICT_SKIP};
    assert_int_equal(planned(&books, &options), 0);
    books.files[ASSET_DISCOVERED] = 100;
    books.files[ASSET_FAILED] = 7;
    assert_int_equal(planned(&books, &options), 200 + PLAN_TOKEN_REQUESTS);
    options.on_conflict = CONFLICT_VERSION;
    assert_int_equal(planned(&books, &options), 200 + PLAN_TOKEN_REQUESTS + PLAN_CANARY_REQUESTS);
}

static void a_plan_counts_links_and_the_folders_that_are_to_be_made(void **state)
{
    (void)state;
    struct journal_books books = {.to_link_files = 90, .categories = 5, .collections = 12};
    struct plan_options options = {.map_folders = MAP_TREE, .has_parent = 1};
    books.files[ASSET_DISCOVERED] = 80;
    books.files[ASSET_CONFIRMED] = 30; /* ten of them are not linked yet */
    assert_int_equal(planned(&books, &options),
                     160 + 90 + 5 + 12 + 2 * PLAN_LIST_REQUESTS + 1 + PLAN_TOKEN_REQUESTS);
    options.map_folders = MAP_COLLECTIONS;
    books.categories = 0;
    assert_int_equal(planned(&books, &options),
                     160 + 90 + 12 + PLAN_LIST_REQUESTS + 1 + PLAN_TOKEN_REQUESTS);
    books.collections = 0; /* all are known: nothing is listed */
    assert_int_equal(planned(&books, &options), 160 + 90 + 1 + PLAN_TOKEN_REQUESTS);
}

static void a_plan_names_its_limit(void **state)
{
    (void)state;
    struct eta floor;
    struct plan_load small = {.files = 500000, .bytes = 500000ll << 10, .requests = 1000002};
    plan_floor(&small, 950, 125000000, &floor);
    assert_int_equal(floor.limit, ETA_BY_REQUESTS);
    assert_int_equal(floor.ms, 1052 * 60000);
    struct plan_load large = {.files = 1000, .bytes = 100ll << 40, .requests = 2002};
    plan_floor(&large, 950, 125000000, &floor);
    assert_int_equal(floor.limit, ETA_BY_BYTES);
    struct plan_load giant = {
        .files = 1, .bytes = 1ll << 40, .largest_bytes = 1ll << 40, .requests = 4};
    plan_floor(&giant, 950, 1250000000, &floor);
    assert_int_equal(floor.limit, ETA_BY_LARGEST);
}

static void the_crossover_is_where_both_take_equally_long(void **state)
{
    (void)state;
    /* 1 Gbit/s at 950 requests a minute: about 15.8 MB. */
    assert_int_equal(eta_crossover_bytes(950, 125000000, &(struct eta_each){2, 1}), 15789473);
    /* A third request of every second file, its link, and it is 19.7 MB. */
    assert_int_equal(eta_crossover_bytes(950, 125000000, &(struct eta_each){5, 2}), 19736842);
    assert_int_equal(eta_crossover_bytes(950, 125000000, &(struct eta_each){0, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_window_is_a_burst),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(what_was_used_has_to_age_first),
        cmocka_unit_test(no_count_overflows),
        cmocka_unit_test(the_slowest_of_three_sets_the_end),
        cmocka_unit_test(a_hold_delays_what_needs_requests),
        cmocka_unit_test(without_a_measured_pace_nothing_is_promised),
        cmocka_unit_test(a_snapshot_counts_what_is_left),
        cmocka_unit_test(a_giant_gets_the_others_share_once_they_are_through),
        cmocka_unit_test(the_last_giant_keeps_the_pace_it_has),
        cmocka_unit_test(a_plan_needs_two_requests_a_file),
        cmocka_unit_test(a_plan_counts_links_and_the_folders_that_are_to_be_made),
        cmocka_unit_test(a_plan_names_its_limit),
        cmocka_unit_test(the_crossover_is_where_both_take_equally_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
