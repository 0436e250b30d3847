/*
 * meter.h - inside pipeline/: what is measured of a running job once a second, for the limit, the
 * ETA and the number of transfers. Loop thread.
 */
#ifndef PIPELINE_METER_H
#define PIPELINE_METER_H

#include "pipeline/goodput.h"
#include "pipeline/limit.h"

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
    int64_t puts_ms; /* transfers under way, times how long, since the run began */
    struct limit_clock limits;
    struct goodput goodput;
};

/* Each tick, after everything that can begin was begun. */
void meter_tick(struct job *job);
/* Right before the poll, and after it with the clock read anew. */
void meter_sleep(struct job *job);
void meter_woke(struct job *job);

#endif
