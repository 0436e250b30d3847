/* Filters: rclone's documented examples, folders, junk, limits, files of rules and of paths. */
#include "test_scan_tree.h"

#include <time.h>

#include "scan/filter.h"

/* Rules apart by spaces: "i:p" --include, "e:p" --exclude. A path with a last slash is a folder. */
struct row {
    const char *rules;
    const char *path;
    char expected; /* T taken, F left out by the filter, J as junk */
};

static const struct row rows[] = {
    /* anchoring */
    {"i:file.jpg", "file.jpg", 'T'},
    {"i:file.jpg", "directory/file.jpg", 'T'},
    {"i:file.jpg", "afile.jpg", 'F'},
    {"i:file.jpg", "directory/afile.jpg", 'F'},
    {"i:/file.jpg", "file.jpg", 'T'},
    {"i:/file.jpg", "afile.jpg", 'F'},
    {"i:/file.jpg", "directory/file.jpg", 'F'},
    {"i:dir/file.jpg", "a/dir/file.jpg", 'T'},
    {"i:dir/file.jpg", "adir/file.jpg", 'F'},
    /* stars */
    {"i:*.jpg", "file.jpg", 'T'},
    {"i:*.jpg", "directory/file.jpg", 'T'},
    {"i:*.jpg", "file.jpg/something", 'F'},
    {"i:/*.jpg", "file.jpg", 'T'},
    {"i:/*.jpg", "directory/file.jpg", 'F'},
    {"i:/dir/*", "dir/file", 'T'},
    {"i:/dir/*", "dir/sub/file", 'F'},
    {"i:/dir/**", "dir/sub/file", 'T'},
    {"i:dir/**", "a/dir/sub/file", 'T'},
    {"i:*.jpg", ".jpg", 'T'},
    {"i:a*b*c", "a1b2c", 'T'},
    {"i:a*b*c", "a1c2b", 'F'},
    {"i:/a**z", "a/b/c/z", 'T'},
    {"i:/a**z", "b/a/z", 'F'},
    {"i:/a*z", "a/z", 'F'},
    {"i:**", "any/thing", 'T'},
    {"e:*", "any/thing", 'F'},
    /* one character */
    {"i:h?llo", "hello", 'T'},
    {"i:h?llo", "hullo", 'T'},
    {"i:h?llo", "h/llo", 'F'},
    {"i:h?llo", "hllo", 'F'},
    {"i:h?llo", "h\xc3\xa4llo", 'T'},
    {"i:h??llo", "h\xc3\xa4llo", 'F'},
    {"i:h?llo", "h\xffllo", 'T'},
    {"i:h[ae]llo", "hello", 'T'},
    {"i:h[ae]llo", "hallo", 'T'},
    {"i:h[ae]llo", "hullo", 'F'},
    {"i:[a-c]1", "b1", 'T'},
    {"i:[a-c]1", "d1", 'F'},
    {"i:[^a-c]1", "d1", 'T'},
    {"i:[!a-c]1", "b1", 'F'},
    {"i:/x[^a]y", "x/y", 'F'},
    {"i:[\xc3\xa0-\xc3\xbf]", "\xc3\xa4", 'T'},
    {"i:[\xc3\xa0-\xc3\xbf]", "a", 'F'},
    {"i:[[:digit:]_]x", "7x", 'T'},
    {"i:[[:digit:]_]x", "_x", 'T'},
    {"i:[[:digit:]_]x", "ax", 'F'},
    {"i:[]a]", "]", 'T'},
    {"i:[a-]", "-", 'T'},
    {"i:[\\d\\]]", "]", 'T'},
    {"i:[\\d\\]]", "4", 'T'},
    {"i:\\d\\D", "4x", 'T'},
    {"i:\\d\\D", "44", 'F'},
    /* alternatives */
    {"i:{one,two}_potato", "one_potato", 'T'},
    {"i:{one,two}_potato", "two_potato", 'T'},
    {"i:{one,two}_potato", "three_potato", 'F'},
    {"i:{one,two}_potato", "_potato", 'F'},
    {"i:*.{jpg,png,gif}", "a/b.gif", 'T'},
    {"i:*.{jpg,png,gif}", "a/b.gi", 'F'},
    {"i:*.{jpg,png,gif}", "a/b.jpgpng", 'F'},
    {"i:a{,b}c", "ac", 'T'},
    {"i:a{,b}c", "abc", 'T'},
    {"i:{*.jpg,*.png}", "x.png", 'T'},
    {"i:/{a,b/c}/d", "b/c/d", 'T'},
    {"i:{a}{b,c}", "ac", 'T'},
    {"i:a,b", "a,b", 'T'},
    /* escapes */
    {"i:\\*.jpg", "*.jpg", 'T'},
    {"i:\\*.jpg", "a.jpg", 'F'},
    {"i:\\\\.jpg", "\\.jpg", 'T'},
    {"i:\\[one\\].jpg", "[one].jpg", 'T'},
    {"i:\\{a\\}", "{a}", 'T'},
    {"i:a+(b).c$^|", "a+(b).c$^|", 'T'},
    /* regular expressions */
    {"i:{{.*\\.jpe?g}}", "x/a.jpeg", 'T'},
    {"i:{{.*\\.jpe?g}}", "x/a.jpe", 'F'},
    {"i:/dir/{{[0-9]{3}}}.tif", "dir/123.tif", 'T'},
    {"i:/dir/{{[0-9]{3}}}.tif", "dir/12.tif", 'F'},
    {"i:/dir/{{[0-9]{3}}}.tif", "a/dir/123.tif", 'F'},
    {"i:{{[0-9]+}}.{tif,jpg}", "a/12.jpg", 'T'},
    {"i:{{[0-9]+}}.{tif,jpg}", "a/x12.jpg", 'F'},
    {"i:{{a|b}}[!0-9]?*\\[", "bx1y[", 'T'},
    {"i:{{a|b}}[!0-9]?*\\[", "b11y[", 'F'},
    /* case */
    {"i:*.jpg", "A.JPG", 'F'},
    /* the first match wins */
    {"e:secret*.jpg i:*.jpg i:*.png", "secret17.jpg", 'F'},
    {"e:secret*.jpg i:*.jpg i:*.png", "a/file.png", 'T'},
    {"e:secret*.jpg i:*.jpg i:*.png", "file.txt", 'F'},
    {"i:*.jpg e:*", "a/x.jpg", 'T'},
    {"i:*.jpg e:*", "x.png", 'F'},
    {"e:*.bak", "a.bak", 'F'},
    {"e:*.bak", "a.jpg", 'T'},
    /* folders */
    {"e:dir/", "dir/", 'F'},
    {"e:dir/", "a/dir/", 'F'},
    {"e:dir/", "adir/", 'T'},
    {"e:dir/", "dir/file", 'F'},
    {"e:dir/", "dir", 'T'},
    {"e:/dir/", "a/dir/", 'T'},
    {"e:/dir/**", "dir/", 'F'},
    {"e:dir/*", "dir/", 'T'},
    {"e:*.jpg", "x.jpg/", 'T'},
    {"e:*", "x/", 'F'},
    {"i:/a/b/*.jpg", "a/", 'T'},
    {"i:/a/b/*.jpg", "a/b/", 'T'},
    {"i:/a/b/*.jpg", "a/b/c/", 'F'},
    {"i:/a/b/*.jpg", "b/", 'F'},
    {"i:/*.jpg", "a/", 'F'},
    {"i:*.jpg", "any/", 'T'},
    {"i:a/*.jpg", "any/", 'T'},
    {"i:/a/**/x.jpg", "a/b/c/", 'T'},
    {"i:/a/**/x.jpg", "b/", 'F'},
    {"i:/a**/x.jpg", "ab/c/", 'T'},
    {"i:/{a/b,c}/x", "c/", 'T'},
    {"i:/{{[0-9]+}}/x", "17/", 'T'},
    {"e:/cache/ i:*.jpg", "cache/", 'F'},
    {"i:/a//b.jpg", "a/", 'T'},
    /* junk */
    {"", ".DS_Store", 'J'},
    {"", "a/.DS_Store", 'J'},
    {"", "a/._photo.jpg", 'J'},
    {"", "THUMBS.DB", 'J'},
    {"", "Desktop.ini", 'J'},
    {"", "~$letter.docx", 'J'},
    {"", "x.part", 'J'},
    {"", "x.TMP", 'J'},
    {"", ".git/", 'J'},
    {"", "a/__MACOSX/", 'J'},
    {"", ".gitignore", 'T'},
    {"", ".git", 'T'},
    {"", "side.xmp", 'T'},
    {"", "departure.jpg", 'T'},
    {"e:*.tmp", "x.tmp", 'F'},
    {"i:*.tmp", "x.tmp", 'T'},
    {"i:*.{tmp,part}", "x.part", 'T'},
    {"i:._*", "a/._b.jpg", 'T'},
    {"i:/a/x.tmp", "a/x.tmp", 'T'},
    {"i:.git/**", "a/.git/", 'T'},
    {"i:.git/**", "a/.git/config", 'T'},
    {"i:*.jpg", "._b.jpg", 'J'},
    {"i:*.jpg", ".git/", 'J'},
    {"i:/a/**", "a/.DS_Store", 'J'},
    {"i:*.jpg i:._*", "._b.jpg", 'T'},
};

static struct filter *filter_of(const char *rules)
{
    struct filter *filter = filter_new();
    assert_non_null(filter);
    char text[256];
    snprintf(text, sizeof text, "%s", rules);
    struct err err = ERR_INIT;
    for (char *save = NULL, *rule = strtok_r(text, " ", &save); rule;
         rule = strtok_r(NULL, " ", &save)) {
        int rc = rule[0] == 'i' ? filter_include(filter, rule + 2, &err)
                                : filter_exclude(filter, rule + 2, &err);
        if (rc)
            fail_msg("%s: %s", rule, err.text);
    }
    return filter;
}

static char ask(const struct filter *filter, const char *path)
{
    const char *reason = path[strlen(path) - 1] == '/' ? filter_refuses_folder(filter, path)
                                                       : filter_refuses_file(filter, path);
    if (!reason)
        return 'T';
    return strcmp(reason, "junk") == 0 ? 'J' : 'F';
}

static void the_table_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct filter *filter = filter_of(rows[i].rules);
        char got = ask(filter, rows[i].path);
        if (got != rows[i].expected)
            fail_msg("row %zu: \"%s\" on %s: %c, not %c", i, rows[i].rules, rows[i].path, got,
                     rows[i].expected);
        filter_free(filter);
    }
}

static void without_a_filter_junk_alone_is_left_out(void **state)
{
    (void)state;
    assert_int_equal(ask(NULL, "a.jpg"), 'T');
    assert_int_equal(ask(NULL, "a.tmp"), 'J');
    assert_int_equal(ask(NULL, "a/"), 'T');
    assert_int_equal(ask(NULL, "a/.git/"), 'J');
    struct file_stamp stamp = {0};
    assert_null(filter_refuses_stamp(NULL, &stamp));
}

static void malformed_patterns_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",          "***",       "[abc",    "abc]",    "{a,b",     "a}",  "{a{b}}",
        "a\\",       "dir\\name", "[]",      "[z-a]",   "[[:no:]]", "{{a", "{{(}}",
        "[[:digit:", "{{a}}[",    "{{a}}{b", "{{a}}b}", "\\1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct filter *filter = filter_new();
        struct err err = ERR_INIT;
        if (filter_include(filter, bad[i], &err) != -ERR_USAGE)
            fail_msg("\"%s\" was not refused", bad[i]);
        assert_true(err.text[0] != '\0');
        filter_free(filter);
    }
    char huge[5000];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    struct filter *filter = filter_new();
    struct err err = ERR_INIT;
    assert_int_equal(filter_include(filter, huge, &err), -ERR_USAGE);
    huge[3000] = '\0';
    assert_int_equal(filter_include(filter, huge, &err), -ERR_USAGE);
    huge[2000] = '\0';
    assert_int_equal(filter_include(filter, huge, &err), 0);
    assert_int_equal(ask(filter, huge), 'T');
    filter_free(filter);
}

/* A backtracking matcher would take years for this. */
static void many_stars_take_no_time(void **state)
{
    (void)state;
    struct filter *filter = filter_of("i:**a**a**a**a**a**a**a**a**a**a**a**a**b");
    char path[20001];
    memset(path, 'a', 20000);
    path[20000] = '\0';
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    assert_int_equal(ask(filter, path), 'F');
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - start.tv_sec < 5);
    filter_free(filter);
}

static void a_file_of_rules_is_read_in_order(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    static const char text[] = "\xef\xbb\xbf# comment\r\n; another\n\n+ gone\n!\n- *.bak\r\n"
                               "  + *.jpg  \n- *";
    tree_bytes(&tree, "rules", text, sizeof text - 1);
    struct filter *filter = filter_new();
    struct err err = ERR_INIT;
    assert_int_equal(filter_from(filter, tree_path(&tree, "rules"), &err), 0);
    assert_int_equal(ask(filter, "gone"), 'F');
    assert_int_equal(ask(filter, "x.bak"), 'F');
    assert_int_equal(ask(filter, "a/x.jpg"), 'T');
    assert_int_equal(ask(filter, "a/"), 'T');
    filter_free(filter);

    static const char *const bad[] = {"*.jpg\n", "+*.jpg\n", "+ [a\n"};
    for (size_t i = 0; i < 3; i++) {
        tree_bytes(&tree, "bad", bad[i], strlen(bad[i]));
        filter = filter_new();
        assert_int_equal(filter_from(filter, tree_path(&tree, "bad"), &err), -ERR_USAGE);
        filter_free(filter);
    }
    tree_bytes(&tree, "nul", "+ a\0b\n", 6);
    filter = filter_new();
    assert_int_equal(filter_from(filter, tree_path(&tree, "nul"), &err), -ERR_USAGE);
    assert_int_equal(filter_from(filter, tree_path(&tree, "missing"), &err), -ERR_USAGE);
    assert_int_equal(filter_from(filter, tree.root, &err), -ERR_USAGE);
    filter_free(filter);
    tree_remove(&tree);
}

static void a_list_of_files_is_all_that_is_taken(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    static const char text[] = "# list\n/b/two.jpg\n;x\n./a.tmp\nb/deep/er/x y.jpg\r\nb/two.jpg\n";
    tree_bytes(&tree, "list", text, sizeof text - 1);
    struct filter *filter = filter_of("e:*");
    struct err err = ERR_INIT;
    assert_int_equal(filter_files_from(filter, tree_path(&tree, "list"), &err), 0);
    assert_int_equal(ask(filter, "b/two.jpg"), 'T');
    assert_int_equal(ask(filter, "a.tmp"), 'T');
    assert_int_equal(ask(filter, "b/deep/er/x y.jpg"), 'T');
    assert_int_equal(ask(filter, "b/"), 'T');
    assert_int_equal(ask(filter, "b/deep/"), 'T');
    assert_int_equal(ask(filter, "b/deep/er/"), 'T');
    assert_int_equal(ask(filter, "b/dee/"), 'F');
    assert_int_equal(ask(filter, "c/"), 'F');
    assert_int_equal(ask(filter, "b/two"), 'F');
    assert_int_equal(ask(filter, "two.jpg"), 'F');
    filter_free(filter);

    tree_bytes(&tree, "empty", "", 0);
    filter = filter_new();
    assert_int_equal(filter_files_from(filter, tree_path(&tree, "empty"), &err), 0);
    assert_int_equal(ask(filter, "any"), 'F');
    assert_int_equal(ask(filter, "any/"), 'F');
    filter_free(filter);
    tree_remove(&tree);
}

static void limits_cut_by_size_and_age(void **state)
{
    (void)state;
    struct filter *filter = filter_new();
    struct filter_limits limits = {10, 20, 1000, 5000, 100000};
    filter_set_limits(filter, &limits);
    struct file_stamp stamp = {.size_bytes = 10, .mtime_ns = 99000000000};
    assert_null(filter_refuses_stamp(filter, &stamp));
    stamp.size_bytes = 20;
    stamp.mtime_ns = 95000000000;
    assert_null(filter_refuses_stamp(filter, &stamp));
    stamp.mtime_ns -= 1000000;
    assert_string_equal(filter_refuses_stamp(filter, &stamp), "age");
    stamp.mtime_ns = 99001000000;
    assert_string_equal(filter_refuses_stamp(filter, &stamp), "age");
    stamp.size_bytes = 21;
    assert_string_equal(filter_refuses_stamp(filter, &stamp), "size");
    stamp.size_bytes = 9;
    assert_string_equal(filter_refuses_stamp(filter, &stamp), "size");
    filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_holds),
        cmocka_unit_test(without_a_filter_junk_alone_is_left_out),
        cmocka_unit_test(malformed_patterns_are_refused),
        cmocka_unit_test(many_stars_take_no_time),
        cmocka_unit_test(a_file_of_rules_is_read_in_order),
        cmocka_unit_test(a_list_of_files_is_all_that_is_taken),
        cmocka_unit_test(limits_cut_by_size_and_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
