/*
 * MHD glue: one exchange from its first byte to its last; see server.h.
 *
 * MHD calls on_request() again and again for one exchange: with the headers, with each
 * piece of the body, at its end, and after each resume.
 */
#include "sim/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "sim/fault_shape.h"
#include "sim/job.h"
#include "sim/listen.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/pace.h"
#include "sim/timer.h"
#include "sim/when.h"

#define CONNECTION_MEMORY_BYTES    (256 * 1024)
#define CONNECTION_INCREMENT_BYTES (64 * 1024)
#define CONNECTIONS_MAX            16384
#define DRAIN_TICK_MS              50

struct side {
    struct server_config config;
    struct listener *listener;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock; /* guards the list and the link */
    struct exch *active;
    unsigned n_active;
    struct pace link;
};

/* What is known of one connection over its exchanges. */
struct conn_note {
    struct pace link;
    unsigned n_served;
    bool hang_up;
};

static struct conn_note *note_of(struct MHD_Connection *conn)
{
    return MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_connection(void *cls, struct MHD_Connection *conn, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    const struct side *side = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct conn_note *note = mem_new(1, sizeof *note);
        note->link.bytes_per_s = side->config.connection_bytes_per_s;
        note->link.rtt_us = side->config.rtt_ms * 1000;
        *context = note;
    } else {
        free(*context);
        *context = NULL;
    }
}

/* The raw URI: MHD's own copy is decoded, and a signature covers what was sent. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *conn)
{
    struct exch *x = mem_new(1, sizeof *x);
    size_t path_len = strcspn(uri, "?");

    x->side = cls;
    x->path = mem_copy(uri, strlen(uri));
    x->path[path_len] = '\0';
    x->query = x->path + path_len + (uri[path_len] == '?' ? 1 : 0);
    if (options_current()->quirk.ignore_expect)
        MHD_set_connection_value(conn, MHD_HEADER_KIND, "Expect", "unheard");
    return x;
}

const char *exch_header(struct exch *x, const char *name)
{
    return MHD_lookup_connection_value(x->conn, MHD_HEADER_KIND, name);
}

void exch_reply_header(struct exch *x, const char *name, const char *value)
{
    if (x->reply.n_headers == REPLY_HEADERS_MAX)
        return;
    x->reply.headers[x->reply.n_headers].name = name;
    x->reply.headers[x->reply.n_headers++].value = mem_copy(value, strlen(value));
}

static void activate(struct exch *x)
{
    pthread_mutex_lock(&x->side->lock);
    DL_APPEND(x->side->active, x);
    x->is_active = true;
    x->active_now = ++x->side->n_active;
    pthread_mutex_unlock(&x->side->lock);
}

static void deactivate(struct exch *x)
{
    if (!x->is_active)
        return;
    pthread_mutex_lock(&x->side->lock);
    DL_DELETE(x->side->active, x);
    x->is_active = false;
    x->side->n_active--;
    pthread_mutex_unlock(&x->side->lock);
}

unsigned side_live_count(struct side *side)
{
    unsigned n = 0;
    struct exch *x = NULL;

    pthread_mutex_lock(&side->lock);
    DL_FOREACH(side->active, x)
    {
        struct pollfd p = {.fd = x->fd, .events = POLLRDHUP};
        n += poll(&p, 1, 0) == 0;
    }
    pthread_mutex_unlock(&side->lock);
    return n;
}

static enum MHD_Result begin(struct exch *x, struct MHD_Connection *conn, const char *method)
{
    x->conn = conn;
    x->method = method;
    x->fd = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    x->begun_ms = when_mono_ms();
    snprintf(x->where, sizeof x->where, "%s %s", method, x->path);
    text_clip_utf8(x->where);
    const char *length = exch_header(x, "Content-Length");
    x->content_length = length == NULL ? -1 : strtoll(length, NULL, 10);
    x->side->config.ops->begin(x);
    /* A watcher's /_sim/state that waits for its digests is no request of the uploader. */
    if (!x->is_control)
        activate(x);
    return MHD_YES;
}

/*
 * Ends the connection without a word: RST, unless the fault asks for a plain close; and where it
 * asks for that, nobody gets another one for a while.
 */
static enum MHD_Result hang_up(struct exch *x)
{
    struct linger off = {.l_onoff = 1, .l_linger = 0};

    if (x->fault != NULL && x->fault->refuse_ms > 0)
        side_refuse(x->side, x->fault->refuse_ms);
    if (x->fault == NULL || !x->fault->plain_close)
        setsockopt(x->fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);
    deactivate(x);
    return MHD_NO;
}

/* Gives a cut or slow reply piece by piece. */
static ssize_t read_reply(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct exch *x = cls;
    const struct fault_action *a = x->fault;
    uint64_t limit = fault_shape_cut(x);

    if (pos >= limit) {
        if (a->reset == RESET_DURING)
            hang_up(x);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (limit - pos < max)
        max = (size_t)(limit - pos);
    if (a->drain_bps > 0) {
        int64_t idle_ms = when_mono_ms() - x->drained_ms;
        if (idle_ms < DRAIN_TICK_MS) {
            timer_suspend(x->conn, DRAIN_TICK_MS - idle_ms);
            return 0;
        }
        size_t share = (size_t)(a->drain_bps * DRAIN_TICK_MS / 1000 + 1);
        max = max < share ? max : share;
        x->drained_ms = when_mono_ms();
    }
    memcpy(buf, x->reply.body.data + pos, max);
    return (ssize_t)max;
}

static struct MHD_Response *make_response(struct exch *x)
{
    size_t len = 0;

    if (fault_shape_is_piecewise(x))
        return MHD_create_response_from_callback(x->reply.body.len, 16384, read_reply, x, NULL);
    char *body = text_take(&x->reply.body, &len);
    return MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
}

static void close_if_asked(struct exch *x, struct MHD_Response *response)
{
    struct conn_note *note = note_of(x->conn);
    const struct fault_action *a = x->fault;

    note->n_served++;
    if (a != NULL && a->close_after > 0 && note->n_served >= a->close_after) {
        note->hang_up = a->close_silently;
        x->reply.close |= !a->close_silently;
    }
    if (x->reply.close)
        MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result send_reply(struct exch *x)
{
    x->phase = EXCH_ANSWERED;
    x->side->config.ops->answer(x);
    deactivate(x);
    fault_shape_reply(x);
    unsigned status = (unsigned)x->reply.status;
    struct MHD_Response *response = make_response(x);
    if (response == NULL)
        return MHD_NO;
    if (x->reply.content_type != NULL)
        MHD_add_response_header(response, "Content-Type", x->reply.content_type);
    for (unsigned i = 0; i < x->reply.n_headers; i++)
        MHD_add_response_header(response, x->reply.headers[i].name, x->reply.headers[i].value);
    close_if_asked(x, response);
    enum MHD_Result done = MHD_queue_response(x->conn, status, response);
    MHD_destroy_response(response);
    return done;
}

/* The reply is known: wait as long as asked, then send it. */
static enum MHD_Result wait_then_send(struct exch *x)
{
    const struct fault_action *a = x->fault;
    bool is_first = note_of(x->conn)->n_served == 0; /* it had to connect, too */
    int64_t wait_ms = x->side->config.latency_ms + x->side->config.rtt_ms * (is_first ? 2 : 1) +
                      (a != NULL ? a->delay_ms : 0);

    if (x->is_control)
        wait_ms = 0;
    if (a != NULL && (a->reset == RESET_BEFORE || a->reset == RESET_AFTER))
        return hang_up(x);
    /* A PUT of no bytes has no body to be cut in. */
    if (a != NULL && a->reset == RESET_DURING && !x->side->config.is_api)
        return hang_up(x);
    if (a != NULL && a->stall_ms > 0) {
        x->phase = EXCH_STALL;
        timer_suspend(x->conn, a->stall_ms);
        return MHD_YES;
    }
    if (wait_ms > 0) {
        x->phase = EXCH_WAIT;
        timer_suspend(x->conn, wait_ms);
        return MHD_YES;
    }
    return send_reply(x);
}

static enum MHD_Result finish(struct exch *x)
{
    if (x->fault != NULL && x->fault->reset == RESET_BEFORE)
        return hang_up(x);
    x->side->config.ops->finish(x);
    if (x->job != NULL) {
        x->phase = EXCH_JOB;
        job_run(x);
        return MHD_YES;
    }
    return wait_then_send(x);
}

static bool is_paced(const struct side *side)
{
    const struct server_config *c = &side->config;

    return c->bytes_per_s > 0 || c->connection_bytes_per_s > 0 || c->rtt_ms > 0;
}

static size_t paced_piece(struct exch *x)
{
    int64_t now_us = when_mono_us();

    pthread_mutex_lock(&x->side->lock);
    size_t shared = pace_piece(&x->side->link, now_us);
    pthread_mutex_unlock(&x->side->lock);
    size_t own = pace_piece(&note_of(x->conn)->link, now_us);
    return shared < own ? shared : own;
}

/* Sleeps until the bytes have passed the link that all share and the connection's own. */
static void pace_body(struct exch *x, size_t bytes, bool has_more)
{
    int64_t now_us = when_mono_us();

    pthread_mutex_lock(&x->side->lock);
    int64_t shared_us = pace_carry(&x->side->link, bytes, now_us);
    pthread_mutex_unlock(&x->side->lock);
    int64_t own_us = pace_carry(&note_of(x->conn)->link, bytes, now_us);
    int64_t wait_ms = ((shared_us > own_us ? shared_us : own_us) - now_us) / 1000;
    if (wait_ms > 0 || has_more)
        timer_suspend(x->conn, wait_ms);
}

/* Takes a piece of the body; a slow drain takes little of it and then sleeps. */
static enum MHD_Result take_body(struct exch *x, const char *data, size_t *size)
{
    const struct fault_action *a = x->fault;
    bool drains = a != NULL && a->drain_bps > 0;
    bool paced = !drains && is_paced(x->side);
    size_t n = *size;

    if (paced) {
        size_t piece = paced_piece(x);
        n = n < piece ? n : piece;
    }
    if (drains) {
        int64_t idle_ms = when_mono_ms() - x->drained_ms;
        if (idle_ms < DRAIN_TICK_MS) {
            timer_suspend(x->conn, DRAIN_TICK_MS - idle_ms);
            return MHD_YES;
        }
        size_t share = (size_t)(a->drain_bps * DRAIN_TICK_MS / 1000 + 1);
        n = n < share ? n : share;
        x->drained_ms = when_mono_ms();
        /* MHD doesn't come back by itself for bytes that were left. */
        if (n < *size)
            timer_suspend(x->conn, DRAIN_TICK_MS);
    }
    x->body_bytes += n;
    x->side->config.ops->data(x, data, n);
    *size -= n;
    bool half = x->content_length > 0 && x->body_bytes * 2 >= (uint64_t)x->content_length;
    if (a != NULL && a->reset == RESET_DURING && half && !x->side->config.is_api)
        return hang_up(x);
    if (paced)
        pace_body(x, n, *size > 0);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **con_cls)
{
    struct exch *x = *con_cls;

    (void)cls;
    (void)url;
    (void)version;
    if (x->conn == NULL) {
        enum MHD_Result result = begin(x, conn, method);
        return x->early ? send_reply(x) : result;
    }
    if (*size > 0 && x->phase == EXCH_RECEIVE)
        return take_body(x, data, size);
    switch (x->phase) {
    case EXCH_RECEIVE:
        return finish(x);
    case EXCH_JOB:
        if (fault_shape_replaces(x, true))
            fault_shape_fill(x);
        return wait_then_send(x);
    case EXCH_WAIT:
        return send_reply(x);
    case EXCH_STALL:
        return hang_up(x);
    case EXCH_ANSWERED:
        *size = 0;
        return MHD_YES;
    }
    return MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct exch *x = *con_cls;

    (void)cls;
    if (x == NULL)
        return;
    *con_cls = NULL;
    if (x->conn != NULL) {
        deactivate(x);
        x->side->config.ops->end(x);
        const struct conn_note *note = note_of(conn);
        if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && note != NULL && note->hang_up)
            shutdown(x->fd, SHUT_RDWR);
    }
    for (unsigned i = 0; i < x->reply.n_headers; i++)
        free(x->reply.headers[i].value);
    text_release(&x->reply.body);
    text_release(&x->body);
    fault_drop(x->fault);
    free(x->name);
    free(x->path);
    free(x);
}

static void on_log(void *cls, const char *fmt, va_list args)
{
    (void)cls;
    (void)fmt;
    (void)args;
}

static struct MHD_Daemon *start_daemon(struct side *side)
{
    const struct server_config *c = &side->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_TURBO;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)c->tls_cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)c->tls_key},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, c->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};

    if (c->tls_cert != NULL)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, side, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, side, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_MEMORY_INCREMENT,
        (size_t)CONNECTION_INCREMENT_BYTES, MHD_OPTION_ARRAY, c->threads > 1 ? pool : &none,
        MHD_OPTION_ARRAY, c->tls_cert != NULL ? tls : &none, MHD_OPTION_END);
}

struct side *side_start(const struct server_config *config)
{
    struct side *side = mem_new(1, sizeof *side);

    side->config = *config;
    side->link.bytes_per_s = config->bytes_per_s;
    pthread_mutex_init(&side->lock, NULL);
    side->listener = listener_open(config->listen, is_paced(side));
    if (side->listener != NULL)
        side->daemon = start_daemon(side);
    if (side->daemon == NULL) {
        if (side->listener != NULL)
            fputs("pxm-sim: cannot start the HTTP server (bad certificate or key?)\n", stderr);
        listener_close(side->listener);
        free(side);
        return NULL;
    }
    listener_start(side->listener, side->daemon);
    return side;
}

void side_stop(struct side *side)
{
    if (side == NULL)
        return;
    listener_close(side->listener);
    MHD_stop_daemon(side->daemon);
    pthread_mutex_destroy(&side->lock);
    free(side);
}

unsigned side_port(const struct side *side)
{
    return listener_port(side->listener);
}

const char *side_host(const struct side *side)
{
    return listener_host(side->listener);
}

void side_refuse(struct side *side, int64_t off_ms)
{
    listener_refuse(side->listener, off_ms);
}

void server_setup(void)
{
    timer_start();
    job_start();
}

void server_quiet(void)
{
    job_stop();
    timer_stop();
}
