/* text.c, csv.c, json.c: hostile names stay one field of one line, and can be undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "report/csv.h"
#include "report/json.h"
#include "report/record.h"
#include "report/text.h"

/* Latin-1, cut sequences, overlong forms, surrogates, controls, quotes. */
static const char *const hostile[] = {
    "plain",
    "",
    "a\xff"
    "b",
    "caf\xe9",
    "\xc3",
    "\xe2\x82",
    "\xc0\xaf",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "quote\"back\\slash",
    "line\nfeed\r\ttab\x1b[31m\x7f",
    "=cmd|' /C calc'!A0",
    "100%",
    "\xf0\x9f\x98\x80 emoji",
    "e\xcc\x81",
};
#define HOSTILE (sizeof hostile / sizeof *hostile)

static const char *csv_of(struct csv *csv, const char *value)
{
    csv_begin(csv);
    csv_str(csv, value);
    assert_int_equal(csv_end(csv, NULL), 0);
    return buf_str(&csv->buf);
}

static void csv_fields_are_quoted_by_need(void **state)
{
    (void)state;
    struct csv csv;
    csv_prepare(&csv);
    assert_string_equal(csv_of(&csv, "a b"), "a b\n");
    assert_string_equal(csv_of(&csv, NULL), "\n");
    assert_string_equal(csv_of(&csv, "a,b"), "\"a,b\"\n");
    assert_string_equal(csv_of(&csv, "say \"x\""), "\"say \"\"x\"\"\"\n");
    assert_string_equal(csv_of(&csv, "a\r\nb"), "\"a  b\"\n");
    assert_string_equal(csv_of(&csv, "a\xff"), "a?\n");
    assert_string_equal(csv_of(&csv, " a"), "\" a\"\n");
    csv_begin(&csv);
    csv_str(&csv, "a");
    csv_str(&csv, NULL);
    csv_int(&csv, -7);
    assert_int_equal(csv_end(&csv, NULL), 0);
    assert_string_equal(buf_str(&csv.buf), "a,,-7\n");
    csv_release(&csv);
}

static void no_cell_is_a_formula(void **state)
{
    (void)state;
    static const char *const formulas[] = {"=1+1",      "+x",         "-x",        "@x",
                                           "＝x",       "\t=x",       " \"=x\"",   "a;=x",
                                           "a; \"@x\"", "a;b;\r\n-x", "\xff;=x;=", "＠"};
    struct csv csv;
    struct buf buf;
    csv_prepare(&csv);
    buf_init(&buf, 1024);
    assert_string_equal(csv_of(&csv, "=1+1"), "\"'=1+1\"\n");
    assert_string_equal(csv_of(&csv, "a;-1"), "a;'-1\n");
    assert_string_equal(csv_of(&csv, "a=b-c+d@e"), "a=b-c+d@e\n");
    for (size_t i = 0; i < sizeof formulas / sizeof *formulas; i++) {
        assert_true(text_has_formula(formulas[i]));
        assert_false(text_has_formula(csv_of(&csv, formulas[i])));
        buf_reset(&buf);
        assert_int_equal(text_escape_cell(formulas[i], &buf), 0);
        assert_false(text_has_formula(buf_str(&buf)));
    }
    buf_release(&buf);
    csv_release(&csv);
}

static void a_url_has_no_byte_that_needs_care(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1024);
    assert_int_equal(text_url("a b/ü%\"$\n\xff~.jpg", 1, &buf), 0);
    assert_string_equal(buf_str(&buf), "a%20b/%C3%BC%25%22%24%0A%FF~.jpg");
    buf_reset(&buf);
    assert_int_equal(text_url("a/b", 0, &buf), 0);
    assert_string_equal(buf_str(&buf), "a%2Fb");
    buf_release(&buf);
}

static void every_csv_row_is_one_line(void **state)
{
    (void)state;
    struct csv csv;
    csv_prepare(&csv);
    for (size_t i = 0; i < HOSTILE; i++) {
        const char *row = csv_of(&csv, hostile[i]);
        assert_ptr_equal(strchr(row, '\n'), row + strlen(row) - 1);
        assert_null(strchr(row, '\r'));
        assert_null(strchr(row, '\x1b'));
    }
    csv_release(&csv);
}

static void unescape(const char *text, char *out)
{
    for (; *text; text++) {
        if (*text == '%') {
            char digits[3] = {text[1], text[2], '\0'};
            *out++ = (char)strtol(digits, NULL, 16);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static void an_escaped_name_can_be_undone(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    for (size_t i = 0; i < HOSTILE; i++) {
        char back[256];
        buf_reset(&buf);
        assert_int_equal(text_escape(hostile[i], &buf), 0);
        assert_true(text_is_plain(buf_str(&buf)));
        unescape(buf_str(&buf), back);
        assert_string_equal(back, hostile[i]);
        buf_reset(&buf);
        assert_int_equal(text_escape_cell(hostile[i], &buf), 0);
        unescape(buf_str(&buf), back);
        assert_string_equal(back, hostile[i]);
    }
    buf_reset(&buf);
    assert_int_equal(text_escape("caf\xe9 100%", &buf), 0);
    assert_string_equal(buf_str(&buf), "caf%E9 100%25");
    buf_release(&buf);
}

static const char *string_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : NULL;
}

static struct json_object *parse(const struct json *json)
{
    assert_ptr_equal(strchr(json->buf.data, '\n'), json->buf.data + json->buf.len - 1);
    struct json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object =
        json_tokener_parse_ex(tokener, json->buf.data, (int)json->buf.len - 1);
    assert_int_equal(json_tokener_get_error(tokener), json_tokener_success);
    json_tokener_free(tokener);
    assert_true(json_object_is_type(object, json_type_object));
    return object;
}

static void hostile_names_give_valid_json(void **state)
{
    (void)state;
    struct json json;
    struct buf scratch;
    json_init(&json);
    buf_init(&scratch, TEXT_MAX_BYTES);
    for (size_t i = 0; i < HOSTILE; i++) {
        struct record record = {
            .root = "/root",
            .path = hostile[i],
            .name = hostile[i],
            .state = ASSET_FAILED,
            .error = ERR_SERVER,
            .error_text = hostile[i],
            .etag = hostile[i],
            .request_id = hostile[i],
            .duration_ms = 12,
        };
        json_begin(&json, "file", 0);
        assert_int_equal(record_json(&record, &json, &scratch), 0);
        assert_int_equal(json_end(&json, NULL), 0);
        struct json_object *object = parse(&json);
        assert_string_equal(string_of(object, "message_type"), "file");
        assert_string_equal(string_of(object, "error_class"), "server");
        const char *raw = string_of(object, "source_raw");
        assert_true((raw == NULL) == text_is_plain(hostile[i]));
        if (!raw)
            assert_string_equal(string_of(object, "destination"), hostile[i]);
        json_object_put(object);
    }
    buf_release(&scratch);
    json_release(&json);
}

static void numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    struct json json;
    json_init(&json);
    json_begin(&json, "status", 0);
    json_milli(&json, "a", 1500);
    json_milli(&json, "b", -5);
    json_int(&json, "c", INT64_MIN);
    json_milli(&json, "d", INT64_MIN);
    json_open(&json, "e");
    json_int(&json, "f", 1);
    json_close(&json);
    json_null(&json, "g");
    json_str(&json, "left_out", NULL);
    json_flag(&json, "h", 5);
    assert_int_equal(json_end(&json, NULL), 0);
    assert_string_equal(buf_str(&json.buf),
                        "{\"message_type\":\"status\",\"time\":\"1970-01-01T00:00:00.000Z\","
                        "\"a\":1.500,\"b\":-0.005,\"c\":-9223372036854775808,"
                        "\"d\":-9223372036854775.808,\"e\":{\"f\":1},\"g\":null,\"h\":true}\n");
    json_object_put(parse(&json));
    json_release(&json);
}

static void a_line_that_does_not_fit_is_refused_whole(void **state)
{
    (void)state;
    struct json json;
    json_init(&json);
    json.buf.max = 100;
    char text[200];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    json_begin(&json, "file", 0);
    json_str(&json, "source", text);
    assert_int_equal(json_end(&json, NULL), -ERR_NOMEM);
    json_begin(&json, "file", 0);
    assert_int_equal(json_end(&json, NULL), 0);
    json_release(&json);
}

static void sizes_and_percents(void **state)
{
    (void)state;
    char out[TEXT_SIZE_MAX];
    assert_string_equal(text_size(0, out), "0");
    assert_string_equal(text_size(1023, out), "1023");
    assert_string_equal(text_size(1288490189, out), "1.1Gi");
    assert_string_equal(text_size(1536, out), "1.5Ki");
    assert_string_equal(text_size(23ll << 20, out), "23.0Mi");
    assert_string_equal(text_size(INT64_MAX, out), "7.9Ei");
    assert_int_equal(text_percent(999999, 1000000), 99);
    assert_int_equal(text_percent(1, 1), 100);
    assert_int_equal(text_percent(0, 0), 100);
    assert_int_equal(text_percent(INT64_MAX - 1, INT64_MAX), 99);
}

static void a_hint_can_be_pasted_into_a_shell(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_int_equal(text_shell("/a/b-1.db", &buf), 0);
    assert_string_equal(buf_str(&buf), "/a/b-1.db");
    buf_reset(&buf);
    assert_int_equal(text_shell("it's $HOME", &buf), 0);
    assert_string_equal(buf_str(&buf), "'it'\\''s $HOME'");
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_fields_are_quoted_by_need),
        cmocka_unit_test(no_cell_is_a_formula),
        cmocka_unit_test(a_url_has_no_byte_that_needs_care),
        cmocka_unit_test(every_csv_row_is_one_line),
        cmocka_unit_test(an_escaped_name_can_be_undone),
        cmocka_unit_test(hostile_names_give_valid_json),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(a_line_that_does_not_fit_is_refused_whole),
        cmocka_unit_test(sizes_and_percents),
        cmocka_unit_test(a_hint_can_be_pasted_into_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
