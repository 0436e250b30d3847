/* goodput.c - see goodput.h. Called by meter.c. */
#include "pipeline/goodput.h"

#define HALF_PERCENT 50 /* of what the way carries: the few that are left tell of it, too */

static int shows_capability(enum job_limit limit, int is_held)
{
    switch (limit) {
    case JOB_LIMIT_NETWORK:
    case JOB_LIMIT_DISK:
    case JOB_LIMIT_CPU:
        return 1;
    case JOB_LIMIT_SERVER: /* slow replies are as it is; a hold is not */
        return !is_held;
    case JOB_LIMIT_STARTING:
    case JOB_LIMIT_API:
    case JOB_LIMIT_TAIL:
    case JOB_LIMIT_COUNT:
        break;
    }
    return 0;
}

void goodput_add(struct goodput *goodput, int64_t bytes_per_s, enum job_limit limit, int is_held)
{
    goodput->bytes_per_s =
        goodput->bytes_per_s ? (3 * goodput->bytes_per_s + bytes_per_s) / 4 : bytes_per_s;
    int64_t capable = goodput->capable_bytes_per_s;
    int is_full = limit == JOB_LIMIT_TAIL && goodput->samples && bytes_per_s < capable &&
                  bytes_per_s >= capable * HALF_PERCENT / 100;
    if (!is_full && !shows_capability(limit, is_held)) {
        if (bytes_per_s > capable)
            goodput->capable_bytes_per_s = bytes_per_s;
        return;
    }
    if (goodput->samples < GOODPUT_SAMPLES)
        goodput->samples++;
    goodput->capable_bytes_per_s += (bytes_per_s - capable) / goodput->samples;
}

void goodput_forget(struct goodput *goodput)
{
    if (goodput->samples > 1)
        goodput->samples = 1;
}
