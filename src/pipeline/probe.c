/*
 * probe.c - a few requests outside of any job, each once and without retries, to tell what a job
 * would meet (pxload doctor). Called by cli; runs on its caller's thread and blocks.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MAX_MS 100

struct probe {
    const struct job_options *options;
    struct probe_result *result;
    struct net *net;
    struct exchange *exchange;
    char *token;
};

static void note_date(struct probe *probe, const struct exchange_reply *reply)
{
    if (reply->date_ms < 0)
        return;
    probe->result->skew_known = 1;
    probe->result->skew_ms = reply->date_ms - clock_wall_ms();
}

/* The class of the reply, or of the transport's end. */
static void read_outcome(struct probe *probe, struct err *out)
{
    const struct exchange_reply *reply = exchange_reply_of(probe->exchange);
    *out = *exchange_error(probe->exchange);
    note_date(probe, reply);
    if (reply->rate_limit[0])
        snprintf(probe->result->rate_limit, sizeof probe->result->rate_limit, "%.63s",
                 reply->rate_limit);
    if (!out->code) {
        struct wire_reply wire = {
            .status = reply->status,
            .body = buf_str(&reply->body),
            .body_len = reply->body.len,
            .request_id = reply->request_id[0] ? reply->request_id : NULL,
            .wall_ms = clock_wall_ms(),
        };
        (void)!wire_classify_api(&wire, out);
    }
    log_redact(out->text);
}

static void run_call(struct probe *probe, const struct exchange_request *request,
                     struct probe_call *call)
{
    int64_t began_ms = clock_now_ms();
    call->was_sent = 1;
    if (exchange_start(probe->net, probe->exchange, request, &call->error))
        return;
    while (!net_next_done(probe->net)) {
        net_poll(probe->net, POLL_MAX_MS);
        net_perform(probe->net, clock_now_ms());
    }
    call->took_ms = clock_now_ms() - began_ms;
    read_outcome(probe, &call->error);
}

static void send_call(struct probe *probe, const char *path, const struct buf *authorization,
                      const struct buf *body, struct probe_call *call)
{
    struct buf url;
    buf_init(&url, LIMIT_URL_BYTES);
    if (buf_printf(&url, "%s%s", probe->options->base_url, path)) {
        err_set(&call->error, ERR_CONFIG, "the URL of %s is too long", path);
    } else {
        struct exchange_request request = {
            .method = body ? EXCHANGE_POST : EXCHANGE_GET,
            .url = buf_str(&url),
            .authorization = buf_str(authorization),
            .content_type = body ? "application/json" : NULL,
            .body = body ? buf_str(body) : NULL,
            .body_len = body ? body->len : 0,
            .timeout_ms = probe->options->timeout_ms,
            .reply_max = LIMIT_REPLY_BYTES,
        };
        run_call(probe, &request, call);
    }
    buf_release(&url);
}

static void wipe(struct buf *secret)
{
    if (secret->data)
        explicit_bzero(secret->data, secret->len);
    buf_release(secret);
}

static void keep_token(struct probe *probe, char *token)
{
    if (probe->token) {
        explicit_bzero(probe->token, strlen(probe->token));
        free(probe->token);
    }
    probe->token = token;
    log_add_secret(token);
}

/* ---- the calls ---------------------------------------------------------------------------- */

static void fetch_token(struct probe *probe)
{
    struct probe_call *call = &probe->result->token;
    struct wire_token token = {0};
    struct buf authorization, body;
    buf_init(&authorization, 16384);
    buf_init(&body, 1024);
    if (gate_basic_authorization(&probe->options->credentials, &authorization) ||
        wire_encode_authorize(&body))
        err_set(&call->error, ERR_NOMEM, "no memory for a request");
    else
        send_call(probe, probe->options->wire.authorize_path, &authorization, &body, call);
    wipe(&authorization);
    buf_release(&body);
    if (call->error.code)
        return;
    const struct buf *reply = &exchange_reply_of(probe->exchange)->body;
    if (!wire_decode_token(buf_str(reply), reply->len, &token, &call->error)) {
        probe->result->token_life_s = token.expires_in_s;
        keep_token(probe, token.access_token);
        token.access_token = NULL;
    }
    wire_token_release(&token);
}

/* A call with the token; 1 where its reply is to be decoded. */
static int call_with_token(struct probe *probe, const char *path, const struct buf *body,
                           struct probe_call *call)
{
    struct buf authorization;
    buf_init(&authorization, LIMIT_REPLY_BYTES);
    if (buf_printf(&authorization, "Bearer %s", probe->token))
        err_set(&call->error, ERR_NOMEM, "no memory for a request");
    else
        send_call(probe, path, &authorization, body, call);
    wipe(&authorization);
    return !call->error.code;
}

static void list_regions(struct probe *probe)
{
    struct probe_call *call = &probe->result->regions;
    struct wire_regions regions;
    if (!call_with_token(probe, probe->options->wire.region_path, NULL, call))
        return;
    const struct buf *reply = &exchange_reply_of(probe->exchange)->body;
    if (!wire_decode_regions(buf_str(reply), reply->len, &regions, &call->error))
        probe->result->region_count = regions.count;
    wire_regions_release(&regions);
}

static void read_session(struct probe *probe, const struct wire_upload *upload)
{
    struct probe_result *result = probe->result;
    struct wire_url_rules rules = {.allow_http = probe->options->allow_http};
    const struct buf *reply = &exchange_reply_of(probe->exchange)->body;
    struct wire_session session;
    int rc = wire_decode_session(buf_str(reply), reply->len, upload, &rules, &session,
                                 &result->upload.error);
    if (!rc) {
        result->is_conflict = session.is_conflict;
        result->is_multipart = session.multipart;
        result->part_count = session.part_count;
    }
    for (size_t i = 0; !rc && i < session.part_count; i++)
        if (session.parts[i].len > result->part_bytes)
            result->part_bytes = session.parts[i].len;
    if (!rc && session.part_count)
        result->url_life_s = wire_url_life_s(session.parts[0].url, clock_wall_ms());
    wire_session_release(&session);
}

static void request_upload(struct probe *probe)
{
    struct probe_call *call = &probe->result->upload;
    struct wire_upload upload = {PROBE_UPLOAD_NAME, "application/octet-stream", PROBE_UPLOAD_BYTES};
    struct buf body;
    buf_init(&body, LIMIT_URL_BYTES);
    int is_ok = 0;
    if (wire_encode_request(&upload, &body))
        err_set(&call->error, ERR_NOMEM, "no memory for a request");
    else
        is_ok = call_with_token(probe, probe->options->wire.request_path, &body, call);
    buf_release(&body);
    /* Some tenants answer a conflict with 409 and a body that tells more. */
    if (is_ok || (call->error.code == ERR_CONFLICT && call->error.http_status == 409)) {
        err_clear(&call->error);
        read_session(probe, &upload);
    }
}

static int open_probe(struct probe *probe, struct err *err)
{
    const struct job_options *options = probe->options;
    struct net_options net = {
        .ca_cert = options->ca_cert,
        .user_agent = "pxload/" PXLOAD_VERSION,
        .contimeout_ms = options->contimeout_ms,
        .stall_ms = options->timeout_ms,
    };
    int rc = net_new(&net, &probe->net, err);
    if (!rc && !(probe->exchange = exchange_new(NULL)))
        rc = err_set(err, ERR_NOMEM, "no memory for a request");
    if (!rc && options->credentials.token && !(probe->token = strdup(options->credentials.token)))
        rc = err_set(err, ERR_NOMEM, "no memory for the token");
    return rc;
}

int job_probe(const struct job_options *options, struct probe_result *out, struct err *err)
{
    struct probe probe = {.options = options, .result = out};
    *out = (struct probe_result){.url_life_s = -1};
    err_clear(&out->token.error);
    err_clear(&out->regions.error);
    err_clear(&out->upload.error);
    int rc = open_probe(&probe, err);
    if (!rc && options->credentials.client_id && options->credentials.client_secret)
        fetch_token(&probe);
    if (!rc && probe.token && !out->token.error.code)
        list_regions(&probe);
    if (!rc && out->regions.was_sent && !out->regions.error.code)
        request_upload(&probe);
    exchange_free(probe.exchange);
    net_free(probe.net);
    keep_token(&probe, NULL);
    return rc;
}

/* ---- attributes ---------------------------------------------------------------------------- */

/* Whether a header's cell can hold the label and nobody takes it for another's. */
static int is_plain_label(const struct catalog_list *list, size_t i)
{
    const char *label = list->by_name[i]->name;
    size_t len = strlen(label);
    int is_twin = (i && !strcmp(list->by_name[i - 1]->name, label)) ||
                  (i + 1 < list->count && !strcmp(list->by_name[i + 1]->name, label));
    return len && len < LIMIT_MANIFEST_LABEL - 16 && !is_twin && !strpbrk(label, "\r\n\t\"") &&
           label[0] != ' ' && label[len - 1] != ' ';
}

static int copy_names(const struct catalog_list *list, char ***out_names, size_t *out_count)
{
    char **names = calloc(list->count + 1, sizeof *names);
    if (!names)
        return -ERR_NOMEM;
    *out_names = names;
    for (; *out_count < list->count; ++*out_count) {
        const struct catalog_entry *entry = list->by_name[*out_count];
        names[*out_count] = strdup(is_plain_label(list, *out_count) ? entry->name : entry->id);
        if (!names[*out_count])
            return -ERR_NOMEM;
    }
    return 0;
}

static int list_attributes(struct probe *probe, struct catalog *catalog, struct err *err)
{
    struct probe_call call = {.error = ERR_INIT};
    struct buf path;
    int rc = 0;
    buf_init(&path, LIMIT_URL_BYTES);
    while (!rc && catalog_next(catalog) != CATALOG_COUNT) {
        const struct buf *reply = &exchange_reply_of(probe->exchange)->body;
        buf_reset(&path);
        rc = catalog_path(catalog, CATALOG_ATTRIBUTES, &probe->options->wire, &path);
        if (rc)
            err_set(err, ERR_NOMEM, "no memory for a request");
        else if (call_with_token(probe, buf_str(&path), NULL, &call))
            rc = catalog_take(catalog, CATALOG_ATTRIBUTES, buf_str(reply), reply->len, err);
        else
            rc = err_set(err, call.error.code, "%s", call.error.text);
    }
    buf_release(&path);
    return rc;
}

int job_attribute_names(const struct job_options *options, char ***out_names, size_t *out_count,
                        struct err *err)
{
    struct probe_result result = {0};
    struct probe probe = {.options = options, .result = &result};
    struct catalog catalog = {.lists = {[CATALOG_ATTRIBUTES] = {.is_wanted = 1}}};
    *out_names = NULL;
    *out_count = 0;
    err_clear(&result.token.error);
    int rc = open_probe(&probe, err);
    if (!rc && !probe.token)
        fetch_token(&probe);
    if (!rc && result.token.error.code)
        rc = err_set(err, result.token.error.code, "%s", result.token.error.text);
    if (!rc)
        rc = list_attributes(&probe, &catalog, err);
    if (!rc && copy_names(&catalog.lists[CATALOG_ATTRIBUTES], out_names, out_count))
        rc = err_set(err, ERR_NOMEM, "no memory for the attributes");
    catalog_release(&catalog);
    exchange_free(probe.exchange);
    net_free(probe.net);
    keep_token(&probe, NULL);
    return rc;
}
