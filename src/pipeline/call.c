/*
 * call.c - API requests: the budget, the token, the exchange, and how its end is classed. Every
 * API request of a job passes call_send. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <string.h>

/* A search or list may be long; the hot calls answer with little. */
#define CALL_TIMEOUT_MIN_MS 1000

int call_may_start(const struct job *job)
{
    return job->api_active < job->options->api_concurrency &&
           (!job->options->api_rate || job->requests_unsaved < LIMIT_UNSAVED_REQUESTS) &&
           pacer_wait_ms(job->pacer, job->now_ms) <= 0;
}

void call_count(struct job *job)
{
    pacer_take(job->pacer, job->now_ms);
    job->requests++;
    if (!job->options->api_rate)
        return;
    job->request_times[job->request_times_count++] = job->wall_ms;
    job->requests_unsaved++;
}

int call_send(struct job *job, struct exchange *exchange, enum exchange_method method,
              const char *path, const char *authorization, const struct buf *body, struct err *err)
{
    struct buf url;
    buf_init(&url, LIMIT_URL_BYTES);
    int rc = buf_printf(&url, "%s%s", job->options->base_url, path);
    if (rc) {
        rc = err_set(err, ERR_CONFIG, "the URL of %s is too long", path);
    } else {
        struct exchange_request request = {
            .method = method,
            .url = buf_str(&url),
            .authorization = authorization,
            .content_type = body ? "application/json" : NULL,
            .body = body ? buf_str(body) : NULL,
            .body_len = body ? body->len : 0,
            .timeout_ms = job->options->timeout_ms > CALL_TIMEOUT_MIN_MS ? job->options->timeout_ms
                                                                         : CALL_TIMEOUT_MIN_MS,
            .reply_max = LIMIT_REPLY_BYTES,
            .fresh = job->now_ms < job->fresh_until_ms,
        };
        rc = exchange_start(job->net, exchange, &request, err);
    }
    buf_release(&url);
    if (!rc) {
        call_count(job);
        job->api_active++;
    }
    return rc;
}

void call_start(struct job *job, struct asset *asset, enum exchange_method method, const char *path,
                const struct buf *body)
{
    struct err error = ERR_INIT;
    struct exchange *exchange =
        job->spare_api_count ? job->spare_api[--job->spare_api_count] : exchange_new(NULL);
    struct buf authorization;
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    int rc = exchange ? buf_printf(&authorization, "Bearer %s", job->gate.token) : -ERR_NOMEM;
    if (rc)
        err_set(&error, ERR_NOMEM, "no memory for a request");
    else
        rc = call_send(job, exchange, method, path, buf_str(&authorization), body, &error);
    if (authorization.data)
        explicit_bzero(authorization.data, authorization.len);
    buf_release(&authorization);
    if (rc) {
        exchange_free(exchange);
        remedy_apply(job, asset, NULL, &error);
        return;
    }
    exchange_set_user(exchange, asset);
    asset->exchange = exchange;
    asset->token_generation = job->gate.generation;
    asset_wait(job, asset, WAIT_REPLY);
}

int call_outcome(struct job *job, const struct exchange *exchange, classify_fn *classify,
                 const char *signed_url, struct err *out)
{
    const struct exchange_reply *reply = exchange_reply_of(exchange);
    err_clear(out);
    if (reply->date_ms >= 0 && classify == wire_classify_api) {
        job->server_ahead_ms = reply->date_ms - job->now_ms;
        job->server_clock_known = 1;
    }
    if (exchange_error(exchange)->code) {
        *out = *exchange_error(exchange);
    } else {
        struct wire_reply wire = {
            .status = reply->status,
            .body = buf_str(&reply->body),
            .body_len = reply->body.len,
            .retry_after = reply->retry_after[0] ? reply->retry_after : NULL,
            .request_id = reply->request_id[0] ? reply->request_id : NULL,
            .wall_ms = reply->date_ms >= 0 ? reply->date_ms : job_server_ms(job),
            .url_ends_ms = signed_url ? wire_url_ends_ms(signed_url) : -1,
        };
        (void)!classify(&wire, out);
    }
    log_redact(out->text);
    log_redact(out->request_id);
    return out->code ? -(int)out->code : 0;
}

int call_is_not_found(const struct err *error, const struct exchange_reply *reply)
{
    return error->code == ERR_NOT_FOUND && buf_str(&reply->body)[0] == '{';
}

void call_classify(struct job *job, struct asset *asset, struct err *out)
{
    if (call_outcome(job, asset->exchange, wire_classify_api, NULL, out))
        return;
    meter_took(job, asset->step, asset->exchange);
    job_note_success(job, PEER_API);
    job->files_called++;
    job->refused_in_a_row = 0;
    if (asset->token_generation == job->gate.generation)
        job->gate.generation_proven = 1;
}

void call_release(struct job *job, struct asset *asset)
{
    struct exchange *exchange = asset->exchange;
    asset->exchange = NULL;
    if (job->spare_api_count < LIMIT_SPARE_EXCHANGES)
        job->spare_api[job->spare_api_count++] = exchange;
    else
        exchange_free(exchange);
}
