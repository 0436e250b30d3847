/* Counts by endpoint and status, and a ring of the last requests. Any thread. */
#ifndef SIM_STATS_H
#define SIM_STATS_H

#include <stdint.h>

#include "sim/text.h"

void stats_setup(void);
void stats_teardown(void);

/* One request answered: endpoint is a static string and slot its small number. */
void stats_request(unsigned slot, const char *endpoint, int status, const char *name);

void stats_bytes(uint64_t n); /* body bytes that arrived at S3 */

/* {"request-upload":{"200":5},...} of all endpoints that were called. */
void stats_counts_json(struct text *out);

/* The ring's requests from number `since` on: {"next":N,"requests":[...]}. */
void stats_ring_json(struct text *out, uint64_t since);

uint64_t stats_bytes_received(void);

#endif
