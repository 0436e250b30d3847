/*
 * date.h - the dates of the protocol. Internal to wire/; UTC throughout; no locale, no time zone
 * of this machine.
 */
#ifndef WIRE_DATE_H
#define WIRE_DATE_H

#include <stdint.h>

#include "base/err.h"

/*
 * YYYY-MM-DD, or RFC 3339 with 'T' or a space between, seconds and zone optional (none: UTC);
 * years 1970..9999. 0 and milliseconds since 1970, or -ERR_USAGE.
 */
int date_parse(const char *text, int64_t *out_ms) WARN_UNUSED;
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 IMF-fixdate). 0, or -ERR_USAGE. */
int date_parse_http(const char *text, int64_t *out_ms) WARN_UNUSED;

#define DATE_TEXT_MAX 32
/* YYYY-MM-DD into out[DATE_TEXT_MAX]. */
void date_format_day(int64_t ms, char *out);
/* YYYY-MM-DDTHH:MM:SSZ into out[DATE_TEXT_MAX]. */
void date_format_second(int64_t ms, char *out);

#endif
