/*
 * meter.h - inside pipeline/: what is measured of a running job once a second, for the limit, the
 * ETA and the number of transfers. Loop thread.
 */
#ifndef PIPELINE_METER_H
#define PIPELINE_METER_H

#include "pipeline/goodput.h"
#include "pipeline/limit.h"
#include "pipeline/spread.h"
#include "pipeline/steps.h"

struct exchange;
struct job;

struct meter {
    int64_t at_ms;       /* up to when limits are counted */
    int64_t turned_ms;   /* when this second began */
    int64_t slept_at_ms; /* when the poll under way began; 0: none */
    int64_t slept_ms;    /* in polls, in this second */
    int64_t full_ms;     /* all transfers that may run did, likewise */
    int64_t moved_bytes; /* as they were when it began, and so the next two */
    int64_t cpu_us;
    int64_t disk_reads;
    int loop_busy; /* percent of the last second */
    int loop_reads_disk;
    int cpu_busy;
    int64_t puts_ms;      /* transfers under way, times how long, since the run began */
    int64_t puts_then_ms; /* as that was when this second began */
    struct limit_clock limits;
    struct goodput goodput;
    struct spread took[STEP_COUNT]; /* exchanges that went well */
};

/* Each tick, after everything that can begin was begun. */
void meter_tick(struct job *job);
/* An exchange of this step went well. */
void meter_took(struct job *job, enum step_id step, const struct exchange *exchange);
/* The steps that every file takes. Returns how many. */
int meter_times(const struct job *job, struct step_time out[STEP_TIMES_MAX]);
/* Right before the poll, and after it with the clock read anew. */
void meter_sleep(struct job *job);
void meter_woke(struct job *job);

#endif
