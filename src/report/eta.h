/*
 * eta.h - when a job can be done, computed from what is left and not extrapolated: the largest
 * of what the request budget, the bandwidth and the longest file still need. Pure, any thread.
 */
#ifndef REPORT_ETA_H
#define REPORT_ETA_H

#include "pipeline/pipeline.h"

/*
 * Milliseconds until the last of `requests` can start when at most `rate` start in any
 * RATE_WINDOW_MS and ages[i] started between i and i + 1 seconds ago (RATE_AGES of them; NULL:
 * none). The first free ones burst at 0. rate 0: 0. Saturates at INT64_MAX.
 */
int64_t eta_requests_ms(int64_t requests, int rate, const int *ages);
/* Milliseconds for bytes at a rate, rounded up; -1 where the rate is 0 and bytes are not. */
int64_t eta_bytes_ms(int64_t bytes, int64_t bytes_per_s);
/* Requests that the pending files of the books still need: two, one once they were requested, and
 * one more to be linked, and those for the folders that they are linked to. */
int64_t eta_requests_left(const struct journal_books *books);

/* Requests of so many files. */
struct eta_each {
    int64_t requests;
    int64_t files;
};

/*
 * The average file size at which the request budget and the bandwidth take equally long; smaller
 * files wait for requests, larger ones for bytes. 0 without a rate.
 */
int64_t eta_crossover_bytes(int rate, int64_t bytes_per_s, const struct eta_each *each);

enum eta_limit { ETA_BY_REQUESTS, ETA_BY_BYTES, ETA_BY_LARGEST };
const char *eta_limit_name(enum eta_limit limit);

struct eta_input {
    int64_t requests_left;
    int api_rate;            /* 0: none */
    const int *request_ages; /* see eta_requests_ms */
    int64_t held_ms;         /* how long nobody may send requests */
    int64_t bytes_left;
    int64_t goodput_bytes_per_s; /* 0: not known yet */
    int64_t largest_left_bytes;
    int64_t largest_bytes_per_s; /* of that one file; 0: not known */
};
struct eta {
    int64_t ms; /* -1: not known yet */
    int64_t requests_ms;
    int64_t bytes_ms;   /* -1 */
    int64_t largest_ms; /* -1 */
    enum eta_limit limit;
};
void eta_compute(const struct eta_input *input, struct eta *out);
/* From a run's snapshot; ms is -1 while the walk goes on, as what is left is not known then. */
void eta_of_snapshot(const struct job_snapshot *snapshot, struct eta *out);

#endif
