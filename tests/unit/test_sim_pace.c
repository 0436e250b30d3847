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
    assert_true(pace_piece(&pace, SECOND_US) > 0);
}

static void a_slow_link_takes_small_pieces(void **state)
{
    struct pace slow = {.bytes_per_s = 1000};
    struct pace usual = {.bytes_per_s = 1000000};
    struct pace fast = {.bytes_per_s = 1000000000};

    (void)state;
    assert_true(pace_piece(&slow, SECOND_US) > 0);
    assert_true(pace_piece(&slow, SECOND_US) < pace_piece(&usual, SECOND_US));
    assert_true(pace_piece(&usual, SECOND_US) < pace_piece(&fast, SECOND_US));
    assert_true(pace_piece(&fast, SECOND_US) <= 256 * 1024);
}

/* When n bytes have passed, put on the link as they are read. */
static int64_t carry_all(struct pace *pace, int64_t n, int64_t now_us)
{
    while (n > 0) {
        int64_t most = (int64_t)pace_piece(pace, now_us);
        int64_t piece = most < n ? most : n;
        now_us = pace_carry(pace, (size_t)piece, now_us);
        n -= piece;
    }
    return now_us;
}

static void a_window_opens_slowly_and_again_after_a_rest(void **state)
{
    struct pace pace = {.rtt_us = 50000};
    int64_t now_us = 5 * SECOND_US;

    (void)state;
    pace.free_us = now_us;
    int64_t first_us = carry_all(&pace, 1 << 20, now_us) - now_us;
    assert_in_range(first_us, 4 * 50000, 9 * 50000); /* 14.6 KB doubled six times is 0.93 MB */
    now_us += first_us;
    int64_t second_us = carry_all(&pace, 1 << 20, now_us) - now_us;
    assert_true(second_us < first_us / 2);
    now_us += second_us + 2 * SECOND_US;
    int64_t rested_us = carry_all(&pace, 1 << 20, now_us) - now_us;
    assert_in_range(rested_us, first_us * 9 / 10, first_us * 11 / 10);
}

static void a_window_is_bounded(void **state)
{
    struct pace pace = {.rtt_us = 50000};
    struct pace capped = {.rtt_us = 50000, .bytes_per_s = 2000000};
    int64_t begun_us = 5 * SECOND_US;

    (void)state;
    pace.free_us = capped.free_us = begun_us;
    int64_t open_us = carry_all(&pace, 64 << 20, begun_us);
    assert_in_range(carry_all(&pace, 84 << 20, open_us) - open_us, 900000, 1100000);
    open_us = carry_all(&capped, 10000000, begun_us);
    assert_in_range(carry_all(&capped, 2000000, open_us) - open_us, 990000, 1010000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_wait_for_those_before_them),
        cmocka_unit_test(a_late_sender_keeps_the_speed_and_an_idle_link_saves_nothing_up),
        cmocka_unit_test(without_a_limit_nothing_waits),
        cmocka_unit_test(a_slow_link_takes_small_pieces),
        cmocka_unit_test(a_window_opens_slowly_and_again_after_a_rest),
        cmocka_unit_test(a_window_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
