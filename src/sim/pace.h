/*
 * A link of limited speed: bytes pass one after the other, and what comes while it is busy waits.
 * With a round trip it is a TCP connection's share of a path: a window of bytes a round trip,
 * ten segments at first and after a rest, twice as many a round trip later. No clock and no lock
 * of its own.
 */
#ifndef SIM_PACE_H
#define SIM_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
    int64_t bytes_per_s; /* 0: no limit */
    int64_t rtt_us;      /* 0: no window */
    int64_t window_bytes;
    int64_t free_us; /* when all that was put on it has passed */
};

/* Puts bytes on the link; returns when the last of them has passed, now_us at the earliest. */
int64_t pace_carry(struct pace *pace, size_t bytes, int64_t now_us);

/* The largest piece to put on it at once, so that others' pieces get in between. */
size_t pace_piece(struct pace *pace, int64_t now_us);

#endif
