/* Names: NFC, what is refused, the policies, and joined names that are too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "scan/scan.h"

static void expect(enum name_policy policy, const char *path, const char *name, const char *other)
{
    struct name_of out;
    struct err err = ERR_INIT;
    int rc = name_make(policy, "root.jpg", path, &out, &err);
    if (rc)
        fail_msg("%s: %s", path, err.text);
    assert_string_equal(out.name, name);
    assert_string_equal(out.other_name, other);
}

static void refuse(enum name_policy policy, const char *path)
{
    struct name_of out;
    struct err err = ERR_INIT;
    assert_int_equal(name_make(policy, "root.jpg", path, &out, &err), -ERR_NAME_INVALID);
    assert_int_equal(err.code, ERR_NAME_INVALID);
}

static void policies_choose_the_name(void **state)
{
    (void)state;
    expect(NAME_KEEP, "a/b/c.jpg", "c.jpg", "");
    expect(NAME_UNIQUE, "a/b/c.jpg", "c.jpg", "a--b--c.jpg");
    expect(NAME_PATH, "a/b/c.jpg", "a--b--c.jpg", "");
    expect(NAME_KEEP, "", "root.jpg", "");
    expect(NAME_UNIQUE, "", "root.jpg", "root.jpg");
    expect(NAME_PATH, "", "root.jpg", "");
    expect(NAME_UNIQUE, "c.jpg", "c.jpg", "c.jpg");
}

static void names_are_sent_in_nfc(void **state)
{
    (void)state;
    expect(NAME_KEEP, "d/a\xcc\x88.jpg", "\xc3\xa4.jpg", "");
    expect(NAME_PATH, "u\xcc\x88/a\xcc\x88.jpg", "\xc3\xbc--\xc3\xa4.jpg", "");
    expect(NAME_KEEP, "\xc3\xa4.jpg", "\xc3\xa4.jpg", "");
    /* Compatibility characters stay what they are. */
    expect(NAME_KEEP, "\xef\xac\x81.jpg", "\xef\xac\x81.jpg", "");
    expect(NAME_KEEP, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c", "");
}

static void what_is_no_name_is_refused(void **state)
{
    (void)state;
    refuse(NAME_KEEP, "a/\xff.jpg");
    refuse(NAME_KEEP, "a/\xc3");
    refuse(NAME_KEEP, "a/\xc0\xaf.jpg");
    refuse(NAME_KEEP, "a/\xed\xa0\x80.jpg");
    refuse(NAME_PATH, "\xff/a.jpg");
    /* Odd, but a name. */
    expect(NAME_KEEP, "new\nline.jpg", "new\nline.jpg", "");
    expect(NAME_KEEP, "\xc2\x85.jpg", "\xc2\x85.jpg", "");
    expect(NAME_PATH, "a\nb/a.jpg", "a\nb--a.jpg", "");
    /* A bad folder spoils only the name that holds it. */
    expect(NAME_KEEP, "\xff/a.jpg", "a.jpg", "");
    expect(NAME_UNIQUE, "\xff/a.jpg", "a.jpg", "");
    struct name_of out;
    struct err err = ERR_INIT;
    assert_int_equal(name_make(NAME_KEEP, "", "", &out, &err), -ERR_NAME_INVALID);
}

static void the_limit_counts_normalized_bytes(void **state)
{
    (void)state;
    char path[1024] = "";
    for (int i = 0; i < 85; i++)
        strcat(path, "a\xcc\x88"); /* 255 bytes, 170 in NFC */
    struct name_of out;
    struct err err = ERR_INIT;
    assert_int_equal(name_make(NAME_KEEP, "", path, &out, &err), 0);
    assert_int_equal(strlen(out.name), 170);
    for (int i = 0; i < 42; i++)
        strcat(path, "a\xcc\x88"); /* 381 bytes, 254 */
    assert_int_equal(name_make(NAME_KEEP, "", path, &out, &err), 0);
    assert_int_equal(strlen(out.name), 254);
    strcat(path, "a\xcc\x88");
    refuse(NAME_KEEP, path);
    /* U+0958 is longer in NFC: 85 of them have 255 bytes before and 510 after. */
    path[0] = '\0';
    for (int i = 0; i < 85; i++)
        strcat(path, "\xe0\xa5\x98");
    refuse(NAME_KEEP, path);
    memset(path, 'x', 256);
    path[255] = '\0';
    expect(NAME_KEEP, path, path, "");
    path[255] = 'x';
    path[256] = '\0';
    refuse(NAME_KEEP, path);
}

static void a_long_joined_name_loses_its_front(void **state)
{
    (void)state;
    char first[2048] = "";
    for (int i = 0; i < 30; i++)
        strcat(first, "a folder with \xe2\x82\xac/");
    char second[2048];
    strcpy(second, first);
    second[0] = 'b';
    strcat(first, "photo.jpeg");
    strcat(second, "photo.jpeg");
    struct name_of one;
    struct name_of two;
    struct name_of again;
    struct err err = ERR_INIT;
    assert_int_equal(name_make(NAME_UNIQUE, "", first, &one, &err), 0);
    assert_int_equal(name_make(NAME_PATH, "", second, &two, &err), 0);
    assert_int_equal(name_make(NAME_PATH, "", first, &again, &err), 0);
    assert_string_equal(one.name, "photo.jpeg");
    assert_string_equal(one.other_name, again.name);
    assert_string_not_equal(again.name, two.name);
    assert_string_equal(again.name + 16, two.name + 16);
    size_t len = strlen(again.name);
    assert_true(len <= LIMIT_NAME_BYTES && len > LIMIT_NAME_BYTES - 4);
    assert_string_equal(again.name + len - 12, "--photo.jpeg");
    for (const char *at = again.name; *at;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate((const utf8proc_uint8_t *)at, -1, &point);
        assert_true(size > 0);
        at += size;
    }
}

/* Wherever the cut falls, the name is valid and within its limit. */
static void every_cut_is_between_characters(void **state)
{
    (void)state;
    for (int shift = 0; shift < 8; shift++) {
        char path[4096] = "";
        memset(path, 'x', (size_t)shift);
        path[shift] = '\0';
        for (int i = 0; i < 100; i++)
            strcat(path, "\xf0\x9f\x98\x80/");
        strcat(path, "z");
        struct name_of out;
        struct err err = ERR_INIT;
        assert_int_equal(name_make(NAME_PATH, "", path, &out, &err), 0);
        assert_true(strlen(out.name) <= LIMIT_NAME_BYTES);
        assert_true(((unsigned char)out.name[18] & 0xc0) != 0x80);
    }
}

static void paths_of_any_length_join(void **state)
{
    (void)state;
    static char path[3000 * 26 + 8];
    char *end = path;
    for (int i = 0; i < 3000; i++)
        end = stpcpy(end, "a-folder-of-25-characters/");
    stpcpy(end, "a.jpg");
    struct name_of out;
    struct err err = ERR_INIT;
    assert_int_equal(name_make(NAME_PATH, "", path, &out, &err), 0);
    assert_int_equal(strlen(out.name), LIMIT_NAME_BYTES);
}

static void raw_bytes_are_shown_without_harm(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(name_printable("a\xc3\xa4/\xff\x1b[31m\n\xc2\x85\xe2\x80\xae.jpg", &out), 0);
    assert_string_equal(buf_str(&out),
                        "a\xc3\xa4/\\xff\\x1b[31m\\x0a\\xc2\\x85\\xe2\\x80\\xae.jpg");
    buf_release(&out);
    buf_init(&out, 4);
    assert_int_equal(name_printable("12345", &out), -ERR_NOMEM);
    assert_int_equal(name_printable("\xff\xff", &out), -ERR_NOMEM);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_choose_the_name),
        cmocka_unit_test(names_are_sent_in_nfc),
        cmocka_unit_test(what_is_no_name_is_refused),
        cmocka_unit_test(the_limit_counts_normalized_bytes),
        cmocka_unit_test(a_long_joined_name_loses_its_front),
        cmocka_unit_test(every_cut_is_between_characters),
        cmocka_unit_test(paths_of_any_length_join),
        cmocka_unit_test(raw_bytes_are_shown_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
