/* test_journal_walk.c - waves, names, and what a second walk does to a row. */
#include "test_journal_fixture.h"

#include <sqlite3.h>

#include "journal/naming.h"

#define WALK_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void the_first_path_owns_the_name(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/main.jpg", 1);
    add_file(f, "b/main.jpg", 2);
    add_file(f, "b/other.jpg", 3);
    walk_finish(f);
    struct kept_row kept = row_of(f, 2);
    assert_int_equal(kept.row.state, ASSET_FAILED);
    assert_int_equal(kept.row.error, ERR_NAME_COLLISION);
    assert_int_equal(kept.row.owner_id, 1);
    assert_non_null(strstr(kept.text, "/data/a/main.jpg"));
    assert_int_equal(state_of(f, 3), ASSET_DISCOVERED);
    struct journal_books books = read_books(f);
    assert_int_equal(books.failed_by_code[ERR_NAME_COLLISION], 1);
    assert_int_equal(books.files[ASSET_DISCOVERED], 2);
    assert_int_equal(books.bytes[ASSET_FAILED], 2);
}

static void another_name_is_taken_where_it_is_free(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/x.jpg", 1);
    struct journal_found row = found_file(f, "b/x.jpg", 2);
    row.other_name = "b--x.jpg";
    add_rows(f, &row, 1);
    struct journal_found third = found_file(f, "b--x.jpg", 3);
    add_rows(f, &third, 1);
    assert_string_equal(row_of(f, 2).name, "b--x.jpg");
    assert_int_equal(state_of(f, 2), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 3).row.owner_id, 2);
}

static void a_collision_is_solved_by_the_other_policy(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/x.jpg", 1);
    add_file(f, "b/x.jpg", 2);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a/x.jpg", 1);
    struct journal_found row = found_file(f, "b/x.jpg", 2);
    row.other_name = "b--x.jpg";
    add_rows(f, &row, 1);
    struct kept_row kept = row_of(f, 2);
    assert_int_equal(kept.row.state, ASSET_DISCOVERED);
    assert_string_equal(kept.name, "b--x.jpg");
    assert_int_equal(kept.row.error, ERR_NONE);
}

static void a_failed_walk_row_owns_no_name(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    struct journal_found bad = found_file(f, "a/\xff.jpg", 1);
    bad.name = NULL;
    bad.failure = ERR_NAME_INVALID;
    bad.failure_text = "no UTF-8";
    add_rows(f, &bad, 1);
    struct journal_found unreadable = found_file(f, "a/x.jpg", 2);
    unreadable.failure = ERR_SOURCE_UNREADABLE;
    add_rows(f, &unreadable, 1);
    add_file(f, "b/x.jpg", 3);
    struct kept_row kept = row_of(f, 1);
    assert_int_equal(kept.row.error, ERR_NAME_INVALID);
    assert_null(kept.row.name);
    assert_string_equal(kept.text, "no UTF-8");
    assert_string_equal(kept.path, "a/\xff.jpg");
    assert_int_equal(state_of(f, 2), ASSET_FAILED);
    assert_int_equal(state_of(f, 3), ASSET_DISCOVERED);
    walk_finish(f);
    /* Readable now, but the name went to another in between. */
    walk_begin(f);
    add_rows(f, &bad, 1);
    add_file(f, "a/x.jpg", 2);
    add_file(f, "b/x.jpg", 3);
    assert_int_equal(row_of(f, 2).row.error, ERR_NAME_COLLISION);
    assert_int_equal(row_of(f, 1).row.error, ERR_NAME_INVALID);
}

static void a_walk_failure_that_is_over_is_queued(void **state)
{
    struct fixture *f = *state;
    struct journal_found row = found_file(f, "a/x.jpg", 2);
    walk_begin(f);
    row.failure = ERR_SOURCE_UNREADABLE;
    add_rows(f, &row, 1);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a/x.jpg", 2);
    assert_int_equal(state_of(f, 1), ASSET_DISCOVERED);
    add_file(f, "b/x.jpg", 2);
    assert_int_equal(row_of(f, 2).row.owner_id, 1);
}

static void an_unchanged_row_keeps_its_state(void **state)
{
    static const enum asset_state states[] = {ASSET_DISCOVERED, ASSET_STORED, ASSET_CONFIRMED,
                                              ASSET_SKIPPED, ASSET_VERIFIED};
    struct fixture *f = *state;
    char path[16];
    walk_begin(f);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "f%d", i);
        add_file(f, path, i);
        set_state(f, i + 1, states[i]);
    }
    walk_finish(f);
    walk_begin(f);
    assert_int_equal(read_books(f).files[ASSET_STORED], 0);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "f%d", i);
        add_file(f, path, i);
        assert_int_equal(state_of(f, i + 1), states[i]);
    }
    walk_finish(f);
    assert_int_equal(read_books(f).files[ASSET_STORED], 1);
    assert_int_equal(read_books(f).gone_files, 0);
}

static void a_failed_row_is_queued_again_if_its_class_is_temporary(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    add_file(f, "b", 2);
    fail_asset(f, 1, ERR_SERVER);
    fail_asset(f, 2, ERR_BAD_REQUEST);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a", 1);
    add_file(f, "b", 2);
    assert_int_equal(state_of(f, 1), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 1).row.error, ERR_NONE);
    assert_int_equal(state_of(f, 2), ASSET_FAILED);
    assert_int_equal(row_of(f, 2).row.error, ERR_BAD_REQUEST);
}

static void a_changed_file_starts_over_without_session_and_result(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 10);
    add_file(f, "b", 20);
    struct journal_fact session = {.asset_id = 1,
                                   .fields = FACT_STATE | FACT_SESSION | FACT_PART | FACT_PREPARED |
                                             FACT_TRIES,
                                   .state = ASSET_STORED,
                                   .mime_type = "image/png",
                                   .stamp = found_file(f, "a", 10).stamp,
                                   .file_path = "p",
                                   .file_name = "a",
                                   .part_no = 1,
                                   .etag = "e",
                                   .tries = 4};
    commit_fact(f, &session);
    struct journal_fact done = {.asset_id = 2,
                                .fields = FACT_STATE | FACT_FILE,
                                .state = ASSET_CONFIRMED,
                                .file_id = "id",
                                .done_ms = 1};
    commit_fact(f, &done);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a", 11);
    struct journal_found touched = found_file(f, "b", 20);
    touched.stamp.mtime_ns++;
    add_rows(f, &touched, 1);
    struct claim *claim = claim_one(f);
    assert_int_equal(claim->asset_id, 1);
    assert_int_equal(claim->state, ASSET_DISCOVERED);
    assert_int_equal(claim->stamp.size_bytes, 11);
    assert_int_equal(claim->tries, 0);
    assert_null(claim->file_path);
    assert_null(claim->mime_type);
    assert_int_equal(claim->part_count, 0);
    assert_int_equal(claim->intent_ms, 0);
    claim_free(claim);
    struct kept_row kept = row_of(f, 2);
    assert_int_equal(kept.row.state, ASSET_DISCOVERED);
    assert_string_equal(kept.file_id, "");
    assert_true(kept.row.stamp.mtime_ns == touched.stamp.mtime_ns);
    assert_int_equal(read_books(f).bytes[ASSET_DISCOVERED], 31);
}

static void a_changed_file_whose_confirm_was_sent_is_resolved_first(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 10);
    struct journal_fact sent = {.asset_id = 1,
                                .fields = FACT_STATE | FACT_SESSION | FACT_PART | FACT_INTENT,
                                .state = ASSET_STORED,
                                .file_path = "p",
                                .file_name = "a",
                                .part_no = 1,
                                .etag = "e",
                                .intent_ms = 9};
    commit_fact(f, &sent);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a", 11);
    struct claim *claim = claim_one(f);
    assert_true(claim->is_changed);
    assert_int_equal(claim->intent_ms, 9);
    assert_int_equal(claim->stamp.size_bytes, 10);
    claim_free(claim);
    struct journal_fact there = {.asset_id = 1,
                                 .fields = FACT_STATE | FACT_FILE | FACT_NO_SESSION,
                                 .state = ASSET_CONFIRMED,
                                 .file_id = "id",
                                 .done_ms = 1};
    commit_fact(f, &there);
    struct journal_fact changed = {
        .asset_id = 1, .fields = FACT_STATE | FACT_CHANGED, .state = ASSET_DISCOVERED};
    commit_fact(f, &changed);
    claim = claim_one(f);
    assert_false(claim->is_changed);
    assert_int_equal(claim->intent_ms, 0);
    assert_string_equal(claim->former_id, "id");
    assert_int_equal(claim->former_bytes, 10);
    claim_free(claim);
}

static void another_inode_drops_parts_unless_a_confirm_was_sent(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    for (int i = 0; i < 2; i++) {
        add_file(f, i ? "b" : "a", 10);
        struct journal_fact fact = {.asset_id = i + 1,
                                    .fields = FACT_STATE | FACT_SESSION | FACT_PART |
                                              (i ? FACT_INTENT : 0u),
                                    .state = ASSET_STORED,
                                    .file_path = "p",
                                    .file_name = "n",
                                    .part_no = 1,
                                    .etag = "e",
                                    .intent_ms = 9};
        commit_fact(f, &fact);
    }
    walk_finish(f);
    walk_begin(f);
    for (int i = 0; i < 2; i++) {
        struct journal_found row = found_file(f, i ? "b" : "a", 10);
        row.stamp.ino = 77;
        add_rows(f, &row, 1);
    }
    struct claim *claim = claim_one(f);
    assert_null(claim->file_path);
    assert_int_equal(claim->state, ASSET_DISCOVERED);
    assert_int_equal(claim->stamp.ino, 77);
    claim_free(claim);
    claim = claim_one(f);
    assert_string_equal(claim->file_path, "p");
    assert_int_equal(claim->intent_ms, 9);
    assert_int_equal(claim->part_count, 1);
    assert_int_equal(claim->state, ASSET_STORED);
    claim_free(claim);
}

static void unseen_files_are_gone_when_the_walk_is_finished(void **state)
{
    struct fixture *f = *state;
    int64_t ids[4];
    walk_begin(f);
    add_file(f, "a", 1);
    add_file(f, "b", 2);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "b", 2);
    assert_int_equal(read_books(f).gone_files, 0);
    assert_false(read_books(f).walk_complete);
    walk_finish(f);
    struct journal_books books = read_books(f);
    assert_int_equal(books.gone_files, 1);
    assert_int_equal(books.files[ASSET_DISCOVERED], 1);
    assert_true(books.walk_complete);
    assert_int_equal(books.wave, 2);
    assert_int_equal(row_of(f, 1).row.wave, 1);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 4, 0, ids, NULL), 1);
    assert_int_equal(ids[0], 2);
}

static void a_moved_file_gets_its_name_when_the_owner_is_gone(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/x.jpg", 1);
    set_state(f, 1, ASSET_CONFIRMED);
    add_file(f, "c/x.jpg", 2);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "b/x.jpg", 1); /* was a/x.jpg */
    add_file(f, "c/x.jpg", 2);
    assert_int_equal(state_of(f, 3), ASSET_FAILED);
    walk_finish(f);
    /* In row order c/x.jpg waited first. */
    assert_int_equal(state_of(f, 2), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 3).row.error, ERR_NAME_COLLISION);
    assert_int_equal(row_of(f, 3).row.owner_id, 2);
    /* The old path comes back: its confirmed row keeps its state, its name is another's. */
    walk_begin(f);
    add_file(f, "a/x.jpg", 1);
    add_file(f, "c/x.jpg", 2);
    assert_int_equal(state_of(f, 1), ASSET_CONFIRMED);
    assert_int_equal(state_of(f, 2), ASSET_DISCOVERED);
}

static void a_row_that_was_gone_and_pending_asks_for_its_name_again(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/x.jpg", 1);
    walk_finish(f);
    walk_begin(f);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "b/x.jpg", 2);
    add_file(f, "a/x.jpg", 1);
    assert_int_equal(state_of(f, 2), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 1).row.error, ERR_NAME_COLLISION);
    assert_int_equal(row_of(f, 1).row.owner_id, 2);
}

static void an_owner_later_in_the_walk_is_not_gone(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "b/x.jpg", 1);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a/x.jpg", 2);
    add_file(f, "b/x.jpg", 1);
    walk_finish(f);
    assert_int_equal(state_of(f, 1), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 2).row.owner_id, 1);
}

static void the_same_path_twice_in_a_walk_counts_once(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    add_file(f, "a", 1);
    walk_finish(f);
    walk_begin(f);
    add_file(f, "a", 1);
    add_file(f, "a", 2);
    walk_finish(f);
    assert_int_equal(read_books(f).files[ASSET_DISCOVERED], 1);
    assert_int_equal(read_books(f).bytes[ASSET_DISCOVERED], 1);
}

static void a_path_is_told_apart_by_its_root(void **state)
{
    struct fixture *f = *state;
    int64_t other;
    walk_begin(f);
    expect_ok(f, journal_root_id(f->journal, "/other/x.jpg", &other, &f->err));
    struct journal_found row = found_file(f, "", 5);
    row.root_id = other;
    row.name = "x.jpg";
    add_rows(f, &row, 1);
    add_file(f, "x.jpg", 6);
    struct claim *claim = claim_one(f);
    assert_string_equal(claim->root, "/other/x.jpg");
    assert_string_equal(claim->path, "");
    assert_string_equal(claim->name, "x.jpg");
    claim_free(claim);
    assert_int_equal(row_of(f, 2).row.owner_id, 1);
    assert_non_null(strstr(row_of(f, 2).text, "/other/x.jpg"));
}

static void retry_queues_what_has_a_name(void **state)
{
    struct fixture *f = *state;
    int64_t count;
    walk_begin(f);
    add_file(f, "a/x", 1);
    add_file(f, "b/x", 2);
    add_file(f, "c", 3);
    struct journal_found bad = found_file(f, "d", 4);
    bad.name = NULL;
    bad.failure = ERR_NAME_INVALID;
    add_rows(f, &bad, 1);
    walk_finish(f);
    fail_asset(f, 1, ERR_BAD_REQUEST);
    fail_asset(f, 3, ERR_SERVER);
    expect_ok(f, journal_requeue_failed(f->journal, ERR_SERVER, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(state_of(f, 3), ASSET_DISCOVERED);
    expect_ok(f, journal_requeue_failed(f->journal, ERR_NONE, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(state_of(f, 1), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 2).row.error, ERR_NAME_COLLISION);
    assert_int_equal(row_of(f, 4).row.error, ERR_NAME_INVALID);
}

static void retry_goes_through_many_pages(void **state)
{
    struct fixture *f = *state;
    int64_t count;
    char path[16];
    walk_begin(f);
    for (int i = 1; i <= 600; i++) {
        snprintf(path, sizeof path, "f%d", i);
        add_file(f, path, i);
        struct err error = ERR_INIT;
        err_set(&error, ERR_SERVER, "x");
        struct journal_fact fact = {.asset_id = i,
                                    .fields = FACT_STATE | FACT_ERROR,
                                    .state = i % 2 ? ASSET_FAILED : ASSET_PREPARED,
                                    .error = &error};
        commit_fact(f, &fact);
    }
    expect_ok(f, journal_requeue_failed(f->journal, ERR_SERVER, &count, &f->err));
    assert_int_equal(count, 300);
    assert_int_equal(read_books(f).files[ASSET_FAILED], 0);
}

struct tally {
    int calls;
    int64_t files;
    int64_t bytes;
    char text[128];
};

static int on_excluded(const char *reason, int64_t files, int64_t bytes, void *user)
{
    struct tally *tally = user;
    tally->calls++;
    tally->files += files;
    tally->bytes += bytes;
    assert_true(strcmp(reason, "junk") == 0 || strcmp(reason, "size") == 0);
    return 0;
}

static int on_issue(const char *path, enum err_code code, const char *text, void *user)
{
    struct tally *tally = user;
    tally->calls++;
    assert_int_equal(code, ERR_SOURCE_UNREADABLE);
    snprintf(tally->text, sizeof tally->text, "%s: %s", path, text);
    return 42;
}

static void what_was_left_out_is_told_and_forgotten_by_the_next_walk(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {0};
    walk_begin(f);
    expect_ok(f, journal_add_excluded(f->journal, "junk", 3, 100, &f->err));
    expect_ok(f, journal_add_excluded(f->journal, "size", 1, 1000, &f->err));
    expect_ok(f, journal_add_excluded(f->journal, "junk", 1, 1, &f->err));
    expect_ok(
        f, journal_add_issue(f->journal, "/data/closed", ERR_SOURCE_UNREADABLE, "denied", &f->err));
    expect_ok(f,
              journal_add_issue(f->journal, "/data/too", ERR_SOURCE_UNREADABLE, "denied", &f->err));
    fixture_reopen(f);
    struct journal_books books = read_books(f);
    assert_int_equal(books.excluded_files, 5);
    assert_int_equal(books.excluded_bytes, 1101);
    assert_int_equal(books.issues, 2);
    expect_ok(f, journal_each_excluded(f->journal, on_excluded, &tally, &f->err));
    assert_int_equal(tally.calls, 2);
    assert_int_equal(tally.files, 5);
    tally.calls = 0;
    assert_int_equal(journal_each_issue(f->journal, on_issue, &tally, &f->err), 42);
    assert_int_equal(tally.calls, 1);
    assert_string_equal(tally.text, "/data/closed: denied");
    walk_begin(f);
    books = read_books(f);
    assert_int_equal(books.excluded_files, 0);
    assert_int_equal(books.issues, 0);
    expect_ok(f, journal_each_issue(f->journal, on_issue, &tally, &f->err));
    assert_int_equal(tally.calls, 1);
}

/* Two texts of one hash cannot be made, so the tables are: "y.jpg" stands at the key of "x.jpg". */
static void texts_of_one_hash_are_told_apart(void **state)
{
    struct fixture *f = *state;
    char sql[512];
    sqlite3 *db;
    walk_begin(f);
    add_file(f, "y.jpg", 1);
    walk_finish(f);
    fixture_close(f);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    snprintf(sql, sizeof sql, "UPDATE name_key SET key = %lld; UPDATE path_key SET key = %lld",
             (long long)naming_name_key("x.jpg"), (long long)naming_path_key(f->root, "x.jpg"));
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    fixture_open(f);
    walk_begin(f);
    add_file(f, "x.jpg", 2);
    add_file(f, "x.jpg", 2);
    add_file(f, "b/x.jpg", 3);
    walk_finish(f);
    assert_int_equal(state_of(f, 2), ASSET_DISCOVERED);
    assert_int_equal(row_of(f, 3).row.owner_id, 2);
    /* y.jpg is gone: its link is free, and x.jpg behind it is found as before. */
    walk_begin(f);
    add_file(f, "x.jpg", 2);
    add_file(f, "c/x.jpg", 4);
    assert_int_equal(row_of(f, 4).row.owner_id, 2);
    assert_int_equal(read_books(f).files[ASSET_DISCOVERED], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WALK_TEST(the_first_path_owns_the_name),
        WALK_TEST(another_name_is_taken_where_it_is_free),
        WALK_TEST(a_collision_is_solved_by_the_other_policy),
        WALK_TEST(a_failed_walk_row_owns_no_name),
        WALK_TEST(a_walk_failure_that_is_over_is_queued),
        WALK_TEST(an_unchanged_row_keeps_its_state),
        WALK_TEST(a_failed_row_is_queued_again_if_its_class_is_temporary),
        WALK_TEST(a_changed_file_starts_over_without_session_and_result),
        WALK_TEST(a_changed_file_whose_confirm_was_sent_is_resolved_first),
        WALK_TEST(another_inode_drops_parts_unless_a_confirm_was_sent),
        WALK_TEST(unseen_files_are_gone_when_the_walk_is_finished),
        WALK_TEST(a_moved_file_gets_its_name_when_the_owner_is_gone),
        WALK_TEST(a_row_that_was_gone_and_pending_asks_for_its_name_again),
        WALK_TEST(an_owner_later_in_the_walk_is_not_gone),
        WALK_TEST(the_same_path_twice_in_a_walk_counts_once),
        WALK_TEST(a_path_is_told_apart_by_its_root),
        WALK_TEST(retry_queues_what_has_a_name),
        WALK_TEST(retry_goes_through_many_pages),
        WALK_TEST(what_was_left_out_is_told_and_forgotten_by_the_next_walk),
        WALK_TEST(texts_of_one_hash_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
