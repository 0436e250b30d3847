/* units.h: what people write, and what is printed for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"

static void sizes_are_binary_multiples(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {
        {"0", 0},
        {"10", 10},
        {"16K", 16 << 10},
        {"16k", 16 << 10},
        {"1.5M", 3 << 19},
        {"2Gi", INT64_C(2) << 30},
        {"2GiB", INT64_C(2) << 30},
        {"3TB", INT64_C(3) << 40},
        {"7b", 7},
        {"0.5K", 512},
        {"1.9999999999", 1},
        {"8191P", INT64_C(8191) << 50},
        {"9223372036854775807", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes = -1;
        struct err err = ERR_INIT;
        assert_int_equal(units_parse_size(rows[i].text, &bytes, &err), 0);
        assert_true(bytes == rows[i].bytes);
    }
}

static void bad_sizes_are_refused_and_leave_the_value(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " 1",
        "1 K",
        "-1",
        "+1",
        "K",
        ".5",
        "1.",
        "1X",
        "1Kx",
        "1KK",
        "0x10",
        "1e6",
        "8192P",
        "9223372036854775808",
        "99999999999999999999",
        "nan",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t bytes = 77;
        struct err err = ERR_INIT;
        assert_int_equal(units_parse_size(rows[i], &bytes, &err), -ERR_USAGE);
        assert_int_equal(bytes, 77);
        assert_non_null(strstr(err.text, "is no size"));
    }
}

static void durations_add_up_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},          {"90", 90000},     {"1.5", 1500},      {"250ms", 250},
        {"20s", 20000},    {"1m", 60000},     {"1h30m", 5400000}, {"2d", 172800000},
        {"1w", 604800000}, {"1.5h", 5400000}, {"1m0.25s", 60250}, {"1h2m3s4ms", 3723004},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = -1;
        struct err err = ERR_INIT;
        assert_int_equal(units_parse_duration(rows[i].text, &ms, &err), 0);
        assert_true(ms == rows[i].ms);
    }
}

static void bad_durations_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "-1s",
        "s",
        "1x",
        "1h30",
        "1 h",
        "1M",
        "1mm",
        "h1",
        "1h-1m",
        "9223372036854775807",
        "99999999999999w",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t ms = 77;
        struct err err = ERR_INIT;
        assert_int_equal(units_parse_duration(rows[i], &ms, &err), -ERR_USAGE);
        assert_int_equal(ms, 77);
        assert_non_null(strstr(err.text, "is no duration"));
    }
}

static void sizes_are_printed_with_one_digit(void **state)
{
    (void)state;
    static const struct {
        int64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},           {1023, "1023 B"},           {1024, "1.0 KiB"},
        {3 << 19, "1.5 MiB"}, {(1 << 20) - 1, "1.0 MiB"}, {INT64_MAX, "8.0 EiB"},
    };
    char out[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(units_format_size(rows[i].bytes, out), rows[i].text);
}

static void durations_are_printed_from_the_largest_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {-5, "0s"},
        {250, "250ms"},
        {59999, "59s"},
        {60000, "1m00s"},
        {3723000, "1h02m03s"},
        {90061000, "1d01h01m01s"},
    };
    char out[UNITS_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(units_format_duration(rows[i].ms, out), rows[i].text);
    assert_true(strlen(units_format_duration(INT64_MAX, out)) < UNITS_TEXT_MAX);
}

static void printed_durations_can_be_read_back(void **state)
{
    (void)state;
    for (int64_t ms = 1; ms < INT64_C(40) * 86400000; ms = ms * 3 + 1000) {
        char out[UNITS_TEXT_MAX];
        int64_t again = -1;
        struct err err = ERR_INIT;
        assert_int_equal(units_parse_duration(units_format_duration(ms, out), &again, &err), 0);
        assert_true(again == (ms < 1000 ? ms : ms / 1000 * 1000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_binary_multiples),
        cmocka_unit_test(bad_sizes_are_refused_and_leave_the_value),
        cmocka_unit_test(durations_add_up_their_units),
        cmocka_unit_test(bad_durations_are_refused),
        cmocka_unit_test(sizes_are_printed_with_one_digit),
        cmocka_unit_test(durations_are_printed_from_the_largest_unit),
        cmocka_unit_test(printed_durations_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
