/* Clocks and date formats. Pure functions but for the two clocks; any thread. */
#ifndef SIM_WHEN_H
#define SIM_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define WHEN_BYTES 40

int64_t when_now_ms(void);  /* wall clock, since 1970 */
int64_t when_mono_ms(void); /* monotonic */
int64_t when_mono_us(void);

void when_iso(int64_t ms, char out[WHEN_BYTES]);  /* 2026-01-21T10:00:00Z */
void when_amz(int64_t ms, char out[WHEN_BYTES]);  /* 20260121T100000Z */
void when_http(int64_t ms, char out[WHEN_BYTES]); /* Wed, 21 Jan 2026 10:00:00 GMT */

/* Parses 20260121T100000Z to ms; false when it is no such date. */
bool when_parse_amz(const char *str, int64_t *out_ms);

/* Parses YYYY-MM-DD (out_has_time false) or YYYY-MM-DDTHH:MM:SSZ. */
bool when_parse_date(const char *str, int64_t *out_ms, bool *out_has_time);

#endif
