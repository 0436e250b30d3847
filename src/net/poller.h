/*
 * poller.h - which sockets libcurl waits for, and the one poll(2) that waits for all of them.
 *
 * curl_multi_perform asks the kernel about every transfer by itself, each time it is called:
 * with a dozen transfers that is a dozen system calls for each that has moved. Here libcurl says
 * what it waits for when that changes (CURLMOPT_SOCKETFUNCTION), and is told what is ready.
 */
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include "base/err.h"

#include <curl/curl.h>
#include <poll.h>

struct poller {
    CURLM *multi;
    struct pollfd *fds;   /* [0] is the wake-up's */
    struct pollfd *ready; /* those of the last wait that have revents */
    size_t count;
    size_t ready_count;
    size_t room; /* of fds, and of ready */
    int *places; /* of a socket in fds, by its number; 0: it is not there */
    size_t places_room;
    int64_t due_ms; /* when libcurl wants to be called at the latest; -1: never */
    /* both set from any thread */
    int woken;
    int sleeping;
};

int poller_init(struct poller *poller, CURLM *multi, struct err *err) WARN_UNUSED;
void poller_release(struct poller *poller);
/* Ends the wait under way, or the next one. Any thread. */
void poller_wake(struct poller *poller);
/* Tells libcurl about the sockets that the last wait found ready. */
void poller_move(struct poller *poller);
/* Lets libcurl run the timers that are due; a transfer that was just added has one. */
void poller_run_timers(struct poller *poller);
/* Waits at most timeout_ms for a socket, a timer of libcurl's, or a wake-up. */
void poller_wait(struct poller *poller, int64_t timeout_ms);

#endif
