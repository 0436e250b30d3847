/* test_wire_replies.c - tokens, confirms, files and regions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

static void token_is_read_in_every_published_shape(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t expires_in_s;
    } cases[] = {
        {"{\"access_token\":\"eyJ.a-b_c\",\"token_type\":\"bearer\"}", 0},
        {"{\"access_token\":\"eyJ.a-b_c\",\"token_type\":\"Bearer\",\"expires_in\":\"31536000\","
         "\"user\":{\"email\":\"a@b\"}}",
         31536000},
        {"{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":3600}", 3600},
        {"{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":\"soon\"}", 0},
        {"{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":-1}", 0},
        {"{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":\"99999999999999999999\"}", 0},
        {"{\"access_token\":\"eyJ.a-b_c\",\"expires_in\":null,\"token_type\":null}", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_token token;
        assert_int_equal(wire_decode_token(cases[i].body, strlen(cases[i].body), &token, NULL), 0);
        assert_string_equal(token.access_token, "eyJ.a-b_c");
        assert_int_equal(token.expires_in_s, cases[i].expires_in_s);
        wire_token_release(&token);
        assert_null(token.access_token);
        wire_token_release(&token);
    }
}

static void token_replies_that_are_none_are_refused_without_a_leak(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "SECRET",
        "\"SECRET\"",
        "[\"SECRET\"]",
        "{}",
        "{\"token\":\"SECRET\"}",
        "{\"access_token\":\"\"}",
        "{\"access_token\":null}",
        "{\"access_token\":17}",
        "{\"access_token\":{\"x\":\"SECRET\"}}",
        "{\"access_token\":\"SECRET\\r\\nX-Evil: 1\"}",
        "{\"access_token\":\"SECRET two\"}",
        "{\"access_token\":\"SECRET\\u0000\"}",
        "{\"access_token\":\"SECRET\\u00e4\"}",
        "{\"access_token\":\"SECRET\\u007f\"}",
        "{\"access_token\":\"SECRET\",\"token_type\":\"mac\"}",
        "{\"access_token\":\"SECRET\"",
        "{\"access_token\":\"SECRET\"} SECRET",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire_token token;
        struct err err = ERR_INIT;
        if (wire_decode_token(bad[i], strlen(bad[i]), &token, &err) != -ERR_BAD_REPLY)
            fail_msg("took %s", bad[i]);
        assert_null(token.access_token);
        assert_null(strstr(err.text, "SECRET"));
    }
    static char body[9000] = "{\"access_token\":\"";
    memset(body + 17, 'S', 8193);
    memcpy(body + 17 + 8193, "\"}", 3);
    struct wire_token token;
    assert_int_equal(wire_decode_token(body, strlen(body), &token, NULL), -ERR_BAD_REPLY);
}

static void confirm_id_is_found_in_the_order_of_the_protocol(void **state)
{
    (void)state;
    static char long_id[] =
        "{\"id\":\"0123456789012345678901234567890123456789012345678901234567890123"
        "0123456789012345678901234567890123456789012345678901234567890123"
        "0123456789012345678901234567890123456789012345678901234567890123"
        "0123456789012345678901234567890123456789012345678901234567890123\"}";
    static const struct {
        const char *body, *id;
    } cases[] = {
        {"", ""},
        {"{}", ""},
        {"null", ""},
        {"true", ""},
        {"12", ""},
        {"[]", ""},
        {"\"ok\"", ""},
        {"{\"id\":\"a\",\"file_id\":\"b\"}", "a"},
        {"{\"id\":null,\"file_id\":\"b\",\"file\":{\"id\":\"c\"}}", "b"},
        {"{\"data\":{\"id\":\"d\"},\"file\":{\"id\":\"c\"}}", "c"},
        {"{\"data\":{\"id\":42}}", "42"},
        {"{\"id\":\"\"}", ""},
        {"{\"id\":\"..\"}", ""},
        {"{\"id\":\"a\\u0001\"}", ""},
        {"{\"id\":[1]}", ""},
        {"{\"file\":[{\"id\":\"x\"}],\"data\":\"x\"}", ""},
        {long_id, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_confirmed reply = {.id = "unset"};
        assert_int_equal(wire_decode_confirm(cases[i].body, strlen(cases[i].body), &reply, NULL),
                         0);
        assert_string_equal(reply.id, cases[i].id);
    }
}

static void confirm_reply_may_say_version_and_public_url(void **state)
{
    (void)state;
    static const struct {
        const char *body, *version, *url;
    } cases[] = {
        {"{\"id\":\"a\",\"version\":3,\"cdn_url\":\"https://c.example/a b/\\u00e9.jpg\"}", "3",
         "https://c.example/a%20b/%C3%A9.jpg"},
        {"{\"data\":{\"id\":\"a\",\"metadata\":{\"cdn_url\":\"https://c.example/x?v=2\"}}}", "",
         "https://c.example/x?v=2"},
        /* Beside another file's id it says nothing about this one. */
        {"{\"file\":{\"id\":\"a\"},\"cdn_url\":\"https://c.example/x\"}", "", ""},
        {"{\"id\":\"a\",\"version\":\"123456789012345678901234567890123\"}", "", ""},
        {"{\"id\":\"a\",\"cdn_url\":\"javascript:alert(1)\"}", "", ""},
        {"{\"id\":\"a\",\"cdn_url\":\"https://c.example/x?X-Amz-Signature=0\"}", "", ""},
        {"{\"id\":\"a\",\"cdn_url\":\"https://u:p@c.example/x\"}", "", ""},
        {"{\"id\":\"a\",\"cdn_url\":7}", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_confirmed reply;
        assert_int_equal(wire_decode_confirm(cases[i].body, strlen(cases[i].body), &reply, NULL),
                         0);
        assert_string_equal(reply.version, cases[i].version);
        assert_string_equal(reply.cdn_url, cases[i].url);
    }
}

static void a_public_url_is_whole_or_none(void **state)
{
    (void)state;
    char text[LIMIT_CDN_URL_BYTES + 8] = "https://c.example/";
    char url[LIMIT_CDN_URL_BYTES];
    size_t head = strlen(text);
    memset(text + head, 'x', LIMIT_CDN_URL_BYTES - 4 - head);
    assert_true(wire_public_url(text, url));
    assert_string_equal(url, text);
    memset(text + head, ' ', LIMIT_CDN_URL_BYTES - 4 - head);
    assert_false(wire_public_url(text, url));
    assert_string_equal(url, "");
}

static void unreadable_confirm_reply_means_maybe_applied(void **state)
{
    (void)state;
    static const char *const bad[] = {" ", "OK", "<html></html>", "{\"id\":\"a\"",
                                      "{\"id\":\"a\"}x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire_confirmed reply = {.id = "unset"};
        struct err err = ERR_INIT;
        assert_int_equal(wire_decode_confirm(bad[i], strlen(bad[i]), &reply, &err), -ERR_BAD_REPLY);
        assert_int_equal(err.effect, EFFECT_MAYBE);
        assert_string_equal(reply.id, "");
    }
}

static struct wire_files files_of(const char *body)
{
    struct wire_files files;
    struct err err = ERR_INIT;
    if (wire_decode_files(body, strlen(body), &files, &err))
        fail_msg("refused %s: %s", body, err.text);
    return files;
}

static void every_list_shape_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        size_t count;
    } cases[] = {
        {"[]", 0},
        {"[{\"id\":\"a\"},{\"id\":2}]", 2},
        {"[{\"id\":\"a\"},{\"name\":\"no id\"},null,7,\"x\",{\"id\":\"\"},{\"id\":{}},[]]", 1},
        {"{\"hits\":[{\"id\":\"a\"}],\"total\":1}", 1},
        {"{\"hits\":[],\"total\":0}", 0},
        {"{\"hits\":null,\"total\":0}", 0},
        {"{\"files\":[{\"id\":\"a\"}]}", 1},
        {"{\"items\":[{\"id\":\"a\"}]}", 1},
        {"{\"data\":[{\"id\":\"a\"}]}", 1},
        {"{\"data\":{\"x\":1},\"hits\":[{\"id\":\"a\"},{\"id\":\"b\"}]}", 2},
        {"{\"collections\":[{\"id\":\"a\"}],\"files\":[]}", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_files files = files_of(cases[i].body);
        assert_int_equal(files.count, cases[i].count);
        wire_files_release(&files);
        wire_files_release(&files);
    }
}

static void a_file_is_read_whole(void **state)
{
    (void)state;
    struct wire_files files = files_of(
        "{\"id\":\"f1\",\"file_name\":\"a.jpg\",\"file_size\":\"2048576\",\"is_converting\":true,"
        "\"collections\":[{\"id\":\"c1\"},{\"id\":\"c2\"}],"
        "\"created_date\":\"2024-01-15T10:23:00Z\",\"update_date\":\"2024-01-15 10:23:01.5\","
        "\"metadata\":{\"file_name\":\"other.jpg\",\"cdn_url\":\"https://cdn.example/a\"}}");
    assert_int_equal(files.count, 1);
    assert_string_equal(files.items[0].id, "f1");
    assert_string_equal(files.items[0].name, "a.jpg");
    assert_int_equal(files.items[0].size_bytes, 2048576);
    assert_int_equal(files.items[0].is_converting, 1);
    assert_true(files.items[0].created_ms == INT64_C(1705314180000));
    assert_true(files.items[0].updated_ms == INT64_C(1705314181500));
    assert_string_equal(files.items[0].cdn_url, "https://cdn.example/a");
    wire_files_release(&files);
}

static void what_a_file_does_not_say_is_marked(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "[{\"id\":1}]",
        "[{\"id\":\"1\",\"file_size\":-3,\"is_converting\":\"?\",\"created\":\"yesterday\","
        "\"updated_at\":-5,\"file_name\":7,\"metadata\":[]}]",
        "[{\"id\":\"1\",\"file_size\":1.5,\"is_converting\":null,\"created_at\":{},"
        "\"metadata\":{\"cdn_url\":null}}]",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct wire_files files = files_of(bodies[i]);
        assert_int_equal(files.count, 1);
        assert_string_equal(files.items[0].id, "1");
        assert_null(files.items[0].name);
        assert_null(files.items[0].cdn_url);
        assert_int_equal(files.items[0].size_bytes, -1);
        assert_int_equal(files.items[0].is_converting, -1);
        assert_int_equal(files.items[0].created_ms, -1);
        assert_int_equal(files.items[0].updated_ms, -1);
        wire_files_release(&files);
    }
}

static void names_and_dates_are_found_where_tenants_put_them(void **state)
{
    (void)state;
    struct wire_files files =
        files_of("[{\"id\":\"1\",\"metadata\":{\"file_name\":\"m.jpg\"},\"created_at\":1705314180},"
                 "{\"id\":\"2\",\"name\":\"n.jpg\",\"created\":1705314180000}]");
    assert_string_equal(files.items[0].name, "m.jpg");
    assert_string_equal(files.items[1].name, "n.jpg");
    assert_true(files.items[0].created_ms == INT64_C(1705314180000));
    assert_true(files.items[1].created_ms == INT64_C(1705314180000));
    wire_files_release(&files);
}

static void unknown_shapes_never_mean_no_files(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "null",
        "{}",
        "0",
        "\"x\"",
        "<html></html>",
        "[{\"id\":\"a\"}",
        "{\"message\":\"no\"}",
        "{\"hits\":null}",
        "{\"hits\":{},\"total\":5}",
        "{\"results\":[{\"id\":\"a\"}]}",
        "[] []",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire_files files;
        struct err err = ERR_INIT;
        if (wire_decode_files(bad[i], strlen(bad[i]), &files, &err) != -ERR_BAD_REPLY)
            fail_msg("took %s", bad[i]);
        assert_null(files.items);
        assert_int_equal(files.count, 0);
        assert_true(err.text[0]);
    }
}

static void regions_are_read(void **state)
{
    (void)state;
    static const char body[] =
        "[{\"id\":\"r1\",\"name\":\"US\",\"is_primary\":true,\"topics\":[1]},"
        "{\"id\":2,\"is_primary\":\"false\"},{\"name\":\"no id\"}]";
    struct wire_regions regions;
    assert_int_equal(wire_decode_regions(body, strlen(body), &regions, NULL), 0);
    assert_int_equal(regions.count, 2);
    assert_string_equal(regions.items[0].id, "r1");
    assert_string_equal(regions.items[0].name, "US");
    assert_true(regions.items[0].is_primary);
    assert_string_equal(regions.items[1].id, "2");
    assert_string_equal(regions.items[1].name, "");
    assert_false(regions.items[1].is_primary);
    wire_regions_release(&regions);
    wire_regions_release(&regions);
}

static void region_replies_that_are_no_list_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{}", "null", "{\"id\":\"r\"}", "[", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct wire_regions regions;
        assert_int_equal(wire_decode_regions(bad[i], strlen(bad[i]), &regions, NULL),
                         -ERR_BAD_REPLY);
        assert_null(regions.items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_is_read_in_every_published_shape),
        cmocka_unit_test(token_replies_that_are_none_are_refused_without_a_leak),
        cmocka_unit_test(confirm_id_is_found_in_the_order_of_the_protocol),
        cmocka_unit_test(unreadable_confirm_reply_means_maybe_applied),
        cmocka_unit_test(confirm_reply_may_say_version_and_public_url),
        cmocka_unit_test(a_public_url_is_whole_or_none),
        cmocka_unit_test(every_list_shape_is_taken),
        cmocka_unit_test(a_file_is_read_whole),
        cmocka_unit_test(what_a_file_does_not_say_is_marked),
        cmocka_unit_test(names_and_dates_are_found_where_tenants_put_them),
        cmocka_unit_test(unknown_shapes_never_mean_no_files),
        cmocka_unit_test(regions_are_read),
        cmocka_unit_test(region_replies_that_are_no_list_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
