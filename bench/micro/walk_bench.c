/*
 * walk_bench.c - walks the folders named on the command line and prints what it found and how
 * long that took. To be set beside `find PATH -printf '%s %T@ %p\n' >/dev/null`; with --list it
 * prints "size path" a line instead, for a comparison with find's output. With --journal FILE the
 * walk fills a new journal, as an upload's does; the time includes closing it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pipeline/pipeline.h"
#include "scan/scan.h"

struct totals {
    int list;
    size_t files;
    size_t excluded;
    size_t issues;
    int64_t bytes;
};

static int count(const struct walk_entry *entry, void *user)
{
    struct totals *totals = user;
    switch (entry->kind) {
    case WALK_FILE:
        totals->files++;
        totals->bytes += entry->stamp.size_bytes;
        if (totals->list)
            printf("%" PRId64 " %s\n", entry->stamp.size_bytes, entry->path);
        break;
    case WALK_EXCLUDED:
        totals->excluded++;
        break;
    case WALK_ISSUE:
        totals->issues++;
        fprintf(stderr, "%s: %s\n", entry->path, entry->error->text);
        break;
    }
    return 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int walk_into_journal(const char *file, const struct walk_options *walk, struct err *err)
{
    struct job_options options = {.walk = *walk, .name_policy = NAME_KEEP};
    struct journal *journal = NULL;
    int rc = journal_open(file, JOURNAL_CREATE, NULL, NULL, &journal, err);
    if (!rc)
        rc = job_walk(&options, journal, err);
    if (journal)
        journal_close(journal);
    return rc;
}

int main(int argc, char **argv)
{
    struct totals totals = {.list = argc > 1 && strcmp(argv[1], "--list") == 0};
    const char *file = argc > 2 && strcmp(argv[1], "--journal") == 0 ? argv[2] : NULL;
    int first = file ? 3 : 1 + totals.list;
    if (first >= argc) {
        fprintf(stderr, "usage: walk_bench [--list | --journal FILE] PATH...\n");
        return 2;
    }
    char **paths = argv + first;
    struct walk_options options = {
        .roots = (const char *const *)paths,
        .root_count = (size_t)(argc - first),
        .max_depth = -1,
    };
    struct err err = ERR_INIT;
    double start = seconds();
    int rc =
        file ? walk_into_journal(file, &options, &err) : walk_run(&options, count, &totals, &err);
    double took = seconds() - start;
    if (rc) {
        fprintf(stderr, "walk_bench: %s\n", err.text);
        return 1;
    }
    if (file) {
        printf("into a journal in %.3f s\n", took);
        return 0;
    }
    fprintf(totals.list ? stderr : stdout,
            "%zu files, %" PRId64 " bytes, %zu excluded, %zu issues in %.3f s\n", totals.files,
            totals.bytes, totals.excluded, totals.issues, took);
    return 0;
}
