/* test_journal_fresh.c - many new rows at once: names and paths that meet in one batch. */
#include "test_journal_fixture.h"

#include "journal/nameset.h"

/* ---- the names that wait ----------------------------------------------------------------- */

static void keys_wait_and_come_back_sorted(void **state)
{
    struct nameset set = {.is_whole = 1};
    struct err err = ERR_INIT;
    uint64_t next = 1;
    uint64_t key = 0;
    int64_t count = 0;
    (void)state;
    assert_true(nameset_is_new(&set, 5));
    for (; nameset_fits(&set, (int64_t)next); count++) {
        key = next;
        next = next * 6364136223846793005u + 1442695040888963407u;
        assert_int_equal(nameset_get(&set, (int64_t)key), 0);
        assert_int_equal(nameset_add(&set, (int64_t)key, count + 1, &err), 0);
        assert_int_equal(nameset_get(&set, (int64_t)key), count + 1);
        assert_false(nameset_is_new(&set, (int64_t)key));
    }
    assert_true(count > 90000);
    assert_int_equal(nameset_sort(&set), count);
    for (int64_t i = 1; i < count; i++)
        assert_true(set.items[i - 1].key < set.items[i].key);
    nameset_clear(&set);
    assert_int_equal(nameset_get(&set, (int64_t)key), 0);
    assert_false(nameset_is_new(&set, (int64_t)key)); /* it stands in the table now */
    nameset_release(&set);
}

/* Names that were made to meet: they fill one place, at either end, and then no more is taken. */
static void keys_of_one_place_do_not_pile_up(void **state)
{
    static const int64_t firsts[] = {INT64_MIN, INT64_MAX - 1000};
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct nameset set = {.is_whole = 1};
        struct err err = ERR_INIT;
        int64_t count = 0;
        for (; nameset_fits(&set, firsts[n] + 999 - count); count++)
            assert_int_equal(nameset_add(&set, firsts[n] + 999 - count, count + 1, &err), 0);
        assert_true(count < 1000);
        assert_int_equal(nameset_sort(&set), count);
        for (int64_t i = 0; i < count; i++)
            assert_int_equal(set.items[i].id, count - i);
        nameset_release(&set);
    }
}

/* Piles that grow together are one: whose place is at its beginning finds no room behind it. */
static void piles_that_meet_leave_no_room(void **state)
{
    struct nameset set = {.is_whole = 1};
    struct err err = ERR_INIT;
    const int64_t place = (int64_t)1 << (64 - 17);
    const int64_t pile = 200;
    int64_t id = 0;
    (void)state;
    for (int64_t n = 0; n < 4; n++)
        for (int64_t i = 0; i < pile; i++)
            assert_int_equal(nameset_add(&set, n * (pile + 1) * place + i, ++id, &err), 0);
    for (int64_t n = 1; n < 4; n++)
        assert_int_equal(nameset_add(&set, (n * (pile + 1) - 1) * place, ++id, &err), 0);
    assert_false(nameset_fits(&set, place - 1));
    assert_true(nameset_fits(&set, 4 * pile * place));
    assert_int_equal(nameset_sort(&set), id);
    for (int64_t i = 1; i < id; i++)
        assert_true(set.items[i - 1].key < set.items[i].key);
    nameset_release(&set);
}

/* A journal with names that were not seen here: each has to be looked for. */
static void nothing_is_new_where_not_all_was_seen(void **state)
{
    struct nameset set = {.is_whole = 0};
    struct err err = ERR_INIT;
    (void)state;
    assert_false(nameset_is_new(&set, 5));
    assert_int_equal(nameset_see(&set, 6, &err), 0);
    assert_false(nameset_is_new(&set, 5));
    nameset_release(&set);
}

/* ---- batches ----------------------------------------------------------------------------- */

#define FOLDERS     3
#define A_FOLDER    700
#define ROWS        (FOLDERS * A_FOLDER)
#define A_ROUND     3 /* of so many rows in a folder one has its name in every folder */
#define SHARED_EACH ((A_FOLDER + A_ROUND - 1) / A_ROUND)

struct tree {
    char paths[ROWS][32];
    struct journal_found rows[ROWS];
};

static struct tree *make_tree(struct fixture *f)
{
    struct tree *tree = calloc(1, sizeof *tree);
    assert_non_null(tree);
    for (int i = 0; i < ROWS; i++) {
        int shared = i % A_FOLDER % A_ROUND == 0;
        snprintf(tree->paths[i], sizeof tree->paths[i], "%c/%05d.jpg", 'a' + i / A_FOLDER,
                 shared ? i % A_FOLDER : i);
        tree->rows[i] = found_file(f, tree->paths[i], i * 37 % 5000);
    }
    return tree;
}

struct seen {
    const struct tree *tree;
    int64_t count;
    int64_t failed;
};

/* The rows of the tree, in its order, each with what was found of it. */
static int check_row(const struct journal_row *row, void *user)
{
    struct seen *seen = user;
    const struct journal_found *found = &seen->tree->rows[seen->count];
    int64_t in_folder = seen->count % A_FOLDER;
    int collides = seen->count >= A_FOLDER && in_folder % A_ROUND == 0;
    assert_string_equal(row->path, found->path);
    assert_string_equal(row->name, found->name);
    assert_memory_equal(&row->stamp, &found->stamp, sizeof row->stamp);
    assert_int_equal(row->state, collides ? ASSET_FAILED : ASSET_DISCOVERED);
    assert_int_equal(row->owner_id, collides ? in_folder + 1 : 0);
    seen->failed += collides;
    seen->count++;
    return 0;
}

static void check_tree(struct fixture *f, const struct tree *tree)
{
    struct seen seen = {.tree = tree};
    expect_ok(f, journal_each_row(f->journal, check_row, &seen, &f->err));
    assert_int_equal(seen.count, ROWS);
    assert_int_equal(seen.failed, (FOLDERS - 1) * SHARED_EACH);
    assert_int_equal(read_books(f).files[ASSET_FAILED], seen.failed);
    assert_int_equal(read_books(f).files[ASSET_DISCOVERED], ROWS - seen.failed);
}

static void names_that_meet_in_a_batch_belong_to_the_first(void **state)
{
    struct fixture *f = *state;
    struct tree *tree = make_tree(f);
    walk_begin(f);
    add_rows(f, tree->rows, ROWS);
    check_tree(f, tree);
    walk_finish(f);
    fixture_reopen(f);
    check_tree(f, tree);
    walk_begin(f);
    add_rows(f, tree->rows, ROWS);
    walk_finish(f);
    check_tree(f, tree);
    free(tree);
}

/* A walk that was cut off is done again, and what it had found is known. */
static void a_walk_goes_on_where_another_was_cut_off(void **state)
{
    struct fixture *f = *state;
    struct tree *tree = make_tree(f);
    walk_begin(f);
    add_rows(f, tree->rows, ROWS / 2);
    fixture_reopen(f);
    walk_begin(f);
    add_rows(f, tree->rows, ROWS);
    walk_finish(f);
    check_tree(f, tree);
    free(tree);
}

/* In a first walk and in a later one, beside rows that are known; all in one batch. */
static void a_path_that_comes_twice_in_a_batch_is_one_row(void **state)
{
    struct fixture *f = *state;
    static const char *const first[] = {"a.jpg", "b.jpg", "a.jpg", "c.jpg", "b.jpg", "d.jpg"};
    static const char *const later[] = {"e.jpg", "a.jpg", "e.jpg", "b.jpg", "c.jpg",
                                        "f.jpg", "d.jpg", "f.jpg", "g.jpg"};
    struct journal_found rows[9];
    int64_t ids[16];
    for (size_t i = 0; i < 6; i++)
        rows[i] = found_file(f, first[i], 10);
    walk_begin(f);
    add_rows(f, rows, 6);
    walk_finish(f);
    assert_int_equal(read_books(f).files[ASSET_DISCOVERED], 4);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 16, 0, ids, NULL), 4);
    for (size_t i = 0; i < 9; i++)
        rows[i] = found_file(f, later[i], 10);
    walk_begin(f);
    add_rows(f, rows, 9);
    walk_finish(f);
    assert_int_equal(read_books(f).files[ASSET_DISCOVERED], 7);
    assert_int_equal(read_books(f).bytes[ASSET_DISCOVERED], 70);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 16, 0, ids, NULL), 3);
}

/* The caller goes on while rows are added; what is asked of the journal comes after them. */
static void rows_are_added_beside_the_walk(void **state)
{
    struct fixture *f = *state;
    struct tree *tree = make_tree(f);
    struct journal_adding *adding;
    walk_begin(f);
    expect_ok(f, journal_start_adding(f->journal, tree->rows, ROWS, &adding, &f->err));
    check_tree(f, tree);
    expect_ok(f, journal_end_adding(f->journal, adding, &f->err));
    walk_finish(f);
    check_tree(f, tree);
    free(tree);
}

#define JOURNAL_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_wait_and_come_back_sorted),
        cmocka_unit_test(keys_of_one_place_do_not_pile_up),
        cmocka_unit_test(piles_that_meet_leave_no_room),
        cmocka_unit_test(nothing_is_new_where_not_all_was_seen),
        JOURNAL_TEST(names_that_meet_in_a_batch_belong_to_the_first),
        JOURNAL_TEST(a_walk_goes_on_where_another_was_cut_off),
        JOURNAL_TEST(a_path_that_comes_twice_in_a_batch_is_one_row),
        JOURNAL_TEST(rows_are_added_beside_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
