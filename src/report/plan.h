/*
 * plan.h - the plan's arithmetic, apart from its printing. Pure, any thread.
 */
#ifndef REPORT_PLAN_H
#define REPORT_PLAN_H

#include "report/eta.h"
#include "report/report.h"

/* Token and regions: what a run asks for once. */
#define PLAN_FIXED_REQUESTS 2
/* A canary's look-ups, where conflicts are overwritten or versioned. */
#define PLAN_CANARY_REQUESTS 2
/* What one file gets at most when nothing is known: its parts go one after the other. */
#define PLAN_FILE_BYTES_PER_S 50000000ll

/* What has to be sent. */
struct plan_load {
    int64_t files;
    int64_t bytes;
    int64_t largest_bytes;
    int64_t requests;
};

/* Requests for the pending files of the books, without those of retries. */
int64_t plan_requests(const struct journal_books *books, enum conflict_policy on_conflict);
/* The earliest end at a bandwidth; out->limit says what sets it. */
void plan_floor(const struct plan_load *load, int api_rate, int64_t bytes_per_s, struct eta *out);

#endif
