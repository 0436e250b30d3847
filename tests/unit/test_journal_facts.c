/* test_journal_facts.c - facts go in, and the same come out: in claims, in rows, after reopening.
 */
#include "test_journal_fixture.h"

#include <inttypes.h>

static const char uuid[] = "0fb5a4f6-94d1-4d20-8c3a-5a86b1b6f0aa";

static void session_and_parts_come_back_in_a_claim(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/b.mov", 7000000);
    walk_finish(f);
    struct journal_fact prepared = {.asset_id = 1,
                                    .fields = FACT_STATE | FACT_PREPARED | FACT_TRIES,
                                    .state = ASSET_PREPARED,
                                    .mime_type = "video/quicktime",
                                    .stamp = found_file(f, "a/b.mov", 7000000).stamp,
                                    .tries = 2};
    commit_fact(f, &prepared);
    struct journal_fact session = {.asset_id = 1,
                                   .fields = FACT_STATE | FACT_SESSION,
                                   .state = ASSET_REQUESTED,
                                   .file_path = "tenant/x",
                                   .file_name = "b.mov",
                                   .upload_id = "up-1",
                                   .conflict_id = "c-1"};
    commit_fact(f, &session);
    /* An etag that is the quoted MD5, one that is not, one without an MD5, in any order. */
    struct journal_fact part = {.asset_id = 1,
                                .fields = FACT_PART,
                                .part_no = 2,
                                .etag = "\"000102030405060708090a0b0c0d0e0f\"",
                                .has_md5 = 1};
    for (int i = 0; i < 16; i++)
        part.md5[i] = (unsigned char)i;
    commit_fact(f, &part);
    part.part_no = 1;
    part.etag = "\"000102030405060708090A0B0C0D0E0F\"";
    commit_fact(f, &part);
    part.part_no = 3;
    part.etag = "plain";
    part.has_md5 = 0;
    commit_fact(f, &part);
    struct journal_fact intent = {.asset_id = 1, .fields = FACT_INTENT, .intent_ms = 1234};
    commit_fact(f, &intent);
    fixture_reopen(f);

    struct claim *claim = claim_one(f);
    assert_non_null(claim);
    assert_string_equal(claim->root, "/data");
    assert_string_equal(claim->path, "a/b.mov");
    assert_string_equal(claim->name, "b.mov");
    assert_string_equal(claim->mime_type, "video/quicktime");
    assert_memory_equal(&claim->stamp, &prepared.stamp, sizeof claim->stamp);
    assert_int_equal(claim->state, ASSET_REQUESTED);
    assert_int_equal(claim->tries, 2);
    assert_int_equal(claim->wave, f->wave);
    assert_string_equal(claim->file_path, "tenant/x");
    assert_string_equal(claim->file_name, "b.mov");
    assert_string_equal(claim->upload_id, "up-1");
    assert_string_equal(claim->conflict_id, "c-1");
    assert_int_equal(claim->intent_ms, 1234);
    assert_int_equal(claim->part_count, 3);
    assert_int_equal(claim->parts[0].part_no, 1);
    assert_string_equal(claim->parts[0].etag, "\"000102030405060708090A0B0C0D0E0F\"");
    assert_string_equal(claim->parts[1].etag, "\"000102030405060708090a0b0c0d0e0f\"");
    assert_true(claim->parts[1].has_md5);
    assert_int_equal(claim->parts[1].md5[15], 15);
    assert_string_equal(claim->parts[2].etag, "plain");
    assert_false(claim->parts[2].has_md5);
    claim_free(claim);
}

static void a_new_session_drops_parts_and_intent_unless_told(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    struct journal_fact fact = {.asset_id = 1,
                                .fields = FACT_SESSION | FACT_PART | FACT_INTENT,
                                .file_path = "p1",
                                .file_name = "a",
                                .part_no = 1,
                                .etag = "e",
                                .intent_ms = 5};
    commit_fact(f, &fact);
    fact.fields = FACT_SESSION;
    fact.file_path = "p2";
    fact.keep_parts = 1;
    commit_fact(f, &fact);
    struct claim *claim = claim_one(f);
    assert_string_equal(claim->file_path, "p2");
    assert_int_equal(claim->part_count, 1);
    assert_int_equal(claim->intent_ms, 0);
    claim_free(claim);
    unclaim(f, 1);
    fact.keep_parts = 0;
    commit_fact(f, &fact);
    claim = claim_one(f);
    assert_int_equal(claim->part_count, 0);
    claim_free(claim);
    unclaim(f, 1);
    fact.fields = FACT_NO_SESSION;
    commit_fact(f, &fact);
    claim = claim_one(f);
    assert_null(claim->file_path);
    assert_int_equal(claim->intent_ms, 0);
    claim_free(claim);
}

static void a_withdrawn_intent_is_gone_and_the_session_is_kept(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    struct journal_fact fact = {.asset_id = 1,
                                .fields = FACT_SESSION | FACT_INTENT,
                                .file_path = "p",
                                .file_name = "a",
                                .intent_ms = 5};
    commit_fact(f, &fact);
    fact.fields = FACT_NO_INTENT;
    commit_fact(f, &fact);
    struct claim *claim = claim_one(f);
    assert_string_equal(claim->file_path, "p");
    assert_int_equal(claim->intent_ms, 0);
    claim_free(claim);
}

static void a_confirmed_row_keeps_its_result_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a/x.jpg", 10);
    struct err error = ERR_INIT;
    err_set(&error, ERR_SERVER, "500 once");
    struct journal_fact fact = {.asset_id = 1,
                                .fields = FACT_SESSION | FACT_PART | FACT_ERROR,
                                .file_path = "p",
                                .file_name = "x.jpg",
                                .part_no = 1,
                                .etag = "e",
                                .error = &error};
    commit_fact(f, &fact);
    assert_int_equal(row_of(f, 1).row.error, ERR_SERVER);
    struct journal_fact done = {.asset_id = 1,
                                .fields = FACT_STATE | FACT_FILE,
                                .state = ASSET_CONFIRMED,
                                .file_id = uuid,
                                .etag = "\"11111111111111111111111111111111\"",
                                .has_md5 = 1,
                                .version = "3",
                                .cdn_url = "https://c.example/x.jpg",
                                .done_ms = 1700000000123,
                                .took_ms = 4567};
    memset(done.md5, 0x11, sizeof done.md5);
    commit_fact(f, &done);
    fixture_reopen(f);
    struct kept_row kept = row_of(f, 1);
    assert_int_equal(kept.row.state, ASSET_CONFIRMED);
    assert_string_equal(kept.file_id, uuid);
    assert_string_equal(kept.etag, "\"11111111111111111111111111111111\"");
    assert_true(kept.row.has_md5);
    assert_int_equal(kept.row.md5[7], 0x11);
    assert_true(kept.row.done_ms == 1700000000123);
    assert_true(kept.row.took_ms == 4567);
    assert_string_equal(kept.version, "3");
    assert_string_equal(kept.cdn_url, "https://c.example/x.jpg");
    assert_int_equal(kept.row.error, ERR_NONE);
    assert_null(claim_one(f));
}

static void ids_and_etags_keep_their_spelling(void **state)
{
    static const char *const ids[] = {
        "0FB5A4F6-94D1-4D20-8C3A-5A86B1B6F0AA", "4711", "0fb5a4f6-94d1-4d20-8c3a-5a86b1b6f0a",
        "0fb5a4f6x94d1-4d20-8c3a-5a86b1b6f0aa", "",     "00000000-0000-0000-0000-000000000000"};
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct journal_fact fact = {
            .asset_id = 1, .fields = FACT_FILE, .file_id = ids[i], .etag = "\"abc-2\""};
        commit_fact(f, &fact);
        struct kept_row kept = row_of(f, 1);
        assert_string_equal(kept.file_id, ids[i]);
        assert_string_equal(kept.etag, "\"abc-2\"");
        assert_false(kept.row.has_md5);
    }
}

static void an_error_keeps_all_that_support_asks_for(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    struct err error = ERR_INIT;
    err_set(&error, ERR_BAD_REQUEST, "the server said \"no\"");
    error.http_status = 400;
    snprintf(error.request_id, sizeof error.request_id, "req-9");
    struct journal_fact fact = {.asset_id = 1,
                                .fields = FACT_STATE | FACT_ERROR,
                                .state = ASSET_FAILED,
                                .done_ms = 77,
                                .error = &error};
    commit_fact(f, &fact);
    struct kept_row kept = row_of(f, 1);
    assert_int_equal(kept.row.error, ERR_BAD_REQUEST);
    assert_int_equal(kept.row.http_status, 400);
    assert_string_equal(kept.text, "the server said \"no\"");
    assert_string_equal(kept.request_id, "req-9");
    assert_int_equal(kept.row.done_ms, 77);
    assert_int_equal(read_books(f).failed_by_code[ERR_BAD_REQUEST], 1);
}

static void an_error_told_with_a_done_state_stays(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    struct err error = ERR_INIT;
    err_set(&error, ERR_CONFLICT, "there already");
    struct journal_fact fact = {
        .asset_id = 1, .fields = FACT_STATE | FACT_ERROR, .state = ASSET_SKIPPED, .error = &error};
    commit_fact(f, &fact);
    assert_int_equal(row_of(f, 1).row.error, ERR_CONFLICT);
    assert_int_equal(read_books(f).files[ASSET_SKIPPED], 1);
    assert_int_equal(read_books(f).failed_by_code[ERR_CONFLICT], 0);
}

static void batches_come_back_in_order_of_submission(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    struct journal_batch *batches[200];
    for (int i = 0; i < 200; i++) {
        struct journal_fact fact = {.asset_id = 1, .fields = FACT_TRIES, .tries = i};
        batches[i] = journal_batch_new();
        assert_int_equal(journal_batch_fact(batches[i], &fact), 0);
        journal_batch_set_user(batches[i], &batches[i]);
        journal_submit(f->journal, batches[i]);
    }
    for (int i = 0; i < 200; i++) {
        struct journal_batch *done;
        struct err err;
        while (!(done = journal_next_done(f->journal, &err)))
            sem_wait(&f->woken);
        assert_int_equal(err.code, ERR_NONE);
        assert_ptr_equal(journal_batch_user(done), &batches[i]);
        journal_batch_free(done);
    }
    assert_int_equal(row_of(f, 1).row.tries, 199);
}

static void closing_commits_what_was_submitted(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    struct journal_fact fact = {.asset_id = 1, .fields = FACT_STATE, .state = ASSET_STORED};
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_fact(batch, &fact), 0);
    journal_submit(f->journal, batch);
    fixture_reopen(f);
    assert_int_equal(state_of(f, 1), ASSET_STORED);
}

static void an_unknown_asset_fails_the_batch_and_all_after_it(void **state)
{
    struct fixture *f = *state;
    walk_begin(f);
    add_file(f, "a", 1);
    walk_finish(f);
    struct journal_fact good = {.asset_id = 1, .fields = FACT_STATE, .state = ASSET_STORED};
    struct journal_fact bad = {.asset_id = 99, .fields = FACT_STATE, .state = ASSET_STORED};
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_fact(batch, &good), 0);
    assert_int_equal(journal_batch_fact(batch, &bad), 0);
    struct err err = commit_batch(f, batch);
    assert_int_equal(err.code, ERR_INTERNAL);
    assert_non_null(strstr(err.text, "99"));
    journal_batch_free(batch);
    batch = journal_batch_new();
    assert_int_equal(journal_batch_fact(batch, &good), 0);
    assert_int_equal(commit_batch(f, batch).code, ERR_INTERNAL);
    journal_batch_free(batch);
    assert_int_equal(journal_set_meta(f->journal, "k", "v", &err), -ERR_INTERNAL);
    fixture_reopen(f);
    assert_int_equal(state_of(f, 1), ASSET_DISCOVERED);
    assert_true(journal_was_killed(f->journal));
}

static void recent_requests_survive_and_grow_old(void **state)
{
    struct fixture *f = *state;
    static const int64_t first[] = {1000, 1000, 1005, 500};
    static const int64_t second[] = {61005};
    int64_t *times;
    size_t count;
    struct journal_batch *batch = journal_batch_new();
    assert_true(journal_batch_is_empty(batch));
    assert_int_equal(journal_batch_requests(batch, first, 4), 0);
    assert_false(journal_batch_is_empty(batch));
    assert_int_equal(commit_batch(f, batch).code, ERR_NONE);
    journal_batch_free(batch);
    fixture_reopen(f);
    expect_ok(f, journal_recent_requests(f->journal, 2000, &times, &count, &f->err));
    assert_int_equal(count, 4);
    assert_int_equal(times[0], 500);
    assert_int_equal(times[2], 1000);
    assert_int_equal(times[3], 1005);
    free(times);
    batch = journal_batch_new();
    assert_int_equal(journal_batch_requests(batch, second, 1), 0);
    assert_int_equal(commit_batch(f, batch).code, ERR_NONE);
    journal_batch_free(batch);
    expect_ok(f, journal_recent_requests(f->journal, 61005, &times, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(times[0], 61005);
    free(times);
}

static void options_are_kept(void **state)
{
    struct fixture *f = *state;
    char *value;
    expect_ok(f, journal_get_meta(f->journal, "base_url", &value, &f->err));
    assert_null(value);
    expect_ok(f, journal_set_meta(f->journal, "base_url", "https://a", &f->err));
    expect_ok(f, journal_set_meta(f->journal, "base_url", "https://b", &f->err));
    fixture_reopen(f);
    expect_ok(f, journal_get_meta(f->journal, "base_url", &value, &f->err));
    assert_string_equal(value, "https://b");
    free(value);
    int64_t again;
    expect_ok(f, journal_root_id(f->journal, "/data", &again, &f->err));
    assert_true(again == f->root);
    expect_ok(f, journal_root_id(f->journal, "/other", &again, &f->err));
    assert_true(again != f->root);
}

#define FACT_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FACT_TEST(session_and_parts_come_back_in_a_claim),
        FACT_TEST(a_new_session_drops_parts_and_intent_unless_told),
        FACT_TEST(a_withdrawn_intent_is_gone_and_the_session_is_kept),
        FACT_TEST(a_confirmed_row_keeps_its_result_and_nothing_else),
        FACT_TEST(ids_and_etags_keep_their_spelling),
        FACT_TEST(an_error_keeps_all_that_support_asks_for),
        FACT_TEST(an_error_told_with_a_done_state_stays),
        FACT_TEST(batches_come_back_in_order_of_submission),
        FACT_TEST(closing_commits_what_was_submitted),
        FACT_TEST(an_unknown_asset_fails_the_batch_and_all_after_it),
        FACT_TEST(recent_requests_survive_and_grow_old),
        FACT_TEST(options_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
