/*
 * clock.h - time. Monotonic for intervals, wall for what people and servers see.
 * The loop reads the clock once a tick and hands `now_ms` down, so logic stays testable.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Milliseconds since boot, time asleep included (CLOCK_BOOTTIME): a machine that was suspended
 * sees its deadlines pass at once instead of waiting them out again.
 */
int64_t clock_now_ms(void);
/* Milliseconds since 1970, UTC. */
int64_t clock_wall_ms(void);

#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC with milliseconds into out[CLOCK_TEXT_MAX]; returns out. */
const char *clock_format(int64_t wall_ms, char *out);

/* A small seeded generator (xorshift64*): for jitter, never for secrets. */
struct rng {
    uint64_t state;
};
void rng_seed(struct rng *rng, uint64_t seed);
/* Uniform in [0, below); 0 when below is 0. */
uint64_t rng_below(struct rng *rng, uint64_t below);

#endif
