/*
 * test_journal_random.c - thousands of random walks, facts, claims and reopenings; after each
 * stretch counters, queues and names must agree with a full count. The seed is printed, and may
 * be given as the program's argument.
 */
#include "test_journal_fixture.h"

#include "test_journal_check.h"

enum { FOLDERS = 6, NAMES = 9, STEPS = 4000, STEPS_A_CHECK = 100 };

static unsigned seed;

static int below(int n)
{
    return rand_r(&seed) % n;
}

/* Some of the tree, in any order, with changes of every kind since the last time. */
static void random_walk(struct fixture *f)
{
    walk_begin(f);
    int rows = below(FOLDERS * NAMES);
    for (int i = 0; i < rows; i++) {
        char path[32];
        char other[32];
        int folder = below(FOLDERS);
        int name = below(NAMES);
        snprintf(path, sizeof path, "d%d/n%d.jpg", folder, name);
        struct journal_found row = found_file(f, path, folder * 1000 * (name + 1));
        if (!below(6))
            row.stamp.mtime_ns += below(2);
        if (!below(6))
            row.stamp.ino += (uint64_t)below(2);
        if (!below(10))
            row.stamp.size_bytes += below(3) * 100000;
        if (!below(5)) {
            snprintf(other, sizeof other, "d%d--n%d.jpg", folder, name);
            row.other_name = other;
        }
        if (!below(12)) {
            row.failure = below(2) ? ERR_NAME_INVALID : ERR_SOURCE_CHANGED;
            if (row.failure == ERR_NAME_INVALID)
                row.name = NULL;
        }
        add_rows(f, &row, 1);
    }
    if (!below(4))
        expect_ok(f, journal_add_excluded(f->journal, "junk", below(9), below(999), &f->err));
    if (!below(4))
        expect_ok(f, journal_add_issue(f->journal, "d", ERR_SOURCE_UNREADABLE, "x", &f->err));
    if (below(5))
        walk_finish(f);
}

/* As the pipeline would: an error with FAILED, anything else as it comes. */
static void random_fact(struct fixture *f, int64_t last_id)
{
    struct err error = ERR_INIT;
    struct journal_fact fact = {.asset_id = 1 + below((int)last_id),
                                .stamp = found_file(f, "", below(1000000)).stamp,
                                .mime_type = below(2) ? "image/jpeg" : "image/png",
                                .file_path = "p",
                                .file_name = "n",
                                .upload_id = below(2) ? "u" : NULL,
                                .keep_parts = below(2),
                                .part_no = 1 + below(5),
                                .etag = "\"e\"",
                                .intent_ms = 5,
                                .file_id = "id",
                                .done_ms = 7,
                                .error = &error,
                                .tries = below(9)};
    struct kept_row kept = row_of(f, fact.asset_id);
    err_set(&error, (enum err_code)(1 + below(ERR_COUNT - 1)), "random");
    /* A row without a name is never claimed, so it gets no facts; and what is done stays so. */
    if (kept.row.state > ASSET_STORED)
        return;
    switch (below(4)) {
    case 0:
        fact.fields = FACT_PREPARED | FACT_STATE | FACT_TRIES;
        fact.state = ASSET_PREPARED;
        break;
    case 1:
        fact.fields = FACT_STATE | FACT_SESSION | FACT_PART | (below(2) ? FACT_INTENT : 0u);
        fact.state = below(2) ? ASSET_REQUESTED : ASSET_STORED;
        break;
    case 2:
        fact.fields = FACT_STATE | FACT_FILE;
        fact.state = ASSET_CONFIRMED + (enum asset_state)below(4);
        break;
    default:
        fact.fields = FACT_ERROR | (below(3) ? FACT_STATE : 0u) | (below(3) ? 0u : FACT_NO_SESSION);
        fact.state = ASSET_FAILED;
        break;
    }
    commit_fact(f, &fact);
}

static int last_row(const struct journal_row *row, void *user)
{
    *(int64_t *)user = row->asset_id;
    return 0;
}

static void random_step(struct fixture *f, int64_t *last_id)
{
    int64_t ids[16];
    int64_t count;
    switch (below(24)) {
    case 0:
        random_walk(f);
        expect_ok(f, journal_each_row(f->journal, last_row, last_id, &f->err));
        break;
    case 1:
        expect_ok(f, journal_requeue_failed(f->journal, below(2) ? ERR_NONE : ERR_SERVER, &count,
                                            &f->err));
        break;
    case 2:
        fixture_reopen(f);
        break;
    case 3:
    case 4:
    case 5:
        count = (int64_t)claim_ids(f, (enum claim_lane)below(4), (size_t)below(6), below(9000), ids,
                                   NULL);
        for (int64_t i = 0; i < count; i++)
            if (below(2))
                unclaim(f, ids[i]);
        break;
    default:
        if (*last_id)
            random_fact(f, *last_id);
        break;
    }
}

static void counters_and_queues_follow_the_rows(void **state)
{
    struct fixture *f = *state;
    int64_t last_id = 0;
    print_message("seed %u\n", seed);
    for (int i = 1; i <= STEPS; i++) {
        random_step(f, &last_id);
        if (i % STEPS_A_CHECK == 0)
            check_journal(f);
    }
}

/* A lane that is called dry has given every pending row but those that are claimed. */
static void dry_lanes_have_given_everything(void **state)
{
    struct fixture *f = *state;
    static const enum claim_lane pairs[][2] = {{CLAIM_BY_PATH, CLAIM_LARGEST},
                                               {CLAIM_SMALL_BY_PATH, CLAIM_LARGE_LARGEST}};
    int64_t ids[64];
    int64_t last_id = 0;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 40; round++) {
        const enum claim_lane *pair = pairs[round % 2];
        int64_t claimed = 0;
        fixture_reopen(f);
        random_walk(f);
        for (int i = 0; i < 20; i++)
            random_step(f, &last_id);
        fixture_reopen(f); /* forgets what was claimed */
        for (int lane = 0; lane < 2; lane++) {
            int dry = 0;
            while (!dry) {
                size_t got = claim_ids(f, pair[lane], (size_t)(1 + below(5)), 3000, ids, &dry);
                claimed += (int64_t)got;
                assert_true(got || dry);
            }
        }
        struct journal_books books = read_books(f);
        int64_t pending = 0;
        for (int i = 0; i <= ASSET_STORED; i++)
            pending += books.files[i];
        assert_int_equal(claimed, pending);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counters_and_queues_follow_the_rows, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(dry_lanes_have_given_everything, fixture_setup,
                                        fixture_teardown),
    };
    seed = argc > 1 ? (unsigned)atol(argv[1]) : (unsigned)getpid();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
