/* The remedy table: every cell is a decision, and the ones that lose or double a file are right. */
#include "pipeline/remedy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum remedy after(enum step_id step, enum err_code code, enum err_effect effect)
{
    struct err error = {.code = code, .effect = effect};
    return remedy_for(step, &error);
}

static void every_error_has_a_remedy_at_every_step(void **state)
{
    (void)state;
    for (int step = 0; step < STEP_FINISH; step++)
        for (int code = 1; code < ERR_COUNT; code++)
            assert_int_not_equal(after(step, code, EFFECT_MAYBE), REMEDY_NONE);
}

static void a_confirm_that_may_be_applied_is_never_just_repeated(void **state)
{
    (void)state;
    static const enum err_code unclear[] = {ERR_NETWORK, ERR_TIMEOUT, ERR_SERVER, ERR_THROTTLED,
                                            ERR_BAD_REPLY};
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++) {
        assert_int_equal(after(STEP_CONFIRM, unclear[i], EFFECT_MAYBE), REMEDY_RESOLVE);
        assert_int_equal(after(STEP_CONFIRM, unclear[i], EFFECT_NONE), REMEDY_RETRY);
    }
    for (int code = 1; code < ERR_COUNT; code++) {
        enum remedy remedy = after(STEP_CONFIRM, code, EFFECT_MAYBE);
        assert_true(remedy != REMEDY_RETRY || code == ERR_NOMEM);
    }
}

static void only_steps_that_may_be_repeated_are_retried(void **state)
{
    (void)state;
    for (int step = 0; step < STEP_FINISH; step++)
        assert_true(steps[step].idempotent || steps[step].needs_intent);
}

static void an_expired_url_or_a_lost_session_begins_a_new_one(void **state)
{
    (void)state;
    assert_int_equal(after(STEP_PUT, ERR_URL_EXPIRED, EFFECT_NONE), REMEDY_NEW_SESSION);
    assert_int_equal(after(STEP_PUT, ERR_SESSION_LOST, EFFECT_NONE), REMEDY_NEW_SESSION);
}

static void a_changed_file_is_read_anew(void **state)
{
    (void)state;
    assert_int_equal(after(STEP_PREPARE, ERR_SOURCE_CHANGED, EFFECT_NONE), REMEDY_PREPARE);
    assert_int_equal(after(STEP_PUT, ERR_SOURCE_CHANGED, EFFECT_NONE), REMEDY_PREPARE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_remedy_at_every_step),
        cmocka_unit_test(a_confirm_that_may_be_applied_is_never_just_repeated),
        cmocka_unit_test(only_steps_that_may_be_repeated_are_retried),
        cmocka_unit_test(an_expired_url_or_a_lost_session_begins_a_new_one),
        cmocka_unit_test(a_changed_file_is_read_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
