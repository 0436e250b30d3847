/*
 * net.h - the face of net/: transport on one curl multi handle, the request pacer, backoff and
 * the token cache. Knows nothing of PXM's or S3's messages. Everything but net_wake belongs to
 * the loop thread.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"

/* ---- exchanges: one HTTP request and its reply ------------------------------------------ */

struct net;

struct net_options {
    const char *ca_cert; /* NULL: CURL_CA_BUNDLE, SSL_CERT_FILE, then the system's */
    const char *user_agent;
    int64_t contimeout_ms;
    int64_t stall_ms;            /* a PUT without a byte moved, or a reply awaited that long */
    int64_t bwlimit_bytes_per_s; /* of all PUT bodies together; 0: none */
};
int net_new(const struct net_options *options, struct net **out, struct err *err) WARN_UNUSED;
/* Aborts what is under way; the exchanges stay their owners'. */
void net_free(struct net *net);
/* Wakes net_poll. Any thread. */
void net_wake(struct net *net);
/* Moves bytes; finished exchanges then wait in net_next_done. */
void net_perform(struct net *net, int64_t now_ms);
/* Sleeps until something can move, net_wake, or timeout_ms. */
void net_poll(struct net *net, int64_t timeout_ms);
/*
 * Where a PUT's bytes come from. read copies exactly len bytes at offset `at` of the body (never
 * past its end) and returns 0, or a negative code with *err filled: the exchange then ends
 * with that error. Called on the loop thread inside net_perform.
 */
typedef int exchange_read_fn(void *user, void *out, size_t len, int64_t at, struct err *err);

enum exchange_method {
    EXCHANGE_GET,
    EXCHANGE_POST,
    EXCHANGE_PUT,     /* a file to S3; its body is borrowed, or read on the way */
    EXCHANGE_API_PUT, /* its body is a copied one, as POST's */
};

struct exchange_request {
    enum exchange_method method;
    const char *url;           /* copied */
    const char *authorization; /* the header's value, "Bearer ..."; NULL: none; copied */
    const char *content_type;  /* NULL: none; copied */
    /*
     * POST and API_PUT: copied. libcurl is kept from sending it a second time by itself on a
     * stale connection (field note 1); such an end is ERR_NETWORK with EFFECT_MAYBE.
     * PUT: the whole body where it is at hand, borrowed until the exchange ends; NULL: read gives
     * it. Rewinding is fine there, a repeated PUT has no further effect.
     */
    const void *body;
    size_t body_len;
    exchange_read_fn *read;
    void *read_user;
    int64_t read_bytes;
    int64_t buffer_bytes; /* PUT: most that is taken from read at once; 0: as suits the length */
    int64_t timeout_ms;   /* for the whole exchange; 0: only the stall limit */
    size_t reply_max;     /* bytes of reply body beyond which it is ERR_BAD_REPLY */
    int fresh;            /* 1: on a new connection (a retry, or after the machine slept) */
    /* 1: ask "Expect: 100-continue", to learn the status of an early refusal (field note 7). */
    int expect_continue;
};

struct exchange_reply {
    int status; /* 0: none came */
    struct buf body;
    char etag[LIMIT_HEADER_BYTES]; /* byte for byte; empty when absent */
    char retry_after[LIMIT_HEADER_BYTES];
    char request_id[ERR_REQUEST_ID_MAX];
    char encryption[LIMIT_HEADER_BYTES];   /* x-amz-server-side-encryption */
    char customer_key[LIMIT_HEADER_BYTES]; /* ...-customer-algorithm */
    char rate_limit[LIMIT_HEADER_BYTES];   /* X-RateLimit-Limit */
    int64_t date_ms;                       /* the server's Date, wall; -1 when absent */
};

struct exchange; /* reusable: new once, start many times */
struct exchange *exchange_new(void *user);
void exchange_set_user(struct exchange *exchange, void *user);
/* Must not be under way (cancel first). NULL is allowed. */
void exchange_free(struct exchange *exchange);
void *exchange_user(const struct exchange *exchange);
/* 1 where the last start was an EXCHANGE_PUT. */
int exchange_is_put(const struct exchange *exchange);
/* Begins; it ends by appearing in net_next_done. 0, or a negative code: nothing was begun. */
int exchange_start(struct net *net, struct exchange *exchange,
                   const struct exchange_request *request, struct err *err) WARN_UNUSED;
/* Stops it now, silently. Whether the server acted on it is unknown. */
void exchange_cancel(struct net *net, struct exchange *exchange);
/* The next finished one, or NULL. */
struct exchange *net_next_done(struct net *net);
/* Of a finished one, until the next start: how the transport ended (code ERR_NONE: a reply is
 * there, whatever its status) and the reply; its body only until the next net_perform. */
const struct err *exchange_error(const struct exchange *exchange);
const struct exchange_reply *exchange_reply_of(const struct exchange *exchange);
/* How long it took, waiting for a connection included. */
int64_t exchange_took_us(const struct exchange *exchange);
/* Body bytes that the other side has acknowledged so far: those in the socket's buffer have not
 * moved yet. Falls back to 0 when a PUT is rewound. Asks the socket, so not each tick. */
int64_t exchange_sent_bytes(const struct exchange *exchange);
/* All body bytes ever handed to the transport, resends included. */
int64_t net_sent_bytes(const struct net *net);
/* Likewise, of PUTs, what the other side has acknowledged: asks every socket, so not each tick. */
int64_t net_moved_bytes(struct net *net);

/* ---- pacer: at most `rate` starts in any RATE_WINDOW_MS ----------------------------------- */

/*
 * A sliding window over the start times of requests, not a bucket that can burst twice at a
 * window's edge. A hold (429) keeps every request back until it ends.
 */
struct pacer;
struct pacer *pacer_new(int rate); /* 0: no limit; NULL on lack of memory */
void pacer_free(struct pacer *pacer);
/* How long until a request may start: 0 now. */
int64_t pacer_wait_ms(const struct pacer *pacer, int64_t now_ms);
/* Takes one start; only after pacer_wait_ms() said 0. */
void pacer_take(struct pacer *pacer, int64_t now_ms);
/* How old the starts within the window are: out[i] of them between i and i + 1 seconds. */
void pacer_ages(const struct pacer *pacer, int64_t now_ms, int out[RATE_AGES]);
/* How many requests may still start now. */
int pacer_available(const struct pacer *pacer, int64_t now_ms);
void pacer_hold(struct pacer *pacer, int64_t until_ms);
int64_t pacer_held_ms(const struct pacer *pacer, int64_t now_ms);
/* Starts within the window that ends now. */
int pacer_in_window(const struct pacer *pacer, int64_t now_ms);
/*
 * Counts a start from an earlier process (ascending). age_ms is how long ago it was; a start
 * from the future counts as now.
 */
void pacer_restore(struct pacer *pacer, int64_t now_ms, int64_t age_ms);

/* ---- backoff ------------------------------------------------------------------------------- */

/* Full jitter on min(RETRY_CAP_MS, RETRY_BASE_MS * 2^tries); tries counts from 0. */
int64_t backoff_ms(struct rng *rng, int tries);

/*
 * A retry budget that all files share, so that an outage does not multiply traffic: a success
 * gives a little, a retry takes a lot; when it is empty, retries wait RETRY_CAP_MS.
 */
struct retry_budget {
    int tokens;
};
void retry_budget_init(struct retry_budget *budget);
void retry_budget_success(struct retry_budget *budget);
/* 1 where the retry may follow its backoff, 0 where it must wait the cap. */
int retry_budget_take(struct retry_budget *budget);

/* ---- token cache ---------------------------------------------------------------------------- */

/*
 * One file per (base URL, client id) in dir, mode 0600, replaced atomically. A file that others
 * can read, or that is past its time, is ignored.
 */
/* *out_token is malloc'ed, NULL when there is none. */
void token_cache_load(const char *dir, const char *base_url, const char *client_id,
                      int64_t now_wall_ms, char **out_token);
int token_cache_store(const char *dir, const char *base_url, const char *client_id,
                      const char *token, int64_t expires_wall_ms, struct err *err) WARN_UNUSED;
void token_cache_drop(const char *dir, const char *base_url, const char *client_id);

/* "libcurl/7.88.1 OpenSSL/3.0.15 ...": what this layer runs on. */
const char *net_version(void);

#endif
