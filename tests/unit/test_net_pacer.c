/* The request pacer, the backoff and the retry budget. */
#include "net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

static void no_window_of_any_60_s_holds_more_than_the_rate(void **state)
{
    (void)state;
    enum { RATE = 50, STARTS = 2000 };
    static int64_t starts[STARTS];
    struct rng rng;
    rng_seed(&rng, 42);
    struct pacer *pacer = pacer_new(RATE);
    int64_t now = 1000000;
    for (int count = 0; count < STARTS;) {
        if (pacer_wait_ms(pacer, now) > 0) {
            now += 1 + (int64_t)rng_below(&rng, 700);
            continue;
        }
        pacer_take(pacer, now);
        starts[count++] = now;
        now += (int64_t)rng_below(&rng, 40);
    }
    for (int i = RATE; i < STARTS; i++)
        assert_true(starts[i] - starts[i - RATE] > RATE_WINDOW_MS);
    pacer_free(pacer);
}

static void the_whole_rate_may_start_at_once_and_then_none(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new(10);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pacer_wait_ms(pacer, 5000), 0);
        pacer_take(pacer, 5000);
    }
    assert_true(pacer_wait_ms(pacer, 5000) >= RATE_WINDOW_MS);
    assert_int_equal(pacer_available(pacer, 5000), 0);
    assert_int_equal(pacer_in_window(pacer, 5000), 10);
    int64_t later = 5000 + pacer_wait_ms(pacer, 5000);
    assert_int_equal(pacer_wait_ms(pacer, later), 0);
    assert_int_equal(pacer_available(pacer, later), 10);
    pacer_free(pacer);
}

static void every_start_in_the_window_has_its_age(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new(5);
    int ages[RATE_AGES];
    for (int i = 0; i < 7; i++) /* the first two are pushed out */
        pacer_restore(pacer, 500000, 70000 - i * 10000);
    pacer_ages(pacer, 500000, ages);
    for (int i = 0; i < RATE_AGES; i++)
        assert_int_equal(ages[i], i == 50 || i == 40 || i == 30 || i == 20 || i == 10);
    pacer_ages(pacer, 500000 + 15999, ages);
    assert_int_equal(ages[25], 1);
    assert_int_equal(ages[RATE_AGES - 1], 0); /* 66 s: not in it any more */
    pacer_free(pacer);
}

static void starts_of_an_earlier_run_count(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new(3);
    pacer_restore(pacer, 100000, 30000);
    pacer_restore(pacer, 100000, 10000);
    pacer_restore(pacer, 100000, -5000); /* a clock that was set back: counts as now */
    assert_int_equal(pacer_available(pacer, 100000), 0);
    assert_true(pacer_wait_ms(pacer, 100000) >= RATE_WINDOW_MS - 30000);
    assert_true(pacer_wait_ms(pacer, 100000) < RATE_WINDOW_MS - 29000);
    pacer_free(pacer);
}

static void a_hold_keeps_everybody_back_and_the_longest_wins(void **state)
{
    (void)state;
    struct pacer *pacer = pacer_new(0);
    assert_int_equal(pacer_wait_ms(pacer, 0), 0);
    pacer_hold(pacer, 7000);
    pacer_hold(pacer, 3000);
    assert_int_equal(pacer_wait_ms(pacer, 1000), 6000);
    assert_int_equal(pacer_available(pacer, 1000), 0);
    assert_int_equal(pacer_wait_ms(pacer, 7000), 0);
    pacer_free(pacer);
}

static void backoff_is_full_jitter_below_a_doubling_cap(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 7);
    for (int tries = 0; tries < 40; tries++) {
        int64_t cap = RETRY_BASE_MS;
        for (int i = 0; i < tries && cap < RETRY_CAP_MS; i++)
            cap *= 2;
        cap = cap < RETRY_CAP_MS ? cap : RETRY_CAP_MS;
        int64_t least = cap, most = 0;
        for (int i = 0; i < 500; i++) {
            int64_t wait = backoff_ms(&rng, tries);
            assert_in_range(wait, 0, cap);
            least = wait < least ? wait : least;
            most = wait > most ? wait : most;
        }
        assert_true(least < cap / 10 && most > cap * 9 / 10);
    }
}

static void an_outage_empties_the_retry_budget_and_successes_refill_it(void **state)
{
    (void)state;
    struct retry_budget budget;
    retry_budget_init(&budget);
    int allowed = 0;
    while (retry_budget_take(&budget))
        allowed++;
    assert_int_equal(allowed, 100);
    for (int i = 0; i < 5; i++) {
        assert_false(retry_budget_take(&budget));
        retry_budget_success(&budget);
    }
    assert_true(retry_budget_take(&budget));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_window_of_any_60_s_holds_more_than_the_rate),
        cmocka_unit_test(the_whole_rate_may_start_at_once_and_then_none),
        cmocka_unit_test(every_start_in_the_window_has_its_age),
        cmocka_unit_test(starts_of_an_earlier_run_count),
        cmocka_unit_test(a_hold_keeps_everybody_back_and_the_longest_wins),
        cmocka_unit_test(backoff_is_full_jitter_below_a_doubling_cap),
        cmocka_unit_test(an_outage_empties_the_retry_budget_and_successes_refill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
