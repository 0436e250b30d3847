/* Dispatch, token, rate and body checks of the API side; see api.h. */
#include "sim/api.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/audit.h"
#include "sim/fault_shape.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/presign.h"
#include "sim/rate.h"
#include "sim/stats.h"
#include "sim/token.h"
#include "sim/when.h"

#define CONCURRENT_MAX 10
#define JSON_DEPTH_MAX 32

enum wires { ON_BOTH, ON_V3, ON_V21 };
enum needs { NEEDS_TOKEN = 1, NEEDS_JSON = 2, IS_CONTROL = 4, NEEDS_TEXT = 8 };

struct endpoint {
    const char *method;
    const char *pattern; /* {} takes one path segment */
    const char *name;
    void (*handle)(struct exch *, const char *, json_object *);
    enum fault_point point;
    enum wires wires;
    unsigned needs;
};

#define READ     NEEDS_TOKEN
#define WRITE    (NEEDS_TOKEN | NEEDS_JSON)
#define NO_FAULT FAULT_POINT_COUNT

static const struct endpoint endpoints[] = {
    {"POST", "/v2/oauth/authorize", "auth", api_authorize, FAULT_AUTH, ON_BOTH, NEEDS_JSON},
    {"POST", "/v2.1/oauth/authorize", "auth", api_authorize, FAULT_AUTH, ON_BOTH, NEEDS_JSON},
    {"POST", "/v3/file/request-upload", "request-upload", api_request_upload, FAULT_REQUEST, ON_V3,
     WRITE},
    {"POST", "/v2.1/file/request-upload", "request-upload", api_request_upload, FAULT_REQUEST,
     ON_V21, WRITE},
    {"POST", "/v3/file/confirm-upload", "confirm-upload", api_confirm_upload, FAULT_CONFIRM, ON_V3,
     WRITE},
    {"POST", "/v2.1/file/confirm-upload", "confirm-upload", api_confirm_upload, FAULT_CONFIRM,
     ON_V21, WRITE},
    {"GET", "/v2.1/region", "region-list", api_regions, FAULT_LIST, ON_BOTH, READ},
    {"GET", "/v2.1/attribute", "attribute-list", api_attributes, FAULT_LIST, ON_BOTH, READ},
    {"GET", "/v2.1/category", "category-list", api_categories, FAULT_LIST, ON_BOTH, READ},
    {"POST", "/v2.1/category", "category-create", api_category_create, FAULT_WRITE, ON_BOTH, WRITE},
    {"GET", "/v2.1/category/{}", "category-get", api_category, FAULT_LIST, ON_BOTH, READ},
    {"GET", "/v2.1/category/{}/files", "category-files", api_category_files, FAULT_LIST, ON_BOTH,
     READ},
    {"GET", "/v2.1/collection", "collection-list", api_collections, FAULT_LIST, ON_BOTH, READ},
    {"POST", "/v2.1/collection", "collection-create", api_collection_create, FAULT_WRITE, ON_BOTH,
     WRITE},
    {"GET", "/v2.1/collection/{}", "collection-get", api_collection, FAULT_LIST, ON_BOTH, READ},
    {"GET", "/v2.1/collection/{}/files", "collection-files", api_collection_files, FAULT_LIST,
     ON_BOTH, READ},
    {"GET", "/v2.1/file", "file-list", api_files, FAULT_LIST, ON_BOTH, READ},
    {"GET", "/v2.1/file/search/{}", "file-search", api_file_search, FAULT_SEARCH, ON_BOTH, READ},
    {"GET", "/v3/file/search", "keyword-search", api_keyword_search, FAULT_SEARCH, ON_BOTH, READ},
    {"GET", "/v2.1/file/{}", "file-get", api_file, FAULT_LIST, ON_BOTH, READ},
    {"PUT", "/v2.1/file/{}", "file-update", api_file_update, FAULT_WRITE, ON_BOTH, WRITE},
    {"GET", "/_sim/state", "sim", sim_state, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"GET", "/_sim/violations", "sim", sim_violations, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"DELETE", "/_sim/violations", "sim", sim_violations_clear, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"GET", "/_sim/requests", "sim", sim_requests, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"GET", "/_sim/object", "sim", sim_object, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"POST", "/_sim/preload", "sim", sim_preload, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"POST", "/_sim/revoke", "sim", sim_revoke, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"GET", "/_sim/faults", "sim", sim_faults, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"POST", "/_sim/faults", "sim", sim_faults_add, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"DELETE", "/_sim/faults", "sim", sim_faults_clear, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"POST", "/_sim/damage", "sim", sim_damage, NO_FAULT, ON_BOTH, IS_CONTROL},
    {"POST", "/_sim/listen", "sim", sim_listen, NO_FAULT, ON_BOTH, IS_CONTROL},
};

#define N_ENDPOINTS  (sizeof endpoints / sizeof endpoints[0])
#define SLOT_UNKNOWN 60

static pthread_mutex_t rate_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rate admitted;            /* what the limit counts: requests let through */
static struct rate seen;                /* all of them, for the peak */
static _Atomic(struct side *) sides[2]; /* requests may come before both are set */

void api_setup(void)
{
    rate_init(&admitted);
    rate_init(&seen);
}

void api_teardown(void)
{
    rate_release(&admitted);
    rate_release(&seen);
}

void api_set_sides(struct side *api, struct side *s3)
{
    sides[0] = api;
    sides[1] = s3;
}

struct side *api_side(void)
{
    return sides[0];
}

struct side *api_s3_side(void)
{
    return sides[1];
}

void api_rate(uint64_t *out_now, uint64_t *out_peak)
{
    pthread_mutex_lock(&rate_lock);
    *out_now = rate_count(&seen, when_mono_ms());
    *out_peak = seen.peak;
    pthread_mutex_unlock(&rate_lock);
}

void api_reply(struct exch *x, int status, struct text *t)
{
    x->reply.status = status;
    x->reply.content_type = "application/json";
    x->reply.body = *t;
    *t = (struct text){0};
}

void api_error(struct exch *x, int status, const char *code, const char *fmt, ...)
{
    char message[512];
    struct text t = {0};
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    text_clip_utf8(message);
    text_addf(&t, "{\"code\":\"%s\",\"message\":", code);
    text_json(&t, message);
    text_puts(&t, "}");
    text_release(&x->reply.body);
    api_reply(x, status, &t);
}

json_object *api_member(json_object *object, const char *key)
{
    json_object *value = NULL;

    return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

const char *api_string(json_object *object, const char *key)
{
    json_object *value = api_member(object, key);

    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t api_query_number(const struct exch *x, const char *key, int64_t fallback)
{
    char value[32];
    char *end = NULL;

    if (!presign_query_value(x->query, key, value, sizeof value))
        return fallback;
    long long n = strtoll(value, &end, 10);
    return end != value && *end == '\0' ? n : fallback;
}

/* Matches path to pattern; the {} segment is copied to *out_arg (free it). */
static bool matches(const char *pattern, const char *path, char **out_arg)
{
    *out_arg = NULL;
    const char *hole = strstr(pattern, "{}");
    if (hole == NULL)
        return strcmp(pattern, path) == 0;
    size_t lead = (size_t)(hole - pattern);
    if (strncmp(pattern, path, lead) != 0)
        return false;
    size_t len = strcspn(path + lead, "/");
    if (len == 0 || strcmp(path + lead + len, hole + 2) != 0)
        return false;
    *out_arg = mem_copy(path + lead, len);
    return true;
}

static bool is_served(const struct endpoint *e)
{
    enum wire wire = options_current()->wire;

    return e->wires == ON_BOTH || (e->wires == ON_V3) == (wire == WIRE_V3);
}

/* The row for the request; *out_status is 404 or 405 when there is none. */
static const struct endpoint *find_endpoint(const struct exch *x, char **out_arg, int *out_status)
{
    *out_status = 404;
    for (size_t i = 0; i < N_ENDPOINTS; i++) {
        const struct endpoint *e = &endpoints[i];
        if (!is_served(e) || !matches(e->pattern, x->path, out_arg))
            continue;
        if (strcmp(e->method, x->method) == 0)
            return e;
        *out_status = 405;
        free(*out_arg);
        *out_arg = NULL;
    }
    return NULL;
}

/* Counts the request; false with a 429 when the window is full. */
static bool admit(struct exch *x)
{
    uint64_t limit = (uint64_t)options_current()->rate;
    int64_t wait_ms = 0;

    pthread_mutex_lock(&rate_lock);
    rate_add(&seen, x->begun_ms);
    if (limit > 0)
        wait_ms = rate_wait_ms(&admitted, x->begun_ms, limit);
    if (wait_ms == 0)
        rate_add(&admitted, x->begun_ms);
    pthread_mutex_unlock(&rate_lock);
    if (wait_ms == 0)
        return true;
    int64_t wait_s = (wait_ms + 999) / 1000;
    struct text t = {0};
    char value[24];
    text_addf(&t, "{\"error\":\"Rate limit exceeded.\",\"retry_after\":%lld}", (long long)wait_s);
    api_reply(x, 429, &t);
    snprintf(value, sizeof value, "%lld", (long long)wait_s);
    exch_reply_header(x, "Retry-After", value);
    snprintf(value, sizeof value, "%llu", (unsigned long long)limit);
    exch_reply_header(x, "X-RateLimit-Limit", value);
    audit_add(AUDIT_RATE, x->where, "more than %llu requests in 60 s", (unsigned long long)limit);
    return false;
}

/* Dead clients' exchanges may still be waiting here, so the sockets decide. */
static void audit_concurrency(struct exch *x)
{
    if (x->active_now <= CONCURRENT_MAX)
        return;
    unsigned live = side_live_count(x->side);
    if (live > CONCURRENT_MAX)
        audit_add(AUDIT_CONCURRENCY, x->where, "%u API requests at once", live);
}

static bool has_token(struct exch *x)
{
    const char *authorization = exch_header(x, "Authorization");

    if (authorization == NULL)
        audit_add(AUDIT_MISSING_TOKEN, x->where, "no Authorization header");
    else if (token_bearer_ok(authorization))
        return true;
    api_error(x, 401, "Unauthorized", "The access token is missing, expired or invalid.");
    exch_reply_header(x, "WWW-Authenticate", "Bearer");
    return false;
}

static bool is_json_type(const char *type)
{
    if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
        return false;
    return type[16] == '\0' || type[16] == ';' || type[16] == ' ';
}

static json_object *parse_body(struct exch *x)
{
    const char *type = exch_header(x, "Content-Type");

    if (!is_json_type(type)) {
        audit_add(AUDIT_BAD_CONTENT_TYPE, x->where, "Content-Type: %s", type == NULL ? "-" : type);
        api_error(x, 415, "UnsupportedMediaType", "The body must be application/json.");
        return NULL;
    }
    json_tokener *parser = json_tokener_new_ex(JSON_DEPTH_MAX);
    json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object *body = NULL;
    if (x->body.len > 0)
        body = json_tokener_parse_ex(parser, x->body.data, (int)x->body.len);
    bool whole = json_tokener_get_error(parser) == json_tokener_success &&
                 json_tokener_get_parse_end(parser) == x->body.len;
    json_tokener_free(parser);
    if (whole && json_object_is_type(body, json_type_object))
        return body;
    json_object_put(body);
    audit_add(AUDIT_BAD_BODY, x->where, "%.200s", x->body.len == 0 ? "(empty)" : x->body.data);
    api_error(x, 400, "BadRequest", "The body is not a JSON object.");
    return NULL;
}

static void set_name(struct exch *x, const char *arg, json_object *body)
{
    const char *name = arg;

    if (body != NULL)
        name = api_string(body, "file_name");
    if (body != NULL && name == NULL)
        name = api_string(body, "filename");
    if (body != NULL && name == NULL)
        name = api_string(body, "name");
    if (name != NULL)
        x->name = mem_copy(name, strlen(name));
}

static void serve(struct exch *x, const struct endpoint *e, const char *arg, json_object *body)
{
    set_name(x, arg, body);
    x->fault = fault_pick(e->point, x->name);
    if (x->fault != NULL && x->fault->revoke_token) {
        token_revoke(NULL);
        api_error(x, 401, "Unauthorized", "The access token was revoked.");
        return;
    }
    if (x->fault != NULL && x->fault->early_close) {
        api_error(x, 403, "Forbidden", "Access denied.");
        x->reply.close = true;
        return;
    }
    if (fault_shape_replaces(x, false)) {
        fault_shape_fill(x);
        return;
    }
    e->handle(x, arg, body);
    if (x->job == NULL && fault_shape_replaces(x, true))
        fault_shape_fill(x);
}

static void check_and_serve(struct exch *x, const struct endpoint *e, const char *arg)
{
    json_object *body = NULL;

    if ((e->needs & NEEDS_TOKEN) != 0 && !has_token(x))
        return;
    if (!x->is_control) {
        audit_concurrency(x);
        if (!admit(x))
            return;
    }
    if ((e->needs & NEEDS_JSON) != 0) {
        body = parse_body(x);
        if (body == NULL)
            return;
    }
    serve(x, e, arg, body);
    json_object_put(body);
}

static void api_begin(struct exch *x)
{
    x->is_control = strncmp(x->path, "/_sim/", 6) == 0;
}

static void api_data(struct exch *x, const void *bytes, size_t len)
{
    if (x->body.len + len <= SERVER_API_BODY_MAX)
        text_add(&x->body, bytes, len);
}

static void api_finish(struct exch *x)
{
    char *arg = NULL;
    int status = 0;
    const struct endpoint *e = find_endpoint(x, &arg, &status);

    x->slot = SLOT_UNKNOWN;
    x->endpoint_name = "unknown";
    if (strstr(x->query, TOKEN_PREFIX) != NULL)
        audit_add(AUDIT_TOKEN_IN_URL, x->where, "a token is in the query");
    if (e == NULL) {
        audit_add(AUDIT_UNKNOWN_ENDPOINT, x->where, "status %d", status);
        api_error(x, status, status == 404 ? "NotFound" : "MethodNotAllowed", "No such call.");
        return;
    }
    x->slot = (unsigned)(e - endpoints);
    /* Both spellings of one call share a count. */
    while (x->slot > 0 && strcmp(endpoints[x->slot - 1].name, e->name) == 0)
        x->slot--;
    x->endpoint_name = e->name;
    if (arg != NULL && text_unescape(arg) < 0)
        api_error(x, 400, "BadRequest", "The path is badly encoded.");
    else
        check_and_serve(x, e, arg);
    free(arg);
}

static void api_answer(struct exch *x)
{
    char id[24];

    if (x->is_control)
        return;
    if (!options_current()->quirk.no_request_id) {
        snprintf(id, sizeof id, "req-%012llx", (unsigned long long)ident_random() >> 16);
        exch_reply_header(x, "x-request-id", id);
    }
    stats_request(x->slot, x->endpoint_name, x->reply.status, x->name);
}

static void api_end(struct exch *x)
{
    /* Never answered: a reset, a stall, or a client that left. */
    if (x->phase != EXCH_ANSWERED && x->endpoint_name != NULL && !x->is_control)
        stats_request(x->slot, x->endpoint_name, 0, x->name);
}

const struct side_ops api_ops = {
    .begin = api_begin,
    .data = api_data,
    .finish = api_finish,
    .answer = api_answer,
    .end = api_end,
};
