/* The simulator's link: its speed holds over any time, and whoever shares it gets a share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/pace.h"

#define SECOND_US 1000000

static void bytes_wait_for_those_before_them(void **state)
{
    struct pace pace = {.bytes_per_s = 1000000};

    (void)state;
    int64_t now_us = 7 * SECOND_US;
    pace.free_us = now_us;
    assert_int_equal(pace_carry(&pace, 500000, now_us), now_us + SECOND_US / 2);
    assert_int_equal(pace_carry(&pace, 250000, now_us), now_us + SECOND_US * 3 / 4);
    assert_int_equal(pace_carry(&pace, 250000, now_us + SECOND_US / 2), now_us + SECOND_US);
}

static void a_late_sender_keeps_the_speed_and_an_idle_link_saves_nothing_up(void **state)
{
    struct pace pace = {.bytes_per_s = 1000000};
    int64_t now_us = 3 * SECOND_US;
    int64_t begun_us = now_us;

    (void)state;
    for (int i = 0; i < 1000; i++) /* each piece comes a little later than it might */
        now_us = pace_carry(&pace, 10000, now_us) + 700;
    assert_in_range(now_us - begun_us, 9990 * 1000, 10010 * 1000);
    now_us += 60 * SECOND_US;
    assert_in_range(pace_carry(&pace, 1000000, now_us) - now_us, 990 * 1000, SECOND_US);
}

static void without_a_limit_nothing_waits(void **state)
{
    struct pace pace = {0};

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(pace_carry(&pace, 1 << 30, SECOND_US + i), SECOND_US + i);
    assert_true(pace_piece(&pace) > 0);
}

static void a_slow_link_takes_small_pieces(void **state)
{
    struct pace slow = {.bytes_per_s = 1000};
    struct pace usual = {.bytes_per_s = 1000000};
    struct pace fast = {.bytes_per_s = 1000000000};

    (void)state;
    assert_true(pace_piece(&slow) > 0);
    assert_true(pace_piece(&slow) < pace_piece(&usual));
    assert_true(pace_piece(&usual) < pace_piece(&fast));
    assert_true(pace_piece(&fast) <= 256 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_wait_for_those_before_them),
        cmocka_unit_test(a_late_sender_keeps_the_speed_and_an_idle_link_saves_nothing_up),
        cmocka_unit_test(without_a_limit_nothing_waits),
        cmocka_unit_test(a_slow_link_takes_small_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
