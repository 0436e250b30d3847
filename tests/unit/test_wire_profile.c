/* test_wire_profile.c - built-in wire profiles and the settings that override them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

static void builtin_profiles_hold_the_published_paths(void **state)
{
    (void)state;
    struct wire_profile profile;
    assert_int_equal(wire_profile_init(&profile, "v3", NULL), 0);
    assert_string_equal(profile.name, "v3");
    assert_string_equal(profile.authorize_path, "/v2/oauth/authorize");
    assert_string_equal(profile.request_path, "/v3/file/request-upload");
    assert_string_equal(profile.confirm_path, "/v3/file/confirm-upload");
    assert_int_equal(profile.date, WIRE_DATE_DAY);
    assert_int_equal(profile.etag_quotes, WIRE_ETAG_KEEP);
    assert_int_equal(wire_profile_init(&profile, "v2.1", NULL), 0);
    assert_string_equal(profile.authorize_path, "/v2.1/oauth/authorize");
    assert_string_equal(profile.request_path, "/v2.1/file/request-upload");
    assert_int_equal(profile.date, WIRE_DATE_SECOND);
    assert_string_equal(profile.search_path, "/v2.1/file/search/{file_name}");
    assert_string_equal(profile.conflict_version, "{\"conflict_action\":\"version\","
                                                  "\"conflict_file_id\":\"{conflict_file_id}\"}");
}

static void unknown_profile_is_a_usage_error(void **state)
{
    (void)state;
    struct wire_profile profile;
    struct err err = ERR_INIT;
    assert_int_equal(wire_profile_init(&profile, "v4", &err), -ERR_USAGE);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(wire_profile_init(&profile, "", &err), -ERR_USAGE);
}

static void every_field_name_can_be_set(void **state)
{
    (void)state;
    static const char *const values[] = {"/a",    "/b",        "/c",      "/d?q={file_name}&x=1",
                                         "/e",    "/f/{id}/g", "/h",      "/i",
                                         "/j",    "/k",        "/l/{id}", "second",
                                         "strip", "{}",        " { } "};
    struct wire_profile profile;
    assert_int_equal(wire_profile_init(&profile, "v3", NULL), 0);
    size_t n = 0;
    for (; wire_profile_field(n); n++) {
        assert_true(n < sizeof values / sizeof *values);
        assert_int_equal(wire_profile_set(&profile, wire_profile_field(n), values[n], NULL), 0);
    }
    assert_int_equal(n, sizeof values / sizeof *values);
    assert_null(wire_profile_field(n + 1000));
    assert_string_equal(profile.authorize_path, "/a");
    assert_string_equal(profile.region_path, "/h");
    assert_string_equal(profile.collection_path, "/j");
    assert_string_equal(profile.category_path, "/k");
    assert_int_equal(profile.date, WIRE_DATE_SECOND);
    assert_int_equal(profile.etag_quotes, WIRE_ETAG_STRIP);
    assert_string_equal(profile.conflict_overwrite, "{}");
}

static void settings_that_do_not_fit_are_refused_and_change_nothing(void **state)
{
    (void)state;
    static char path_too_long[200] = "/";
    static char template_too_long[WIRE_SETTING_MAX + 8];
    memset(path_too_long + 1, 'a', 140);
    memset(template_too_long, 'a', sizeof template_too_long - 1);
    memcpy(template_too_long, "{\"", 2);
    memcpy(template_too_long + sizeof template_too_long - 6, "\":1}", 5);
    const struct {
        const char *field, *value;
    } bad[] = {
        {"request_path", ""},
        {"request_path", "v3/file"},
        {"request_path", "//evil.example/x"},
        {"request_path", "/a b"},
        {"request_path", "/a\r\nX: y"},
        {"request_path", "/a\\b"},
        {"request_path", "/a#b"},
        {"request_path", "/\xc3\xa4"},
        {"request_path", "/a/{id}"},
        {"request_path", path_too_long},
        {"file_path", "/v2.1/file"},
        {"file_path", "/v2.1/file/{file_name}"},
        {"file_path", "/v2.1/{id}/{id}"},
        {"search_path", "/v2.1/file/search/{id}"},
        {"date", "week"},
        {"date", ""},
        {"etag_quotes", "Keep"},
        {"conflict_overwrite", ""},
        {"conflict_overwrite", "[]"},
        {"conflict_overwrite", "null"},
        {"conflict_overwrite", "\"overwrite\""},
        {"conflict_overwrite", "{\"a\":1} x"},
        {"conflict_overwrite", "{\"a\":1,}"},
        {"conflict_overwrite", "{'a':'b'}"},
        {"conflict_overwrite", "{\"a\":NaN}"},
        {"conflict_overwrite", "{\"a\":-Infinity}"},
        {"conflict_overwrite", "{\"id\":{conflict_file_id}}"},
        {"conflict_overwrite", "{\"file_path\":\"/other\"}"},
        {"conflict_version", "{\"metadata\":{}}"},
        {"conflict_version", template_too_long},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire_profile profile, before;
        struct err err = ERR_INIT;
        assert_int_equal(wire_profile_init(&profile, "v3", NULL), 0);
        before = profile;
        int rc = wire_profile_set(&profile, bad[i].field, bad[i].value, &err);
        if (rc != -ERR_CONFIG)
            fail_msg("accepted %s = %s", bad[i].field, bad[i].value);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_memory_equal(&profile, &before, sizeof profile);
    }
}

static void template_is_kept_as_plain_json(void **state)
{
    (void)state;
    struct wire_profile profile;
    assert_int_equal(wire_profile_init(&profile, "v3", NULL), 0);
    assert_int_equal(wire_profile_set(&profile, "conflict_version",
                                      " { 'a' : \"x/\xc3\xa4\n\" ,\"b\":[1, true, null]} \n", NULL),
                     0);
    assert_string_equal(profile.conflict_version, "{\"a\":\"x/\xc3\xa4\\n\",\"b\":[1,true,null]}");
}

static void unknown_field_is_told_from_a_bad_value(void **state)
{
    (void)state;
    struct wire_profile profile;
    assert_int_equal(wire_profile_init(&profile, "v3", NULL), 0);
    assert_int_equal(wire_profile_set(&profile, "name", "x", NULL), -ERR_NOT_FOUND);
    assert_int_equal(wire_profile_set(&profile, "", "/x", NULL), -ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builtin_profiles_hold_the_published_paths),
        cmocka_unit_test(unknown_profile_is_a_usage_error),
        cmocka_unit_test(every_field_name_can_be_set),
        cmocka_unit_test(settings_that_do_not_fit_are_refused_and_change_nothing),
        cmocka_unit_test(template_is_kept_as_plain_json),
        cmocka_unit_test(unknown_field_is_told_from_a_bad_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
