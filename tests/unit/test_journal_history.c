/* test_journal_history.c - a time series whose sums stay true and whose size stays bounded. */
#include "test_journal_fixture.h"

struct seen {
    int64_t moments;
    int64_t first_ms;
    int64_t last_ms;
    int64_t width_ms;
    int64_t sums[HISTORY_MEASURE_COUNT];
};

static int see(const struct journal_moment *moment, void *user)
{
    struct seen *seen = user;
    assert_true(!seen->moments || moment->from_ms >= seen->last_ms);
    if (!seen->moments)
        seen->first_ms = moment->from_ms;
    seen->moments++;
    seen->last_ms = moment->to_ms;
    seen->width_ms = moment->to_ms - moment->from_ms;
    for (int i = 0; i < HISTORY_MEASURE_COUNT; i++)
        seen->sums[i] += moment->sums[i];
    return 0;
}

static struct seen history_of(struct fixture *f)
{
    struct seen seen = {0};
    expect_ok(f, journal_each_moment(f->journal, see, &seen, &f->err));
    return seen;
}

static void add(struct fixture *f, int64_t from_ms, int64_t to_ms, int64_t files)
{
    struct journal_moment moment = {.from_ms = from_ms, .to_ms = to_ms};
    moment.sums[HISTORY_RUN_MS] = to_ms - from_ms;
    moment.sums[HISTORY_CONFIRMED] = files;
    moment.sums[HISTORY_BY_SERVER_MS] = 1;
    struct journal_batch *batch = journal_batch_new();
    assert_non_null(batch);
    journal_batch_moment(batch, &moment);
    assert_false(journal_batch_is_empty(batch));
    assert_int_equal(commit_batch(f, batch).code, ERR_NONE);
    journal_batch_free(batch);
}

static void a_moment_is_shared_out_over_what_it_covers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(history_of(f).moments, 0);
    add(f, 10500, 13200, 7);
    struct seen seen = history_of(f);
    assert_int_equal(seen.moments, 4);
    assert_int_equal(seen.first_ms, 10000);
    assert_int_equal(seen.last_ms, 14000);
    assert_int_equal(seen.sums[HISTORY_CONFIRMED], 7);
    assert_int_equal(seen.sums[HISTORY_RUN_MS], 2700);
    /* Into moments that are there already, also by another run. */
    fixture_reopen(f);
    add(f, 13100, 13300, 5);
    add(f, 13000, 12000, 2); /* the wall clock was set back */
    seen = history_of(f);
    assert_int_equal(seen.moments, 4);
    assert_int_equal(seen.sums[HISTORY_CONFIRMED], 14);
}

static void a_long_moment_is_spread_no_further_than_its_end(void **state)
{
    struct fixture *f = *state;
    add(f, 0, 3600 * 1000 - 1, 1000);
    struct seen seen = history_of(f);
    assert_int_equal(seen.moments, HISTORY_SPREAD);
    assert_int_equal(seen.last_ms, 3600 * 1000);
    assert_int_equal(seen.sums[HISTORY_CONFIRMED], 1000);
}

static void more_moments_than_may_be_become_longer_ones(void **state)
{
    struct fixture *f = *state;
    /* As many as fit, in strides that fill every moment, and far beyond. */
    int64_t at_ms = 1700000000000;
    int64_t files = 0;
    for (int i = 0; i < 5 * LIMIT_HISTORY_ROWS / HISTORY_SPREAD; i++) {
        add(f, at_ms, at_ms + HISTORY_SPREAD * HISTORY_FIRST_MS - 1, 100);
        at_ms += HISTORY_SPREAD * HISTORY_FIRST_MS;
        files += 100;
        assert_true(history_of(f).moments <= LIMIT_HISTORY_ROWS);
    }
    struct seen seen = history_of(f);
    assert_true(seen.moments > LIMIT_HISTORY_ROWS / 2);
    assert_int_equal(seen.width_ms, 8 * HISTORY_FIRST_MS);
    assert_true(seen.first_ms <= 1700000000000);
    assert_true(seen.last_ms >= at_ms);
    assert_int_equal(seen.sums[HISTORY_CONFIRMED], files);
    assert_int_equal(seen.sums[HISTORY_BY_SERVER_MS], files / 100);
}

static void what_is_read_together_is_of_one_moment(void **state)
{
    struct fixture *f = *state;
    struct journal *reader = NULL;
    struct journal_books books;
    walk_begin(f);
    add_file(f, "a", 1);
    walk_finish(f);
    expect_ok(f, journal_open(f->path, JOURNAL_READ, NULL, NULL, &reader, &f->err));
    expect_ok(f, journal_read_begin(reader, &f->err));
    expect_ok(f, journal_read_books(reader, &books, &f->err));
    assert_int_equal(books.files[ASSET_DISCOVERED], 1);
    struct journal_fact skipped = {
        .asset_id = 1, .fields = FACT_STATE, .state = ASSET_SKIPPED, .done_ms = 1};
    commit_fact(f, &skipped);
    add(f, 1, 2, 1);
    struct seen seen = {0};
    expect_ok(f, journal_each_moment(reader, see, &seen, &f->err));
    expect_ok(f, journal_read_books(reader, &books, &f->err));
    assert_int_equal(seen.moments, 0);
    assert_int_equal(books.files[ASSET_DISCOVERED], 1);
    journal_read_end(reader);
    expect_ok(f, journal_each_moment(reader, see, &seen, &f->err));
    expect_ok(f, journal_read_books(reader, &books, &f->err));
    assert_int_equal(seen.moments, 1);
    assert_int_equal(books.files[ASSET_SKIPPED], 1);
    journal_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_moment_is_shared_out_over_what_it_covers),
        TEST(a_long_moment_is_spread_no_further_than_its_end),
        TEST(more_moments_than_may_be_become_longer_ones),
        TEST(what_is_read_together_is_of_one_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
