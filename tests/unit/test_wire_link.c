/* test_wire_link.c - what a file is linked to: the merge, and replies that must not be merged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

#define COLOR "{\"id\":\"color\",\"type\":\"update\",\"value\":\"red\"}"

static const struct wire_link everything = {
    .file_id = "f1",
    .folder_collection = "c3",
    .collections = "[\"c1\",\"c2\"]",
    .attributes = "[" COLOR "]",
};

static int encode(const struct wire_link *link, const char *current, struct buf *out, int *needed)
{
    struct err err = ERR_INIT;
    buf_init(out, LIMIT_REPLY_BYTES);
    int rc = wire_encode_link(link, current, current ? strlen(current) : 0, out, needed, &err);
    assert_true(!rc == !err.code);
    return rc;
}

static void expect(const struct wire_link *link, const char *current, const char *body, int needed)
{
    struct buf out;
    int is_needed = -1;
    assert_int_equal(encode(link, current, &out, &is_needed), 0);
    assert_string_equal(buf_str(&out), body);
    assert_int_equal(is_needed, needed);
    buf_release(&out);
}

static void a_new_file_gets_what_is_wanted_and_nothing_else(void **state)
{
    (void)state;
    expect(&everything, NULL,
           "{\"collections\":[{\"id\":\"c1\"},{\"id\":\"c2\"},{\"id\":\"c3\"}],"
           "\"attributes\":[" COLOR "]}",
           1);
    struct wire_link folder = {.file_id = "f1", .folder_collection = "c/\"3"};
    expect(&folder, NULL, "{\"collections\":[{\"id\":\"c/\\\"3\"}]}", 1);
    struct wire_link attribute = {.file_id = "f1", .attributes = "[" COLOR "]"};
    expect(&attribute, NULL, "{\"attributes\":[" COLOR "]}", 1);
}

static void what_the_file_has_already_stays(void **state)
{
    (void)state;
    expect(&everything,
           "{\"id\":\"f1\",\"region_ids\":[\"r\"],\"collections\":[{\"id\":\"old\",\"name\":\"x\"},"
           "{\"id\":\"c2\"}],\"attributes\":[{\"id\":\"color\",\"value\":\"blue\"},"
           "{\"id\":\"size\",\"label\":\"Size\",\"value\":[\"S\",\"M\"]},"
           "{\"id\":\"empty\",\"value\":null}]}",
           "{\"collections\":[{\"id\":\"old\"},{\"id\":\"c2\"},{\"id\":\"c1\"},{\"id\":\"c3\"}],"
           "\"attributes\":[" COLOR ",{\"id\":\"size\",\"type\":\"update\","
           "\"value\":[\"S\",\"M\"]}]}",
           1);
    struct wire_link link = {.file_id = "17", .folder_collection = "c"};
    expect(&link, "{\"file\":{\"id\":17,\"collections\":[\"a\",\"b\"]}}",
           "{\"collections\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]}", 1);
    expect(&link, "{\"data\":{\"id\":\"17\",\"collections\":null}}",
           "{\"collections\":[{\"id\":\"c\"}]}", 1);
}

static void nothing_is_needed_where_the_file_has_it_all(void **state)
{
    (void)state;
    static const char has_all[] =
        "{\"id\":\"f1\",\"collections\":[{\"id\":\"c3\"},{\"id\":\"c1\"},{\"id\":\"c2\"}],"
        "\"attributes\":[{\"id\":\"color\",\"value\":\"red\"}]}";
    expect(&everything, has_all,
           "{\"collections\":[{\"id\":\"c3\"},{\"id\":\"c1\"},{\"id\":\"c2\"}],"
           "\"attributes\":[" COLOR "]}",
           0);
    struct wire_link other = everything;
    other.attributes = "[{\"id\":\"color\",\"type\":\"update\",\"value\":\"Red\"}]";
    struct buf out;
    int needed = 0;
    assert_int_equal(encode(&other, has_all, &out, &needed), 0);
    assert_int_equal(needed, 1);
    buf_release(&out);
}

static void what_cannot_be_read_whole_is_never_written_back(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"f2\",\"collections\":[]}",
        "{\"file\":{\"id\":\"f2\"}}",
        "{\"id\":\"f1\",\"collections\":{}}",
        "{\"id\":\"f1\",\"collections\":\"c1\"}",
        "{\"id\":\"f1\",\"collections\":[{\"id\":\"c1\"},{\"name\":\"lost\"}]}",
        "{\"id\":\"f1\",\"collections\":[null]}",
        "{\"id\":\"f1\",\"collections\":[[\"c1\"]]}",
        "{\"id\":\"f1\",\"collections\":[{\"id\":\"\"}]}",
        "{\"id\":\"f1\",\"attributes\":[{\"value\":1}]}",
        "{\"id\":\"f1\",\"attributes\":7}",
        "{\"id\":\"f1\",\"collections\":[{\"id\":\"c1\"}",
        "<html>",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf out;
        int needed = 1;
        assert_int_equal(encode(&everything, bad[i], &out, &needed), -ERR_BAD_REPLY);
        assert_int_equal(needed, 0);
        buf_release(&out);
    }
}

static void lists_beyond_their_limit_are_refused(void **state)
{
    (void)state;
    struct buf current, out;
    buf_init(&current, LIMIT_REPLY_BYTES);
    assert_int_equal(buf_puts(&current, "{\"id\":\"f1\",\"collections\":[\"c\""), 0);
    for (int i = 0; i < LIMIT_FILE_LINKS; i++)
        assert_int_equal(buf_printf(&current, ",\"c%d\"", i), 0);
    assert_int_equal(buf_puts(&current, "]}"), 0);
    int needed = 1;
    assert_int_equal(encode(&everything, buf_str(&current), &out, &needed), -ERR_BAD_REPLY);
    buf_release(&out);
    buf_release(&current);
}

static void a_wish_that_is_no_list_of_ids_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{}", "[7]", "[{\"value\":1}]", "[\"a\"", "[\"\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf out;
        int needed;
        struct wire_link link = {.file_id = "f1", .collections = bad[i]};
        assert_int_equal(encode(&link, NULL, &out, &needed), -ERR_INTERNAL);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_gets_what_is_wanted_and_nothing_else),
        cmocka_unit_test(what_the_file_has_already_stays),
        cmocka_unit_test(nothing_is_needed_where_the_file_has_it_all),
        cmocka_unit_test(what_cannot_be_read_whole_is_never_written_back),
        cmocka_unit_test(lists_beyond_their_limit_are_refused),
        cmocka_unit_test(a_wish_that_is_no_list_of_ids_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
