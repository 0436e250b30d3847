/* buf.h: growth, the maximum, and that a refused append changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_string_equal(buf_str(&buf), "");
    assert_int_equal(buf_append(&buf, NULL, 0), 0);
    assert_string_equal(buf_str(&buf), "");
    buf_release(&buf);
    assert_null(buf.data);
}

static void appends_join_and_stay_terminated(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_printf(&buf, "%03d,", i), 0);
    assert_int_equal(buf_puts(&buf, "end"), 0);
    assert_int_equal(buf.len, 4003);
    assert_int_equal(strlen(buf_str(&buf)), 4003);
    assert_memory_equal(buf_str(&buf) + 3996, "999,end", 8);
    buf_release(&buf);
}

static void the_maximum_is_reached_and_never_passed(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5);
    assert_int_equal(buf_puts(&buf, "12345"), 0);
    assert_int_equal(buf.truncated, 0);
    assert_int_equal(buf_puts(&buf, "6"), -ERR_NOMEM);
    assert_int_equal(buf.truncated, 1);
    assert_int_equal(buf_printf(&buf, "%d", 7), -ERR_NOMEM);
    assert_string_equal(buf_str(&buf), "12345");
    buf_reset(&buf);
    assert_int_equal(buf.truncated, 0);
    assert_string_equal(buf_str(&buf), "");
    assert_int_equal(buf_append(&buf, "a\0b", 3), 0);
    assert_int_equal(buf.len, 3);
    assert_memory_equal(buf.data, "a\0b\0", 4);
    buf_release(&buf);
}

static void a_huge_length_does_not_wrap(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 100);
    assert_int_equal(buf_puts(&buf, "abc"), 0);
    assert_int_equal(buf_append(&buf, "x", SIZE_MAX), -ERR_NOMEM);
    assert_string_equal(buf_str(&buf), "abc");
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(appends_join_and_stay_terminated),
        cmocka_unit_test(the_maximum_is_reached_and_never_passed),
        cmocka_unit_test(a_huge_length_does_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
