/* test_journal_open.c - what is opened, what is refused and why, and reading beside a writer. */
#include "test_journal_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "journal/idset.h"
#include "journal/place.h"

#define OPEN_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static int try_open(struct fixture *f, const char *path, enum journal_mode mode)
{
    struct journal *journal;
    err_clear(&f->err);
    int rc = journal_open(path, mode, fixture_wake, f, &journal, &f->err);
    assert_int_equal(rc, -(int)f->err.code);
    journal_close(journal);
    return rc;
}

static void expect_refused(struct fixture *f, enum journal_mode mode, enum err_code code,
                           const char *text)
{
    assert_int_equal(try_open(f, f->path, mode), -(int)code);
    if (!strstr(f->err.text, text))
        print_message("\"%s\" is not in \"%s\"\n", text, f->err.text);
    assert_non_null(strstr(f->err.text, text));
    assert_non_null(strstr(f->err.text, "job.journal"));
}

static void write_file(const char *path, const void *bytes, size_t len, off_t at)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A closed journal of some pages. */
static void fill_and_close(struct fixture *f)
{
    char path[64];
    walk_begin(f);
    for (int i = 0; i < 2000; i++) {
        snprintf(path, sizeof path, "folder/some-file-name-%d.jpg", i);
        add_file(f, path, i);
    }
    walk_finish(f);
    fixture_close(f);
}

static void a_journal_is_private_and_leaves_one_file(void **state)
{
    struct fixture *f = *state;
    char other[128];
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(other, sizeof other, "%s-wal", f->path);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    fixture_close(f);
    assert_int_equal(stat(other, &st), -1);
    snprintf(other, sizeof other, "%s.lock", f->path);
    assert_int_equal(stat(other, &st), -1);
    assert_int_equal(stat(f->path, &st), 0);
}

static void a_second_writer_is_refused_with_the_first_ones_number(void **state)
{
    struct fixture *f = *state;
    char text[64];
    char again[128];
    snprintf(text, sizeof text, "in use by process %ld", (long)getpid());
    expect_refused(f, JOURNAL_CREATE, ERR_JOURNAL_BUSY, text);
    /* Another spelling of the same file is the same journal. */
    snprintf(again, sizeof again, "%s/./job.journal", f->folder);
    assert_int_equal(try_open(f, again, JOURNAL_OPEN), -ERR_JOURNAL_BUSY);
    snprintf(again, sizeof again, "%s/link", f->folder);
    assert_int_equal(symlink(f->path, again), 0);
    assert_int_equal(try_open(f, again, JOURNAL_OPEN), -ERR_JOURNAL_BUSY);
    assert_true(journal_is_running(f->path));
    assert_true(journal_is_running(again));
    fixture_close(f);
    assert_false(journal_is_running(f->path));
    assert_int_equal(try_open(f, again, JOURNAL_OPEN), 0);
}

static void a_lock_left_by_a_killed_run_holds_nobody_up(void **state)
{
    struct fixture *f = *state;
    char lock[128];
    fixture_close(f);
    snprintf(lock, sizeof lock, "%s.lock", f->path);
    write_file(lock, "999999\n", 7, 0);
    assert_false(journal_is_running(f->path));
    fixture_open(f);
}

static void what_is_no_journal_is_refused(void **state)
{
    static const char text[] = "name;size\nthis is a list of files, not a database at all\n";
    struct fixture *f = *state;
    char lock[128];
    struct stat st;
    fixture_close(f);
    assert_int_equal(unlink(f->path), 0);
    expect_refused(f, JOURNAL_OPEN, ERR_JOURNAL, "there is no journal");
    expect_refused(f, JOURNAL_READ, ERR_JOURNAL, "there is no journal");
    assert_int_equal(stat(f->path, &st), -1);
    write_file(f->path, "", 0, 0);
    expect_refused(f, JOURNAL_OPEN, ERR_JOURNAL, "empty");
    expect_refused(f, JOURNAL_READ, ERR_JOURNAL, "empty");
    for (int mode = JOURNAL_CREATE; mode <= JOURNAL_READ; mode++) {
        write_file(f->path, text, sizeof text, 0);
        expect_refused(f, (enum journal_mode)mode, ERR_JOURNAL, "no pxload journal");
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_size, sizeof text);
    }
    snprintf(lock, sizeof lock, "%s.lock", f->path);
    assert_int_equal(stat(lock, &st), -1);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(mkdir(f->path, 0700), 0);
    expect_refused(f, JOURNAL_CREATE, ERR_JOURNAL, "no regular file");
    assert_int_equal(rmdir(f->path), 0);
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    char before[8192];
    char after[8192];
    fixture_close(f);
    assert_int_equal(unlink(f->path), 0);
    run_sql(f->path, "CREATE TABLE bookmarks(url TEXT)");
    int fd = open(f->path, O_RDONLY);
    ssize_t len = read(fd, before, sizeof before);
    for (int mode = JOURNAL_CREATE; mode <= JOURNAL_READ; mode++)
        expect_refused(f, (enum journal_mode)mode, ERR_JOURNAL, "another program's database");
    assert_int_equal(pread(fd, after, sizeof after, 0), len);
    assert_memory_equal(before, after, (size_t)len);
    close(fd);
}

static void a_newer_format_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    run_sql(f->path, "PRAGMA user_version = 99");
    expect_refused(f, JOURNAL_CREATE, ERR_JOURNAL, "newer pxload (format 99, this program knows ");
    expect_refused(f, JOURNAL_READ, ERR_JOURNAL, "newer pxload");
}

/* A run that was killed between making the file and its tables. */
static void a_database_without_tables_is_made_a_journal(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    assert_int_equal(unlink(f->path), 0);
    run_sql(f->path, "PRAGMA journal_mode = WAL; CREATE TABLE t(x); DROP TABLE t");
    expect_refused(f, JOURNAL_OPEN, ERR_JOURNAL, "no pxload journal");
    fixture_open(f);
    assert_false(journal_was_killed(f->journal));
}

static void a_truncated_journal_is_refused(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    fill_and_close(f);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(truncate(f->path, st.st_size / 2 / 4096 * 4096), 0);
    expect_refused(f, JOURNAL_OPEN, ERR_JOURNAL, "damaged");
    expect_refused(f, JOURNAL_READ, ERR_JOURNAL, "damaged");
}

static void torn_pages_are_refused(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    unsigned char junk[64];
    fill_and_close(f);
    assert_int_equal(stat(f->path, &st), 0);
    memset(junk, 0xa5, sizeof junk);
    for (off_t page = st.st_size / 4096 / 2; page < st.st_size / 4096; page += 7)
        write_file(f->path, junk, sizeof junk, page * 4096);
    expect_refused(f, JOURNAL_OPEN, ERR_JOURNAL, "damaged");
    assert_non_null(strstr(f->err.text, "move it away"));
}

/* Whatever bit flips: the journal is refused, or it works; it never crashes or loops. */
static void a_flipped_bit_is_refused_or_harmless(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    struct journal_books books;
    unsigned seed = (unsigned)getpid();
    int refused = 0;
    print_message("seed %u\n", seed);
    fill_and_close(f);
    assert_int_equal(stat(f->path, &st), 0);
    for (int i = 0; i < 12; i++) {
        unsigned char byte;
        off_t at = rand_r(&seed) % (int)st.st_size;
        unsigned char mask = (unsigned char)(1 << (rand_r(&seed) % 8));
        int fd = open(f->path, O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= mask;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        struct journal *journal;
        struct err err = ERR_INIT;
        if (journal_open(f->path, JOURNAL_READ, NULL, NULL, &journal, &err)) {
            refused++;
        } else {
            int rc = journal_read_books(journal, &books, &err);
            assert_true(rc <= 0);
            journal_close(journal);
        }
        if (journal_open(f->path, JOURNAL_OPEN, fixture_wake, f, &journal, &err)) {
            assert_true(err.code == ERR_JOURNAL || err.code == ERR_IO);
            assert_true(err.text[0]);
            refused++;
        }
        journal_close(journal);
        /* Opening wrote into it: the next flip starts from a good one. */
        close(fd);
        assert_int_equal(unlink(f->path), 0);
        fixture_open(f);
        fill_and_close(f);
        assert_int_equal(stat(f->path, &st), 0);
    }
    print_message("%d refused\n", refused);
}

static void a_run_that_did_not_close_is_told(void **state)
{
    struct fixture *f = *state;
    int status;
    assert_false(journal_was_killed(f->journal));
    fixture_reopen(f);
    assert_false(journal_was_killed(f->journal));
    fixture_close(f);
    pid_t pid = fork();
    if (!pid) {
        struct journal *journal;
        if (journal_open(f->path, JOURNAL_OPEN, NULL, NULL, &journal, &f->err))
            _exit(1);
        _exit(0); /* without closing */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct journal *reader;
    expect_ok(f, journal_open(f->path, JOURNAL_READ, NULL, NULL, &reader, &f->err));
    assert_true(journal_was_killed(reader));
    journal_close(reader);
    fixture_open(f);
    assert_true(journal_was_killed(f->journal));
    fixture_reopen(f);
    assert_false(journal_was_killed(f->journal));
}

static int count_rows(const struct journal_row *row, void *user)
{
    int64_t *count = user;
    assert_int_equal(row->asset_id, *count + 1);
    ++*count;
    return 0;
}

static void a_reader_beside_the_writer_sees_what_is_committed(void **state)
{
    struct fixture *f = *state;
    struct journal *reader;
    struct journal_books books;
    int64_t rows = 0;
    char *value;
    expect_ok(f, journal_open(f->path, JOURNAL_READ, NULL, NULL, &reader, &f->err));
    for (int i = 1; i <= 50; i++) {
        char path[16];
        snprintf(path, sizeof path, "f%d", i);
        walk_begin(f);
        add_file(f, path, i);
        walk_finish(f);
        expect_ok(f, journal_read_books(reader, &books, &f->err));
        assert_int_equal(books.wave, i);
        assert_int_equal(books.files[ASSET_DISCOVERED], 1);
        assert_int_equal(books.gone_files, i - 1);
        assert_int_equal(books.largest_pending_bytes, i);
        struct journal_books own = read_books(f);
        assert_memory_equal(&own, &books, sizeof own);
    }
    expect_ok(f, journal_each_row(reader, count_rows, &rows, &f->err));
    assert_int_equal(rows, 50);
    expect_ok(f, journal_set_meta(f->journal, "k", "v", &f->err));
    expect_ok(f, journal_get_meta(reader, "k", &value, &f->err));
    assert_string_equal(value, "v");
    free(value);
    /* The writer goes first; the reader still reads. */
    fixture_close(f);
    expect_ok(f, journal_read_books(reader, &books, &f->err));
    assert_int_equal(books.wave, 50);
    journal_close(reader);
    fixture_open(f);
    assert_false(journal_was_killed(f->journal));
}

static int sum_row(const struct journal_row *row, void *user)
{
    int64_t *sum = user;
    *sum += row->tries;
    return 0;
}

/* Every batch adds one try to each of four assets: no reader may see it in halves. */
static void a_reader_beside_a_busy_writer_sees_whole_commits(void **state)
{
    enum { BATCHES = 400 };
    struct fixture *f = *state;
    struct journal *reader;
    struct journal_books books;
    struct journal_batch *done;
    struct err err = ERR_INIT;
    int64_t last = 0;
    walk_begin(f);
    for (int i = 1; i <= 4; i++)
        add_file(f, &"abcd"[i - 1], i);
    walk_finish(f);
    expect_ok(f, journal_open(f->path, JOURNAL_READ, NULL, NULL, &reader, &f->err));
    for (int tries = 1; tries <= BATCHES; tries++) {
        struct journal_batch *batch = journal_batch_new();
        for (int i = 1; i <= 4; i++) {
            struct journal_fact fact = {.asset_id = i,
                                        .fields = FACT_TRIES | FACT_STATE,
                                        .state = tries % 2 ? ASSET_STORED : ASSET_CONFIRMED,
                                        .tries = tries};
            assert_int_equal(journal_batch_fact(batch, &fact), 0);
        }
        journal_submit(f->journal, batch);
        int64_t sum = 0;
        expect_ok(f, journal_each_row(reader, sum_row, &sum, &f->err));
        assert_int_equal(sum % 4, 0);
        assert_true(sum >= last);
        last = sum;
        expect_ok(f, journal_read_books(reader, &books, &f->err));
        assert_int_equal(books.files[ASSET_STORED] + books.files[ASSET_CONFIRMED] +
                             books.files[ASSET_DISCOVERED],
                         4);
        assert_int_equal(books.files[ASSET_STORED] % 4, 0);
        while ((done = journal_next_done(f->journal, &err))) {
            assert_int_equal(err.code, ERR_NONE);
            journal_batch_free(done);
        }
    }
    journal_close(reader);
}

/* Between two rows of a report the writer goes on; the report does not see it. */
static int change_and_count(const struct journal_row *row, void *user)
{
    struct fixture *f = user;
    f->wave++; /* counts the rows here */
    assert_int_equal(row->state, ASSET_DISCOVERED);
    if (row->asset_id == 1)
        set_state(f, 3, ASSET_CONFIRMED);
    return 0;
}

static void a_report_is_one_moment(void **state)
{
    struct fixture *f = *state;
    struct journal *reader;
    walk_begin(f);
    add_file(f, "a", 1);
    add_file(f, "b", 2);
    add_file(f, "c", 3);
    walk_finish(f);
    f->wave = 0;
    expect_ok(f, journal_open(f->path, JOURNAL_READ, NULL, NULL, &reader, &f->err));
    expect_ok(f, journal_each_row(reader, change_and_count, f, &f->err));
    assert_int_equal(f->wave, 3);
    journal_close(reader);
    assert_int_equal(state_of(f, 3), ASSET_CONFIRMED);
}

static int read_as_nobody(const char *path)
{
    struct journal *reader;
    struct journal_books books;
    struct err err = ERR_INIT;
    if (getuid() == 0 && setuid(65534))
        return 1;
    if (journal_open(path, JOURNAL_READ, NULL, NULL, &reader, &err)) {
        print_message("%s\n", err.text);
        return 2;
    }
    if (journal_read_books(reader, &books, &err) || books.files[ASSET_DISCOVERED] != 1)
        return 3;
    journal_close(reader);
    return 0;
}

static void a_closed_journal_in_a_folder_without_write_permission_is_read(void **state)
{
    struct fixture *f = *state;
    int status;
    walk_begin(f);
    add_file(f, "a", 1);
    walk_finish(f);
    fixture_close(f);
    assert_int_equal(chmod(f->path, 0444), 0);
    assert_int_equal(chmod(f->folder, 0555), 0);
    pid_t pid = fork();
    if (!pid)
        _exit(read_as_nobody(f->path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(f->folder, 0700), 0);
}

static void network_file_systems_are_known(void **state)
{
    (void)state;
    assert_string_equal(place_network_name(0x6969, NULL), "NFS");
    assert_string_equal(place_network_name(0x517b, ""), "SMB");
    assert_string_equal(place_network_name((unsigned long)(int)0xff534d42, ""), "CIFS");
    assert_string_equal(place_network_name(0xfe534d42ul, ""), "SMB2");
    assert_string_equal(place_network_name(0x65735546ul, "fuse.sshfs"), "sshfs");
    assert_null(place_network_name(0x65735546ul, "fuseblk")); /* ntfs-3g: local */
    assert_null(place_network_name(0x65735546ul, NULL));
    assert_null(place_network_name(0xef53, "ext4"));
    assert_null(place_network_name(0x01021994, "tmpfs"));
}

static void a_set_of_ids_keeps_what_it_was_given(void **state)
{
    enum { IDS = 5000 };
    static char inside[IDS + 1];
    struct idset set = {0};
    unsigned seed = (unsigned)getpid();
    size_t count = 0;
    (void)state;
    print_message("seed %u\n", seed);
    assert_false(idset_has(&set, 1));
    idset_remove(&set, 1);
    for (int i = 0; i < 200000; i++) {
        int id = 1 + rand_r(&seed) % IDS;
        if (rand_r(&seed) % 2) {
            assert_int_equal(idset_add(&set, id), 0);
            count += !inside[id];
            inside[id] = 1;
        } else {
            idset_remove(&set, id);
            count -= inside[id] != 0;
            inside[id] = 0;
        }
        assert_int_equal(set.count, count);
    }
    for (int id = 1; id <= IDS; id++)
        assert_int_equal(idset_has(&set, id), inside[id]);
    idset_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN_TEST(a_journal_is_private_and_leaves_one_file),
        OPEN_TEST(a_second_writer_is_refused_with_the_first_ones_number),
        OPEN_TEST(a_lock_left_by_a_killed_run_holds_nobody_up),
        OPEN_TEST(what_is_no_journal_is_refused),
        OPEN_TEST(another_programs_database_is_refused_and_left_alone),
        OPEN_TEST(a_newer_format_is_refused),
        OPEN_TEST(a_database_without_tables_is_made_a_journal),
        OPEN_TEST(a_truncated_journal_is_refused),
        OPEN_TEST(torn_pages_are_refused),
        OPEN_TEST(a_flipped_bit_is_refused_or_harmless),
        OPEN_TEST(a_run_that_did_not_close_is_told),
        OPEN_TEST(a_reader_beside_the_writer_sees_what_is_committed),
        OPEN_TEST(a_reader_beside_a_busy_writer_sees_whole_commits),
        OPEN_TEST(a_report_is_one_moment),
        OPEN_TEST(a_closed_journal_in_a_folder_without_write_permission_is_read),
        cmocka_unit_test(network_file_systems_are_known),
        cmocka_unit_test(a_set_of_ids_keeps_what_it_was_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
