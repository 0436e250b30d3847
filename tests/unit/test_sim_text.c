/* The simulator's escapes, UTF-8 check and dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/text.h"
#include "sim/when.h"

static void escapes_for_json_and_urls(void **state)
{
    struct text t = {0};

    (void)state;
    text_json(&t, "a\"\\\n\x01\xc3\xa9");
    assert_string_equal(t.data, "\"a\\\"\\\\\\n\\u0001\xc3\xa9\"");
    text_clear(&t);
    text_uri(&t, "a b/%~\xc3\xa9", true);
    assert_string_equal(t.data, "a%20b/%25~%C3%A9");
    text_release(&t);
}

static void unescapes_and_refuses_bad_escapes(void **state)
{
    char good[] = "a%20b%2Fc";
    char cut[] = "a%2";
    char nul[] = "a%00";

    (void)state;
    assert_int_equal(text_unescape(good), 5);
    assert_string_equal(good, "a b/c");
    assert_int_equal(text_unescape(cut), -1);
    assert_int_equal(text_unescape(nul), -1);
}

static void knows_utf8(void **state)
{
    static const char *const bad[] = {"\x80",         "\xc0\xaf",         "\xe0\x80\xaf",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xc3"};

    (void)state;
    assert_true(text_is_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

static void parses_only_whole_dates(void **state)
{
    int64_t ms = 0;
    bool has_time = false;

    (void)state;
    assert_true(when_parse_date("2026-01-21", &ms, &has_time));
    assert_false(has_time);
    assert_int_equal(ms, INT64_C(1768953600000));
    assert_true(when_parse_date("2026-01-21T00:00:01Z", &ms, &has_time));
    assert_true(has_time);
    assert_int_equal(ms, INT64_C(1768953601000));
    assert_false(when_parse_date("2026-1-21", &ms, &has_time));
    assert_false(when_parse_date("2026-13-21", &ms, &has_time));
    assert_false(when_parse_date("2026-01-21 00:00:01", &ms, &has_time));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_for_json_and_urls),
        cmocka_unit_test(unescapes_and_refuses_bad_escapes),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(parses_only_whole_dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
