/*
 * net.c - the multi handle: starts exchanges, moves bytes, shares out the bandwidth. Loop thread
 * only, but for net_wake.
 *
 * Invariant: an exchange is in exactly one of running and done, or in none (idle).
 */
#include "net/exchange.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* One refill is at most this much of a second's bytes, so no burst is longer than that. */
#define BURST_PARTS      4
#define THROTTLE_TICK_MS 20
#define STALL_WATCH_MS   200
#define KEPT_CONNECTIONS 64

static char *copy_or_null(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

/* Some variable names a proxy: libcurl then looks at all of them itself. */
static int names_proxy(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                        "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return 1;
    }
    return 0;
}

int net_new(const struct net_options *options, struct net **out, struct err *err)
{
    static int initialised;
    if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT))
        return err_set(err, ERR_INTERNAL, "libcurl could not be initialised");
    initialised = 1;
    signal(SIGPIPE, SIG_IGN);
    struct net *net = calloc(1, sizeof *net);
    CURLM *multi = net ? curl_multi_init() : NULL;
    if (!multi) {
        free(net);
        return err_set(err, ERR_NOMEM, "no memory for the network layer");
    }
    net->multi = multi;
    int rc = poller_init(&net->poller, multi, err);
    if (rc) {
        curl_multi_cleanup(multi);
        free(net);
        return rc;
    }
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    /* The library does not read these two; the curl tool does, and so do people. */
    const char *ca = options->ca_cert;
    if (!ca || !*ca)
        ca = getenv("CURL_CA_BUNDLE");
    if (!ca || !*ca)
        ca = getenv("SSL_CERT_FILE");
    net->ca_cert = copy_or_null(ca);
    net->ca_path = copy_or_null(getenv("SSL_CERT_DIR"));
    net->user_agent = copy_or_null(options->user_agent);
    net->has_proxy = names_proxy();
    net->contimeout_ms = options->contimeout_ms;
    net->stall_ms = options->stall_ms;
    net->bwlimit = options->bwlimit_bytes_per_s;
    TAILQ_INIT(&net->running);
    TAILQ_INIT(&net->done);
    *out = net;
    return 0;
}

void net_free(struct net *net)
{
    if (!net)
        return;
    while (!TAILQ_EMPTY(&net->running))
        exchange_cancel(net, TAILQ_FIRST(&net->running));
    while (net_next_done(net))
        ;
    curl_multi_cleanup(net->multi);
    poller_release(&net->poller);
    free(net->ca_cert);
    free(net->ca_path);
    free(net->user_agent);
    free(net);
}

void net_wake(struct net *net)
{
    poller_wake(&net->poller);
}

int exchange_start(struct net *net, struct exchange *exchange,
                   const struct exchange_request *request, struct err *err)
{
    BUG_ON(exchange->phase != EXCHANGE_IDLE);
    reply_let_go(exchange);
    exchange->net = net;
    int rc = exchange_prepare(exchange, request, err);
    if (rc)
        return rc;
    if (curl_multi_add_handle(net->multi, exchange->easy))
        return err_set(err, ERR_INTERNAL, "libcurl took no more transfers");
    exchange->phase = EXCHANGE_RUNNING;
    TAILQ_INSERT_TAIL(&net->running, exchange, link);
    return 0;
}

static void leave_running(struct net *net, struct exchange *exchange)
{
    curl_multi_remove_handle(net->multi, exchange->easy);
    TAILQ_REMOVE(&net->running, exchange, link);
    if (exchange->paused)
        net->paused_count--;
    exchange->paused = 0;
    net->held_count -= exchange->reply_held;
    exchange->reply_held = 0;
}

void exchange_cancel(struct net *net, struct exchange *exchange)
{
    if (exchange->phase == EXCHANGE_RUNNING)
        leave_running(net, exchange);
    else if (exchange->phase == EXCHANGE_DONE)
        TAILQ_REMOVE(&net->done, exchange, link);
    exchange->phase = EXCHANGE_IDLE;
}

struct exchange *net_next_done(struct net *net)
{
    struct exchange *exchange = TAILQ_FIRST(&net->done);
    if (exchange) {
        TAILQ_REMOVE(&net->done, exchange, link);
        exchange->phase = EXCHANGE_IDLE;
    }
    return exchange;
}

static void refill(struct net *net, int64_t now_ms)
{
    int64_t elapsed = net->refilled_ms ? now_ms - net->refilled_ms : THROTTLE_TICK_MS;
    int64_t ceiling = net->bwlimit / BURST_PARTS > THROTTLE_READ_MIN ? net->bwlimit / BURST_PARTS
                                                                     : THROTTLE_READ_MIN;
    if (elapsed <= 0)
        return;
    net->refilled_ms = now_ms;
    if (elapsed > 1000)
        elapsed = 1000;
    net->allowance += net->bwlimit * elapsed / 1000;
    if (net->allowance > ceiling)
        net->allowance = ceiling;
}

static void resume_paused(struct net *net)
{
    struct exchange *exchange = TAILQ_FIRST(&net->running);
    struct exchange *last = TAILQ_LAST(&net->running, exchange_list);
    while (exchange && net->paused_count && net->allowance > 0) {
        struct exchange *next = exchange == last ? NULL : TAILQ_NEXT(exchange, link);
        if (exchange->paused) {
            exchange->paused = 0;
            net->paused_count--;
            /* To the back, so that every transfer gets its turn. */
            TAILQ_REMOVE(&net->running, exchange, link);
            TAILQ_INSERT_TAIL(&net->running, exchange, link);
            curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
        }
        exchange = next;
    }
}

static int is_large_read(const struct net *net)
{
    return net->large && net->large->phase == EXCHANGE_IDLE;
}

/* One at a time: who is not the next large one is held again at once. */
static void resume_held(struct net *net)
{
    struct exchange *exchange;
    if (is_large_read(net))
        reply_let_go(net->large);
    if (net->large || !net->held_count)
        return;
    TAILQ_FOREACH(exchange, &net->running, link)
    if (exchange->reply_held)
        break;
    BUG_ON(!exchange);
    exchange->reply_held = 0;
    net->held_count--;
    curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
}

static void retire(struct net *net, struct exchange *exchange)
{
    leave_running(net, exchange);
    exchange->phase = EXCHANGE_DONE;
    TAILQ_INSERT_TAIL(&net->done, exchange, link);
}

static void count_moved(struct net *net, struct exchange *exchange, int64_t moved)
{
    if (exchange->method != EXCHANGE_PUT || moved <= exchange->counted)
        return;
    net->moved_bytes += moved - exchange->counted;
    exchange->counted = moved;
}

int64_t net_moved_bytes(struct net *net)
{
    struct exchange *exchange;
    TAILQ_FOREACH(exchange, &net->running, link)
    count_moved(net, exchange, exchange_sent_bytes(exchange));
    return net->moved_bytes;
}

/*
 * libcurl's own low-speed limit works on an average and also counts pauses; this looks at the
 * bytes on the wire. The silent wait for a reply counts too.
 */
static void watch_stalls(struct net *net, int64_t now_ms)
{
    struct exchange *exchange, *next;
    if (now_ms - net->watched_ms < STALL_WATCH_MS)
        return;
    net->watched_ms = now_ms;
    for (exchange = TAILQ_FIRST(&net->running); exchange; exchange = next) {
        next = TAILQ_NEXT(exchange, link);
        if (exchange->method != EXCHANGE_PUT)
            continue;
        int64_t moved = exchange_sent_bytes(exchange);
        if (moved != exchange->moved || exchange->paused) {
            exchange->moved = moved;
            exchange->moved_ms = now_ms;
        } else if (now_ms - exchange->moved_ms >= net->stall_ms) {
            exchange_stall(exchange, now_ms - exchange->moved_ms);
            retire(net, exchange);
        }
    }
}

static void collect(struct net *net)
{
    CURLMsg *message;
    int left = 0;
    while ((message = curl_multi_info_read(net->multi, &left))) {
        struct exchange *exchange = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        exchange_finish(exchange, code);
        if (exchange->reply.status)
            count_moved(net, exchange, exchange->read_bytes);
        retire(net, exchange);
    }
}

void net_perform(struct net *net, int64_t now_ms)
{
    if (net->bwlimit) {
        refill(net, now_ms);
        resume_paused(net);
    }
    resume_held(net);
    poller_move(&net->poller);
    poller_run_timers(&net->poller);
    collect(net);
    watch_stalls(net, now_ms);
}

void net_poll(struct net *net, int64_t timeout_ms)
{
    if (net->paused_count && timeout_ms > THROTTLE_TICK_MS)
        timeout_ms = THROTTLE_TICK_MS;
    /* What was started since is sent before anybody sleeps. */
    poller_run_timers(&net->poller);
    collect(net);
    if (!TAILQ_EMPTY(&net->done) || is_large_read(net))
        timeout_ms = 0;
    poller_wait(&net->poller, timeout_ms);
}

int64_t net_sent_bytes(const struct net *net)
{
    return net->sent_bytes;
}
