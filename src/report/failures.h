/*
 * failures.h - every failure as a row of the page, by class, in bounded memory: each class has a
 * share of FAILURES_BYTES by its number, and what goes beyond is counted. One owner, one thread.
 */
#ifndef REPORT_FAILURES_H
#define REPORT_FAILURES_H

#include "journal/journal.h"
#include "report/page.h"

#define FAILURES_BYTES     (5 * 1024 * 1024)
#define FAILURES_MIN_BYTES (32 * 1024) /* of a class, however few of all it has */

struct failures {
    struct buf rows[ERR_COUNT]; /* HTML */
    int64_t listed[ERR_COUNT];
    int64_t count[ERR_COUNT];
    struct buf row;
    struct buf text;
};

/* How much each class may have, by how many there are. */
void failures_init(struct failures *failures, const struct journal_books *books);
void failures_release(struct failures *failures);
/* A row that failed. path: what to call it, raw. 0 or -ERR_NOMEM. */
int failures_add(struct failures *failures, struct page *page, const struct journal_row *row,
                 const char *path) WARN_UNUSED;

#endif
