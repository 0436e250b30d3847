/* test_journal_claims.c - the lanes: order, boundaries, nothing twice, nothing missed. */
#include "test_journal_fixture.h"

#define CLAIM_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static const int64_t mixed_sizes[] = {500, 9000000, 20, 7000000, 0, 9000000};

/* Six files in a walk that goes on; ids are 1.. in this order. */
static void add_mixed(struct fixture *f)
{
    char path[16];
    walk_begin(f);
    for (size_t i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "f%zu", i + 1);
        add_file(f, path, mixed_sizes[i]);
    }
}

static void expect_ids(const int64_t *got, size_t count, const int64_t *want, size_t want_count)
{
    assert_int_equal(count, want_count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(got[i], want[i]);
}

static void by_path_is_row_order(void **state)
{
    static const int64_t all[] = {1, 2, 3, 4, 5, 6};
    struct fixture *f = *state;
    int64_t ids[16];
    int dry;
    add_mixed(f);
    expect_ids(ids, claim_ids(f, CLAIM_BY_PATH, 4, 0, ids, &dry), all, 4);
    assert_false(dry);
    expect_ids(ids, claim_ids(f, CLAIM_BY_PATH, 4, 0, ids, &dry), all + 4, 2);
    assert_true(dry);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 4, 0, ids, &dry), 0);
    assert_true(dry);
}

static void largest_first_then_row_order(void **state)
{
    static const int64_t all[] = {2, 6, 4, 1, 3, 5};
    struct fixture *f = *state;
    int64_t ids[16];
    int dry;
    add_mixed(f);
    expect_ids(ids, claim_ids(f, CLAIM_LARGEST, 1, 0, ids, &dry), all, 1);
    assert_false(dry);
    expect_ids(ids, claim_ids(f, CLAIM_LARGEST, 5, 0, ids, &dry), all + 1, 5);
    assert_true(dry);
}

static void a_boundary_splits_the_files_in_two(void **state)
{
    static const int64_t small[] = {1, 3, 5};
    static const int64_t large[] = {2, 6, 4};
    struct fixture *f = *state;
    int64_t ids[16];
    int dry;
    add_mixed(f);
    expect_ids(ids, claim_ids(f, CLAIM_SMALL_BY_PATH, 9, 7000000, ids, &dry), small, 3);
    assert_true(dry);
    expect_ids(ids, claim_ids(f, CLAIM_LARGE_LARGEST, 9, 7000000, ids, &dry), large, 3);
    assert_true(dry);
}

/* Files of the boundary's own class, on both sides of it. */
static void a_boundary_is_exact_to_the_byte(void **state)
{
    static const int64_t sizes[] = {6999999, 7000000, 7000001, 6999998};
    static const int64_t large[] = {2, 3};
    static const int64_t small[] = {1, 4};
    struct fixture *f = *state;
    int64_t ids[16];
    char path[16];
    walk_begin(f);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "f%zu", i);
        add_file(f, path, sizes[i]);
    }
    expect_ids(ids, claim_ids(f, CLAIM_LARGE_LARGEST, 9, 7000000, ids, NULL), large, 2);
    expect_ids(ids, claim_ids(f, CLAIM_SMALL_BY_PATH, 9, 7000000, ids, NULL), small, 2);
}

static void another_boundary_starts_the_lane_over(void **state)
{
    static const int64_t first[] = {3, 5};
    static const int64_t second[] = {1, 4};
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    expect_ids(ids, claim_ids(f, CLAIM_SMALL_BY_PATH, 9, 100, ids, NULL), first, 2);
    expect_ids(ids, claim_ids(f, CLAIM_SMALL_BY_PATH, 9, 9000000, ids, NULL), second, 2);
}

static void no_asset_is_given_twice_across_lanes(void **state)
{
    static const int64_t large[] = {2, 6};
    static const int64_t rest[] = {1, 3, 4, 5};
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    expect_ids(ids, claim_ids(f, CLAIM_LARGEST, 2, 0, ids, NULL), large, 2);
    expect_ids(ids, claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), rest, 4);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 9, 0, ids, NULL), 0);
}

static void one_batch_may_ask_in_every_lane(void **state)
{
    struct fixture *f = *state;
    add_mixed(f);
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_claim(batch, CLAIM_SMALL_BY_PATH, 2, 1000), 0);
    assert_int_equal(journal_batch_claim(batch, CLAIM_LARGE_LARGEST, 1, 1000), 0);
    assert_int_equal(commit_batch(f, batch).code, ERR_NONE);
    struct claim *claim = journal_batch_take_claim(batch, CLAIM_LARGE_LARGEST);
    assert_int_equal(claim->asset_id, 2);
    claim_free(claim);
    assert_null(journal_batch_take_claim(batch, CLAIM_LARGE_LARGEST));
    assert_false(journal_batch_lane_dry(batch, CLAIM_LARGE_LARGEST));
    claim = journal_batch_take_claim(batch, CLAIM_SMALL_BY_PATH);
    assert_int_equal(claim->asset_id, 1);
    claim_free(claim);
    journal_batch_free(batch); /* frees the claim that nobody took */
}

static void an_unclaimed_asset_is_given_again_in_every_lane(void **state)
{
    static const int64_t again[] = {4};
    static const enum claim_lane lanes[] = {CLAIM_BY_PATH, CLAIM_LARGEST, CLAIM_LARGE_LARGEST};
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 9, 0, ids, NULL), 6);
    assert_int_equal(claim_ids(f, CLAIM_LARGE_LARGEST, 9, 1000, ids, NULL), 0);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        unclaim(f, 4);
        expect_ids(ids,
                   claim_ids(f, lanes[i], 9, 1000 * (lanes[i] == CLAIM_LARGE_LARGEST), ids, NULL),
                   again, 1);
    }
}

static void a_done_asset_is_not_given_and_its_unclaim_changes_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 2, 0, ids, NULL), 2);
    set_state(f, 1, ASSET_CONFIRMED);
    fail_asset(f, 3, ERR_SERVER);
    unclaim(f, 1);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 3);
    assert_int_equal(ids[0], 4);
}

static void pending_states_up_to_stored_are_given(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    set_state(f, 1, ASSET_PREPARED);
    set_state(f, 2, ASSET_REQUESTED);
    set_state(f, 3, ASSET_STORED);
    set_state(f, 4, ASSET_CONFIRMED);
    set_state(f, 5, ASSET_SKIPPED);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 4);
    assert_int_equal(ids[3], 6);
}

static void rows_added_after_a_dry_claim_are_given(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    int dry;
    add_mixed(f);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 9, 0, ids, &dry), 6);
    assert_true(dry);
    add_file(f, "large", 90000000);
    add_file(f, "little", 1);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 1, 0, ids, &dry), 1);
    assert_int_equal(ids[0], 7);
    assert_false(dry);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 1, 0, ids, &dry), 1);
    assert_int_equal(ids[0], 8);
    assert_true(dry);
}

static void a_failed_row_that_is_queued_again_is_given_behind_the_cursor(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    int64_t count;
    add_mixed(f);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 6);
    fail_asset(f, 3, ERR_SERVER);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 0);
    expect_ok(f, journal_requeue_failed(f->journal, ERR_NONE, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 1);
    assert_int_equal(ids[0], 3);
}

static void a_new_wave_gives_only_what_it_has_seen(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    int dry;
    add_mixed(f);
    walk_finish(f);
    walk_begin(f);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, &dry), 0);
    assert_true(dry);
    add_file(f, "f4", mixed_sizes[3]);
    add_file(f, "f2", mixed_sizes[1]); /* behind the one before */
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, &dry), 2);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], 4);
    walk_finish(f);
    fixture_reopen(f);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 9, 0, ids, NULL), 2);
    assert_int_equal(ids[0], 2);
}

static void what_was_claimed_by_a_run_before_is_free(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    walk_finish(f);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 6);
    fixture_reopen(f);
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 9, 0, ids, NULL), 6);
}

static void a_grown_file_moves_in_the_order_by_size(void **state)
{
    struct fixture *f = *state;
    int64_t ids[16];
    add_mixed(f);
    struct journal_fact fact = {.asset_id = 5,
                                .fields = FACT_PREPARED,
                                .mime_type = "image/png",
                                .stamp = found_file(f, "f5", 50000000).stamp};
    commit_fact(f, &fact);
    assert_int_equal(claim_ids(f, CLAIM_LARGEST, 1, 0, ids, NULL), 1);
    assert_int_equal(ids[0], 5);
    assert_true(read_books(f).largest_pending_bytes == 50000000);
    assert_true(read_books(f).bytes[ASSET_DISCOVERED] ==
                500 + 9000000 + 20 + 7000000 + 50000000 + 9000000);
}

static void many_claims_pass_over_each_other(void **state)
{
    enum { FILES = 3000 };
    struct fixture *f = *state;
    static char given[FILES + 1];
    int64_t ids[64];
    char path[32];
    size_t total = 0;
    memset(given, 0, sizeof given);
    walk_begin(f);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "n%d", i);
        add_file(f, path, (i * 7919) % 100000);
    }
    for (int round = 0; total < FILES; round++) {
        size_t got = claim_ids(f, (enum claim_lane)(round % 2), 50, 0, ids, NULL);
        for (size_t i = 0; i < got; i++) {
            assert_false(given[ids[i]]);
            given[ids[i]] = 1;
        }
        /* Every third comes back once. */
        for (size_t i = 0; round < 40 && i < got; i += 3) {
            unclaim(f, ids[i]);
            given[ids[i]] = 0;
            total--;
        }
        total += got;
        assert_true(round < 1000);
    }
    assert_int_equal(claim_ids(f, CLAIM_BY_PATH, 1, 0, ids, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM_TEST(by_path_is_row_order),
        CLAIM_TEST(largest_first_then_row_order),
        CLAIM_TEST(a_boundary_splits_the_files_in_two),
        CLAIM_TEST(a_boundary_is_exact_to_the_byte),
        CLAIM_TEST(another_boundary_starts_the_lane_over),
        CLAIM_TEST(no_asset_is_given_twice_across_lanes),
        CLAIM_TEST(one_batch_may_ask_in_every_lane),
        CLAIM_TEST(an_unclaimed_asset_is_given_again_in_every_lane),
        CLAIM_TEST(a_done_asset_is_not_given_and_its_unclaim_changes_nothing),
        CLAIM_TEST(pending_states_up_to_stored_are_given),
        CLAIM_TEST(rows_added_after_a_dry_claim_are_given),
        CLAIM_TEST(a_failed_row_that_is_queued_again_is_given_behind_the_cursor),
        CLAIM_TEST(a_new_wave_gives_only_what_it_has_seen),
        CLAIM_TEST(what_was_claimed_by_a_run_before_is_free),
        CLAIM_TEST(a_grown_file_moves_in_the_order_by_size),
        CLAIM_TEST(many_claims_pass_over_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
