/*
 * body.c - what a request sends: how an easy handle is told of its body, and the callbacks that
 * give it. Called by exchange.c and, inside net_perform, by libcurl. Loop thread.
 */
#include "net/exchange.h"

#include <stdio.h>
#include <string.h>

#define BUFFERS_PER_S 4

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
    if (exchange->bytes)
        memcpy(out, exchange->bytes + exchange->position, len);
    else if (exchange->read(exchange->read_user, out, len, exchange->position, &exchange->error))
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

static long send_buffer(const struct net *net, int64_t bytes)
{
    int64_t size = bytes <= SEND_BUFFER_SMALL ? SEND_BUFFER_SMALL : SEND_BUFFER_LARGE;
    /* The buffer is the burst unit of a limit: a quarter second of it at most. */
    if (net->bwlimit && size > net->bwlimit / BUFFERS_PER_S)
        size = net->bwlimit / BUFFERS_PER_S;
    return size < 16384 ? 16384L : (long)size;
}

/*
 * On a reused connection that dies before a byte of reply libcurl sends a request again by itself
 * and reports the second reply. A POST must not be sent twice without our knowing, so the second
 * time that it comes this far it is refused; whether the first had any effect is unknown.
 */
static int on_request(void *user, char *remote, char *local, int remote_port, int local_port)
{
    struct exchange *exchange = user;
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    return exchange->sendings++ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

enum shape { SHAPE_NONE, SHAPE_GET, SHAPE_POST, SHAPE_API_PUT, SHAPE_PUT_BYTES, SHAPE_PUT_READ };

/* Bytes that are at hand go out together with the head, in one call. */
static enum shape shape_of(const struct exchange *exchange, const struct exchange_request *request)
{
    switch (request->method) {
    case EXCHANGE_GET:
        return SHAPE_GET;
    case EXCHANGE_POST:
        return SHAPE_POST;
    case EXCHANGE_API_PUT:
        return SHAPE_API_PUT;
    case EXCHANGE_PUT:
        break;
    }
    return exchange->bytes && !exchange->net->bwlimit && !request->expect_continue ? SHAPE_PUT_BYTES
                                                                                   : SHAPE_PUT_READ;
}

static void set_shape(struct exchange *exchange, enum shape shape)
{
    CURL *easy = exchange->easy;
    int is_custom = shape == SHAPE_API_PUT || shape == SHAPE_PUT_BYTES;
    int is_guarded = shape == SHAPE_API_PUT || shape == SHAPE_POST;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, is_custom ? "PUT" : NULL);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION,
                     is_guarded ? on_request : (curl_prereq_callback)NULL);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    if (shape == SHAPE_GET) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else if (shape == SHAPE_PUT_READ) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
    } else {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
    }
    exchange->shape = (int)shape;
}

static void set_bytes(struct exchange *exchange, const char *bytes)
{
    curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDS, bytes);
    curl_easy_setopt(exchange->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->read_bytes);
}

int body_set(struct exchange *exchange, const struct exchange_request *request)
{
    enum shape shape = shape_of(exchange, request);
    int is_api = shape == SHAPE_POST || shape == SHAPE_API_PUT;
    long buffer = send_buffer(exchange->net, is_api ? 0 : exchange->read_bytes);
    if (request->buffer_bytes && buffer > request->buffer_bytes)
        buffer = (long)request->buffer_bytes;
    curl_easy_setopt(exchange->easy, CURLOPT_UPLOAD_BUFFERSIZE, buffer);
    if (exchange->shape != (int)shape)
        set_shape(exchange, shape);
    if (is_api) {
        buf_reset(&exchange->body);
        if (buf_append(&exchange->body, request->body, request->body_len))
            return -ERR_NOMEM;
        set_bytes(exchange, buf_str(&exchange->body));
    } else if (shape == SHAPE_PUT_BYTES) {
        set_bytes(exchange, exchange->bytes);
        exchange->position = exchange->read_bytes;
        exchange->net->sent_bytes += exchange->read_bytes;
    } else if (shape == SHAPE_PUT_READ) {
        curl_easy_setopt(exchange->easy, CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)exchange->read_bytes);
    }
    return 0;
}
