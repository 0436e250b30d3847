/* subtotals.c, types.c, ranking.c: any number of files, a bounded number of groups, true sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/ranking.h"
#include "report/subtotals.h"
#include "report/types.h"

static struct journal_row row_of(const char *root, const char *path, int64_t size_bytes)
{
    return (struct journal_row){
        .root = root,
        .path = path,
        .state = ASSET_CONFIRMED,
        .stamp = {.size_bytes = size_bytes},
    };
}

static void add(struct subtotals *folders, const char *root, const char *path)
{
    struct journal_row row = row_of(root, path, 10);
    assert_int_equal(subtotals_add(folders, &row), 0);
}

/* "files bytes path" of each folder in order, one a line. */
static const char *listed(struct subtotals *folders, int max_depth)
{
    static char text[4096];
    size_t len = 0;
    struct buf path;
    buf_init(&path, 65536);
    text[0] = '\0';
    subtotals_finish(folders);
    for (int i = -1; (i = subtotals_next(folders, i, max_depth)) >= 0;) {
        const struct folder *item = &folders->items[i];
        buf_reset(&path);
        assert_int_equal(subtotals_path(folders, i, &path), 0);
        len += (size_t)snprintf(text + len, sizeof text - len, "%d/%d %s%s\n",
                                (int)outcome_files(&item->own), (int)outcome_files(&item->all),
                                item->parent < 0 ? item->name : "", buf_str(&path));
    }
    buf_release(&path);
    return text;
}

static void a_folder_counts_what_is_below_it(void **state)
{
    (void)state;
    struct subtotals folders;
    assert_int_equal(subtotals_init(&folders), 0);
    add(&folders, "/src", "top.jpg");
    add(&folders, "/src", "a/1.jpg");
    add(&folders, "/src", "a/b/2.jpg");
    add(&folders, "/src", "a/b/3.jpg");
    add(&folders, "/src", "c/4.jpg");
    add(&folders, "/src", "a/d/5.jpg");
    add(&folders, "/one.jpg", "");
    add(&folders, "/src", "a/6.jpg");
    assert_string_equal(listed(&folders, 9), "1/7 /src\n2/5 a/\n2/2 a/b/\n1/1 a/d/\n1/1 c/\n"
                                             "1/1 /one.jpg\n");
    assert_string_equal(listed(&folders, 1), "1/7 /src\n2/5 a/\n1/1 c/\n1/1 /one.jpg\n");
    assert_int_equal(subtotals_depth_of(&folders, 100), 2);
    assert_int_equal(subtotals_depth_of(&folders, 5), 1);
    assert_int_equal(subtotals_depth_of(&folders, 1), 1);
    subtotals_release(&folders);
}

static int64_t sum_of(struct subtotals *folders, int64_t *out_roots)
{
    int64_t own = 0;
    *out_roots = 0;
    subtotals_finish(folders);
    for (int i = 0; i < folders->count; i++) {
        own += outcome_files(&folders->items[i].own);
        if (folders->items[i].parent < 0)
            *out_roots += outcome_files(&folders->items[i].all);
        else
            assert_true(folders->items[i].parent < i);
    }
    return own;
}

static void more_folders_than_may_be_count_in_those_above(void **state)
{
    (void)state;
    struct subtotals folders;
    int64_t roots;
    assert_int_equal(subtotals_init(&folders), 0);
    /* 30 * 30 * 30 folders of three levels, in an order that comes back to the same ones. */
    for (int n = 0; n < 60000; n++) {
        char path[64];
        int at = n * 7919 % 27000;
        snprintf(path, sizeof path, "%d/%d/%d/%d.jpg", at / 900, at / 30 % 30, at % 30, n);
        add(&folders, "/src", path);
    }
    assert_true(folders.count <= SUBTOTALS_MAX);
    assert_int_equal(folders.max_depth, 2);
    assert_int_equal(sum_of(&folders, &roots), 60000);
    assert_int_equal(roots, 60000);
    assert_int_equal(folders.count, 1 + 30 + 900);
    subtotals_release(&folders);
}

static void a_flat_tree_keeps_its_first_folders_and_all_others(void **state)
{
    (void)state;
    struct subtotals folders;
    int64_t roots;
    assert_int_equal(subtotals_init(&folders), 0);
    for (int n = 0; n < SUBTOTALS_MAX + 5000; n++) {
        char path[64];
        snprintf(path, sizeof path, "%d/x/%d.jpg", n, n);
        add(&folders, n % 2 ? "/src" : "/other", path);
    }
    assert_int_equal(sum_of(&folders, &roots), SUBTOTALS_MAX + 5000);
    assert_int_equal(roots, SUBTOTALS_MAX + 5000);
    int others = 0;
    for (int i = 0; i < folders.count; i++)
        others += !folders.items[i].name;
    assert_int_equal(others, 2);
    assert_true(folders.count <= SUBTOTALS_MAX + 2);
    subtotals_release(&folders);
}

static void types_past_the_most_count_as_others(void **state)
{
    (void)state;
    struct types *types = calloc(1, sizeof *types);
    int64_t files = 0;
    assert_non_null(types);
    for (int n = 0; n < 3 * TYPES_MAX; n++) {
        char name[64];
        struct journal_row row = row_of("/src", "a", n);
        snprintf(name, sizeof name, "x/%d", n % (TYPES_MAX + 50));
        row.mime_type = n ? name : NULL;
        types_add(types, &row);
    }
    types_sort(types);
    for (size_t i = 0; i < types->count; i++) {
        files += outcome_files(&types->items[i].outcome);
        assert_true(!i || outcome_bytes(&types->items[i - 1].outcome) >=
                              outcome_bytes(&types->items[i].outcome));
    }
    assert_int_equal(types->count, TYPES_MAX);
    assert_int_equal(files + outcome_files(&types->others), 3 * TYPES_MAX);
    free(types);
}

static void the_most_stay_in_order(void **state)
{
    (void)state;
    static struct ranking ranking;
    for (int n = 0; n < 5000; n++) {
        char path[32];
        int64_t key = n * 7919 % 5000;
        snprintf(path, sizeof path, "%d", (int)key);
        struct journal_row row = row_of("/src", path, key);
        assert_int_equal(ranking_add(&ranking, key / 2, &row), 0);
    }
    assert_int_equal(ranking.count, RANKING_MAX);
    for (int i = 0; i < RANKING_MAX; i++) {
        assert_int_equal(ranking.items[i].key, (4999 - i) / 2);
        assert_int_equal(strtol(ranking.items[i].path, NULL, 10) / 2, ranking.items[i].key);
    }
    ranking_release(&ranking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_counts_what_is_below_it),
        cmocka_unit_test(more_folders_than_may_be_count_in_those_above),
        cmocka_unit_test(a_flat_tree_keeps_its_first_folders_and_all_others),
        cmocka_unit_test(types_past_the_most_count_as_others),
        cmocka_unit_test(the_most_stay_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
