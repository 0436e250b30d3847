/*
 * sim_child.h - a pxm-sim of our own on loopback, for as long as we live. Main thread, before
 * other threads are started.
 */
#ifndef CLI_SIM_CHILD_H
#define CLI_SIM_CHILD_H

#include <sys/types.h>

#include "base/err.h"

#define SIM_CHILD_URL_MAX 256
/* What it accepts, with any client id. */
#define SIM_CHILD_SECRET "sim-secret"

struct sim_child {
    pid_t pid; /* 0: none */
    char api_url[SIM_CHILD_URL_MAX];
};

/*
 * Starts the pxm-sim that lies beside this program, else the one in PATH, with `args` (NULL ends
 * them) behind --listen. -ERR_CONFIG where there is none or it does not get ready.
 */
int sim_child_start(struct sim_child *child, const char *const *args, struct err *err) WARN_UNUSED;
/* CPU time that it has used. */
int64_t sim_child_cpu_ms(const struct sim_child *child);
/* Ends it and waits for that. */
void sim_child_stop(struct sim_child *child);

#endif
