/*
 * gate.c - what must be known before the first call about a file: one token for everybody, and the
 * ids of the regions. One exchange at a time; a 401 closes the gate for all until the one new
 * token is there. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the server names no expiry: the vendor speaks of about a year; ask again sooner. */
#define TOKEN_LIFE_DEFAULT_S (30 * 24 * 3600)

static void set_token(struct gate *gate, char *token)
{
    if (gate->token) {
        explicit_bzero(gate->token, strlen(gate->token));
        free(gate->token);
    }
    gate->token = token;
    gate->generation++;
    gate->generation_proven = 0;
    if (token)
        log_add_secret(token);
}

static int can_fetch(const struct job *job)
{
    const struct job_credentials *credentials = &job->options->credentials;
    return credentials->client_id && credentials->client_secret;
}

static void refuse(struct job *job, const struct err *error)
{
    job_end(job, JOB_END_REFUSED, error);
}

/* A ready token, from the environment or the cache; NULL where one must be fetched. */
static char *ready_token(struct job *job)
{
    const struct job_options *options = job->options;
    char *token = NULL;
    if (options->credentials.token && !job->gate.generation)
        return strdup(options->credentials.token);
    if (options->token_cache_dir && options->credentials.client_id && !job->gate.generation)
        token_cache_load(options->token_cache_dir, options->base_url,
                         options->credentials.client_id, job->wall_ms, &token);
    return token;
}

int gate_basic_authorization(const struct job_credentials *credentials, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, 8192);
    int rc = buf_printf(&plain, "%s:%s", credentials->client_id, credentials->client_secret);
    size_t room = 4 * (plain.len + 2) / 3 + 4;
    char *encoded = rc ? NULL : malloc(room);
    if (encoded) {
        EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)plain.data,
                        (int)plain.len);
        log_add_secret(encoded);
        rc = buf_printf(out, "Basic %s", encoded);
        explicit_bzero(encoded, room);
        free(encoded);
    } else {
        rc = -ERR_NOMEM;
    }
    if (plain.data)
        explicit_bzero(plain.data, plain.len);
    buf_release(&plain);
    return rc;
}

/* Wipes the authorization, whatever comes of the call. */
static void send_call(struct job *job, enum exchange_method method, const char *path,
                      struct buf *authorization, const struct buf *body)
{
    struct err error = ERR_INIT;
    int rc = authorization->truncated || !authorization->len
                 ? err_set(&error, ERR_NOMEM, "no memory for a request")
                 : call_send(job, job->gate.exchange, method, path, buf_str(authorization), body,
                             &error);
    if (authorization->data)
        explicit_bzero(authorization->data, authorization->len);
    buf_release(authorization);
    job->gate.busy = !rc;
    if (rc)
        refuse(job, &error);
}

static void send_token_request(struct job *job)
{
    struct buf authorization, body;
    buf_init(&authorization, 16384);
    buf_init(&body, 1024);
    if (gate_basic_authorization(&job->options->credentials, &authorization) ||
        wire_encode_authorize(&body))
        buf_reset(&authorization);
    send_call(job, EXCHANGE_POST, job->options->wire.authorize_path, &authorization, &body);
    buf_release(&body);
}

static void send_region_request(struct job *job)
{
    struct buf authorization;
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    (void)!buf_printf(&authorization, "Bearer %s", job->gate.token);
    send_call(job, EXCHANGE_GET, job->options->wire.region_path, &authorization, NULL);
}

static void send_parent_request(struct job *job)
{
    struct buf authorization, path;
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    buf_init(&path, LIMIT_URL_BYTES);
    if (wire_path(job->options->wire.category_one_path, job->options->parent_category, &path) ||
        buf_printf(&authorization, "Bearer %s", job->gate.token))
        buf_reset(&authorization);
    send_call(job, EXCHANGE_GET, buf_str(&path), &authorization, NULL);
    buf_release(&path);
}

/* A page of a list that a manifest speaks of. */
static void send_list_request(struct job *job)
{
    struct gate *gate = &job->gate;
    struct buf authorization, path;
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    buf_init(&path, LIMIT_URL_BYTES);
    if (!catalog_path(&gate->catalog, catalog_next(&gate->catalog), &job->options->wire, &path))
        (void)!buf_printf(&authorization, "Bearer %s", gate->token);
    send_call(job, EXCHANGE_GET, buf_str(&path), &authorization, NULL);
    buf_release(&path);
}

static void find_token(struct job *job)
{
    struct gate *gate = &job->gate;
    char *token = ready_token(job);
    if (token) {
        set_token(gate, token);
        gate->state = GATE_REGIONS;
    } else if (can_fetch(job)) {
        send_token_request(job);
    } else {
        struct err error;
        err_set(&error, ERR_AUTH,
                gate->generation
                    ? "PXM_TOKEN is not accepted any more, and there are no PXM_CLIENT_ID and "
                      "PXM_CLIENT_SECRET to fetch a new token with"
                    : "no credentials: set PXM_CLIENT_ID and PXM_CLIENT_SECRET, or PXM_TOKEN");
        refuse(job, &error);
    }
}

static int needs_parent(const struct job *job)
{
    return job->options->map_folders != MAP_NONE && job->options->parent_category;
}

/* Opens the gate as far as it can without waiting; called each tick while somebody needs it. */
void gate_tick(struct job *job)
{
    struct gate *gate = &job->gate;
    if (gate->busy || gate->state == GATE_OPEN || job->ended || job->now_ms < gate->due_ms)
        return;
    if (!gate->exchange && !(gate->exchange = exchange_new(gate)))
        return;
    if (gate->state == GATE_CLOSED)
        gate->state = GATE_TOKEN;
    if (gate->state == GATE_TOKEN && call_may_start(job))
        find_token(job);
    if (gate->state == GATE_REGIONS && (gate->regions_known || !job->options->region_count))
        gate->state = GATE_PARENT;
    if (gate->state == GATE_PARENT && (gate->parent_known || !needs_parent(job)))
        gate->state = GATE_LISTS;
    if (gate->state == GATE_LISTS && catalog_next(&gate->catalog) == CATALOG_COUNT) {
        gate->state = GATE_OPEN;
        intake_give_catalog(job);
    }
    int may_send = !gate->busy && !job->ended && call_may_start(job);
    if (gate->state == GATE_REGIONS && may_send)
        send_region_request(job);
    else if (gate->state == GATE_PARENT && may_send)
        send_parent_request(job);
    else if (gate->state == GATE_LISTS && may_send)
        send_list_request(job);
}

static void take_token(struct job *job, const struct exchange_reply *reply, struct err *error)
{
    const struct job_options *options = job->options;
    struct wire_token token = {0};
    if (wire_decode_token(buf_str(&reply->body), reply->body.len, &token, error))
        return;
    int64_t life_s = token.expires_in_s > 0 ? token.expires_in_s : TOKEN_LIFE_DEFAULT_S;
    struct err cache_error = ERR_INIT;
    set_token(&job->gate, token.access_token);
    token.access_token = NULL;
    wire_token_release(&token);
    if (options->token_cache_dir &&
        token_cache_store(options->token_cache_dir, options->base_url,
                          options->credentials.client_id, job->gate.token,
                          job->wall_ms + life_s * 1000, &cache_error))
        log_warning("the token is not cached: %s", cache_error.text);
    job->gate.state = GATE_REGIONS;
}

static int add_region(struct job *job, const char *wanted, const struct wire_regions *regions,
                      struct err *error)
{
    struct buf known;
    buf_init(&known, ERR_TEXT_MAX / 2);
    for (size_t i = 0; i < regions->count; i++) {
        const struct wire_region *region = &regions->items[i];
        if (!strcmp(region->id, wanted) || (region->name && !strcmp(region->name, wanted))) {
            buf_release(&known);
            char *id = strdup(region->id);
            if (!id)
                return err_set(error, ERR_NOMEM, "no memory for the regions");
            job->gate.region_ids[job->gate.region_count++] = id;
            return 0;
        }
        (void)!buf_printf(&known, "%s%s", i ? ", " : "", region->name ? region->name : region->id);
    }
    err_set(error, ERR_CONFIG, "--region %s: PXM has no such region; it has: %s", wanted,
            buf_str(&known));
    buf_release(&known);
    return -ERR_CONFIG;
}

static void take_regions(struct job *job, const struct exchange_reply *reply, struct err *error)
{
    const struct job_options *options = job->options;
    struct wire_regions regions = {0};
    if (wire_decode_regions(buf_str(&reply->body), reply->body.len, &regions, error))
        return;
    job->gate.region_ids = calloc(options->region_count, sizeof *job->gate.region_ids);
    int rc = job->gate.region_ids ? 0 : err_set(error, ERR_NOMEM, "no memory for the regions");
    for (size_t i = 0; !rc && i < options->region_count; i++)
        rc = add_region(job, options->regions[i], &regions, error);
    wire_regions_release(&regions);
    if (!rc) {
        job->gate.regions_known = 1;
        job->gate.state = GATE_PARENT;
    }
}

static const char *what_failed(const struct gate *gate, char out[64])
{
    if (gate->state == GATE_TOKEN)
        return "fetching a token";
    if (gate->state == GATE_REGIONS)
        return "listing the regions";
    if (gate->state == GATE_PARENT)
        return "looking up --parent-category";
    snprintf(out, 64, "listing the %s", catalog_kind_name(catalog_next(&gate->catalog)));
    return out;
}

static void gate_failed(struct job *job, const struct err *error)
{
    struct gate *gate = &job->gate;
    char room[64];
    const char *what = what_failed(gate, room);
    struct err named;
    err_set(&named, error->code, "%s: %.400s", what, error->text);
    named.http_status = error->http_status;
    if (error->code == ERR_RATE_LIMITED) {
        if (!remedy_hold(job, error))
            job_notice(job, NULL, &named, gate->tries, pacer_held_ms(job->pacer, job->now_ms));
        return;
    }
    if (error->code == ERR_AUTH && gate->state != GATE_TOKEN && !gate->generation_proven &&
        gate->tries == 0 && can_fetch(job)) {
        gate->tries++;
        gate_token_refused(job, gate->generation);
        return;
    }
    if (gate->state == GATE_PARENT && error->code == ERR_NOT_FOUND)
        err_set(&named, ERR_CONFIG, "--parent-category %s: PXM has no such category",
                job->options->parent_category);
    if (!err_is_temporary(error->code)) {
        refuse(job, &named);
        return;
    }
    if (!gate->tries)
        gate->failing_since_ms = job->now_ms;
    int is_long = job->now_ms - gate->failing_since_ms >= job->options->timeout_ms;
    if (++gate->tries >= job->options->retries && is_long) {
        job_end(job, JOB_END_OUTAGE, &named);
        return;
    }
    int64_t wait = backoff_ms(&job->rng, gate->tries - 1);
    if (error->retry_after_ms > wait)
        wait = error->retry_after_ms;
    gate->due_ms = job->now_ms + wait;
    job->retries++;
    job_notice(job, NULL, &named, gate->tries, wait);
}

void gate_done(struct job *job)
{
    struct gate *gate = &job->gate;
    const struct exchange_reply *reply = exchange_reply_of(gate->exchange);
    struct err error;
    gate->busy = 0;
    if (!call_outcome(job, gate->exchange, wire_classify_api, NULL, &error)) {
        job_note_success(job, PEER_API);
        if (gate->state == GATE_TOKEN) {
            take_token(job, reply, &error);
        } else {
            gate->generation_proven = 1;
            if (gate->state == GATE_REGIONS)
                take_regions(job, reply, &error);
            else if (gate->state == GATE_PARENT)
                gate->parent_known = 1;
            else
                (void)!catalog_take(&gate->catalog, catalog_next(&gate->catalog),
                                    buf_str(&reply->body), reply->body.len, &error);
        }
    }
    if (error.code)
        gate_failed(job, &error);
    else
        gate->tries = 0;
}

void gate_token_refused(struct job *job, uint64_t generation)
{
    struct gate *gate = &job->gate;
    const struct job_options *options = job->options;
    if (generation != gate->generation || gate->state == GATE_TOKEN)
        return; /* another request has seen to it already */
    if (options->token_cache_dir && options->credentials.client_id)
        token_cache_drop(options->token_cache_dir, options->base_url,
                         options->credentials.client_id);
    gate->state = GATE_TOKEN;
}

void gate_release(struct job *job)
{
    struct gate *gate = &job->gate;
    if (gate->exchange && gate->busy)
        exchange_cancel(job->net, gate->exchange);
    exchange_free(gate->exchange);
    set_token(gate, NULL);
    for (size_t i = 0; i < gate->region_count; i++)
        free(gate->region_ids[i]);
    free(gate->region_ids);
    catalog_release(&gate->catalog);
}
