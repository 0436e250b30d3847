/*
 * gather.h - what the HTML report shows, gathered in one pass over the rows, in bounded memory.
 * One owner, one thread.
 */
#ifndef REPORT_GATHER_H
#define REPORT_GATHER_H

#include "report/failures.h"
#include "report/ranking.h"
#include "report/subtotals.h"
#include "report/tally.h"
#include "report/timeline.h"
#include "report/types.h"

struct gather {
    struct tally tally;
    struct books_totals totals;
    struct failures failures;
    struct subtotals folders;
    struct types types;
    struct ranking largest;
    struct ranking slowest;
    struct timeline timeline;
    struct page *page;
    int full_paths;
    struct buf source;
};

/*
 * Reads all rows and the history. The page makes the failures' rows, in which a path is the one
 * below its root unless full_paths is set. 0, -ERR_NOMEM, -ERR_JOURNAL; release it in any case.
 */
int gather_read(struct gather *gather, struct journal *journal, struct page *page, int full_paths,
                struct err *err) WARN_UNUSED;
/* What to call a file of a root, raw; the gather's until the next call. NULL: no memory. */
const char *gather_path(struct gather *gather, const char *root, const char *path);
void gather_release(struct gather *gather);

#endif
