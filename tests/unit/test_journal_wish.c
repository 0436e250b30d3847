/* test_journal_wish.c - files that are to be linked: from the walk to the claim, and again. */
#include "test_journal_fixture.h"

#include "test_journal_check.h"

#define IDS   "[\"c1\",\"c2\"]"
#define ATTRS "[{\"id\":\"a\",\"type\":\"update\",\"value\":1}]"

static void add_wish(struct fixture *f, const char *path, const char *collections,
                     const char *attributes)
{
    struct journal_found row = found_file(f, path, 10);
    row.wish_collections = collections;
    row.wish_attributes = attributes;
    add_rows(f, &row, 1);
}

static void confirm(struct fixture *f, int64_t id, int was_new)
{
    struct journal_fact fact = {.asset_id = id,
                                .fields = FACT_STATE | FACT_FILE | FACT_NO_SESSION,
                                .state = ASSET_CONFIRMED,
                                .file_id = "0f8fad5b-d9cb-469f-a165-70867728950e",
                                .was_new = was_new,
                                .done_ms = 77};
    commit_fact(f, &fact);
}

/* The ids that can be linked now; they are given back. */
static size_t linkable(struct fixture *f, int64_t out[8])
{
    size_t count = claim_ids(f, CLAIM_LINKS, 8, 0, out, NULL);
    for (size_t i = 0; i < count; i++)
        unclaim(f, out[i]);
    return count;
}

static struct claim *claim_link(struct fixture *f)
{
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_claim(batch, CLAIM_LINKS, 1, 0), 0);
    f->err = commit_batch(f, batch);
    expect_ok(f, -(int)f->err.code);
    struct claim *claim = journal_batch_take_claim(batch, CLAIM_LINKS);
    journal_batch_free(batch);
    return claim;
}

static void a_confirmed_file_with_a_wish_waits_for_its_link(void **state)
{
    struct fixture *f = *state;
    int64_t ids[8];
    walk_begin(f);
    add_wish(f, "a", IDS, NULL);
    add_wish(f, "b", NULL, ATTRS);
    add_file(f, "c", 10);
    walk_finish(f);
    assert_int_equal(read_books(f).to_link_files, 2);
    struct claim *claim = claim_one(f);
    assert_true(claim->wants_link);
    assert_string_equal(claim->wish_collections, IDS);
    assert_null(claim->wish_attributes);
    assert_null(claim->file_id);
    claim_free(claim);
    unclaim(f, 1);
    confirm(f, 1, 1);
    confirm(f, 2, 0);
    confirm(f, 3, 1);
    assert_int_equal(read_books(f).unlinked_files, 2);
    assert_int_equal(linkable(f, ids), 2);
    check_journal(f);
    fixture_reopen(f);
    claim = claim_link(f);
    assert_int_equal(claim->asset_id, 1);
    assert_int_equal(claim->state, ASSET_CONFIRMED);
    assert_string_equal(claim->file_id, "0f8fad5b-d9cb-469f-a165-70867728950e");
    assert_true(claim->was_new);
    assert_int_equal(claim->done_ms, 77);
    claim_free(claim);
    claim = claim_link(f);
    assert_int_equal(claim->asset_id, 2);
    assert_false(claim->was_new);
    assert_string_equal(claim->wish_attributes, ATTRS);
    claim_free(claim);
    set_state(f, 1, ASSET_LINKED);
    set_state(f, 2, ASSET_LINKED);
    assert_int_equal(linkable(f, ids), 0);
    assert_int_equal(read_books(f).unlinked_files, 0);
    assert_int_equal(read_books(f).to_link_files, 0);
    assert_int_equal(read_books(f).files[ASSET_LINKED], 2);
    check_journal(f);
}

static void who_confirms_a_file_keeps_it_until_it_is_given_back(void **state)
{
    struct fixture *f = *state;
    int64_t ids[8];
    walk_begin(f);
    add_wish(f, "a", IDS, NULL);
    walk_finish(f);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 8, 0, ids, NULL), 1);
    assert_int_equal(linkable(f, ids), 0);
    confirm(f, 1, 1);
    assert_int_equal(linkable(f, ids), 0);
    unclaim(f, 1);
    assert_int_equal(linkable(f, ids), 1);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 8, 0, ids, NULL), 0);
}

static void a_failed_link_is_tried_again_without_a_second_upload(void **state)
{
    struct fixture *f = *state;
    int64_t ids[8];
    int64_t count = 0;
    walk_begin(f);
    add_wish(f, "a", IDS, NULL);
    add_wish(f, "b", IDS, NULL);
    walk_finish(f);
    confirm(f, 1, 1);
    confirm(f, 2, 1);
    fail_asset(f, 1, ERR_BAD_REQUEST);
    fail_asset(f, 2, ERR_SERVER);
    assert_int_equal(linkable(f, ids), 0);
    check_journal(f);
    expect_ok(f, journal_requeue_failed(f->journal, ERR_BAD_REQUEST, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(state_of(f, 1), ASSET_CONFIRMED);
    assert_string_equal(row_of(f, 1).file_id, "0f8fad5b-d9cb-469f-a165-70867728950e");
    walk_begin(f);
    assert_int_equal(linkable(f, ids), 0); /* nothing is, before the walk saw it */
    add_wish(f, "a", IDS, NULL);
    add_wish(f, "b", IDS, NULL); /* its class is temporary */
    walk_finish(f);
    assert_int_equal(state_of(f, 2), ASSET_CONFIRMED);
    assert_int_equal(linkable(f, ids), 2);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 8, 0, ids, NULL), 0);
    check_journal(f);
}

static void another_wish_links_again_and_another_content_uploads_again(void **state)
{
    struct fixture *f = *state;
    int64_t ids[8];
    walk_begin(f);
    add_wish(f, "linked", IDS, NULL);
    add_wish(f, "failed", IDS, NULL);
    add_file(f, "plain", 10);
    add_wish(f, "same", IDS, ATTRS);
    add_wish(f, "less", IDS, NULL);
    add_wish(f, "changed", IDS, NULL);
    walk_finish(f);
    for (int id = 1; id <= 6; id++) {
        confirm(f, id, 1);
        if (id != 3)
            set_state(f, id, ASSET_LINKED);
    }
    fail_asset(f, 2, ERR_BAD_REQUEST);
    check_journal(f);
    walk_begin(f);
    add_wish(f, "linked", "[\"c9\"]", NULL);
    add_wish(f, "failed", "[\"c9\"]", NULL);
    add_wish(f, "plain", NULL, ATTRS);
    add_wish(f, "same", IDS, ATTRS);
    add_file(f, "less", 10);
    struct journal_found row = found_file(f, "changed", 11);
    row.wish_collections = IDS;
    add_rows(f, &row, 1);
    walk_finish(f);
    static const enum asset_state states[] = {ASSET_CONFIRMED, ASSET_CONFIRMED, ASSET_CONFIRMED,
                                              ASSET_LINKED,    ASSET_LINKED,    ASSET_DISCOVERED};
    for (int id = 1; id <= 6; id++)
        assert_int_equal(state_of(f, id), states[id - 1]);
    assert_int_equal(linkable(f, ids), 3);
    assert_int_equal(read_books(f).to_link_files, 4);
    struct claim *claim = claim_link(f);
    assert_string_equal(claim->wish_collections, "[\"c9\"]");
    assert_false(claim->was_new); /* it was linked before, perhaps by others too */
    claim_free(claim);
    check_journal(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_confirmed_file_with_a_wish_waits_for_its_link,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(who_confirms_a_file_keeps_it_until_it_is_given_back,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_failed_link_is_tried_again_without_a_second_upload,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(another_wish_links_again_and_another_content_uploads_again,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
