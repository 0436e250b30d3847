/*
 * test_journal_crash.c - kill -9 at any moment, and a full disk: what was reported done is there,
 * and the journal is in order.
 */
#include "test_journal_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "test_journal_check.h"

enum { ASSETS = 40, ROUNDS = 25 };

#define CRASH_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* What the child was told to be durable; shared with it. */
struct told {
    int tries[ASSETS + 1];
    int error_code; /* how the child ended by itself */
    int later_code; /* of a batch after that */
};

static struct told *told_map(void)
{
    void *map =
        mmap(NULL, sizeof(struct told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    return map;
}

static struct journal_batch *numbered_batch(int number)
{
    struct journal_batch *batch = journal_batch_new();
    struct journal_fact fact = {.asset_id = 1 + number % ASSETS,
                                .fields = FACT_STATE | FACT_TRIES | FACT_SESSION | FACT_PART,
                                .state = ASSET_REQUESTED,
                                .file_path = "tenant/path/of/some/length",
                                .file_name = "name",
                                .part_no = 1 + number % 7,
                                .etag = "etag",
                                .keep_parts = 1,
                                .tries = number};
    if (!batch || journal_batch_fact(batch, &fact))
        abort();
    journal_batch_set_user(batch, (void *)(intptr_t)number);
    return batch;
}

/* Takes done batches; negative when one failed. */
static int take_done(struct journal *journal, struct told *told, int *out_count)
{
    struct journal_batch *done;
    struct err err = ERR_INIT;
    while ((done = journal_next_done(journal, &err))) {
        int number = (int)(intptr_t)journal_batch_user(done);
        journal_batch_free(done);
        ++*out_count;
        if (err.code) {
            told->error_code = (int)err.code;
            return -1;
        }
        __atomic_store_n(&told->tries[1 + number % ASSETS], number, __ATOMIC_RELEASE);
    }
    return 0;
}

/*
 * The child: batches and a walk at once, until it is killed or the disk is full. One byte a done
 * batch goes through the pipe. 0 when a batch failed.
 */
static int work_on(struct fixture *f, int first, struct told *told, int out)
{
    int under_way = 0;
    char path[64];
    for (int number = first;; number++) {
        int count = 0;
        journal_submit(f->journal, numbered_batch(number));
        under_way++;
        snprintf(path, sizeof path, "more/%d/%d.jpg", first, number);
        struct journal_found row = found_file(f, path, number);
        if (number % 3 == 0 && journal_add_found(f->journal, &row, 1, &f->err))
            under_way += 0; /* the failure comes back with a batch too */
        while (under_way > 4 || (count && under_way)) {
            int before = count;
            if (take_done(f->journal, told, &count))
                return 0;
            under_way -= count - before;
            for (int i = before; i < count; i++)
                if (write(out, "", 1) != 1)
                    return 1;
            if (count == before && under_way > 4)
                sem_wait(&f->woken);
            else if (count == before)
                break;
        }
    }
}

static void start_walk(struct fixture *f)
{
    char path[32];
    walk_begin(f);
    for (int i = 1; i <= ASSETS; i++) {
        snprintf(path, sizeof path, "f%d", i);
        add_file(f, path, i);
    }
}

static void expect_told(struct fixture *f, const struct told *told)
{
    for (int i = 1; i <= ASSETS; i++) {
        int want = told->tries[i];
        struct kept_row kept = row_of(f, i);
        if (kept.row.tries < want)
            print_message("asset %d: %d was reported, %d is there\n", i, want, kept.row.tries);
        assert_true(kept.row.tries >= want);
        assert_int_equal(kept.row.state, want ? ASSET_REQUESTED : kept.row.state);
    }
}

static void what_was_reported_survives_kill_9(void **state)
{
    struct fixture *f = *state;
    struct told *told = told_map();
    unsigned seed = (unsigned)getpid();
    int first = 1;
    print_message("seed %u\n", seed);
    start_walk(f);
    walk_finish(f);
    for (int round = 0; round < ROUNDS; round++) {
        int pipe_fds[2];
        char byte;
        fixture_close(f);
        assert_int_equal(pipe(pipe_fds), 0);
        pid_t pid = fork();
        if (!pid) {
            fixture_open(f);
            start_walk(f);
            work_on(f, first, told, pipe_fds[1]);
            _exit(9);
        }
        close(pipe_fds[1]);
        for (int left = rand_r(&seed) % 60; left; left--)
            assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
        /* A little work of an unknown length, so that the signal falls anywhere. */
        for (volatile int spin = rand_r(&seed) % 300000; spin; spin--)
            ;
        assert_int_equal(kill(pid, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        close(pipe_fds[0]);
        fixture_open(f);
        expect_told(f, told);
        check_journal(f);
        for (int i = 1; i <= ASSETS; i++)
            first = told->tries[i] >= first ? told->tries[i] + 10 : first;
    }
    munmap(told, sizeof *told);
}

/* The child's part of the next test: files may not grow beyond `most` bytes. */
static int fill_the_disk(struct fixture *f, rlim_t most, struct told *told, int out)
{
    struct rlimit limit = {most, most};
    struct err err = ERR_INIT;
    struct journal_batch *done;
    signal(SIGXFSZ, SIG_IGN);
    fixture_open(f);
    if (setrlimit(RLIMIT_FSIZE, &limit) || work_on(f, 1, told, out))
        return 1;
    journal_submit(f->journal, numbered_batch(1));
    do {
        while (!(done = journal_next_done(f->journal, &err)))
            sem_wait(&f->woken);
        told->later_code = (int)err.code;
        journal_batch_free(done);
    } while (err.code == ERR_NONE);
    if (journal_set_meta(f->journal, "k", "v", &err) != -ERR_IO || !err.text[0])
        return 2;
    struct journal_books books;
    if (journal_read_books(f->journal, &books, &err) != -ERR_IO)
        return 3;
    fixture_close(f);
    return 0;
}

static void a_full_disk_fails_all_batches_and_loses_none(void **state)
{
    struct fixture *f = *state;
    struct told *told = told_map();
    int status;
    start_walk(f);
    walk_finish(f);
    fixture_close(f);
    pid_t pid = fork();
    if (!pid) {
        int null = open("/dev/null", O_WRONLY);
        _exit(fill_the_disk(f, 300 * 1024, told, null));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(told->error_code, ERR_IO);
    assert_int_equal(told->later_code, ERR_IO);
    fixture_open(f);
    assert_true(journal_was_killed(f->journal));
    expect_told(f, told);
    check_journal(f);
    set_state(f, 1, ASSET_CONFIRMED);
    munmap(told, sizeof *told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRASH_TEST(what_was_reported_survives_kill_9),
        CRASH_TEST(a_full_disk_fails_all_batches_and_loses_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
