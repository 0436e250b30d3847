/*
 * ranking.h - the files that are most of something: the largest, the slowest. One owner, one
 * thread.
 */
#ifndef REPORT_RANKING_H
#define REPORT_RANKING_H

#include "journal/journal.h"

#define RANKING_MAX 100

struct ranked {
    int64_t key; /* what it was ranked by */
    int64_t size_bytes;
    int64_t took_ms; /* 0: not done */
    enum asset_state state;
    char *root;
    char *path; /* raw */
};

struct ranking {
    struct ranked items[RANKING_MAX]; /* most first; among equals the earlier row */
    size_t count;
};

/* 0 or -ERR_NOMEM. */
int ranking_add(struct ranking *ranking, int64_t key, const struct journal_row *row) WARN_UNUSED;
void ranking_release(struct ranking *ranking);

#endif
