/*
 * pacer.c - the sliding window over request starts. Loop thread only.
 *
 * Invariant: ring[] holds the last `rate` starts in ascending order; a new start is allowed when
 * the oldest of them has left the window. So no window of RATE_WINDOW_MS ever holds more than
 * `rate` starts, wherever it begins.
 */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

/*
 * The server counts arrivals, we count starts: a start at the window's edge may arrive sooner than
 * one before it did. The window is a little longer than the server's for that jitter.
 */
#define WINDOW_MS (RATE_WINDOW_MS + 120)

struct pacer {
    int rate;
    int length;
    int oldest;
    int64_t hold_until_ms;
    int64_t ring[];
};

struct pacer *pacer_new(int rate)
{
    BUG_ON(rate < 0);
    struct pacer *pacer = calloc(1, sizeof *pacer + (size_t)rate * sizeof *pacer->ring);
    if (pacer)
        pacer->rate = rate;
    return pacer;
}

void pacer_free(struct pacer *pacer)
{
    free(pacer);
}

int64_t pacer_held_ms(const struct pacer *pacer, int64_t now_ms)
{
    return pacer->hold_until_ms > now_ms ? pacer->hold_until_ms - now_ms : 0;
}

int64_t pacer_wait_ms(const struct pacer *pacer, int64_t now_ms)
{
    int64_t wait = pacer_held_ms(pacer, now_ms);
    if (!pacer->rate || pacer->length < pacer->rate)
        return wait;
    int64_t free_in = pacer->ring[pacer->oldest] + WINDOW_MS - now_ms;
    return free_in > wait ? free_in : wait;
}

static void push(struct pacer *pacer, int64_t at_ms)
{
    if (!pacer->rate)
        return;
    if (pacer->length < pacer->rate) {
        pacer->ring[(pacer->oldest + pacer->length++) % pacer->rate] = at_ms;
        return;
    }
    pacer->ring[pacer->oldest] = at_ms;
    pacer->oldest = (pacer->oldest + 1) % pacer->rate;
}

void pacer_take(struct pacer *pacer, int64_t now_ms)
{
    BUG_ON(pacer_wait_ms(pacer, now_ms) > 0);
    push(pacer, now_ms);
}

void pacer_restore(struct pacer *pacer, int64_t now_ms, int64_t age_ms)
{
    push(pacer, age_ms > 0 ? now_ms - age_ms : now_ms);
}

int pacer_in_window(const struct pacer *pacer, int64_t now_ms)
{
    int count = 0;
    for (int i = pacer->length; i-- > 0;) {
        if (pacer->ring[(pacer->oldest + i) % pacer->rate] + WINDOW_MS <= now_ms)
            break;
        count++;
    }
    return count;
}

void pacer_ages(const struct pacer *pacer, int64_t now_ms, int out[RATE_AGES])
{
    memset(out, 0, RATE_AGES * sizeof *out);
    for (int i = 0; i < pacer->length; i++) {
        int64_t age_ms = now_ms - pacer->ring[(pacer->oldest + i) % pacer->rate];
        if (age_ms >= 0 && age_ms < WINDOW_MS)
            out[age_ms / 1000 < RATE_AGES ? age_ms / 1000 : RATE_AGES - 1]++;
    }
}

int pacer_available(const struct pacer *pacer, int64_t now_ms)
{
    if (pacer_held_ms(pacer, now_ms))
        return 0;
    return pacer->rate ? pacer->rate - pacer_in_window(pacer, now_ms) : LIMIT_TRANSFERS;
}

void pacer_hold(struct pacer *pacer, int64_t until_ms)
{
    if (until_ms > pacer->hold_until_ms)
        pacer->hold_until_ms = until_ms;
}
