/*
 * exchange.h - inside net/: the exchange's own fields, shared by net.c (the multi handle, the
 * bandwidth bucket) and exchange.c (one easy handle's options and callbacks).
 */
#ifndef NET_EXCHANGE_H
#define NET_EXCHANGE_H

#include "net/net.h"
#include "net/poller.h"

#include <curl/curl.h>
#include <sys/queue.h>

/* Under a bandwidth limit, however low, a read gets this much. */
#define THROTTLE_READ_MIN 1024

enum exchange_phase { EXCHANGE_IDLE, EXCHANGE_RUNNING, EXCHANGE_DONE };

struct exchange {
    TAILQ_ENTRY(exchange) link; /* in net->running or net->done */
    void *user;
    struct net *net;          /* of the last start */
    const struct net *fitted; /* whose fixed options the handle has */
    struct buf origin;        /* the URL that the handle has */
    CURL *easy;
    enum exchange_phase phase;
    enum exchange_method method;
    int shape;    /* how the handle is set up, see body.c */
    int sendings; /* an API call: times that libcurl came to send it */
    struct curl_slist *headers;
    struct buf body;   /* of an API call */
    const char *bytes; /* PUT of bytes at hand; NULL: read is asked for them */
    exchange_read_fn *read;
    void *read_user;
    int64_t read_bytes; /* length of the body, POST or PUT */
    int64_t position;   /* next body byte that libcurl will ask for */
    int paused;         /* by the bandwidth limit */
    int64_t moved;      /* bytes on the wire, as last seen by the stall watch */
    int64_t moved_ms;   /* when that changed */
    int64_t counted;    /* of them, in net->moved_bytes */
    int reply_too_big;
    int reply_held; /* until another's large reply has been read */
    size_t header_bytes;
    int header_count;
    struct err error;
    struct exchange_reply reply;
    char curl_text[CURL_ERROR_SIZE];
};
TAILQ_HEAD(exchange_list, exchange);

/* A server's date changes once a second: the last one and what it means. */
struct reply_date {
    char text[64];
    int64_t wall_ms;
};

struct net {
    CURLM *multi;
    struct poller poller;
    char *ca_cert;
    char *ca_path;
    char *user_agent;
    int has_proxy; /* some variable of the environment names one */
    struct reply_date date;
    int64_t contimeout_ms;
    int64_t stall_ms;
    struct exchange_list running;
    struct exchange_list done;
    int64_t sent_bytes;
    int64_t moved_bytes;
    /* the bandwidth bucket: bytes that may be read now; a debt is negative */
    int64_t bwlimit;
    int64_t allowance;
    int64_t refilled_ms;
    int64_t watched_ms; /* when stalls were last looked for */
    int paused_count;
    struct exchange *large; /* the only one whose reply may be larger than LIMIT_REPLY_SMALL */
    int held_count;
};

/* A line of a reply's head: keeps what the reply has a place for. */
void reply_take_header(struct exchange_reply *reply, const char *line, size_t len,
                       struct reply_date *date);
void reply_clear_headers(struct exchange_reply *reply);
/* Its reply was read; where that is the large one, its memory goes, and another may be large. */
void reply_let_go(struct exchange *exchange);
/* The method and the body of the request; its length and `bytes` are set already. */
int body_set(struct exchange *exchange, const struct exchange_request *request) WARN_UNUSED;
/* Sets every option of an easy handle for one request. */
int exchange_prepare(struct exchange *exchange, const struct exchange_request *request,
                     struct err *err) WARN_UNUSED;
/* Ends it as ERR_TIMEOUT: nothing has moved for too long. */
void exchange_stall(struct exchange *exchange, int64_t idle_ms);
/* Reads status, headers' leftovers and the transport's end into reply and error. */
void exchange_finish(struct exchange *exchange, CURLcode code);

#endif
