/* Quantiles in a fixed space: right to 3 % from microseconds to hours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "pipeline/spread.h"

static struct spread *empty(void)
{
    struct spread *spread = calloc(1, sizeof *spread);
    assert_non_null(spread);
    return spread;
}

static void quantiles_are_right_to_three_percent(void **state)
{
    (void)state;
    for (int64_t unit = 1; unit < 60000000; unit *= 7) {
        struct spread *spread = empty();
        for (int i = 1; i <= 1000; i++) /* in no order */
            spread_add(spread, unit * (i * 387 % 1001));
        for (int percent = 1; percent <= 100; percent++) {
            int64_t right = unit * percent * 10;
            int64_t found = spread_quantile_us(spread, percent);
            assert_in_range(found, right - right * 32 / 1000 - 1, right + right * 32 / 1000 + 1);
        }
        assert_int_equal(spread->count, 1000);
        assert_int_equal(spread->most_us, 1000 * unit);
        free(spread);
    }
}

static void small_values_are_exact_and_none_is_zero(void **state)
{
    (void)state;
    struct spread *spread = empty();
    assert_int_equal(spread_quantile_us(spread, 99), 0);
    for (int i = 0; i < 16; i++)
        spread_add(spread, i);
    assert_int_equal(spread_quantile_us(spread, 50), 7);
    assert_int_equal(spread_quantile_us(spread, 100), 15);
    free(spread);
}

static void what_is_off_the_scale_stays_at_its_ends(void **state)
{
    (void)state;
    struct spread *spread = empty();
    spread_add(spread, -5);
    spread_add(spread, INT64_MAX);
    assert_int_equal(spread_quantile_us(spread, 50), 0);
    assert_true(spread_quantile_us(spread, 100) >= 68ll << 30);
    free(spread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_right_to_three_percent),
        cmocka_unit_test(small_values_are_exact_and_none_is_zero),
        cmocka_unit_test(what_is_off_the_scale_stays_at_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
