/* test_journal_folders.c - folders of the tree: what is handed out, in which order, and how often.
 */
#include "test_journal_fixture.h"

#include "test_journal_check.h"

#define PATIENCE_MS 1000

static int64_t folder(struct fixture *f, int64_t parent_id, const char *name)
{
    int64_t id = 0;
    struct journal_folder row = {.parent_id = parent_id, .name = name};
    expect_ok(f, journal_folder_id(f->journal, &row, &id, &f->err));
    return id;
}

static void map(struct fixture *f, int has_categories)
{
    struct journal_mapping mapping = {.has_categories = has_categories};
    expect_ok(f, journal_map_folders(f->journal, &mapping, &f->err));
}

static void add_in(struct fixture *f, const char *path, int64_t folder_id)
{
    struct journal_found row = found_file(f, path, 10);
    row.folder_id = folder_id;
    add_rows(f, &row, 1);
}

static void confirm(struct fixture *f, int64_t id)
{
    struct journal_fact fact = {.asset_id = id,
                                .fields = FACT_STATE | FACT_FILE,
                                .state = ASSET_CONFIRMED,
                                .file_id = "x",
                                .done_ms = 7};
    commit_fact(f, &fact);
}

/* One ask; what came back as "kind:parent/name action" in order, joined by blanks. */
static void ask(struct fixture *f, int64_t now_ms, char out[512], struct folder_task **kept)
{
    static const char *const actions[] = {"make", "look", "twins"};
    struct journal_batch *batch = journal_batch_new();
    struct journal_folder_ask wanted = {
        .max = 8, .now_ms = now_ms, .patience_ms = PATIENCE_MS, .tries_max = 3};
    struct folder_task *task;
    journal_batch_folders(batch, &wanted);
    f->err = commit_batch(f, batch);
    expect_ok(f, -(int)f->err.code);
    out[0] = '\0';
    while ((task = journal_batch_take_folder(batch))) {
        size_t used = strlen(out);
        snprintf(out + used, 512 - used, "%s%s:%s/%s %s", used ? ", " : "",
                 task->kind == FOLDER_CATEGORY ? "cat" : "col", task->parent ? task->parent : "",
                 task->name, actions[task->action]);
        if (kept && !*kept)
            *kept = task;
        else
            folder_task_free(task);
    }
    journal_batch_free(batch);
}

static void tell(struct fixture *f, const struct journal_folder_fact *fact)
{
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_folder_fact(batch, fact), 0);
    f->err = commit_batch(f, batch);
    expect_ok(f, -(int)f->err.code);
    journal_batch_free(batch);
}

static void made(struct fixture *f, int64_t id, enum folder_kind kind, const char *remote_id)
{
    struct journal_folder_fact fact = {.folder_id = id, .kind = kind, .remote_id = remote_id};
    tell(f, &fact);
}

/* A listing that began at a time; rows "kind name id" below a parent. */
static void list(struct fixture *f, int64_t began_ms, const char *const (*rows)[3], size_t count)
{
    struct journal_batch *batch = journal_batch_new();
    journal_batch_list(batch, began_ms);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(
            journal_batch_listed(batch, FOLDER_CATEGORY, rows[i][0], rows[i][1], rows[i][2]), 0);
    f->err = commit_batch(f, batch);
    expect_ok(f, -(int)f->err.code);
    journal_batch_free(batch);
}

static size_t linkable(struct fixture *f, int64_t out[8])
{
    return claim_ids(f, CLAIM_LINKS, 8, 0, out, NULL);
}

static void parents_come_before_children_and_only_where_files_wait(void **state)
{
    struct fixture *f = *state;
    int64_t ids[8];
    char text[512];
    map(f, 1);
    walk_begin(f);
    int64_t root = folder(f, 0, "root"), a = folder(f, root, "a"), b = folder(f, root, "b");
    assert_int_equal(folder(f, root, "a"), a);
    add_in(f, "a/1", a);
    add_in(f, "b/2", b);
    add_in(f, "3", root);
    walk_finish(f);
    assert_int_equal(read_books(f).categories, 1);
    assert_int_equal(read_books(f).collections, 3);
    confirm(f, 1);
    ask(f, 10, text, NULL);
    assert_string_equal(text, ""); /* not before a listing */
    list(f, 10, NULL, 0);
    ask(f, 10, text, NULL);
    assert_string_equal(text, "cat:/root make");
    ask(f, 10, text, NULL);
    assert_string_equal(text, ""); /* it is handed out once */
    made(f, root, FOLDER_CATEGORY, "R");
    ask(f, 10, text, NULL);
    assert_string_equal(text, "col:R/a make"); /* nobody waits for b */
    assert_int_equal(linkable(f, ids), 0);
    made(f, a, FOLDER_COLLECTION, "A");
    assert_int_equal(linkable(f, ids), 1);
    confirm(f, 2);
    confirm(f, 3);
    ask(f, 10, text, NULL);
    assert_string_equal(text, "col:R/b make, col:R/root make");
    assert_int_equal(read_books(f).categories, 0);
    assert_int_equal(read_books(f).collections, 2);
    check_journal(f);
}

static void an_intent_without_an_end_is_looked_up_for_as_long_as_it_may_lag(void **state)
{
    struct fixture *f = *state;
    char text[512];
    map(f, 1);
    walk_begin(f);
    int64_t root = folder(f, 0, "root");
    add_in(f, "1", root);
    walk_finish(f);
    confirm(f, 1);
    list(f, 100, NULL, 0);
    ask(f, 100, text, NULL);
    assert_string_equal(text, "col:/root make");
    fixture_reopen(f); /* killed: nobody knows whether it was created */
    map(f, 1);
    list(f, 200, NULL, 0);
    ask(f, 200, text, NULL);
    assert_string_equal(text, "col:/root look");
    struct journal_folder_fact early = {
        .folder_id = root, .kind = FOLDER_COLLECTION, .looked_ms = 100 + PATIENCE_MS - 1};
    tell(f, &early);
    ask(f, 1200, text, NULL);
    assert_string_equal(text, "col:/root look");
    early.looked_ms = 100 + PATIENCE_MS;
    tell(f, &early);
    ask(f, 1300, text, NULL);
    assert_string_equal(text, "col:/root make");
    /* A clock that was set back by hours delays it by no more than the patience. */
    fixture_reopen(f);
    map(f, 1);
    list(f, 50, NULL, 0);
    ask(f, 60, text, NULL);
    assert_string_equal(text, "col:/root look");
    early.looked_ms = 60 + PATIENCE_MS;
    tell(f, &early);
    ask(f, 1100, text, NULL);
    assert_string_equal(text, "col:/root make");
}

static void what_the_listing_shows_is_used_and_twins_are_told(void **state)
{
    static const char *const rows[][3] = {
        {NULL, "root", "R2"}, {NULL, "root", "R1"}, {"R1", "a", "A"}, {NULL, "other", "O"}};
    struct fixture *f = *state;
    char text[512];
    map(f, 1);
    walk_begin(f);
    int64_t a = folder(f, folder(f, 0, "root"), "a");
    add_in(f, "a/b/1", folder(f, a, "b"));
    walk_finish(f);
    confirm(f, 1);
    list(f, 10, rows, 4);
    ask(f, 10, text, NULL);
    assert_string_equal(text, "cat:/root twins, col:A/b make");
    assert_int_equal(read_books(f).categories, 0);
}

static void a_category_that_failed_fails_what_lies_in_it_until_the_next_run(void **state)
{
    struct fixture *f = *state;
    int64_t ids[8];
    char text[512];
    struct err error = ERR_INIT;
    map(f, 1);
    walk_begin(f);
    int64_t root = folder(f, 0, "root"), a = folder(f, root, "a");
    add_in(f, "a/1", a);
    walk_finish(f);
    confirm(f, 1);
    list(f, 10, NULL, 0);
    ask(f, 10, text, NULL);
    err_set(&error, ERR_PERMISSION, "no");
    struct journal_folder_fact failed = {
        .folder_id = root, .kind = FOLDER_CATEGORY, .error = &error};
    tell(f, &failed);
    ask(f, 10, text, NULL);
    assert_string_equal(text, "");
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_claim(batch, CLAIM_LINKS, 1, 0), 0);
    f->err = commit_batch(f, batch);
    struct claim *claim = journal_batch_take_claim(batch, CLAIM_LINKS);
    assert_int_equal(claim->folder_failure, ERR_PERMISSION);
    assert_string_equal(claim->folder_failure_text, "no");
    assert_null(claim->folder_collection);
    claim_free(claim);
    journal_batch_free(batch);
    /* The next run tries again: a link that is given back waits for its folder again. */
    map(f, 1);
    unclaim(f, 1);
    assert_int_equal(linkable(f, ids), 0);
    list(f, 20, NULL, 0);
    ask(f, 20, text, NULL);
    assert_string_equal(text, "cat:/root make");
    check_journal(f);
}

static void another_mapping_has_folders_of_its_own_and_links_again(void **state)
{
    struct fixture *f = *state;
    int64_t other = 0;
    struct journal_folder same = {.name = "root", .other_title = "root"};
    map(f, 1);
    walk_begin(f);
    int64_t root = folder(f, 0, "root");
    add_in(f, "1", root);
    walk_finish(f);
    made(f, root, FOLDER_COLLECTION, "R");
    confirm(f, 1);
    set_state(f, 1, ASSET_LINKED);
    map(f, 0);
    walk_begin(f);
    expect_ok(f, journal_folder_id(f->journal, &same, &other, &f->err));
    assert_int_not_equal(other, root);
    add_in(f, "1", other);
    walk_finish(f);
    assert_int_equal(state_of(f, 1), ASSET_CONFIRMED);
    assert_int_equal(read_books(f).collections, 1);
    map(f, 1);
    walk_begin(f);
    assert_int_equal(folder(f, 0, "root"), root);
    add_in(f, "1", root);
    walk_finish(f);
    assert_int_equal(read_books(f).collections, 0); /* it is known still */
    check_journal(f);
}

static void two_folders_never_share_a_collection_in_silence(void **state)
{
    struct fixture *f = *state;
    int64_t ids[3];
    const struct journal_folder rows[] = {{.name = "x", .other_title = "a--x"},
                                          {.parent_id = 1, .name = "x", .other_title = "b--x"},
                                          {.parent_id = 2, .name = "x", .other_title = "b--x"}};
    map(f, 0);
    walk_begin(f);
    for (int i = 0; i < 3; i++) {
        char path[8];
        expect_ok(f, journal_folder_id(f->journal, &rows[i], &ids[i], &f->err));
        snprintf(path, sizeof path, "f%d", i);
        add_in(f, path, ids[i]);
    }
    assert_int_equal(state_of(f, 1), ASSET_DISCOVERED);
    assert_int_equal(state_of(f, 2), ASSET_DISCOVERED);
    struct kept_row third = row_of(f, 3);
    assert_int_equal(third.row.state, ASSET_FAILED);
    assert_int_equal(third.row.error, ERR_NAME_INVALID);
    assert_non_null(strstr(third.text, "'b--x' of the folder 'x/x' too"));
    check_journal(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parents_come_before_children_and_only_where_files_wait,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            an_intent_without_an_end_is_looked_up_for_as_long_as_it_may_lag, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(what_the_listing_shows_is_used_and_twins_are_told,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(
            a_category_that_failed_fails_what_lies_in_it_until_the_next_run, fixture_setup,
            fixture_teardown),
        cmocka_unit_test_setup_teardown(another_mapping_has_folders_of_its_own_and_links_again,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(two_folders_never_share_a_collection_in_silence,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
