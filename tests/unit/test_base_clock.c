/* clock.h: formats, and a generator that repeats by its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void wall_time_is_printed_as_rfc_3339(void **state)
{
    (void)state;
    char out[CLOCK_TEXT_MAX];
    assert_string_equal(clock_format(0, out), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_format(1767323045678, out), "2026-01-02T03:04:05.678Z");
    assert_string_equal(clock_format(1709164800007, out), "2024-02-29T00:00:00.007Z");
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last = clock_now_ms();
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock_now_ms();
        assert_true(now >= last);
        last = now;
    }
    /* After 2020-09-13: the wall clock counts from 1970 in milliseconds. */
    assert_true(clock_wall_ms() > INT64_C(1600000000000));
}

static void one_seed_gives_one_sequence(void **state)
{
    (void)state;
    struct rng a;
    struct rng b;
    rng_seed(&a, 42);
    rng_seed(&b, 42);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_below(&a, 1000000) == rng_below(&b, 1000000));
}

static void numbers_stay_below_the_bound_and_fill_it(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 0);
    int seen[10] = {0};
    for (int i = 0; i < 10000; i++) {
        uint64_t n = rng_below(&rng, 10);
        assert_in_range(n, 0, 9);
        seen[n]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_int_equal(rng_below(&rng, 0), 0);
    assert_int_equal(rng_below(&rng, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_time_is_printed_as_rfc_3339),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(one_seed_gives_one_sequence),
        cmocka_unit_test(numbers_stay_below_the_bound_and_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
