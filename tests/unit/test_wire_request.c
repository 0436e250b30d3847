/* test_wire_request.c - the bodies that pxload sends, and request paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

static struct wire_profile profile_of(const char *name)
{
    struct wire_profile profile;
    assert_int_equal(wire_profile_init(&profile, name, NULL), 0);
    return profile;
}

static void assert_confirm(const struct wire_profile *profile, const struct wire_confirm *confirm,
                           const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(wire_encode_confirm(profile, confirm, &out, NULL), 0);
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
}

static void assert_confirm_fails(const struct wire_profile *profile,
                                 const struct wire_confirm *confirm, size_t max, enum err_code code)
{
    struct buf out;
    struct err err = ERR_INIT;
    buf_init(&out, max);
    assert_int_equal(wire_encode_confirm(profile, confirm, &out, &err), -(int)code);
    assert_int_equal(err.code, code);
    buf_release(&out);
}

static const struct wire_confirm one_put = {
    .file_path = "/incoming/abc", .file_name = "a.jpg", .size_bytes = 2458392};

static void authorize_asks_for_client_credentials(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(wire_encode_authorize(&out), 0);
    assert_string_equal(buf_str(&out), "{\"grant_type\":\"client_credentials\"}");
    buf_release(&out);
}

static void request_sends_both_spellings_of_the_name(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    struct wire_upload upload = {"B\xc3\xbc \"x\"\\.jpg", "image/jpeg", INT64_C(9000000000)};
    assert_int_equal(wire_encode_request(&upload, &out), 0);
    assert_string_equal(buf_str(&out), "{\"filename\":\"B\xc3\xbc \\\"x\\\"\\\\.jpg\","
                                       "\"file_name\":\"B\xc3\xbc \\\"x\\\"\\\\.jpg\","
                                       "\"mime_type\":\"image/jpeg\",\"size\":9000000000}");
    buf_release(&out);
}

static void body_over_its_maximum_is_refused_not_cut(void **state)
{
    (void)state;
    struct wire_profile profile = profile_of("v3");
    struct wire_upload upload = {"a.jpg", "image/jpeg", 1};
    const size_t whole = strlen("{\"filename\":\"a.jpg\",\"file_name\":\"a.jpg\","
                                "\"mime_type\":\"image/jpeg\",\"size\":1}");
    for (size_t max = 0; max < whole + 2; max++) {
        struct buf out;
        buf_init(&out, max);
        int rc = wire_encode_request(&upload, &out);
        assert_int_equal(rc, max < whole ? -ERR_NOMEM : 0);
        buf_release(&out);
    }
    assert_confirm_fails(&profile, &one_put, 30, ERR_NOMEM);
}

static void confirm_leaves_a_file_unpublished_unless_asked(void **state)
{
    (void)state;
    struct wire_profile profile = profile_of("v3");
    assert_confirm(&profile, &one_put,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":false}}");
}

static void confirm_writes_dates_in_the_form_of_the_profile(void **state)
{
    (void)state;
    static const char *const regions[] = {"r1", "r\"2"};
    struct wire_profile v3 = profile_of("v3");
    struct wire_profile v21 = profile_of("v2.1");
    struct wire_confirm confirm = one_put;
    confirm.published = 1;
    confirm.publish_start = "2026-01-21";
    confirm.publish_end = "2026-12-31T23:30:00-01:00";
    confirm.region_ids = regions;
    confirm.region_count = 2;
    assert_confirm(&v3, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":true,"
                   "\"published_start_date\":\"2026-01-21\",\"published_end_date\":\"2027-01-01\","
                   "\"region_ids\":[\"r1\",\"r\\\"2\"]}}");
    assert_confirm(&v21, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":true,"
                   "\"published_start_date\":\"2026-01-21T00:00:00Z\","
                   "\"published_end_date\":\"2027-01-01T00:30:00Z\","
                   "\"region_ids\":[\"r1\",\"r\\\"2\"]}}");
}

static void dates_that_are_none_are_usage_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "x",
        "2026",
        "2026-1-2",
        "2026-02-29",
        "2026-04-31",
        "2100-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-01-00",
        "1969-12-31",
        "2026-01-01T",
        "2026-01-01T24:00:00Z",
        "2026-01-01T10:60:00Z",
        "2026-01-01T10:00:00.Z",
        "2026-01-01T10:00:00+25:00",
        "2026-01-01T10:00:00+1",
        "2026-01-01T10:00:00Zx",
        "2026-01-01\"",
        "9999-12-31T23:59:59-10:00",
        "1970-01-01T00:00:00+01:00",
    };
    struct wire_profile profile = profile_of("v3");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire_confirm confirm = one_put;
        confirm.publish_start = bad[i];
        assert_confirm_fails(&profile, &confirm, 4096, ERR_USAGE);
        confirm.publish_start = "2024-02-29T10:00:00.123456789+05:30";
        confirm.publish_end = bad[i];
        assert_confirm_fails(&profile, &confirm, 4096, ERR_USAGE);
    }
}

static void confirm_sends_etags_byte_for_byte_unless_told_to_strip(void **state)
{
    (void)state;
    static const struct wire_etag_of parts[] = {{1, "\"8b1a\""}, {3, "W/\"x\""}, {10000, "plain"}};
    struct wire_profile profile = profile_of("v3");
    struct wire_confirm confirm = one_put;
    confirm.upload_id = "XYZ123";
    confirm.parts = parts;
    confirm.part_count = 3;
    assert_confirm(&profile, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"upload_id\":\"XYZ123\",\"multipart\":["
                   "{\"part_number\":1,\"etag\":\"\\\"8b1a\\\"\"},"
                   "{\"part_number\":3,\"etag\":\"W/\\\"x\\\"\"},"
                   "{\"part_number\":10000,\"etag\":\"plain\"}],"
                   "\"metadata\":{\"published\":false}}");
    profile.etag_quotes = WIRE_ETAG_STRIP;
    assert_confirm(&profile, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"upload_id\":\"XYZ123\",\"multipart\":["
                   "{\"part_number\":1,\"etag\":\"8b1a\"},"
                   "{\"part_number\":3,\"etag\":\"W/\\\"x\\\"\"},"
                   "{\"part_number\":10000,\"etag\":\"plain\"}],"
                   "\"metadata\":{\"published\":false}}");
}

static void parts_out_of_order_are_never_confirmed(void **state)
{
    (void)state;
    static const struct wire_etag_of bad[][2] = {
        {{2, "a"}, {1, "b"}},  {{1, "a"}, {1, "b"}},     {{0, "a"}, {1, "b"}},
        {{1, "a"}, {2, NULL}}, {{1, "a"}, {10001, "b"}},
    };
    struct wire_profile profile = profile_of("v3");
    struct wire_confirm confirm = one_put;
    confirm.upload_id = "X";
    assert_confirm_fails(&profile, &confirm, 4096, ERR_INTERNAL);
    confirm.part_count = 2;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        confirm.parts = bad[i];
        assert_confirm_fails(&profile, &confirm, 4096, ERR_INTERNAL);
    }
}

static void conflict_template_is_filled_into_the_body(void **state)
{
    (void)state;
    struct wire_profile profile = profile_of("v3");
    struct wire_confirm confirm = one_put;
    confirm.conflict = WIRE_CONFLICT_OVERWRITE;
    confirm.conflict_file_id = "f-1";
    assert_confirm(&profile, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":false},"
                   "\"conflict_action\":\"overwrite\",\"conflict_file_id\":\"f-1\"}");
    confirm.conflict = WIRE_CONFLICT_VERSION;
    assert_int_equal(wire_profile_set(&profile, "conflict_version",
                                      " {\"a\":[\"{conflict_file_id}\",\"v{conflict_file_id}\"]} ",
                                      NULL),
                     0);
    assert_confirm(&profile, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":false},"
                   "\"a\":[\"f-1\",\"vf-1\"]}");
}

static void conflict_id_cannot_break_out_of_its_template(void **state)
{
    (void)state;
    struct wire_profile profile = profile_of("v3");
    struct wire_confirm confirm = one_put;
    confirm.conflict = WIRE_CONFLICT_OVERWRITE;
    confirm.conflict_file_id = "x\",\"published\":\"\\";
    assert_confirm(&profile, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":false},"
                   "\"conflict_action\":\"overwrite\","
                   "\"conflict_file_id\":\"x\\\",\\\"published\\\":\\\"\\\\\"}");
}

static void conflict_without_an_id_is_unsendable_where_the_template_needs_it(void **state)
{
    (void)state;
    struct wire_profile profile = profile_of("v3");
    struct wire_confirm confirm = one_put;
    confirm.conflict = WIRE_CONFLICT_VERSION;
    assert_confirm_fails(&profile, &confirm, 4096, ERR_CONFLICT_UNSENDABLE);
    assert_int_equal(wire_profile_set(&profile, "conflict_version", "{\"new_version\":true}", NULL),
                     0);
    assert_confirm(&profile, &confirm,
                   "{\"file_path\":\"/incoming/abc\",\"file_name\":\"a.jpg\","
                   "\"file_size\":2458392,\"metadata\":{\"published\":false},"
                   "\"new_version\":true}");
    profile.conflict_version[0] = '\0';
    assert_confirm_fails(&profile, &confirm, 4096, ERR_CONFIG);
}

static void assert_path(const char *path_template, const char *value, const char *expected)
{
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(wire_path(path_template, value, &out), 0);
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
}

static void path_values_are_percent_encoded(void **state)
{
    (void)state;
    assert_path("/v2.1/file/search/{file_name}", "a b/\xc3\xa4?#%+&.jpg",
                "/v2.1/file/search/a%20b%2F%C3%A4%3F%23%25%2B%26.jpg");
    assert_path("/f/{id}/x", "A-z_0.~", "/f/A-z_0.~/x");
    assert_path("/f/{id}", "{id}", "/f/%7Bid%7D");
    assert_path("/v2.1/file", NULL, "/v2.1/file");
    assert_path("/v2.1/file", "x", "/v2.1/file");
    struct buf out;
    buf_init(&out, 8);
    assert_int_equal(wire_path("/f/{id}", "   ", &out), -ERR_NOMEM);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorize_asks_for_client_credentials),
        cmocka_unit_test(request_sends_both_spellings_of_the_name),
        cmocka_unit_test(body_over_its_maximum_is_refused_not_cut),
        cmocka_unit_test(confirm_leaves_a_file_unpublished_unless_asked),
        cmocka_unit_test(confirm_writes_dates_in_the_form_of_the_profile),
        cmocka_unit_test(dates_that_are_none_are_usage_errors),
        cmocka_unit_test(confirm_sends_etags_byte_for_byte_unless_told_to_strip),
        cmocka_unit_test(parts_out_of_order_are_never_confirmed),
        cmocka_unit_test(conflict_template_is_filled_into_the_body),
        cmocka_unit_test(conflict_id_cannot_break_out_of_its_template),
        cmocka_unit_test(conflict_without_an_id_is_unsendable_where_the_template_needs_it),
        cmocka_unit_test(path_values_are_percent_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
