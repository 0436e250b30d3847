/*
 * A count of events over the last 60 seconds, exact to a millisecond.
 *
 * A sliding window, so that no 60-second span anywhere holds more than the limit. Not
 * locked: the owner does that.
 */
#ifndef SIM_RATE_H
#define SIM_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_WINDOW_MS 60000

struct rate {
    uint32_t *bucket; /* events of each ms, RATE_WINDOW_MS of them, by time modulo */
    int64_t newest_ms;
    uint64_t sum;
    uint64_t peak;
};

void rate_init(struct rate *r);
void rate_release(struct rate *r);

/* Counts one event at now_ms (monotonic, never going back by more than noise). */
void rate_add(struct rate *r, int64_t now_ms);

/* Events in the 60 s that end at now_ms. */
uint64_t rate_count(struct rate *r, int64_t now_ms);

/* Milliseconds until the window holds fewer than limit; 0 when it does now. */
int64_t rate_wait_ms(struct rate *r, int64_t now_ms, uint64_t limit);

#endif
