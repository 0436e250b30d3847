/*
 * units.h - sizes, durations and rates as people write them. No state, any thread.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include "base/err.h"

/* "10", "16K", "1.5M", "2Gi": bytes, binary multiples. 0 or -ERR_USAGE. */
int units_parse_size(const char *text, int64_t *out_bytes, struct err *err) WARN_UNUSED;
/* "90", "1h30m", "250ms", "2d": milliseconds; a bare number is seconds. 0 or -ERR_USAGE. */
int units_parse_duration(const char *text, int64_t *out_ms, struct err *err) WARN_UNUSED;

#define UNITS_TEXT_MAX 32
/* "1.5 MiB" into out[UNITS_TEXT_MAX]; returns out. */
const char *units_format_size(int64_t bytes, char *out);
/* "1h02m03s" (seconds below a minute with no leading units) into out; returns out. */
const char *units_format_duration(int64_t ms, char *out);

#endif
