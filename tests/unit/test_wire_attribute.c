/* Attributes and folders: what the tenant has, and values as their types take them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

static void decode(const char *body, struct wire_attributes *out)
{
    struct err err = ERR_INIT;
    if (wire_decode_attributes(body, strlen(body), out, &err))
        fail_msg("%s", err.text);
}

static void labels_types_and_options_are_read(void **state)
{
    (void)state;
    struct wire_attributes all;
    decode("[{\"id\":\"1\",\"label\":\"Color\",\"value_type\":\"Pick List\",\"options\":[\"Red\","
           "{\"value\":\"Blue\"},{\"name\":\"Green\"},7,null]},"
           "{\"id\":2,\"name\":\"Weight\",\"value_type\":\"number\"},"
           "{\"label\":\"no id\"},{\"id\":\"3\"},"
           "{\"id\":\"4\",\"label\":\"x\",\"value_type\":\"pick_list\"},"
           "{\"id\":\"5\",\"label\":\"y\",\"value_type\":\"Rich Text\",\"options\":[\"a\"]}]",
           &all);
    assert_int_equal(all.count, 5);
    assert_string_equal(all.items[0].label, "Color");
    assert_int_equal(all.items[0].type, WIRE_TYPE_PICK);
    assert_int_equal(all.items[0].option_count, 3);
    assert_string_equal(all.items[0].options[1], "Blue");
    assert_string_equal(all.items[0].options[2], "Green");
    assert_string_equal(all.items[1].id, "2");
    assert_string_equal(all.items[1].label, "Weight");
    assert_int_equal(all.items[1].type, WIRE_TYPE_NUMBER);
    assert_string_equal(all.items[2].label, "");
    assert_int_equal(all.items[2].type, WIRE_TYPE_TEXT);
    assert_int_equal(all.items[3].type, WIRE_TYPE_PICK);
    assert_int_equal(all.items[3].option_count, 0);
    assert_int_equal(all.items[4].type, WIRE_TYPE_TEXT);
    assert_int_equal(all.items[4].option_count, 0);
    wire_attributes_release(&all);
    wire_attributes_release(&all);
    decode("{\"data\":[]}", &all);
    assert_int_equal(all.count, 0);
    wire_attributes_release(&all);
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{}", "7", "{\"id\":\"1\"}", "[", "null"};
    struct wire_attributes all;
    struct err err = ERR_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(wire_decode_attributes(bad[i], strlen(bad[i]), &all, &err),
                         -ERR_BAD_REPLY);
        assert_int_equal(all.count, 0);
    }
}

static char *options[] = {"Red", "Light Blue", "\"Odd\""};

/* The value as it is written; NULL: it must be refused with `words`. */
static void expect(enum wire_type type, const char *value, const char *json, const char *words)
{
    struct wire_attribute attribute = {
        .id = "a-1", .label = "L", .type = type, .options = options, .option_count = 3};
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, 4096);
    int rc = wire_add_attribute(&attribute, &value, 1, &out, &err);
    if (!json) {
        assert_int_equal(rc, -ERR_USAGE);
        if (!strstr(err.text, words))
            fail_msg("'%s' is not in '%s'", words, err.text);
    } else {
        char want[256];
        if (rc)
            fail_msg("%s", err.text);
        snprintf(want, sizeof want, "[{\"id\":\"a-1\",\"type\":\"update\",\"value\":%s}]", json);
        assert_string_equal(buf_str(&out), want);
    }
    buf_release(&out);
}

static void values_fit_their_types(void **state)
{
    (void)state;
    expect(WIRE_TYPE_TEXT, "a \"b\"\n", "\"a \\\"b\\\"\\n\"", NULL);
    static const char *const numbers[] = {"0",   "-12",    "1.50",
                                          "3e5", "0.1E-9", "123456789012345678"};
    static const char *const no_numbers[] = {"",   "1,5", "1.",  ".5",  "+1",    "01", "0x10",
                                             "1 ", "NaN", "inf", "--1", "1e999", "1e", "-"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        expect(WIRE_TYPE_NUMBER, numbers[i], numbers[i], NULL);
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++)
        expect(WIRE_TYPE_NUMBER, no_numbers[i], NULL, "is no number");
    expect(WIRE_TYPE_BOOLEAN, "Yes", "true", NULL);
    expect(WIRE_TYPE_BOOLEAN, "0", "false", NULL);
    expect(WIRE_TYPE_BOOLEAN, "maybe", NULL, "write true or false");
    expect(WIRE_TYPE_DATE, "2024-02-29", "\"2024-02-29\"", NULL);
    expect(WIRE_TYPE_DATE, "2026-02-29", NULL, "YYYY-MM-DD");
    expect(WIRE_TYPE_DATE, "31.01.2026", NULL, "YYYY-MM-DD");
    expect(WIRE_TYPE_DATE, "2026-01-31T00:00:00Z", NULL, "YYYY-MM-DD");
    expect(WIRE_TYPE_LIST, "one", "[\"one\"]", NULL);
    expect(WIRE_TYPE_PICK, "Light Blue", "\"Light Blue\"", NULL);
    expect(WIRE_TYPE_PICK, "light blue", NULL, "did you mean 'Light Blue'?");
    expect(WIRE_TYPE_PICK, "Mauve", NULL, "it has: Red, Light Blue");
}

static void lists_take_many_and_others_one(void **state)
{
    (void)state;
    static const char *const values[] = {"a", "b;c"};
    struct wire_attribute attribute = {.id = "1", .label = "", .type = WIRE_TYPE_LIST};
    struct err err = ERR_INIT;
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(wire_add_attribute(&attribute, values, 2, &out, &err), 0);
    assert_int_equal(wire_add_attribute(&attribute, values, 1, &out, &err), 0);
    assert_string_equal(buf_str(&out),
                        "[{\"id\":\"1\",\"type\":\"update\",\"value\":[\"a\",\"b;c\"]},"
                        "{\"id\":\"1\",\"type\":\"update\",\"value\":[\"a\"]}]");
    buf_reset(&out);
    assert_int_equal(wire_add_id("x", &out), 0);
    assert_int_equal(wire_add_id("\"y\"", &out), 0);
    assert_string_equal(buf_str(&out), "[\"x\",\"\\\"y\\\"\"]");
    attribute.type = WIRE_TYPE_TEXT;
    assert_int_equal(wire_add_attribute(&attribute, values, 2, &out, &err), -ERR_USAGE);
    attribute.type = WIRE_TYPE_PICK; /* no options are known: the server will judge */
    buf_reset(&out);
    assert_int_equal(wire_add_attribute(&attribute, values, 1, &out, &err), 0);
    buf_release(&out);
    buf_init(&out, 20);
    assert_int_equal(wire_add_attribute(&attribute, values, 1, &out, &err), -ERR_NOMEM);
    buf_release(&out);
}

static void folders_are_read(void **state)
{
    (void)state;
    struct wire_folders all;
    struct err err = ERR_INIT;
    const char *body =
        "{\"collections\":[{\"id\":\"1\",\"name\":\"A\",\"parent_id\":null},"
        "{\"id\":2,\"name\":\"B\",\"parent_id\":\"1\"},{\"name\":\"C\"},{\"id\":\"3\"}]}";
    assert_int_equal(wire_decode_folders(body, strlen(body), &all, &err), 0);
    assert_int_equal(all.count, 3);
    assert_string_equal(all.items[0].name, "A");
    assert_null(all.items[0].parent_id);
    assert_string_equal(all.items[1].id, "2");
    assert_string_equal(all.items[1].parent_id, "1");
    assert_string_equal(all.items[2].name, "");
    wire_folders_release(&all);
    wire_folders_release(&all);
    assert_int_equal(wire_decode_folders("{}", 2, &all, &err), -ERR_BAD_REPLY);
}

static void pages_are_asked_for(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 256);
    assert_int_equal(wire_page_path("/v2.1/collection", 100, 300, &out), 0);
    assert_string_equal(buf_str(&out), "/v2.1/collection?limit=100&offset=300");
    buf_reset(&out);
    assert_int_equal(wire_page_path("/x?parent_id=7", 2, 0, &out), 0);
    assert_string_equal(buf_str(&out), "/x?parent_id=7&limit=2&offset=0");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_types_and_options_are_read),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(values_fit_their_types),
        cmocka_unit_test(lists_take_many_and_others_one),
        cmocka_unit_test(folders_are_read),
        cmocka_unit_test(pages_are_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
