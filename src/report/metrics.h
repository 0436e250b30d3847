/*
 * metrics.h - a run in numbers, in Prometheus' text format, for node_exporter's textfile collector.
 * The names are documented in docs/metrics.md and only ever added to. Loop thread.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include "report/view.h"

/* Appends all metrics. job: the label that tells jobs apart. 0 or -ERR_NOMEM. */
int metrics_format(const struct job_snapshot *snapshot, const struct view_sums *sums,
                   const char *job, int running, int64_t now_wall_ms, struct buf *out) WARN_UNUSED;
/* Replaces a file as a whole, readable for everybody. 0 or -ERR_IO. */
int metrics_write(const char *path, const struct buf *text, struct err *err) WARN_UNUSED;

#endif
