/*
 * errand.h - inside pipeline/: one API call after another, outside of any asset's way, for what
 * reads PXM rather than uploads (verify). Paced, retried and with the job's token like every other
 * call; blocks its caller, which is the loop thread.
 */
#ifndef PIPELINE_ERRAND_H
#define PIPELINE_ERRAND_H

#include "pipeline/job.h"

struct errand {
    struct job *job;
    struct exchange *exchange;
    int (*is_stopped)(void *user); /* NULL: never */
    void *user;
};

/* Over an open journal, for a job that does not run. Release it in any case. */
int errand_open(struct errand *errand, struct job *job, struct journal *journal,
                struct err *err) WARN_UNUSED;
/* What the calls cost is in the journal after this. */
void errand_close(struct errand *errand);
/*
 * GET base_url + path. 0 with *out valid until the next call; -ERR_STOPPED; or the class of the
 * reply, after the tries that --retries allows: where err->http_status is set, *out is that reply.
 */
int errand_get(struct errand *errand, const char *path, const struct exchange_reply **out,
               struct err *err) WARN_UNUSED;
/* Waits, and stops early: 0 or -ERR_STOPPED. */
int errand_rest(struct errand *errand, int64_t ms, struct err *err) WARN_UNUSED;

#endif
