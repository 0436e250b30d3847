/*
 * plan.h - the plan's arithmetic, apart from its printing. Pure, any thread.
 */
#ifndef REPORT_PLAN_H
#define REPORT_PLAN_H

#include "report/eta.h"
#include "report/report.h"

/* A token, as no run can know that one will be in the cache. */
#define PLAN_TOKEN_REQUESTS 1
/* A canary's look-ups, where conflicts are overwritten or versioned. */
#define PLAN_CANARY_REQUESTS 2
/* A list of categories or collections, where a tenant has no more of them than one page. */
#define PLAN_LIST_REQUESTS 1
/* What one file gets at most when nothing is known: its parts go one after the other. */
#define PLAN_FILE_BYTES_PER_S 50000000ll

/* What has to be sent. */
struct plan_load {
    int64_t files;
    int64_t bytes;
    int64_t largest_bytes;
    int64_t requests;
};

/* What the requests are for; without those of retries. */
struct plan_calls {
    int64_t files; /* request and confirm: two a file */
    int64_t links; /* one a file, where folders or a manifest ask for it */
    int64_t categories;
    int64_t collections; /* those to be made */
    int64_t lists;       /* of what PXM has, before that */
    int64_t once;        /* token, regions, look-ups of a canary, --parent-category */
    int64_t all;
};
void plan_calls(const struct journal_books *books, const struct plan_options *options,
                struct plan_calls *out);
/* The earliest end at a bandwidth; out->limit says what sets it. */
void plan_floor(const struct plan_load *load, int api_rate, int64_t bytes_per_s, struct eta *out);

#endif
