/*
 * A listening socket and the thread that accepts for an MHD daemon.
 *
 * MHD could listen by itself, but could not then refuse connections for a while and
 * come back on the same port.
 */
#ifndef SIM_LISTEN_H
#define SIM_LISTEN_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct listener;

/*
 * Binds "host:port" (port 0: any); NULL with a line on stderr. is_narrow: the kernel is to hold
 * as little of a connection's bytes as it would on a network.
 */
struct listener *listener_open(const char *address, bool is_narrow);
unsigned listener_port(const struct listener *l);
const char *listener_host(const struct listener *l);

/* From now on connections go to daemon. */
void listener_start(struct listener *l, struct MHD_Daemon *daemon);

/* Closes the socket for off_ms > 0: from the return on connecting is refused. Any thread. */
void listener_refuse(struct listener *l, int64_t off_ms);

void listener_close(struct listener *l); /* NULL is fine */

#endif
