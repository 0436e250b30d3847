/*
 * exchange.c - one easy handle: its options for a request, its callbacks, and how its end is
 * read. Called by net.c on the loop thread; every curl error becomes an err_code here alone.
 */
#include "net/exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* S3 closes idle connections after a few seconds, a load balancer after about a minute. */
#define IDLE_MAX_PUT_S 4L
#define IDLE_MAX_API_S 30L
#define DNS_CACHE_S    60L
#define HEADERS_MAX    (256 * 1024)
#define BUFFERS_PER_S  4

struct exchange *exchange_new(void *user)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return NULL;
    exchange->user = user;
    exchange->easy = curl_easy_init();
    buf_init(&exchange->body, LIMIT_REPLY_BYTES);
    if (!exchange->easy) {
        free(exchange);
        return NULL;
    }
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    BUG_ON(exchange->phase != EXCHANGE_IDLE);
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    buf_release(&exchange->body);
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

int64_t exchange_sent_bytes(const struct exchange *exchange)
{
    return exchange->position;
}

/* ---- callbacks ---- */

static size_t on_read(char *out, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    struct net *net = exchange->net;
    int64_t left = exchange->read_bytes - exchange->position;
    size_t len = size * count;
    /* libcurl asks again after the end and does not cut what it gets: both are ours to do. */
    if ((int64_t)len > left)
        len = (size_t)left;
    if (!len)
        return 0;
    if (exchange->method == EXCHANGE_POST) {
        memcpy(out, exchange->body.data + exchange->position, len);
        exchange->position += (int64_t)len;
        return len;
    }
    if (net->bwlimit) {
        if (net->allowance <= 0) {
            exchange->paused = 1;
            net->paused_count++;
            return CURL_READFUNC_PAUSE;
        }
        /* A 16th of a second's bytes at most, so that everybody gets a turn. */
        int64_t most =
            net->bwlimit / 16 > THROTTLE_READ_MIN ? net->bwlimit / 16 : THROTTLE_READ_MIN;
        if ((int64_t)len > most)
            len = (size_t)most;
        net->allowance -= (int64_t)len;
    }
    if (exchange->read(exchange->read_user, out, len, exchange->position, &exchange->error))
        return CURL_READFUNC_ABORT;
    exchange->position += (int64_t)len;
    net->sent_bytes += (int64_t)len;
    return len;
}

static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct exchange *exchange = user;
    if (origin != SEEK_SET || offset < 0 || offset > exchange->read_bytes)
        return CURL_SEEKFUNC_FAIL;
    exchange->position = offset;
    return CURL_SEEKFUNC_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct exchange *exchange = user;
    if (buf_append(&exchange->reply.body, data, size * count)) {
        exchange->reply_too_big = 1;
        return 0;
    }
    return size * count;
}

static void keep_header(const char *value, size_t len, char *out, size_t out_size)
{
    while (len && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    while (len && strchr(" \t\r\n", value[len - 1]))
        len--;
    if (len >= out_size) /* too long to be what we look for; a cut value would be a wrong one */
        len = 0;
    memcpy(out, value, len);
    out[len] = '\0';
}

static void take_header(struct exchange_reply *reply, const char *line, size_t len)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } kept[] = {
        {"etag:", reply->etag, sizeof reply->etag},
        {"retry-after:", reply->retry_after, sizeof reply->retry_after},
        {"x-request-id:", reply->request_id, sizeof reply->request_id},
        {"x-amz-request-id:", reply->request_id, sizeof reply->request_id},
        {"x-ratelimit-limit:", reply->rate_limit, sizeof reply->rate_limit},
        {"x-amz-server-side-encryption:", reply->encryption, sizeof reply->encryption},
        {"x-amz-server-side-encryption-customer-algorithm:", reply->customer_key,
         sizeof reply->customer_key},
    };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        size_t n = strlen(kept[i].name);
        if (len > n && !strncasecmp(line, kept[i].name, n))
            keep_header(line + n, len - n, kept[i].out, kept[i].size);
    }
    if (len > 5 && !strncasecmp(line, "date:", 5)) {
        char text[64];
        keep_header(line + 5, len - 5, text, sizeof text);
        time_t seconds = curl_getdate(text, NULL);
        reply->date_ms = seconds < 0 ? -1 : (int64_t)seconds * 1000;
    }
}

static void clear_headers(struct exchange_reply *reply)
{
    reply->etag[0] = reply->retry_after[0] = reply->request_id[0] = '\0';
    reply->encryption[0] = reply->customer_key[0] = reply->rate_limit[0] = '\0';
    reply->date_ms = -1;
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
        clear_headers(&exchange->reply);
        exchange->header_count = 0;
    } else if (exchange->header_count++ < LIMIT_REPLY_HEADERS) {
        take_header(&exchange->reply, line, len);
    }
    return len;
}

/* ---- options ---- */

static int add_header(struct exchange *exchange, const char *name, const char *value)
{
    struct buf line;
    buf_init(&line, 64 * 1024);
    struct curl_slist *list = NULL;
    if (!buf_printf(&line, "%s:%s%s", name, *value ? " " : "", value))
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
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    int rc = add_header(exchange, "Expect", request->expect_continue ? "100-continue" : "");
    if (!rc && request->content_type)
        rc = add_header(exchange, "Content-Type", request->content_type);
    if (!rc && request->authorization)
        rc = add_header(exchange, "Authorization", request->authorization);
    if (!rc && request->method != EXCHANGE_PUT)
        rc = add_header(exchange, "Accept", "application/json");
    curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
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
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)net->contimeout_ms);
    if (net->user_agent)
        curl_easy_setopt(easy, CURLOPT_USERAGENT, net->user_agent);
    if (net->ca_cert)
        curl_easy_setopt(easy, CURLOPT_CAINFO, net->ca_cert);
    if (net->ca_path)
        curl_easy_setopt(easy, CURLOPT_CAPATH, net->ca_path);
}

static long send_buffer(const struct net *net, int64_t bytes)
{
    int64_t size = bytes <= SEND_BUFFER_SMALL ? SEND_BUFFER_SMALL : SEND_BUFFER_LARGE;
    /* The buffer is the burst unit of a limit: a quarter second of it at most. */
    if (net->bwlimit && size > net->bwlimit / BUFFERS_PER_S)
        size = net->bwlimit / BUFFERS_PER_S;
    return size < 16384 ? 16384L : (long)size;
}

static void set_method(struct exchange *exchange, const struct exchange_request *request)
{
    CURL *easy = exchange->easy;
    switch (request->method) {
    case EXCHANGE_GET:
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        break;
    case EXCHANGE_POST:
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->read_bytes);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, (curl_seek_callback)NULL);
        break;
    case EXCHANGE_PUT:
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->read_bytes);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
        break;
    }
}

int exchange_prepare(struct exchange *exchange, const struct exchange_request *request,
                     struct err *err)
{
    CURL *easy = exchange->easy;
    int is_put = request->method == EXCHANGE_PUT;
    exchange->method = request->method;
    exchange->read = request->read;
    exchange->read_user = request->read_user;
    exchange->read_bytes = is_put ? request->read_bytes : (int64_t)request->body_len;
    exchange->position = 0;
    exchange->paused = 0;
    exchange->moved = -1;
    exchange->reply_too_big = 0;
    exchange->header_bytes = 0;
    exchange->header_count = 0;
    exchange->curl_text[0] = '\0';
    err_clear(&exchange->error);
    exchange->reply.status = 0;
    clear_headers(&exchange->reply);
    if (exchange->reply.body.max != request->reply_max) {
        buf_release(&exchange->reply.body);
        buf_init(&exchange->reply.body, request->reply_max);
    }
    buf_reset(&exchange->reply.body);
    buf_reset(&exchange->body);
    set_fixed_options(exchange);
    int rc = request->method == EXCHANGE_POST
                 ? buf_append(&exchange->body, request->body, request->body_len)
                 : 0;
    if (rc || set_headers(exchange, request) || curl_easy_setopt(easy, CURLOPT_URL, request->url))
        return err_set(err, ERR_NOMEM, "no memory for a request");
    /* Only the scheme that was checked, whatever the other side says later. */
    int is_http = !strncasecmp(request->url, "http:", 5);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_http ? "http" : "https");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, is_put ? IDLE_MAX_PUT_S : IDLE_MAX_API_S);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                     send_buffer(exchange->net, is_put ? exchange->read_bytes : 0));
    set_method(exchange, request);
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

/* Nothing can have been applied when the request never got as far as being sent. */
static enum err_effect effect_of(struct exchange *exchange, CURLcode code)
{
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
    /* A refusal that came before the connection broke counts, even without all of its text. */
    if (status >= 400)
        return;
    const char *text = exchange->curl_text[0] ? exchange->curl_text : curl_easy_strerror(code);
    enum err_effect effect = effect_of(exchange, code);
    err_set(&exchange->error, code_of(code), "%s", text);
    exchange->error.effect = effect;
    exchange->reply.status = 0;
}
