/*
 * exchange.c - one easy handle: its options for a request, its callbacks, and how its end is
 * read. Called by net.c on the loop thread; every curl error becomes an err_code here alone.
 */
#include "net/exchange.h"

#include <inttypes.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

/* S3 closes idle connections after a few seconds, a load balancer after about a minute. */
#define IDLE_MAX_PUT_S 4L
#define IDLE_MAX_API_S 30L
#define DNS_CACHE_S    60L
#define HEADERS_MAX    (256 * 1024)
#define HEADERS_SENT   4 /* at most, beside libcurl's own */

struct exchange *exchange_new(void *user)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->user = user;
    exchange->easy = curl_easy_init();
    buf_init(&exchange->body, LIMIT_REPLY_BYTES);
    buf_init(&exchange->origin, LIMIT_URL_BYTES);
    if (!exchange->easy) {
        free(exchange);
        return NULL;
    }
    return exchange;
}

void reply_let_go(struct exchange *exchange)
{
    struct net *net = exchange->net;
    if (!net || net->large != exchange)
        return;
    size_t max = exchange->reply.body.max;
    buf_release(&exchange->reply.body);
    buf_init(&exchange->reply.body, max);
    net->large = NULL;
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    BUG_ON(exchange->phase != EXCHANGE_IDLE);
    reply_let_go(exchange);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    buf_release(&exchange->body);
    buf_release(&exchange->origin);
    buf_release(&exchange->reply.body);
    free(exchange);
}

void exchange_set_user(struct exchange *exchange, void *user)
{
    exchange->user = user;
}

void *exchange_user(const struct exchange *exchange)
{
    return exchange->user;
}

int exchange_is_put(const struct exchange *exchange)
{
    return exchange->method == EXCHANGE_PUT;
}

const struct err *exchange_error(const struct exchange *exchange)
{
    return &exchange->error;
}

const struct exchange_reply *exchange_reply_of(const struct exchange *exchange)
{
    return &exchange->reply;
}

int64_t exchange_took_us(const struct exchange *exchange)
{
    curl_off_t us = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_TOTAL_TIME_T, &us);
    return us;
}

int64_t exchange_sent_bytes(const struct exchange *exchange)
{
    curl_off_t handed = 0;
    curl_socket_t fd = CURL_SOCKET_BAD;
    int queued = 0;
    if (exchange->phase != EXCHANGE_RUNNING)
        return exchange->position;
    curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_UPLOAD_T, &handed);
    curl_easy_getinfo(exchange->easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd == CURL_SOCKET_BAD || ioctl(fd, SIOCOUTQ, &queued))
        queued = 0;
    int64_t sent = (int64_t)handed - queued;
    if (sent > exchange->position) /* rewound, or of the request before it */
        sent = exchange->position;
    return sent > 0 ? sent : 0;
}

/* ---- callbacks ---- */

static int may_grow(struct exchange *exchange, size_t len)
{
    struct net *net = exchange->net;
    if (len <= LIMIT_REPLY_SMALL)
        return 1;
    if (!net->large)
        net->large = exchange;
    return net->large == exchange;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    if (!may_grow(exchange, exchange->reply.body.len + size * count)) {
        exchange->net->held_count += !exchange->reply_held;
        exchange->reply_held = 1;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (buf_append(&exchange->reply.body, data, size * count)) {
        exchange->reply_too_big = 1;
        return 0;
    }
    return size * count;
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    size_t len = size * count;
    exchange->header_bytes += len;
    if (exchange->header_bytes > HEADERS_MAX) {
        exchange->reply_too_big = 1;
        return 0;
    }
    if (len > 5 && !memcmp(line, "HTTP/", 5)) { /* also after a 100 Continue */
        reply_clear_headers(&exchange->reply);
        exchange->header_count = 0;
    } else if (exchange->header_count++ < LIMIT_REPLY_HEADERS) {
        reply_take_header(&exchange->reply, line, len, &exchange->net->date);
    }
    return len;
}

/* ---- options ---- */

/* A header of a request; an empty value tells libcurl to leave its own out. */
struct header {
    const char *name;
    const char *value;
};

static int is_line(const char *line, const struct header *header)
{
    size_t len = strlen(header->name);
    if (strncmp(line, header->name, len) != 0 || line[len] != ':')
        return 0;
    return !strcmp(line + len + 1 + (line[len + 1] == ' '), header->value);
}

/* Most requests of a handle carry the headers of the one before it. */
static int has_headers(const struct exchange *exchange, const struct header *headers, size_t count)
{
    const struct curl_slist *line = exchange->headers;
    for (size_t i = 0; i < count; i++, line = line->next)
        if (!line || !is_line(line->data, &headers[i]))
            return 0;
    return !line;
}

static int add_header(struct exchange *exchange, const struct header *header)
{
    struct buf line;
    buf_init(&line, 64 * 1024);
    struct curl_slist *list = NULL;
    if (!buf_printf(&line, "%s:%s%s", header->name, *header->value ? " " : "", header->value))
        list = curl_slist_append(exchange->headers, buf_str(&line));
    if (line.data)
        explicit_bzero(line.data, line.len);
    buf_release(&line);
    if (list)
        exchange->headers = list;
    return list ? 0 : -ERR_NOMEM;
}

static int set_headers(struct exchange *exchange, const struct exchange_request *request)
{
    struct header headers[HEADERS_SENT];
    size_t count = 0;
    headers[count++] = (struct header){"Expect", request->expect_continue ? "100-continue" : ""};
    if (request->content_type)
        headers[count++] = (struct header){"Content-Type", request->content_type};
    if (request->authorization)
        headers[count++] = (struct header){"Authorization", request->authorization};
    if (request->method != EXCHANGE_PUT)
        headers[count++] = (struct header){"Accept", "application/json"};
    if (has_headers(exchange, headers, count))
        return 0;
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++)
        rc = add_header(exchange, &headers[i]);
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
    return rc;
}

/*
 * libcurl takes a URL apart, puts it together and prints it letter by letter: for a signed URL
 * that is a third of the work of a small request. So it gets the origin alone, which is the one of
 * the request before, and what follows it as the request's target, byte for byte.
 */
static int set_url(struct exchange *exchange, const char *url)
{
    CURL *easy = exchange->easy;
    const char *authority = strstr(url, "://");
    int is_http = !strncasecmp(url, "http:", 5);
    size_t len = authority ? (size_t)(authority + 3 - url) + strcspn(authority + 3, "/?#") : 0;
    /* A proxy without a tunnel wants the whole URL in the request line. */
    if (!len || strchr(url + len, '#') || (is_http && exchange->net->has_proxy))
        len = strlen(url);
    const char *target = url[len] ? url + len : NULL;
    if (exchange->origin.len != len || memcmp(buf_str(&exchange->origin), url, len) != 0) {
        buf_reset(&exchange->origin);
        if (buf_append(&exchange->origin, url, len) ||
            curl_easy_setopt(easy, CURLOPT_URL, buf_str(&exchange->origin)))
            return -ERR_NOMEM;
        /* Only the scheme that was checked, whatever the other side says later. */
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_http ? "http" : "https");
    }
    if (!target || *target == '/')
        return curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target) ? -ERR_NOMEM : 0;
    struct buf rooted;
    buf_init(&rooted, LIMIT_URL_BYTES + 1);
    int rc = buf_printf(&rooted, "/%s", target);
    if (!rc && curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, buf_str(&rooted)))
        rc = -ERR_NOMEM;
    buf_release(&rooted);
    return rc;
}

static void set_fixed_options(struct exchange *exchange)
{
    CURL *easy = exchange->easy;
    struct net *net = exchange->net;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->curl_text);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    /* 7.88 spins while uploading over HTTP/2. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_DNS_SHUFFLE_ADDRESSES, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_S);
    /* Or libcurl waits for its resolver thread, and with it the loop, as long as DNS is silent. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)net->contimeout_ms);
    if (net->user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, net->user_agent);
    if (net->ca_cert)
        curl_easy_setopt(easy, CURLOPT_CAINFO, net->ca_cert);
    if (net->ca_path)
        curl_easy_setopt(easy, CURLOPT_CAPATH, net->ca_path);
    if (!net->has_proxy) { /* or the environment is asked five times a request */
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
    }
}

int exchange_prepare(struct exchange *exchange, const struct exchange_request *request,
                     struct err *err)
{
    CURL *easy = exchange->easy;
    int is_put = request->method == EXCHANGE_PUT;
    exchange->method = request->method;
    exchange->bytes = is_put ? request->body : NULL;
    exchange->read = request->read;
    exchange->read_user = request->read_user;
    exchange->read_bytes =
        exchange->bytes || !is_put ? (int64_t)request->body_len : request->read_bytes;
    exchange->position = 0;
    exchange->sendings = 0;
    exchange->paused = 0;
    exchange->moved = -1;
    exchange->counted = 0;
    exchange->reply_too_big = 0;
    exchange->header_bytes = 0;
    exchange->header_count = 0;
    exchange->curl_text[0] = '\0';
    err_clear(&exchange->error);
    exchange->reply.status = 0;
    reply_clear_headers(&exchange->reply);
    if (exchange->reply.body.max != request->reply_max) {
        buf_release(&exchange->reply.body);
        buf_init(&exchange->reply.body, request->reply_max);
    }
    buf_reset(&exchange->reply.body);
    if (exchange->fitted != exchange->net)
        set_fixed_options(exchange);
    exchange->fitted = exchange->net;
    if (set_headers(exchange, request) || set_url(exchange, request->url) ||
        body_set(exchange, request))
        return err_set(err, ERR_NOMEM, "no memory for a request");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, is_put ? IDLE_MAX_PUT_S : IDLE_MAX_API_S);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    return 0;
}

/* ---- the end ---- */

static enum err_code code_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        return ERR_TLS;
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_CONFIG;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return ERR_BAD_REPLY;
    case CURLE_OUT_OF_MEMORY:
        return ERR_NOMEM;
    default: /* resolve, connect, send, receive, TLS handshake, half a reply */
        return ERR_NETWORK;
    }
}

/*
 * Nothing can have been applied when the request never got as far as being sent. But the error may
 * be that of a second connection, after a first one took the request and died: what was seen to be
 * sent may have been applied, however the last try ended.
 */
static enum err_effect effect_of(struct exchange *exchange, CURLcode code)
{
    if (exchange->sendings)
        return EFFECT_MAYBE;
    curl_off_t sent_after_us = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after_us);
    int before_sending = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
                         code == CURLE_COULDNT_RESOLVE_PROXY ||
                         code == CURLE_PEER_FAILED_VERIFICATION || !sent_after_us;
    return before_sending ? EFFECT_NONE : EFFECT_MAYBE;
}

void exchange_stall(struct exchange *exchange, int64_t idle_ms)
{
    err_set(&exchange->error, ERR_TIMEOUT, "nothing moved for %lld s", (long long)(idle_ms / 1000));
    exchange->error.effect = EFFECT_MAYBE;
    exchange->reply.status = 0;
}

void exchange_finish(struct exchange *exchange, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->reply.status = (int)status;
    if (code == CURLE_OK && status)
        return;
    if (exchange->reply_too_big) {
        err_set(&exchange->error, ERR_BAD_REPLY, "the reply is larger than %zu bytes",
                exchange->reply.body.max);
        exchange->error.effect = EFFECT_MAYBE;
        return;
    }
    if (exchange->error.code) /* the body's reader said why it gave up */
        return;
    if (exchange->sendings > 1) {
        err_set(&exchange->error, ERR_NETWORK, "the connection broke before a reply came");
        exchange->error.effect = EFFECT_MAYBE;
        exchange->reply.status = 0;
        return;
    }
    /* A refusal that came before the connection broke counts, even without all of its text. */
    if (status >= 400)
        return;
    const char *text = exchange->curl_text[0] ? exchange->curl_text : curl_easy_strerror(code);
    enum err_effect effect = effect_of(exchange, code);
    err_set(&exchange->error, code_of(code), "%s", text);
    exchange->error.effect = effect;
    exchange->reply.status = 0;
}
