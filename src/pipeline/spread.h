/*
 * spread.h - inside pipeline/: how long calls of one kind took, in a fixed space whatever their
 * number: sixteen slots from each power of two to the next, so that a quantile is right to 3 %.
 * Pure.
 */
#ifndef PIPELINE_SPREAD_H
#define PIPELINE_SPREAD_H

#include <stdint.h>

#define SPREAD_SUB_BITS 4
#define SPREAD_TOP_BIT  36 /* 19 hours in microseconds; more counts as that */
#define SPREAD_SLOTS    ((SPREAD_TOP_BIT - SPREAD_SUB_BITS + 2) << SPREAD_SUB_BITS)

struct spread {
    uint32_t counts[SPREAD_SLOTS];
    int64_t count;
    int64_t most_us;
};

void spread_add(struct spread *spread, int64_t us);
/* What `percent` of them did not exceed; 0 where there are none. */
int64_t spread_quantile_us(const struct spread *spread, int percent);

#endif
