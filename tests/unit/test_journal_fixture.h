/*
 * test_journal_fixture.h - a journal in a folder of its own, and short spellings of its calls.
 * Included by the journal's tests; each uses a part of it.
 */
#ifndef TEST_JOURNAL_FIXTURE_H
#define TEST_JOURNAL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal.h"

#define FIXTURE_USED __attribute__((unused))

struct fixture {
    char folder[64];
    char path[96];
    struct journal *journal;
    sem_t woken;
    int64_t root;
    int64_t wave;
    struct err err;
};

static void fixture_wake(void *user)
{
    struct fixture *fixture = user;
    sem_post(&fixture->woken);
}

static FIXTURE_USED void fixture_make(struct fixture *fixture)
{
    *fixture = (struct fixture){.err = ERR_INIT};
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/pxload-journal-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/job.journal", fixture->folder);
    sem_init(&fixture->woken, 0, 0);
}

static FIXTURE_USED void fixture_remove(struct fixture *fixture)
{
    DIR *dir = opendir(fixture->folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(fixture->folder);
    sem_destroy(&fixture->woken);
}

/* cmocka's fail() does not say what happened; this does. */
static FIXTURE_USED void expect_ok(struct fixture *fixture, int rc)
{
    if (rc)
        print_message("failed: %s\n", fixture->err.text);
    assert_int_equal(rc, 0);
}

static FIXTURE_USED void fixture_open(struct fixture *fixture)
{
    expect_ok(fixture, journal_open(fixture->path, JOURNAL_CREATE, fixture_wake, fixture,
                                    &fixture->journal, &fixture->err));
    expect_ok(fixture, journal_root_id(fixture->journal, "/data", &fixture->root, &fixture->err));
}

static FIXTURE_USED void fixture_close(struct fixture *fixture)
{
    journal_close(fixture->journal);
    fixture->journal = NULL;
}

static FIXTURE_USED void fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

static FIXTURE_USED int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture_make(fixture);
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static FIXTURE_USED int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    fixture_remove(fixture);
    free(fixture);
    return 0;
}

/* ---- the walk ---------------------------------------------------------------------------- */

static FIXTURE_USED void walk_begin(struct fixture *fixture)
{
    expect_ok(fixture, journal_walk_begin(fixture->journal, &fixture->wave, &fixture->err));
}

static FIXTURE_USED void walk_finish(struct fixture *fixture)
{
    expect_ok(fixture, journal_walk_finish(fixture->journal, &fixture->err));
}

static FIXTURE_USED const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A file as a walk finds it: inode, times and so on follow from the size. */
static FIXTURE_USED struct journal_found found_file(struct fixture *fixture, const char *path,
                                                    int64_t size_bytes)
{
    return (struct journal_found){
        .root_id = fixture->root,
        .path = path,
        .name = base_name(path),
        .stamp = {.dev = 66306,
                  .ino = 1000 + (uint64_t)size_bytes,
                  .size_bytes = size_bytes,
                  .mtime_ns = 1700000000000000000 + size_bytes,
                  .ctime_ns = 1700000001000000000 + size_bytes},
    };
}

static FIXTURE_USED void add_rows(struct fixture *fixture, const struct journal_found *rows,
                                  size_t count)
{
    expect_ok(fixture, journal_add_found(fixture->journal, rows, count, &fixture->err));
}

static FIXTURE_USED void add_file(struct fixture *fixture, const char *path, int64_t size_bytes)
{
    struct journal_found row = found_file(fixture, path, size_bytes);
    add_rows(fixture, &row, 1);
}

/* ---- batches ----------------------------------------------------------------------------- */

/* Submits and waits for the batch, which must be the next to come back. */
static FIXTURE_USED struct err commit_batch(struct fixture *fixture, struct journal_batch *batch)
{
    struct err err = ERR_INIT;
    struct journal_batch *done;
    journal_submit(fixture->journal, batch);
    while (!(done = journal_next_done(fixture->journal, &err)))
        sem_wait(&fixture->woken);
    assert_ptr_equal(done, batch);
    return err;
}

static FIXTURE_USED void commit_fact(struct fixture *fixture, const struct journal_fact *fact)
{
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_fact(batch, fact), 0);
    fixture->err = commit_batch(fixture, batch);
    expect_ok(fixture, -(int)fixture->err.code);
    journal_batch_free(batch);
}

static FIXTURE_USED void set_state(struct fixture *fixture, int64_t id, enum asset_state state)
{
    struct journal_fact fact = {.asset_id = id, .fields = FACT_STATE, .state = state};
    commit_fact(fixture, &fact);
}

static FIXTURE_USED void fail_asset(struct fixture *fixture, int64_t id, enum err_code code)
{
    struct err error = ERR_INIT;
    err_set(&error, code, "it failed");
    struct journal_fact fact = {
        .asset_id = id, .fields = FACT_STATE | FACT_ERROR, .state = ASSET_FAILED, .error = &error};
    commit_fact(fixture, &fact);
}

/* Claims; the ids in order into out[], 0 behind the last. Returns how many; *out_dry may be NULL.
 */
static FIXTURE_USED size_t claim_ids(struct fixture *fixture, enum claim_lane lane, size_t max,
                                     int64_t boundary_bytes, int64_t *out, int *out_dry)
{
    struct journal_batch *batch = journal_batch_new();
    struct claim *claim;
    size_t count = 0;
    assert_int_equal(journal_batch_claim(batch, lane, max, boundary_bytes), 0);
    fixture->err = commit_batch(fixture, batch);
    expect_ok(fixture, -(int)fixture->err.code);
    while ((claim = journal_batch_take_claim(batch, lane))) {
        out[count++] = claim->asset_id;
        claim_free(claim);
    }
    if (out_dry)
        *out_dry = journal_batch_lane_dry(batch, lane);
    journal_batch_free(batch);
    return count;
}

/* The next asset in row order; NULL: none. The caller frees it. */
static FIXTURE_USED struct claim *claim_one(struct fixture *fixture)
{
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_claim(batch, CLAIM_BY_PATH, 1, 0), 0);
    fixture->err = commit_batch(fixture, batch);
    expect_ok(fixture, -(int)fixture->err.code);
    struct claim *claim = journal_batch_take_claim(batch, CLAIM_BY_PATH);
    journal_batch_free(batch);
    return claim;
}

static FIXTURE_USED void unclaim(struct fixture *fixture, int64_t id)
{
    struct journal_batch *batch = journal_batch_new();
    assert_int_equal(journal_batch_unclaim(batch, id), 0);
    fixture->err = commit_batch(fixture, batch);
    expect_ok(fixture, -(int)fixture->err.code);
    journal_batch_free(batch);
}

/* ---- reading ----------------------------------------------------------------------------- */

static FIXTURE_USED struct journal_books read_books(struct fixture *fixture)
{
    struct journal_books books;
    expect_ok(fixture, journal_read_books(fixture->journal, &books, &fixture->err));
    return books;
}

/* A row as it is kept after its callback. */
struct kept_row {
    struct journal_row row;
    char path[256];
    char name[256];
    char file_id[64];
    char etag[64];
    char version[64];
    char cdn_url[64];
    char text[512];
    char request_id[64];
    char mime_type[64];
    int64_t want_id;
    int found;
};

static void keep_text(char *out, size_t cap, const char *text)
{
    snprintf(out, cap, "%s", text ? text : "");
}

static int keep_row(const struct journal_row *row, void *user)
{
    struct kept_row *kept = user;
    if (row->asset_id != kept->want_id)
        return 0;
    kept->row = *row;
    keep_text(kept->path, sizeof kept->path, row->path);
    keep_text(kept->name, sizeof kept->name, row->name);
    keep_text(kept->file_id, sizeof kept->file_id, row->file_id);
    keep_text(kept->etag, sizeof kept->etag, row->etag);
    keep_text(kept->version, sizeof kept->version, row->version);
    keep_text(kept->cdn_url, sizeof kept->cdn_url, row->cdn_url);
    keep_text(kept->text, sizeof kept->text, row->error_text);
    keep_text(kept->request_id, sizeof kept->request_id, row->request_id);
    keep_text(kept->mime_type, sizeof kept->mime_type, row->mime_type);
    kept->found = 1;
    return 0;
}

static FIXTURE_USED struct kept_row row_of(struct fixture *fixture, int64_t id)
{
    struct kept_row kept = {.want_id = id};
    expect_ok(fixture, journal_each_row(fixture->journal, keep_row, &kept, &fixture->err));
    assert_true(kept.found);
    return kept;
}

static FIXTURE_USED enum asset_state state_of(struct fixture *fixture, int64_t id)
{
    return row_of(fixture, id).row.state;
}

#endif
