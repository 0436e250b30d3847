/*
 * journal_bench.c - how fast the journal is, beside the targets that it was built for:
 *
 *   build/bench/journal_bench [files [folder]]   (1,000,000 in a folder below the current one)
 *
 * Prints one line a measurement: what, the number, the target.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/journal.h"

#define FACTS_A_BATCH  300
#define BATCHES_OUT    32
#define FILES_A_FOLDER 97

static struct err error = ERR_INIT;
static sem_t woken;
static char journal_file[4096];

static void need(int rc)
{
    if (!rc)
        return;
    fprintf(stderr, "journal_bench: %s\n", error.text);
    exit(1);
}

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Of the whole process: what a busy machine does not falsify. */
static double cpu_s(void)
{
    static double last;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double all = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    double since = all - last;
    last = all;
    return since;
}

static void wake(void *user)
{
    (void)user;
    sem_post(&woken);
}

static struct journal *open_journal(enum journal_mode mode)
{
    struct journal *journal;
    need(journal_open(journal_file, mode, wake, NULL, &journal, &error));
    return journal;
}

/* ---- the walk ---------------------------------------------------------------------------- */

struct made_row {
    char path[128];
};

/* A path of about 60 bytes, and a size as trees of pictures have them. */
static struct journal_found make_row(int64_t root, int64_t i, struct made_row *room)
{
    struct rng rng;
    rng_seed(&rng, (uint64_t)i + 1);
    snprintf(room->path, sizeof room->path, "catalogue/season-%03d/product-%05d/IMG_%07d_front.jpg",
             (int)(i / (FILES_A_FOLDER * 100)), (int)(i / FILES_A_FOLDER), (int)i);
    int64_t size_bytes = (int64_t)(1000 + (rng_below(&rng, 1000) << rng_below(&rng, 16)));
    return (struct journal_found){
        .root_id = root,
        .path = room->path,
        .name = strrchr(room->path, '/') + 1,
        .stamp = {.dev = 66306,
                  .ino = 2000000 + (uint64_t)i,
                  .size_bytes = size_bytes,
                  .mtime_ns = 1700000000000000000 + i * 1234567,
                  .ctime_ns = 1700000500000000000 + i * 1234567},
    };
}

static double walk(struct journal *journal, int64_t files)
{
    static struct made_row rooms[LIMIT_WALK_BATCH];
    static struct journal_found rows[LIMIT_WALK_BATCH];
    int64_t wave;
    int64_t root;
    double start = now_s();
    need(journal_walk_begin(journal, &wave, &error));
    need(journal_root_id(journal, "/srv/pictures", &root, &error));
    for (int64_t i = 0; i < files;) {
        size_t count = 0;
        for (; count < LIMIT_WALK_BATCH && i < files; i++, count++)
            rows[count] = make_row(root, i, &rooms[count]);
        need(journal_add_found(journal, rows, count, &error));
    }
    need(journal_walk_finish(journal, &error));
    return now_s() - start;
}

/* ---- facts ------------------------------------------------------------------------------- */

static int batches_out;

static void collect(struct journal *journal, int most)
{
    while (batches_out > most) {
        struct journal_batch *done = journal_next_done(journal, &error);
        if (!done) {
            sem_wait(&woken);
            continue;
        }
        need(-(int)error.code);
        journal_batch_free(done);
        batches_out--;
    }
}

static void add_fact(struct journal *journal, struct journal_batch **batch,
                     const struct journal_fact *fact, int *count)
{
    if (!*batch)
        *batch = journal_batch_new();
    need(journal_batch_fact(*batch, fact));
    if (++*count < FACTS_A_BATCH)
        return;
    journal_submit(journal, *batch);
    *batch = NULL;
    *count = 0;
    batches_out++;
    collect(journal, BATCHES_OUT);
}

/* The three facts of an upload of one part. */
static void finish_file(struct journal *journal, struct journal_batch **batch, int64_t id,
                        int64_t root, int *count)
{
    struct made_row room;
    char file_id[40];
    struct journal_fact prepared = {.asset_id = id,
                                    .fields = FACT_STATE | FACT_PREPARED,
                                    .state = ASSET_PREPARED,
                                    .mime_type = "image/jpeg",
                                    .stamp = make_row(root, id - 1, &room).stamp};
    struct journal_fact stored = {.asset_id = id,
                                  .fields = FACT_STATE | FACT_SESSION | FACT_INTENT,
                                  .state = ASSET_STORED,
                                  .file_path = "tenants/0123456789/uploads/abcdef/picture.jpg",
                                  .file_name = strrchr(room.path, '/') + 1,
                                  .intent_ms = 1700000000000};
    snprintf(file_id, sizeof file_id, "%08x-94d1-4d20-8c3a-5a86b1b6f0aa", (unsigned)id);
    struct journal_fact confirmed = {.asset_id = id,
                                     .fields = FACT_STATE | FACT_FILE,
                                     .state = ASSET_CONFIRMED,
                                     .file_id = file_id,
                                     .has_md5 = 1,
                                     .done_ms = 1700000000000 + id};
    memcpy(confirmed.md5, file_id, 16);
    add_fact(journal, batch, &prepared, count);
    add_fact(journal, batch, &stored, count);
    add_fact(journal, batch, &confirmed, count);
}

static double finish_files(struct journal *journal, int64_t from, int64_t to)
{
    struct journal_batch *batch = NULL;
    int count = 0;
    double start = now_s();
    for (int64_t id = from; id <= to; id++)
        finish_file(journal, &batch, id, 1, &count);
    if (batch) {
        journal_submit(journal, batch);
        batches_out++;
    }
    collect(journal, 0);
    return now_s() - start;
}

/* ---- claims ------------------------------------------------------------------------------ */

static size_t claim(struct journal *journal, enum claim_lane lane, size_t max)
{
    struct journal_batch *batch = journal_batch_new();
    struct claim *one;
    size_t count = 0;
    need(journal_batch_claim(batch, lane, max, 32 << 20));
    journal_submit(journal, batch);
    while (!(batch = journal_next_done(journal, &error)))
        sem_wait(&woken);
    need(-(int)error.code);
    while ((one = journal_batch_take_claim(batch, lane))) {
        claim_free(one);
        count++;
    }
    journal_batch_free(batch);
    return count;
}

static double claim_all(struct journal *journal, enum claim_lane lane, size_t *out_count)
{
    double start = now_s();
    size_t got;
    *out_count = 0;
    while ((got = claim(journal, lane, 128)) > 0)
        *out_count += got;
    return now_s() - start;
}

static int count_row(const struct journal_row *row, void *user)
{
    (void)row;
    ++*(int64_t *)user;
    return 0;
}

/* ---- main -------------------------------------------------------------------------------- */

static void first_claim(enum claim_lane lane, const char *what)
{
    double start = now_s();
    struct journal *journal = open_journal(JOURNAL_OPEN);
    size_t got = claim(journal, lane, 128);
    double took = now_s() - start;
    printf("%-44s %8.1f ms   (target <= 50; %zu claims)\n", what, took * 1e3, got);
    journal_close(journal);
}

static void measure_reading(int64_t files)
{
    struct journal_books books;
    int64_t rows = 0;
    struct journal *journal = open_journal(JOURNAL_READ);
    double start = now_s();
    need(journal_read_books(journal, &books, &error));
    printf("%-44s %8.2f ms\n", "books, beside", (now_s() - start) * 1e3);
    start = now_s();
    need(journal_each_row(journal, count_row, &rows, &error));
    printf("%-44s %8.2f s    (%lld of %lld rows)\n", "every row of a report", now_s() - start,
           (long long)rows, (long long)files);
    journal_close(journal);
}

int main(int argc, char **argv)
{
    int64_t files = argc > 1 ? atoll(argv[1]) : 1000000;
    int64_t pending = files / 100;
    char folder[] = "./journal-bench-XXXXXX";
    const char *where = argc > 2 ? argv[2] : mkdtemp(folder);
    struct stat st;
    size_t claims;
    sem_init(&woken, 0, 0);
    snprintf(journal_file, sizeof journal_file, "%s/bench.journal", where);

    struct journal *journal = open_journal(JOURNAL_CREATE);
    double took = walk(journal, files);
    printf("%-44s %8.2f s    (cpu %.2f; target <= 4 a million; %.0f rows/s)\n", "found rows added",
           took, cpu_s(), (double)files / took);
    took = walk(journal, files);
    printf("%-44s %8.2f s    (cpu %.2f; %.0f rows/s)\n", "walked again, all pending", took, cpu_s(),
           (double)files / took);
    took = finish_files(journal, 1, files - pending);
    printf("%-44s %8.0f files/s (cpu %.2f; target >= 100,000)\n",
           "three facts a file, in row order", (double)(files - pending) / took, cpu_s());
    took = walk(journal, files);
    printf("%-44s %8.2f s    (cpu %.2f; target <= 6 a million)\n", "walked again, 99 % confirmed",
           took, cpu_s());
    double start = now_s();
    journal_close(journal);
    printf("%-44s %8.2f s\n", "closed", now_s() - start);

    first_claim(CLAIM_BY_PATH, "opened and claimed, 1 % pending, by path");
    first_claim(CLAIM_LARGEST, "opened and claimed, 1 % pending, by size");
    measure_reading(files);
    journal = open_journal(JOURNAL_OPEN);
    took = claim_all(journal, CLAIM_LARGEST, &claims);
    printf("%-44s %8.1f us a claim (%zu)\n", "claimed by size, 128 a batch",
           took * 1e6 / (double)claims, claims);
    finish_files(journal, files - pending + 1, files);
    journal_close(journal);
    stat(journal_file, &st);
    printf("%-44s %8.1f bytes a file (target <= 300)\n", "on disk, all confirmed",
           (double)st.st_size / (double)files);
    unlink(journal_file);
    if (argc <= 2)
        rmdir(folder);
    return 0;
}
