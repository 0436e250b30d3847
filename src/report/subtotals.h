/*
 * subtotals.h - how the files of each folder came out, in bounded memory: where there are more
 * folders than SUBTOTALS_MAX, the deepest count in the folder above them. One owner, one thread.
 */
#ifndef REPORT_SUBTOTALS_H
#define REPORT_SUBTOTALS_H

#include "base/buf.h"
#include "report/outcome.h"

#define SUBTOTALS_MAX 16384

struct folder {
    int parent; /* index; -1: a root */
    int depth;  /* 0: a root */
    char *name; /* its last component, raw; of a root its path; NULL: "all others" of its parent */
    struct outcome own;
    struct outcome all;    /* with the folders below, after subtotals_finish() */
    int64_t below;         /* folders below it, likewise */
    int first_child, next; /* -1: none; in the order of the walk, likewise */
    int last_child;
};

struct subtotals {
    struct folder *items; /* parents before children */
    int count;
    int *slots;    /* hash table of indices, -1: free */
    int max_depth; /* deeper ones count in the folder above */
    int deepest;   /* of those that were seen */
    int last;      /* of the row before; -1 */
    char *last_root;
    char *last_path; /* its folder's, with the slash behind */
    size_t last_len;
};

/* 0 or -ERR_NOMEM; release it in any case. */
int subtotals_init(struct subtotals *folders) WARN_UNUSED;
void subtotals_release(struct subtotals *folders);
/* Counts a row. 0 or -ERR_NOMEM. */
int subtotals_add(struct subtotals *folders, const struct journal_row *row) WARN_UNUSED;
/* Sums up and links; nothing is added after. */
void subtotals_finish(struct subtotals *folders);
/* The next folder after i (-1: the first) in the order of a tree, not deeper than max_depth; -1. */
int subtotals_next(const struct subtotals *folders, int i, int max_depth);
/* The greatest depth, at least 1, down to which there are at most so many folders. */
int subtotals_depth_of(const struct subtotals *folders, int64_t most);
/* Appends the path below the root with a slash behind, raw; "" of a root. 0 or -ERR_NOMEM. */
int subtotals_path(const struct subtotals *folders, int i, struct buf *out) WARN_UNUSED;

#endif
