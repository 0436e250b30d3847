/* The simulator's sliding window: no 60 s anywhere may hold more than the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/rate.h"

static void counts_only_the_last_sixty_seconds(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r);
    rate_add(&r, 1000000);
    rate_add(&r, 1030000);
    assert_int_equal(rate_count(&r, 1059999), 2);
    assert_int_equal(rate_count(&r, 1060000), 1);
    assert_int_equal(rate_count(&r, 1090000), 0);
    assert_int_equal(r.peak, 2);
    rate_release(&r);
}

static void says_when_the_window_has_room(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r);
    for (int i = 0; i < 10; i++)
        rate_add(&r, 500000 + i * 100);
    assert_int_equal(rate_wait_ms(&r, 501000, 11), 0);
    assert_int_equal(rate_wait_ms(&r, 501000, 10), 59000);
    assert_int_equal(rate_wait_ms(&r, 501000, 9), 59100);
    assert_int_equal(rate_wait_ms(&r, 560000, 10), 0);
    rate_release(&r);
}

static void never_admits_more_than_the_limit_at_an_edge(void **state)
{
    struct rate r;
    int64_t now_ms = 700000;
    unsigned admitted = 0;

    (void)state;
    rate_init(&r);
    for (int i = 0; i < 400000; i++, now_ms++) {
        if (rate_wait_ms(&r, now_ms, 50) > 0)
            continue;
        rate_add(&r, now_ms);
        admitted++;
    }
    assert_int_equal(r.peak, 50);
    assert_int_equal(admitted, 50 * 7);
    rate_release(&r);
}

static void survives_a_long_pause(void **state)
{
    struct rate r;

    (void)state;
    rate_init(&r);
    rate_add(&r, 100000);
    assert_int_equal(rate_count(&r, 100000 + (int64_t)86400000 * 30), 0);
    rate_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_only_the_last_sixty_seconds),
        cmocka_unit_test(says_when_the_window_has_room),
        cmocka_unit_test(never_admits_more_than_the_limit_at_an_edge),
        cmocka_unit_test(survives_a_long_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
