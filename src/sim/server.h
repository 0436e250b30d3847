/*
 * The two listening sides (API, S3) on libmicrohttpd, and the life of one exchange.
 *
 *     RECEIVE -> (JOB) -> WAIT -> ANSWERED        the usual way
 *             \-> STALL, or closed at once        when a fault says so
 *
 * An exchange belongs to its side's MHD thread; while suspended, to the timer or to a
 * job thread, which hand it back by resuming the connection.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/fault.h"
#include "sim/text.h"

#define SERVER_API_BODY_MAX (64 << 20) /* preload lists are large */
#define REPLY_HEADERS_MAX   16

struct reply {
    int status;
    struct text body;
    const char *content_type; /* NULL: none */
    struct {
        const char *name; /* static */
        char *value;
    } headers[REPLY_HEADERS_MAX];
    unsigned n_headers;
    bool close;
};

enum exch_phase { EXCH_RECEIVE, EXCH_JOB, EXCH_WAIT, EXCH_STALL, EXCH_ANSWERED };

struct exch;
struct put;
struct side;

/* What a side does; all but job on the MHD thread. */
struct side_ops {
    void (*begin)(struct exch *x); /* headers are there */
    void (*data)(struct exch *x, const void *bytes, size_t len);
    void (*finish)(struct exch *x); /* the body too: fill the reply, or set x->job */
    void (*answer)(struct exch *x); /* the reply goes out now */
    void (*end)(struct exch *x);    /* the exchange is over, answered or not */
};

struct exch {
    struct exch *prev; /* in its side's list of active ones */
    struct exch *next;
    struct side *side;
    struct MHD_Connection *conn; /* NULL until the headers are there */
    int fd;
    const char *method;
    char *path;      /* raw, still percent-encoded */
    char *query;     /* raw, "" when absent */
    char where[160]; /* "PUT /path" for the audit */
    int64_t begun_ms;
    enum exch_phase phase;
    bool early; /* begin() filled the reply and wants it sent before the body */
    bool is_active;
    bool is_control; /* a call under /_sim/: never delayed, never counted */
    uint64_t body_bytes;
    int64_t content_length; /* -1: none given */
    struct text body;       /* of an API request */
    struct reply reply;
    struct fault_action *fault;
    void (*job)(struct exch *x); /* slow work for a job thread */
    void *job_arg;
    const void *endpoint; /* the API's table row */
    unsigned slot;        /* for the counts */
    const char *endpoint_name;
    char *name; /* file name, for the ring of requests */
    struct put *put;
    int64_t drained_ms;  /* slow drain: when the last bytes were taken */
    uint64_t sent;       /* slow or cut replies: bytes given to MHD */
    unsigned active_now; /* API exchanges at once when this one began */
};

struct server_config {
    const char *listen;
    const struct side_ops *ops;
    unsigned threads;
    int64_t latency_ms;
    int64_t rtt_ms;
    int64_t bytes_per_s;            /* of all bodies together; 0: no limit */
    int64_t connection_bytes_per_s; /* of one connection's */
    bool is_api;
    const char *tls_cert; /* PEM text, or NULL */
    const char *tls_key;
};

/* Starts the timer and the job threads. */
void server_setup(void);
/* Resumes whoever waits and ends those threads; then the sides can be stopped. */
void server_quiet(void);

/* Listens and serves; NULL with a line on stderr. */
struct side *side_start(const struct server_config *config);
void side_stop(struct side *side);
unsigned side_port(const struct side *side);
const char *side_host(const struct side *side);

/* Refuses connections for off_ms, by closing the listening socket. */
void side_refuse(struct side *side, int64_t off_ms);

/* First value of a request header, or NULL. */
const char *exch_header(struct exch *x, const char *name);

/* Adds a header to the reply; name must be static, value is copied. */
void exch_reply_header(struct exch *x, const char *name, const char *value);

/* Live API exchanges of this side at this moment (slow: looks at their sockets). */
unsigned side_live_count(struct side *side);

#endif
