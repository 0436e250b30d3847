/* A few threads for slow work (digests of large objects, calls to a real S3 server). */
#ifndef SIM_JOB_H
#define SIM_JOB_H

struct exch;

void job_start(void);
void job_stop(void); /* finishes what is queued */

/* Suspends x, runs x->job(x) on a job thread and resumes it. */
void job_run(struct exch *x);

#endif
