/*
 * fuzz_journal.c - a damaged or foreign journal is refused, or read to its end with what it has.
 *
 * The first byte of the input: 'F' - the rest is the journal file itself. Otherwise the rest is
 * patches of a sound journal: three bytes of offset, one byte to put there; the first byte cuts
 * that many 1/256 off its end.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 40

static char folder[64];
static char path[96];
static uint8_t *sound;
static size_t sound_size;
static uint8_t *patched;

static void empty_folder(void)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

static void remove_folder(void)
{
    empty_folder();
    rmdir(folder);
    free(sound);
    free(patched);
}

static void no_wake(void *user)
{
    (void)user;
}

/* Some files, one that has no name, one that is another's namesake. */
static void add_files(struct journal *journal)
{
    struct err err = ERR_INIT;
    int64_t root, wave;
    BUG_ON(journal_set_meta(journal, "job.begun", "2020-01-01", &err));
    BUG_ON(journal_root_id(journal, "/data", &root, &err));
    BUG_ON(journal_walk_begin(journal, &wave, &err));
    for (int i = 0; i < FILES; i++) {
        char at[32];
        snprintf(at, sizeof at, "folder/file%d.jpg", i);
        struct journal_found found = {
            .root_id = root,
            .path = at,
            .name = i == 7   ? NULL
                    : i == 8 ? "file1.jpg"
                             : at + 7,
            .stamp = {.dev = 1, .ino = (uint64_t)i, .size_bytes = i * 100, .mtime_ns = i},
            .failure = i == 7 ? ERR_NAME_INVALID : ERR_NONE,
            .failure_text = i == 7 ? "no UTF-8" : NULL,
        };
        BUG_ON(journal_add_found(journal, &found, 1, &err));
    }
    BUG_ON(journal_add_excluded(journal, "junk", 3, 0, &err));
    BUG_ON(journal_add_issue(journal, "folder/x", ERR_SOURCE_UNREADABLE, "why", &err));
    BUG_ON(journal_walk_finish(journal, &err));
}

/* A session for some and an end for others. */
static void add_facts(struct journal *journal)
{
    struct err err = ERR_INIT;
    struct journal_batch *batch = journal_batch_new();
    BUG_ON(!batch);
    for (int64_t id = 1; id <= 6; id++) {
        struct journal_fact session = {
            .asset_id = id,
            .fields = FACT_STATE | FACT_PREPARED | FACT_SESSION | FACT_INTENT,
            .state = ASSET_REQUESTED,
            .mime_type = "image/jpeg",
            .stamp = {.dev = 1, .ino = (uint64_t)id, .size_bytes = id * 100, .mtime_ns = id},
            .file_path = "incoming/1",
            .file_name = "file.jpg",
            .intent_ms = 5,
        };
        struct journal_fact part = {
            .asset_id = id, .fields = FACT_PART, .part_no = 1, .etag = "\"e\"", .has_md5 = 1};
        struct journal_fact end = {.asset_id = id,
                                   .fields = FACT_STATE | FACT_FILE,
                                   .state = ASSET_CONFIRMED,
                                   .file_id = "00000000-0000-4000-8000-000000000000",
                                   .done_ms = 9};
        BUG_ON(journal_batch_fact(batch, &session) || journal_batch_fact(batch, &part));
        BUG_ON(id % 2 && journal_batch_fact(batch, &end));
    }
    journal_submit(journal, batch);
    BUG_ON(journal_set_meta(journal, "job.done", "1", &err)); /* in order behind the batch */
    journal_batch_free(journal_next_done(journal, &err));
}

static void read_sound(void)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    BUG_ON(fd < 0 || fstat(fd, &st));
    sound_size = (size_t)st.st_size;
    sound = malloc(sound_size);
    patched = malloc(sound_size);
    BUG_ON(!sound || !patched || read(fd, sound, sound_size) != (ssize_t)sound_size);
    close(fd);
}

static void make_sound(void)
{
    struct journal *journal;
    struct err err = ERR_INIT;
    snprintf(folder, sizeof folder, "%s", "/dev/shm/pxload-fuzz-XXXXXX");
    if (!mkdtemp(folder)) {
        snprintf(folder, sizeof folder, "%s", "/tmp/pxload-fuzz-XXXXXX");
        BUG_ON(!mkdtemp(folder));
    }
    snprintf(path, sizeof path, "%s/job.journal", folder);
    atexit(remove_folder);
    BUG_ON(journal_open(path, JOURNAL_CREATE, no_wake, NULL, &journal, &err));
    add_files(journal);
    add_facts(journal);
    journal_close(journal);
    read_sound();
}

static void write_journal(const uint8_t *data, size_t size)
{
    empty_folder();
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
    close(fd);
}

static void write_patched(const uint8_t *data, size_t size)
{
    size_t kept = sound_size - sound_size / 256 * data[0];
    memcpy(patched, sound, sound_size);
    for (size_t i = 1; i + 4 <= size; i += 4) {
        size_t offset = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
        patched[offset % sound_size] = data[i + 3];
    }
    write_journal(patched, kept);
}

/* ---- what a reader does ------------------------------------------------------------------ */

static int see_row(const struct journal_row *row, void *user)
{
    size_t *sum = user;
    *sum += strlen(row->root) + strlen(row->path) + strlen(asset_state_name(row->state));
    *sum += row->name ? strlen(row->name) : 0;
    *sum += row->mime_type ? strlen(row->mime_type) : 0;
    *sum += row->file_id ? strlen(row->file_id) : 0;
    *sum += row->etag ? strlen(row->etag) : 0;
    *sum += row->error_text ? strlen(row->error_text) : 0;
    *sum += strlen(err_name(row->error));
    return 0;
}

static int see_excluded(const char *reason, int64_t files, int64_t bytes, void *user)
{
    *(size_t *)user += strlen(reason) + (size_t)files + (size_t)bytes;
    return 0;
}

static int see_issue(const char *at, enum err_code code, const char *text, void *user)
{
    *(size_t *)user += strlen(at) + strlen(err_name(code)) + (text ? strlen(text) : 0);
    return 0;
}

static void check(int rc)
{
    BUG_ON(rc != 0 && rc != -ERR_JOURNAL && rc != -ERR_IO && rc != -ERR_NOMEM);
}

static void read_all(struct journal *journal)
{
    struct err err = ERR_INIT;
    struct journal_books books;
    char *value = NULL;
    size_t sum = 0;
    check(journal_read_books(journal, &books, &err));
    check(journal_get_meta(journal, "job.begun", &value, &err));
    free(value);
    check(journal_each_row(journal, see_row, &sum, &err));
    check(journal_each_excluded(journal, see_excluded, &sum, &err));
    check(journal_each_issue(journal, see_issue, &sum, &err));
}

/* A run over it: a walk that sees one file again, and a claim. */
static void work_on(struct journal *journal)
{
    struct err err = ERR_INIT;
    int64_t wave, root, count;
    check(journal_root_id(journal, "/data", &root, &err));
    check(journal_walk_begin(journal, &wave, &err));
    struct journal_found found = {
        .root_id = root, .path = "folder/file3.jpg", .name = "file3.jpg", .stamp = {.dev = 1}};
    check(journal_add_found(journal, &found, 1, &err));
    check(journal_walk_finish(journal, &err));
    check(journal_requeue_failed(journal, ERR_NONE, &count, &err));
    struct journal_batch *batch = journal_batch_new();
    BUG_ON(!batch || journal_batch_claim(batch, CLAIM_BY_PATH, 10, 0));
    journal_submit(journal, batch);
    check(journal_set_meta(journal, "job.done", "2", &err));
    batch = journal_next_done(journal, &err);
    struct claim *claim;
    while (batch && (claim = journal_batch_take_claim(batch, CLAIM_BY_PATH)))
        claim_free(claim);
    journal_batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal *journal;
    struct err err = ERR_INIT;
    if (!size)
        return 0;
    if (!sound)
        make_sound();
    if (data[0] == 'F')
        write_journal(data + 1, size - 1);
    else
        write_patched(data, size);
    int rc = journal_open(path, JOURNAL_READ, NULL, NULL, &journal, &err);
    check(rc);
    if (!rc) {
        read_all(journal);
        journal_close(journal);
    }
    rc = journal_open(path, JOURNAL_OPEN, no_wake, NULL, &journal, &err);
    check(rc);
    if (!rc) {
        work_on(journal);
        journal_close(journal);
    }
    return 0;
}
