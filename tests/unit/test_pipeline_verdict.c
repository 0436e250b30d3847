/* What a look-up by name says about a confirm whose reply was lost, and about a canary. */
#include "pipeline/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define INTENT  1750000000123
#define PATIENT (INTENT + 1000)
#define LATE    (INTENT + 60000)
#define DAY     (24ll * 3600 * 1000)

static struct verdict_about about(const char *conflict_id, int64_t now_ms)
{
    return (struct verdict_about){.name = "a.jpg",
                                  .size_bytes = 100,
                                  .conflict_id = conflict_id,
                                  .intent_ms = INTENT,
                                  .sure_ms = INTENT,
                                  .confirm_ms = INTENT,
                                  .slack_ms = 5000,
                                  .now_ms = now_ms,
                                  .patience_ms = 30000};
}

static enum verdict resolve(struct verdict_about about, struct wire_file *items, size_t count,
                            const char **out_id)
{
    struct wire_files files = {.items = items, .count = count};
    return verdict_resolve(&about, &files, out_id);
}

static struct wire_file file(const char *id, int64_t size, int64_t created, int64_t updated)
{
    static char name[] = "a.jpg";
    return (struct wire_file){.id = (char *)(uintptr_t)id,
                              .name = name,
                              .size_bytes = size,
                              .created_ms = created,
                              .updated_ms = updated};
}

static void a_file_of_our_name_size_and_time_is_ours(void **state)
{
    (void)state;
    const char *id;
    struct wire_file found = file("x", 100, INTENT + 50, -1);
    assert_int_equal(resolve(about(NULL, PATIENT), &found, 1, &id), VERDICT_APPLIED);
    assert_string_equal(id, "x");
    found.created_ms = -1;
    assert_int_equal(resolve(about(NULL, PATIENT), &found, 1, &id), VERDICT_APPLIED);
    found.created_ms = INTENT - INTENT % DAY; /* a date without a time */
    assert_int_equal(resolve(about(NULL, PATIENT), &found, 1, &id), VERDICT_APPLIED);
}

static void an_old_or_other_file_of_our_name_is_not_ours(void **state)
{
    (void)state;
    const char *id;
    struct wire_file old = file("x", 100, INTENT - 2 * DAY - 1, -1);
    assert_int_equal(resolve(about(NULL, LATE), &old, 1, &id), VERDICT_SUPERSEDED);
    struct wire_file other = file("x", 101, INTENT + 50, -1);
    assert_int_equal(resolve(about(NULL, LATE), &other, 1, &id), VERDICT_SUPERSEDED);
    assert_null(id);
}

static void an_empty_answer_is_believed_only_after_the_index_had_its_time(void **state)
{
    (void)state;
    const char *id;
    assert_int_equal(resolve(about(NULL, PATIENT), NULL, 0, &id), VERDICT_NOT_YET);
    assert_int_equal(resolve(about(NULL, LATE), NULL, 0, &id), VERDICT_ABSENT);
}

static enum verdict resolve_version(int64_t now_ms, struct wire_file *found, const char **out_id)
{
    struct verdict_about version = about("c", now_ms);
    version.is_version = 1;
    return resolve(version, found, 1, out_id);
}

static void a_new_version_shows_by_size_and_time(void **state)
{
    (void)state;
    const char *id;
    struct wire_file found = file("c", 100, INTENT - DAY, INTENT + 10);
    assert_int_equal(resolve_version(PATIENT, &found, &id), VERDICT_APPLIED);
    found.size_bytes = 99;
    assert_int_equal(resolve_version(PATIENT, &found, &id), VERDICT_NOT_YET);
    assert_int_equal(resolve_version(LATE, &found, &id), VERDICT_ABSENT);
}

static void a_version_that_cannot_be_told_is_not_made_twice(void **state)
{
    (void)state;
    const char *id;
    struct wire_file found = file("c", 100, -1, -1);
    assert_int_equal(resolve_version(LATE, &found, &id), VERDICT_UNKNOWN);
}

static void an_earlier_runs_version_is_told_by_the_later_of_two_clocks(void **state)
{
    (void)state;
    const char *id;
    struct verdict_about resumed = about("c", LATE);
    resumed.is_version = resumed.is_resumed = 1;
    resumed.former_bytes = -1;
    resumed.intent_ms = INTENT - DAY; /* by the clock that was set since */
    struct wire_file found = file("c", 100, INTENT - 2 * DAY, INTENT + 10);
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_APPLIED);
    found.updated_ms = INTENT - DAY / 2; /* perhaps the content before, of the same size */
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_UNKNOWN);
    assert_null(id);
    found.updated_ms = INTENT - 2 * DAY - DAY / 2;
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_ABSENT);
}

static void an_earlier_runs_version_of_our_own_file_is_told_by_its_size_alone(void **state)
{
    (void)state;
    const char *id;
    struct verdict_about resumed = about("c", LATE);
    resumed.is_version = resumed.is_resumed = resumed.is_uncounted = 1;
    resumed.former_bytes = 99;
    struct wire_file found = file("c", 100, INTENT - 2 * DAY, INTENT - DAY);
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_APPLIED);
    found.size_bytes = 99;
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_ABSENT);
    resumed.former_bytes = 100; /* somebody may have touched it, as it was, just now */
    found = file("c", 100, INTENT - 2 * DAY, INTENT + 10);
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_SUPERSEDED);
    resumed.is_uncounted = 0;
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_APPLIED);
}

static void an_overwrite_shows_by_size_and_time(void **state)
{
    (void)state;
    const char *id;
    struct wire_file found = file("c", 100, INTENT - DAY, INTENT + 10);
    assert_int_equal(resolve(about("c", PATIENT), &found, 1, &id), VERDICT_APPLIED);
    found.updated_ms = -1;
    assert_int_equal(resolve(about("c", PATIENT), &found, 1, &id), VERDICT_NOT_YET);
    assert_int_equal(resolve(about("c", LATE), &found, 1, &id), VERDICT_ABSENT);
}

static void an_earlier_runs_lost_overwrite_begins_anew(void **state)
{
    (void)state;
    const char *id;
    struct wire_file found = file("c", 100, INTENT - DAY, INTENT + 10);
    struct verdict_about resumed = about("c", PATIENT);
    resumed.is_resumed = 1;
    assert_int_equal(resolve(resumed, &found, 1, &id), VERDICT_SUPERSEDED);
    assert_null(id);
}

static enum verdict canary(int64_t now_ms, struct wire_file *items, size_t count)
{
    struct verdict_about it = about("c", now_ms);
    struct wire_files files = {.items = items, .count = count};
    return verdict_canary(&it, &files);
}

static void a_canary_proves_itself_by_one_file_of_the_new_size(void **state)
{
    (void)state;
    struct wire_file good = file("c", 100, INTENT - DAY, INTENT + 20);
    assert_int_equal(canary(PATIENT, &good, 1), VERDICT_APPLIED);
    struct wire_file old = file("c", 100, INTENT - DAY, INTENT - DAY + 1);
    assert_int_equal(canary(PATIENT, &old, 1), VERDICT_NOT_YET);
    assert_int_equal(canary(LATE, &old, 1), VERDICT_UNKNOWN);
    struct wire_file timeless = file("c", 100, -1, -1);
    assert_int_equal(canary(PATIENT, &timeless, 1), VERDICT_NOT_YET);
    assert_int_equal(canary(LATE, &timeless, 1), VERDICT_APPLIED);
    struct wire_file stale = file("c", 99, INTENT - DAY, -1);
    assert_int_equal(canary(PATIENT, &stale, 1), VERDICT_NOT_YET);
    assert_int_equal(canary(LATE, &stale, 1), VERDICT_UNKNOWN);
}

static void a_canary_that_made_a_second_file_is_broken_at_once(void **state)
{
    (void)state;
    struct wire_file both[] = {file("c", 99, INTENT - DAY, -1), file("new", 100, INTENT + 5, -1)};
    assert_int_equal(canary(PATIENT, both, 2), VERDICT_UNKNOWN);
    both[0].size_bytes = 100;
    assert_int_equal(canary(PATIENT, both, 2), VERDICT_UNKNOWN);
    both[0].updated_ms = INTENT + 20;
    both[1].created_ms = INTENT - 3 * DAY - 1; /* it was there before */
    assert_int_equal(canary(PATIENT, both, 2), VERDICT_APPLIED);
}

static void an_id_is_taken_only_from_the_one_file_that_fits(void **state)
{
    (void)state;
    struct verdict_about it = about(NULL, PATIENT);
    struct wire_file items[] = {file("a", 99, -1, -1), file("b", 100, -1, -1),
                                file("c", 100, -1, -1)};
    struct wire_files files = {.items = items, .count = 2};
    assert_string_equal(verdict_identify(&it, &files), "b");
    files.count = 3;
    assert_null(verdict_identify(&it, &files));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_our_name_size_and_time_is_ours),
        cmocka_unit_test(an_old_or_other_file_of_our_name_is_not_ours),
        cmocka_unit_test(an_empty_answer_is_believed_only_after_the_index_had_its_time),
        cmocka_unit_test(a_new_version_shows_by_size_and_time),
        cmocka_unit_test(an_earlier_runs_version_is_told_by_the_later_of_two_clocks),
        cmocka_unit_test(an_earlier_runs_version_of_our_own_file_is_told_by_its_size_alone),
        cmocka_unit_test(an_overwrite_shows_by_size_and_time),
        cmocka_unit_test(an_earlier_runs_lost_overwrite_begins_anew),
        cmocka_unit_test(a_version_that_cannot_be_told_is_not_made_twice),
        cmocka_unit_test(a_canary_proves_itself_by_one_file_of_the_new_size),
        cmocka_unit_test(a_canary_that_made_a_second_file_is_broken_at_once),
        cmocka_unit_test(an_id_is_taken_only_from_the_one_file_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
