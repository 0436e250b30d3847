/* The simulator's fault rules: what parses, what is refused, which exchange is hit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/fault.h"
#include "sim/ident.h"

static int set_up(void **state)
{
    (void)state;
    ident_setup(7);
    fault_setup();
    return 0;
}

static int clear(void **state)
{
    (void)state;
    fault_clear();
    return 0;
}

static bool load(const char *json)
{
    struct text why = {0};
    bool ok = fault_load(json, strlen(json), &why);

    assert_int_equal(ok, why.len == 0);
    text_release(&why);
    return ok;
}

/* One letter an exchange: 'x' where it is hit. */
static void hits(enum fault_point point, const char *name, const char *want)
{
    for (size_t i = 0; want[i] != '\0'; i++) {
        struct fault_action *a = fault_pick(point, name);
        assert_int_equal(a != NULL, want[i] == 'x');
        fault_drop(a);
    }
}

static void picks_the_nth_or_every_nth(void **state)
{
    (void)state;
    assert_true(load("[{\"endpoint\":\"put\",\"nth\":2,\"status\":503}]"));
    hits(FAULT_PUT, "a", ".x..");
    fault_clear();
    assert_true(load("{\"endpoint\":\"put\",\"every\":2,\"times\":2,\"status\":503}"));
    hits(FAULT_PUT, "a", ".x.x....");
}

static void picks_by_endpoint_and_name(void **state)
{
    (void)state;
    assert_true(load("[{\"endpoint\":\"confirm\",\"name\":\"b\",\"reset_after\":true}]"));
    hits(FAULT_PUT, "b", ".");
    hits(FAULT_CONFIRM, "a", ".");
    hits(FAULT_CONFIRM, NULL, ".");
    hits(FAULT_CONFIRM, "b", "x");
}

static void any_means_every_endpoint_but_none_of_the_control(void **state)
{
    (void)state;
    assert_true(load("[{\"endpoint\":\"any\",\"delay\":1}]"));
    hits(FAULT_AUTH, NULL, "x");
    hits(FAULT_WRITE, NULL, "x");
    hits(FAULT_POINT_COUNT, NULL, ".");
}

static void an_action_outlives_its_rule(void **state)
{
    (void)state;
    assert_true(load("[{\"endpoint\":\"put\",\"status\":500,\"message\":\"m\"}]"));
    struct fault_action *a = fault_pick(FAULT_PUT, "a");
    fault_clear();
    assert_string_equal(a->message, "m");
    fault_drop(a);
}

/* Who refuses has hung up before: the exchange that says so is reset. */
static void refusing_resets_the_exchange(void **state)
{
    static const struct {
        const char *rule;
        int reset;
    } rows[] = {
        {"{\"endpoint\":\"put\",\"refuse\":50}", RESET_BEFORE},
        {"{\"endpoint\":\"put\",\"reset_after\":true,\"refuse\":50}", RESET_AFTER},
        {"{\"endpoint\":\"put\",\"refuse\":50,\"reset_during\":true}", RESET_DURING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(load(rows[i].rule));
        struct fault_action *a = fault_pick(FAULT_PUT, "a");
        assert_non_null(a);
        assert_int_equal(a->reset, rows[i].reset);
        assert_int_equal(a->refuse_ms, 50);
        fault_drop(a);
        fault_clear();
    }
}

static void refuses_bad_rules_and_keeps_the_old(void **state)
{
    static const char *const bad[] = {
        "",
        "1",
        "[1]",
        "[{\"status\":500}]",
        "[{\"endpoint\":\"nowhere\"}]",
        "[{\"endpoint\":\"put\",\"bogus\":1}]",
        "[{\"endpoint\":\"put\",\"status\":\"500\"}]",
        "[{\"endpoint\":\"put\",\"nth\":0}]",
        "[{\"endpoint\":\"put\",\"probability\":2}]",
        "[{\"endpoint\":\"put\",\"bad_parts\":\"sideways\"}]",
        "[{\"endpoint\":\"put\",\"status\":null}]",
        "[{\"endpoint\":\"put\",\"status\":500},{\"endpoint\":\"put\",\"bogus\":1}]",
    };

    (void)state;
    assert_true(load("[{\"endpoint\":\"auth\",\"status\":500}]"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(load(bad[i]));
    hits(FAULT_PUT, "a", ".");
    hits(FAULT_AUTH, NULL, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(picks_the_nth_or_every_nth, clear),
        cmocka_unit_test_teardown(picks_by_endpoint_and_name, clear),
        cmocka_unit_test_teardown(any_means_every_endpoint_but_none_of_the_control, clear),
        cmocka_unit_test_teardown(an_action_outlives_its_rule, clear),
        cmocka_unit_test_teardown(refusing_resets_the_exchange, clear),
        cmocka_unit_test_teardown(refuses_bad_rules_and_keeps_the_old, clear),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
