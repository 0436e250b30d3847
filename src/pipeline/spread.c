/* spread.c - see spread.h. Called by meter.c. */
#include "pipeline/spread.h"

#define SUB_COUNT (1 << SPREAD_SUB_BITS)

static int slot_of(int64_t us)
{
    if (us < SUB_COUNT)
        return us < 0 ? 0 : (int)us;
    if (us >> (SPREAD_TOP_BIT + 1))
        return SPREAD_SLOTS - 1;
    int top_bit = 63 - __builtin_clzll((unsigned long long)us);
    int shift = top_bit - SPREAD_SUB_BITS;
    return ((shift + 1) << SPREAD_SUB_BITS) + (int)(us >> shift) - SUB_COUNT;
}

/* The middle of a slot. */
static int64_t value_of(int slot)
{
    if (slot < SUB_COUNT)
        return slot;
    int shift = (slot >> SPREAD_SUB_BITS) - 1;
    int64_t low = (int64_t)((slot & (SUB_COUNT - 1)) + SUB_COUNT) << shift;
    return low + (((int64_t)1 << shift) - 1) / 2;
}

void spread_add(struct spread *spread, int64_t us)
{
    uint32_t *count = &spread->counts[slot_of(us)];
    if (*count < UINT32_MAX)
        ++*count;
    spread->count++;
    if (us > spread->most_us)
        spread->most_us = us;
}

int64_t spread_quantile_us(const struct spread *spread, int percent)
{
    int64_t wanted = (spread->count * percent + 99) / 100;
    int64_t seen = 0;
    for (int slot = 0; slot < SPREAD_SLOTS; slot++) {
        seen += spread->counts[slot];
        if (seen && seen >= wanted)
            return value_of(slot) < spread->most_us ? value_of(slot) : spread->most_us;
    }
    return spread->most_us;
}
