/* Resumes suspended connections when their time has come. One thread. */
#ifndef SIM_TIMER_H
#define SIM_TIMER_H

#include <microhttpd.h>
#include <stdint.h>

void timer_start(void);
/* Resumes all at once, and from then on everyone who comes. */
void timer_stop(void);

/* Suspends conn for wait_ms. Called on its MHD thread only. */
void timer_suspend(struct MHD_Connection *conn, int64_t wait_ms);

#endif
