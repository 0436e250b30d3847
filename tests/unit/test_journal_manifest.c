/* test_journal_manifest.c - a manifest's rows: whose they are, which of them fail, which are used.
 */
#include "test_journal_fixture.h"

#define COUNT (JOURNAL_MANIFEST_COUNT | JOURNAL_MANIFEST_READ)

static void add(struct fixture *f, int64_t line, const char *key, int by_name, const char *start)
{
    struct journal_manifest_row row = {
        .line = line, .key = key, .by_name = by_name, .published = -1, .publish_start = start};
    expect_ok(f, journal_manifest_add(f->journal, &row, 1, &f->err));
}

static struct journal_manifest_query ask(struct fixture *f, const char *path, unsigned how)
{
    const char *slash = strrchr(path, '/');
    char abs_path[64];
    snprintf(abs_path, sizeof abs_path, "/data/%s", path);
    struct journal_manifest_query query = {
        .path = path, .abs_path = abs_path, .name = slash ? slash + 1 : path};
    expect_ok(f, journal_manifest_find(f->journal, &query, 1, how, &f->err));
    query.abs_path = NULL;
    return query;
}

static int64_t line_for(struct fixture *f, const char *path)
{
    struct journal_manifest_query query = ask(f, path, COUNT);
    free(query.memory);
    return query.row.line;
}

struct unused {
    int64_t lines[8];
    size_t count;
};

static int on_unused(int64_t line, const char *key, int by_name, const char *error, void *user)
{
    struct unused *unused = user;
    (void)key, (void)by_name, (void)error;
    unused->lines[unused->count++] = line;
    return 0;
}

static void a_row_is_found_by_path_then_whole_path_then_name(void **state)
{
    struct fixture *f = *state;
    add(f, 2, "a/x.jpg", 0, "2031-01-01");
    add(f, 3, "/data/a/x.jpg", 0, NULL);
    add(f, 4, "x.jpg", 1, NULL);
    add(f, 5, "x.jpg", 0, NULL); /* a path of that spelling is no name */
    walk_begin(f);
    assert_int_equal(line_for(f, "a/x.jpg"), 2);
    assert_int_equal(line_for(f, "b/x.jpg"), 4);
    assert_int_equal(line_for(f, "x.jpg"), 5);
    assert_int_equal(line_for(f, "a/y.jpg"), 0);
    struct journal_manifest_query query = ask(f, "c/x.jpg", COUNT);
    assert_int_equal(query.row.line, 4);
    assert_int_equal(query.files, 2); /* b/x.jpg and this one: the name is nobody's alone */
    free(query.memory);
    query = ask(f, "a/x.jpg", JOURNAL_MANIFEST_READ);
    assert_string_equal(query.row.publish_start, "2031-01-01");
    assert_int_equal(query.files, 1);
    free(query.memory);
    walk_finish(f);
    assert_int_equal(read_books(f).manifest_unused, 1);
    struct unused unused = {0};
    expect_ok(f, journal_each_unused(f->journal, on_unused, &unused, &f->err));
    assert_int_equal(unused.count, 1);
    assert_int_equal(unused.lines[0], 3);
}

static void two_rows_for_one_file_both_fail_and_a_third_too(void **state)
{
    struct fixture *f = *state;
    add(f, 2, "a.jpg", 0, NULL);
    add(f, 3, "a.jpg", 0, NULL);
    add(f, 4, "a.jpg", 0, NULL);
    add(f, 5, "b.jpg", 0, NULL);
    walk_begin(f);
    struct journal_manifest_query query = ask(f, "a.jpg", COUNT);
    assert_non_null(query.row.error);
    assert_non_null(strstr(query.row.error, "lines 2 and 4"));
    free(query.memory);
    query = ask(f, "b.jpg", COUNT);
    assert_null(query.row.error);
    free(query.memory);
    walk_finish(f);
    assert_int_equal(read_books(f).manifest_rows, 4);
}

static void another_walk_counts_anew_and_a_cleared_manifest_is_none(void **state)
{
    struct fixture *f = *state;
    add(f, 2, "a.jpg", 0, NULL);
    for (int wave = 0; wave < 2; wave++) {
        walk_begin(f);
        struct journal_manifest_query query = ask(f, "a.jpg", COUNT);
        assert_int_equal(query.files, 1);
        free(query.memory);
        walk_finish(f);
        assert_int_equal(read_books(f).manifest_unused, 0);
    }
    expect_ok(f, journal_manifest_clear(f->journal, &f->err));
    walk_begin(f);
    assert_int_equal(line_for(f, "a.jpg"), 0);
    walk_finish(f);
    assert_int_equal(read_books(f).manifest_rows, 0);
    add(f, 7, "a.jpg", 0, NULL); /* the numbers of the rows begin anew */
    walk_begin(f);
    assert_int_equal(line_for(f, "a.jpg"), 7);
    walk_finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_is_found_by_path_then_whole_path_then_name,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(two_rows_for_one_file_both_fail_and_a_third_too,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(another_walk_counts_anew_and_a_cleared_manifest_is_none,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
