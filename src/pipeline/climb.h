/*
 * climb.h - inside pipeline/: how many PUTs may run at once. Climbs while the bytes get faster,
 * steps back where they do not, and halves when S3 asks for less. Pure: fed with what was
 * measured, about once a second.
 */
#ifndef PIPELINE_CLIMB_H
#define PIPELINE_CLIMB_H

#include <stdint.h>

#define CLIMB_START       16    /* --transfers auto begins with */
#define CLIMB_LEAST       4     /* what neither CPU nor stalls take away */
#define CLIMB_REST_MS     30000 /* after a try in vain; doubled by each, up to the next */
#define CLIMB_REST_MAX_MS 480000

struct climb_sample {
    int64_t now_ms;
    int64_t elapsed_ms; /* how long it took */
    int64_t moved_bytes;
    int64_t puts_ms;  /* transfers under way, times how long */
    int full_percent; /* of that time all transfers that may run did */
    int is_cpu_bound;
    int is_enough; /* the request budget lets no more files through than these transfers do */
};

/* What a number of transfers has brought, over the samples of one try. */
struct climb_pace {
    int samples;
    int64_t bytes;
    int64_t ms;
};

struct climb {
    int is_auto;
    int most;  /* never more than these */
    int limit; /* transfers that may run now */
    int home;  /* the number to return to when a try fails; equal to limit: no try is on */
    int64_t home_bytes_per_s; /* what it brought; 0: not measured yet */
    struct climb_pace pace;   /* of the present limit */
    int skipped;              /* samples that were not full, or were taken while it settled */
    int64_t next_try_ms;
    int64_t rest_ms;
    int before_throttle; /* where recovery ends; 0: S3 asks for nothing */
    int64_t throttled_ms;
    int64_t grow_ms; /* recovery: one more transfer then */
    int64_t stalled_ms;
    /* What one transfer gets where the way is not full yet; 0: it always was. */
    int64_t connection_bytes_per_s;
};

/* transfers 0: automatic, at most `most`. */
void climb_init(struct climb *climb, int transfers, int most);
void climb_sample(struct climb *climb, const struct climb_sample *sample);
/* S3 answered SlowDown. Those under way together are refused together: that counts once. */
void climb_throttled(struct climb *climb, int64_t now_ms);
int climb_is_throttled(const struct climb *climb);
/* A PUT did not move for too long: fewer of them may. */
void climb_stalled(struct climb *climb, int64_t now_ms);

#endif
