/*
 * null_server.c - the server beside which every uploader is measured: HTTP/1.1, TLS on request,
 * PXM's calls and S3's on one port, one thread, epoll. It throws bodies away unread where it can,
 * so that the two cores of a small machine are the client's as far as possible.
 *
 *   null_server [--listen 127.0.0.1:0] [--tls CERT KEY] [--part-size BYTES] [--threshold BYTES]
 *               [--opaque-etag] [--keep-objects] [--bandwidth BYTES_PER_S]
 *
 * Prints "null-server ready api=URL s3=URL" and serves until SIGTERM. GET /_null/counts says
 * what came since it was last asked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/answer.h"

#define SCRATCH_BYTES  (1 << 20)
#define KEPT_MAX       (256 << 10) /* a head, or a head and the body of request-upload */
#define EVENTS         64
#define TURN_READS     8 /* of one connection, before the others get theirs */
#define PACE_TICK_NS   2000000
#define TLS_READ_BYTES (256 << 10)
#define PACED_RCVBUF   (128 << 10)

struct conn {
    int fd;
    SSL *ssl;
    char *kept; /* bytes of a head or a kept body that is not whole yet */
    size_t kept_len;
    struct request request;
    int has_head;
    int keeps_body;
    uint64_t body_left;
    struct reply reply;
    size_t reply_sent;
    int waits_for_room; /* EPOLLOUT is on */
};

static char scratch[SCRATCH_BYTES];
static int epoll_fd;
static SSL_CTX *tls;
static int64_t bandwidth; /* bytes a second; 0: as they come */
static int64_t allowance;

static void die(const char *what)
{
    fprintf(stderr, "null_server: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* > 0 bytes, 0 end or failure, -1 nothing right now. With out NULL they are thrown away. */
static ssize_t take(struct conn *conn, char *out, size_t len)
{
    if (conn->ssl) {
        int n = SSL_read(conn->ssl, out ? out : scratch,
                         (int)(len < SCRATCH_BYTES ? len : SCRATCH_BYTES));
        if (n > 0)
            return n;
        int why = SSL_get_error(conn->ssl, n);
        ERR_clear_error();
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
    ssize_t n = recv(conn->fd, out ? out : scratch, len, MSG_DONTWAIT | (out ? 0 : MSG_TRUNC));
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    return n;
}

static ssize_t give(struct conn *conn, const char *data, size_t len)
{
    if (conn->ssl) {
        int n = SSL_write(conn->ssl, data, (int)len);
        if (n > 0)
            return n;
        int why = SSL_get_error(conn->ssl, n);
        ERR_clear_error();
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
    ssize_t n = send(conn->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    return n;
}

static void watch(struct conn *conn, int op, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};
    if (epoll_ctl(epoll_fd, op, conn->fd, &event))
        die("epoll_ctl");
}

/* False when the connection is over. */
static int flush(struct conn *conn)
{
    while (conn->reply_sent < conn->reply.len) {
        ssize_t n =
            give(conn, conn->reply.data + conn->reply_sent, conn->reply.len - conn->reply_sent);
        if (n == 0)
            return 0;
        if (n < 0) {
            if (!conn->waits_for_room)
                watch(conn, EPOLL_CTL_MOD, EPOLLOUT);
            conn->waits_for_room = 1;
            return 1;
        }
        conn->reply_sent += (size_t)n;
    }
    if (conn->waits_for_room)
        watch(conn, EPOLL_CTL_MOD, EPOLLIN);
    conn->waits_for_room = 0;
    return !conn->request.close;
}

/* ---- requests ------------------------------------------------------------------------------- */

static int is_header(const char *line, const char *name, const char **out_value)
{
    size_t len = strlen(name);
    if (strncasecmp(line, name, len) != 0)
        return 0;
    *out_value = line + len + strspn(line + len, " ");
    return 1;
}

/* head is NUL-terminated. False when it can't be served. */
static int parse_head(struct conn *conn, const char *head)
{
    struct request *request = &conn->request;
    const char *value;
    *request = (struct request){0};
    if (sscanf(head, "%7s %2047s HTTP/1.1", request->method, request->target) != 2)
        return 0;
    int expects = 0;
    for (const char *line = strstr(head, "\r\n"); line && line[2];
         line = strstr(line + 2, "\r\n")) {
        if (is_header(line + 2, "Content-Length:", &value))
            request->body_bytes = strtoull(value, NULL, 10);
        else if (is_header(line + 2, "Transfer-Encoding:", &value))
            return 0;
        else if (is_header(line + 2, "Expect:", &value))
            expects = 1;
        else if (is_header(line + 2, "Connection:", &value))
            request->close = strncasecmp(value, "close", 5) == 0;
    }
    conn->has_head = 1;
    conn->body_left = request->body_bytes;
    conn->keeps_body = answer_needs_body(request);
    if (expects && give(conn, "HTTP/1.1 100 Continue\r\n\r\n", 25) != 25)
        return 0;
    return !conn->keeps_body || conn->body_left < KEPT_MAX / 2;
}

static int keep(struct conn *conn, const char *data, size_t len)
{
    if (conn->kept_len + len >= KEPT_MAX)
        return 0;
    if (!conn->kept && !(conn->kept = malloc(KEPT_MAX)))
        die("malloc");
    memmove(conn->kept + conn->kept_len, data, len);
    conn->kept_len += len;
    return 1;
}

static int respond(struct conn *conn, const char *body)
{
    conn->request.body = body;
    conn->has_head = 0;
    conn->reply_sent = 0;
    answer_make(&conn->request, &conn->reply);
    return flush(conn);
}

/*
 * Takes what is whole in data, which has room for a NUL behind it; *out_used says how much that
 * was. False when the connection is over.
 */
static int consume(struct conn *conn, char *data, size_t len, size_t *out_used)
{
    *out_used = 0;
    while (*out_used < len || (conn->has_head && !conn->body_left)) {
        char *at = data + *out_used;
        size_t left = len - *out_used;
        if (!conn->has_head) {
            char *end = memmem(at, left, "\r\n\r\n", 4);
            if (!end)
                return 1;
            end[2] = '\0';
            if (!parse_head(conn, at))
                return 0;
            *out_used += (size_t)(end + 4 - at);
            continue;
        }
        if (conn->keeps_body && left < conn->body_left)
            return 1;
        size_t body = left < conn->body_left ? left : (size_t)conn->body_left;
        *out_used += body;
        conn->body_left -= body;
        if (conn->body_left)
            return 1;
        char cut = at[body];
        at[body] = '\0';
        int alive = respond(conn, conn->keeps_body ? at : NULL);
        at[body] = cut;
        if (!alive)
            return 0;
    }
    return 1;
}

/* More bytes of something that was begun before. */
static int consume_kept(struct conn *conn, const char *data, size_t len)
{
    size_t used;
    if (!keep(conn, data, len) || !consume(conn, conn->kept, conn->kept_len, &used))
        return 0;
    conn->kept_len -= used;
    memmove(conn->kept, conn->kept + used, conn->kept_len);
    return 1;
}

static int read_some(struct conn *conn)
{
    /* What OpenSSL holds already does not wake epoll. */
    for (int turn = 0; turn < TURN_READS || (conn->ssl && SSL_has_pending(conn->ssl)); turn++) {
        int throws_away = conn->has_head && !conn->keeps_body;
        size_t want = SCRATCH_BYTES - 1;
        if (throws_away && conn->body_left < want)
            want = (size_t)conn->body_left;
        if (bandwidth && want > PACED_RCVBUF)
            want = PACED_RCVBUF;
        if (bandwidth && allowance <= 0 && !conn->ssl)
            return 1;
        ssize_t n = take(conn, throws_away ? NULL : scratch, want);
        if (n <= 0)
            return n < 0;
        allowance -= n;
        if (throws_away) {
            conn->body_left -= (uint64_t)n;
            if (!conn->body_left && !respond(conn, NULL))
                return 0;
        } else if (conn->kept_len) {
            if (!consume_kept(conn, scratch, (size_t)n))
                return 0;
        } else {
            size_t used;
            if (!consume(conn, scratch, (size_t)n, &used) ||
                (used < (size_t)n && !keep(conn, scratch + used, (size_t)n - used)))
                return 0;
        }
        if (!conn->ssl && (size_t)n < want)
            return 1;
    }
    return 1;
}

/* ---- connections ---------------------------------------------------------------------------- */

static void conn_close(struct conn *conn)
{
    SSL_free(conn->ssl);
    close(conn->fd);
    free(conn->kept);
    free(conn->reply.data);
    free(conn);
}

static void accept_one(int listen_fd)
{
    int on = 1;
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        die("calloc");
    conn->fd = fd;
    if (tls) {
        conn->ssl = SSL_new(tls);
        if (!conn->ssl || !SSL_set_fd(conn->ssl, fd))
            die("SSL_new");
        SSL_set_accept_state(conn->ssl);
    }
    watch(conn, EPOLL_CTL_ADD, EPOLLIN);
}

/* Sleeps until bytes may be taken again. */
static void pace(void)
{
    static int64_t last_ns;
    struct timespec now;
    struct timespec tick = {.tv_nsec = PACE_TICK_NS};
    if (!bandwidth)
        return;
    for (;;) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t now_ns = now.tv_sec * 1000000000LL + now.tv_nsec;
        int64_t gone_ns = last_ns && now_ns - last_ns < 100000000 ? now_ns - last_ns : PACE_TICK_NS;
        int64_t most = bandwidth / 100;
        last_ns = now_ns;
        allowance += (int64_t)((double)bandwidth * (double)gone_ns / 1e9);
        if (allowance > most)
            allowance = most;
        if (allowance > 0)
            return;
        nanosleep(&tick, NULL);
    }
}

static void serve(int listen_fd)
{
    struct epoll_event events[EVENTS];
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &listening))
        die("epoll_ctl");
    for (;;) {
        pace();
        int n = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct conn *conn = events[i].data.ptr;
            if (!conn)
                accept_one(listen_fd);
            else if (!(conn->waits_for_room ? flush(conn) : read_some(conn)))
                conn_close(conn);
        }
    }
}

/* ---- main ----------------------------------------------------------------------------------- */

static int open_listener(const char *address, char *out_host, size_t host_size)
{
    char host[48];
    unsigned port = 0;
    int on = 1;
    int room = PACED_RCVBUF;
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    if (sscanf(address, "%47[^:]:%u", host, &port) != 2 || !inet_aton(host, &in.sin_addr)) {
        fprintf(stderr, "null_server: --listen takes ADDRESS:PORT\n");
        exit(2);
    }
    in.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bandwidth) /* or the kernel would hide seconds of traffic in its buffers */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof in) || listen(fd, 1024) ||
        getsockname(fd, (struct sockaddr *)&in, &len))
        die("listen");
    snprintf(out_host, host_size, "%s:%u", host, ntohs(in.sin_port));
    return fd;
}

static void open_tls(const char *cert, const char *key)
{
    tls = SSL_CTX_new(TLS_server_method());
    if (!tls || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "null_server: cannot use %s and %s\n", cert, key);
        exit(1);
    }
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(tls, 1);
    SSL_CTX_set_default_read_buffer_len(tls, TLS_READ_BYTES);
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1:0";
    struct answer_options options = {
        .scheme = "http", .threshold = 16 << 20, .part_bytes = 8 << 20};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--opaque-etag") == 0) {
            options.opaque_etag = 1;
            continue;
        }
        if (strcmp(argv[i], "--keep-objects") == 0) {
            options.keeps_objects = 1;
            continue;
        }
        if (strcmp(argv[i], "--listen") == 0)
            address = value;
        else if (strcmp(argv[i], "--part-size") == 0)
            options.part_bytes = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--threshold") == 0)
            options.threshold = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--bandwidth") == 0)
            bandwidth = strtoll(value, NULL, 10);
        else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc)
            open_tls(value, argv[++i + 1]);
        else {
            fprintf(stderr, "null_server: unknown %s\n", argv[i]);
            return 2;
        }
        i++;
    }
    if (!options.part_bytes)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    options.scheme = tls ? "https" : "http";
    int listen_fd = open_listener(address, options.host, sizeof options.host);
    answer_setup(&options);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    printf("null-server ready api=%s://%s s3=%s://%s\n", options.scheme, options.host,
           options.scheme, options.host);
    fflush(stdout);
    serve(listen_fd);
    return 0;
}
