/*
 * view.h - a run's snapshot put into words: the lines of the block, the one line of a log. Pure:
 * no clock, no terminal, so that tests can look at every line.
 */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include "report/eta.h"
#include "report/report.h"

/* The numbers that every form of progress shares. */
struct view_sums {
    int64_t files_done; /* confirmed, skipped, failed; excluded files are not counted in */
    int64_t files_total;
    int64_t bytes_done;  /* confirmed, and what active files have sent */
    int64_t bytes_total; /* confirmed and still to send */
    struct eta eta;
    struct books_totals totals;
};
void view_sums(const struct job_snapshot *snapshot, struct view_sums *out);

struct view_size {
    int columns; /* no line takes more than columns - 1 */
    int rows;    /* nor the block more than rows - 1 */
    int ascii;   /* the terminal is not UTF-8 */
};
/* Appends the block, each line with its newline. 0 or -ERR_NOMEM. */
int view_block(const struct job_snapshot *snapshot, const struct view_sums *sums,
               const struct view_size *size, struct buf *out) WARN_UNUSED;
/* Appends one line without newline: rclone's --stats-one-line and what PXM adds. */
int view_line(const struct job_snapshot *snapshot, const struct view_sums *sums,
              struct buf *out) WARN_UNUSED;
/* Appends what of the request budget is used, and how long it has no room. */
int view_budget(const struct job_snapshot *snapshot, struct buf *out) WARN_UNUSED;
/* "45% ETA 1h02m" for a terminal's title. */
int view_title(const struct view_sums *sums, struct buf *out) WARN_UNUSED;
/* One line of the active files, " * name: 45% /1.2Gi, 23Mi/s", cut to columns. */
int view_active(const struct active_file *file, int columns, int ascii,
                struct buf *out) WARN_UNUSED;

#endif
