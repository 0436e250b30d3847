/* The sliding window; see rate.h. Pure logic. */
#include "sim/rate.h"

#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"

void rate_init(struct rate *r)
{
    *r = (struct rate){.bucket = mem_new(RATE_WINDOW_MS, sizeof *r->bucket)};
}

void rate_release(struct rate *r)
{
    free(r->bucket);
    *r = (struct rate){0};
}

/* Forgets the buckets that the step to now_ms pushes out of the window. */
static void advance(struct rate *r, int64_t now_ms)
{
    if (now_ms <= r->newest_ms)
        return;
    if (now_ms - r->newest_ms >= RATE_WINDOW_MS) {
        memset(r->bucket, 0, RATE_WINDOW_MS * sizeof *r->bucket);
        r->sum = 0;
    } else {
        for (int64_t t = r->newest_ms + 1; t <= now_ms; t++) {
            uint32_t *slot = &r->bucket[t % RATE_WINDOW_MS];
            r->sum -= *slot;
            *slot = 0;
        }
    }
    r->newest_ms = now_ms;
}

void rate_add(struct rate *r, int64_t now_ms)
{
    advance(r, now_ms);
    r->bucket[r->newest_ms % RATE_WINDOW_MS]++;
    r->sum++;
    if (r->sum > r->peak)
        r->peak = r->sum;
}

uint64_t rate_count(struct rate *r, int64_t now_ms)
{
    advance(r, now_ms);
    return r->sum;
}

int64_t rate_wait_ms(struct rate *r, int64_t now_ms, uint64_t limit)
{
    advance(r, now_ms);
    uint64_t left = r->sum;

    /* The oldest bucket leaves first: the one just after the newest in the ring. */
    for (int64_t age = RATE_WINDOW_MS - 1; age >= 0 && left >= limit; age--) {
        int64_t t = r->newest_ms - age;
        if (t >= 0)
            left -= r->bucket[t % RATE_WINDOW_MS];
        if (left < limit)
            return t + RATE_WINDOW_MS - r->newest_ms;
    }
    return left < limit ? 0 : RATE_WINDOW_MS;
}
