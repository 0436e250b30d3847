/* err.h: codes, names, advice, texts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void every_code_has_a_unique_name_and_advice(void **state)
{
    (void)state;
    for (int code = 1; code < ERR_COUNT; code++) {
        const char *name = err_name((enum err_code)code);
        assert_true(*name != '\0');
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        assert_true(*err_advice((enum err_code)code) != '\0');
        /* A second code of this name would be found first or not at all. */
        assert_int_equal(err_by_name(name), code);
    }
    assert_int_equal(err_by_name("no_such_class"), ERR_NONE);
    assert_int_equal(err_by_name(""), ERR_NONE);
}

static void set_fills_the_struct_and_returns_the_negative_code(void **state)
{
    (void)state;
    struct err err = {.code = ERR_IO, .http_status = 500, .request_id = "old"};
    assert_int_equal(err_set(&err, ERR_CONFIG, "key %s", "x"), -ERR_CONFIG);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_string_equal(err.text, "key x");
    assert_int_equal(err.http_status, 0);
    assert_int_equal(err.retry_after_ms, -1);
    assert_string_equal(err.request_id, "");
    assert_int_equal(err_set(NULL, ERR_CONFIG, "nobody asks"), -ERR_CONFIG);
}

static void set_errno_adds_the_systems_text(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(err_set_errno(&err, ERR_IO, ENOSPC, "cannot write %s", "f"), -ERR_IO);
    assert_int_equal(err.os_errno, ENOSPC);
    assert_string_equal(err.text, "cannot write f: No space left on device");
}

static void long_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    char big[2 * ERR_TEXT_MAX];
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    struct err err = ERR_INIT;
    assert_int_equal(err_set_errno(&err, ERR_IO, EIO, "%s", big), -ERR_IO);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void running_again_helps_where_the_cause_can_pass(void **state)
{
    (void)state;
    assert_true(err_is_temporary(ERR_NETWORK));
    assert_true(err_is_temporary(ERR_RATE_LIMITED));
    assert_false(err_is_temporary(ERR_AUTH));
    assert_false(err_is_temporary(ERR_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_unique_name_and_advice),
        cmocka_unit_test(set_fills_the_struct_and_returns_the_negative_code),
        cmocka_unit_test(set_errno_adds_the_systems_text),
        cmocka_unit_test(long_texts_are_cut_not_overrun),
        cmocka_unit_test(running_again_helps_where_the_cause_can_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
