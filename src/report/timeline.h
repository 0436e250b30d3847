/*
 * timeline.h - a job's history as a chart needs it: a bounded number of equal bins, in stretches
 * of time between which no run worked for long. One owner, one thread.
 */
#ifndef REPORT_TIMELINE_H
#define REPORT_TIMELINE_H

#include "journal/journal.h"

#define TIMELINE_BINS      240 /* about; a stretch may begin one more */
#define TIMELINE_STRETCHES 12

struct bin {
    int64_t from_ms; /* wall */
    int64_t sums[HISTORY_MEASURE_COUNT];
};

struct stretch {
    int64_t from_ms; /* wall */
    int64_t to_ms;
    int first_bin;
    int bin_count;
    int64_t sums[HISTORY_MEASURE_COUNT];
};

struct timeline {
    struct bin bins[TIMELINE_BINS + TIMELINE_STRETCHES];
    int bin_count;
    int64_t bin_ms;
    struct stretch stretches[TIMELINE_STRETCHES];
    int stretch_count; /* 0: nothing ran yet */
    int64_t span_ms;   /* of all stretches */
    int64_t sums[HISTORY_MEASURE_COUNT];
};

int timeline_read(struct timeline *timeline, struct journal *journal, struct err *err) WARN_UNUSED;

/* Of the i-th bin: files that came to an end in a minute of work. */
double timeline_files(const struct timeline *timeline, int i);
/* Bytes to S3 in a second of work. */
double timeline_bytes(const struct timeline *timeline, int i);
/*
 * Requests in RATE_WINDOW_MS: of those before the bin's end, so that it compares with the budget,
 * which a burst may use up at once; of longer bins the mean.
 */
double timeline_requests(const struct timeline *timeline, int i);
/* Whether any part of the job had a request budget. */
int timeline_has_budget(const struct timeline *timeline);
/* The request budget of RATE_WINDOW_MS; 0: none. */
double timeline_budget(const struct timeline *timeline, int i);

#endif
