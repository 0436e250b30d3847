/*
 * chart.h - a timeline as inline SVG: numbers and words of this program alone, colours by the
 * page's style. Pure.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include "base/buf.h"
#include "report/timeline.h"

enum chart_unit { CHART_COUNT, CHART_BYTES };

struct chart {
    const char *label; /* what screen readers say */
    const char *unit;  /* behind a number: "files/min" */
    enum chart_unit kind;
    double (*value)(const struct timeline *timeline, int bin);
    double (*limit)(const struct timeline *timeline, int bin); /* a second line; NULL: none */
};

#define CHART_MAX_BYTES (512 * 1024)
/* Appends a chart of values over time. 0 or -ERR_NOMEM. */
int chart_values(const struct timeline *timeline, const struct chart *chart,
                 struct buf *out) WARN_UNUSED;

/* What may limit a run, in the order that it is drawn and told in. */
#define CHART_LIMITS 5
enum history_measure chart_limit_measure(int n);
const char *chart_limit_name(int n);
/* Appends a band that shows which share of the time each of them was the limit. */
int chart_limits(const struct timeline *timeline, struct buf *out) WARN_UNUSED;

#endif
