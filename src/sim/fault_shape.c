/* What a fault does to a reply; see fault_shape.h. */
#include "sim/fault_shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "sim/mem.h"
#include "sim/when.h"

bool fault_shape_replaces(const struct exch *x, bool after)
{
    const struct fault_action *a = x->fault;

    if (a == NULL)
        return false;
    if (!after && a->reset == RESET_BEFORE)
        return true; /* nothing is processed; the connection goes down instead */
    bool replaces = a->status > 0 || a->redirect != NULL;
    return a->after == after && (replaces || (a->stall_ms > 0 && !after));
}

static void fill_body(struct exch *x)
{
    const struct fault_action *a = x->fault;
    const char *code = a->raw != NULL ? a->raw : "InternalError";
    const char *message = a->message != NULL ? a->message : "A fault was asked for.";
    struct text *t = &x->reply.body;

    text_clear(t);
    switch ((enum fault_body)a->body) {
    case BODY_JSON:
        text_puts(t, "{\"code\":");
        text_json(t, code);
        text_puts(t, ",\"message\":");
        text_json(t, message);
        text_puts(t, "}");
        x->reply.content_type = "application/json";
        return;
    case BODY_S3XML:
        text_addf(t,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s"
                  "</Message><RequestId>FAULT</RequestId></Error>",
                  code, message);
        x->reply.content_type = "application/xml";
        return;
    case BODY_HTML:
        text_addf(t, "<html><head><title>%lld</title></head><body><h1>%s</h1>nginx</body></html>\n",
                  (long long)a->status, message);
        x->reply.content_type = "text/html";
        return;
    case BODY_EMPTY:
        x->reply.content_type = NULL;
        return;
    case BODY_RAW:
        text_puts(t, a->raw);
        return;
    }
}

void fault_shape_fill(struct exch *x)
{
    const struct fault_action *a = x->fault;

    x->reply.status = a->redirect != NULL ? 307 : a->status > 0 ? (int)a->status : 500;
    fill_body(x);
    if (a->redirect != NULL)
        exch_reply_header(x, "Location", a->redirect);
}

/* Puts an insert after the first '{' of a JSON object. */
static void insert_first(struct text *body, const struct text *insert)
{
    struct text t = {0};

    if (body->data == NULL || body->len < 2 || body->data[0] != '{' || insert->len == 0)
        return;
    text_puts(&t, "{");
    text_add(&t, insert->data, insert->len);
    text_add(&t, body->data + 1, body->len - 1);
    text_release(body);
    *body = t;
}

static void deepen(struct text *body, int64_t depth)
{
    struct text insert = {0};
    size_t n = (size_t)depth;
    char *run = mem_new(n, 1);

    text_puts(&insert, "\"deep\":");
    memset(run, '[', n);
    text_add(&insert, run, n);
    memset(run, ']', n);
    text_add(&insert, run, n);
    text_puts(&insert, body->len > 2 ? "," : "");
    if (body->len > 0 && body->data[0] == '{') {
        insert_first(body, &insert);
    } else {
        /* A bare array becomes the innermost of the nest. */
        struct text t = {0};
        memset(run, '[', n);
        text_add(&t, run, n);
        text_add(&t, body->data != NULL ? body->data : "", body->len);
        memset(run, ']', n);
        text_add(&t, run, n);
        text_release(body);
        *body = t;
    }
    text_release(&insert);
    free(run);
}

/* A wrong value of the same kind, so that only the doubling is odd. */
static const char *wrong_twin(json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_string:
        return "\"wrong-twin\"";
    case json_type_int:
    case json_type_double:
        return "1";
    case json_type_boolean:
        return "false";
    case json_type_array:
        return "[]";
    case json_type_object:
        return "{\"upload_type\":\"single\",\"file_path\":\"wrong-twin\"}";
    case json_type_null:
        return "null";
    }
    return "null";
}

static void double_keys(struct text *body, enum fault_dup how)
{
    json_object *object = body->data == NULL ? NULL : json_tokener_parse(body->data);
    struct text twins = {0};

    if (json_object_is_type(object, json_type_object) && json_object_object_length(object) > 0) {
        json_object_object_foreach(object, key, value)
        {
            text_puts(&twins, twins.len == 0 ? "" : ",");
            text_json(&twins, key);
            text_addf(&twins, ":%s", wrong_twin(value));
        }
        if (how == DUP_FIRST) {
            text_puts(&twins, ",");
            insert_first(body, &twins);
        } else {
            body->len--;
            text_addf(body, ",%s}", twins.data);
        }
    }
    text_release(&twins);
    json_object_put(object);
}

static void quote_numbers(struct text *body)
{
    struct text t = {0};
    bool in_string = false;

    for (size_t i = 0; i < body->len; i++) {
        char c = body->data[i];
        size_t run = in_string ? 0 : strspn(body->data + i, "-0123456789.eE+");
        if (run > 0 && (isdigit((unsigned char)c) || c == '-')) {
            text_addf(&t, "\"%.*s\"", (int)run, body->data + i);
            i += run - 1;
            continue;
        }
        if (in_string && c == '\\' && i + 1 < body->len) {
            text_add(&t, body->data + i, 2);
            i++;
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        text_add(&t, &c, 1);
    }
    text_release(body);
    *body = t;
}

/* Well-formed to the end, but of a size that no reply has. */
static void inflate(struct text *body, int64_t mib)
{
    struct text insert = {0};
    size_t n = (size_t)mib << 20;
    char *run = mem_new(n, 1);

    memset(run, 'x', n);
    text_puts(&insert, "\"padding\":\"");
    text_add(&insert, run, n);
    text_puts(&insert, body->len > 2 ? "\"," : "\"");
    if (body->len > 0 && body->data[0] == '{') {
        insert_first(body, &insert);
    } else {
        memset(run, ' ', n);
        text_add(body, run, n);
    }
    text_release(&insert);
    free(run);
}

static void bend_headers(struct exch *x)
{
    const struct fault_action *a = x->fault;
    char date[WHEN_BYTES];

    if (a->has_clock_offset) {
        when_http(when_now_ms() + a->clock_offset_s * 1000, date);
        exch_reply_header(x, "Date", date);
    }
    if (a->retry_after != NULL)
        exch_reply_header(x, "Retry-After", a->retry_after);
    for (unsigned i = 0; i < a->n_headers; i++)
        exch_reply_header(x, a->headers[i].name, a->headers[i].value);
}

void fault_shape_reply(struct exch *x)
{
    const struct fault_action *a = x->fault;
    struct text *body = &x->reply.body;

    if (a == NULL)
        return;
    if (a->dup_keys != DUP_NONE)
        double_keys(body, (enum fault_dup)a->dup_keys);
    if (a->numbers_as_strings && body->len > 0)
        quote_numbers(body);
    if (a->deep_json > 0)
        deepen(body, a->deep_json);
    if (a->oversize_mib > 0)
        inflate(body, a->oversize_mib);
    bend_headers(x);
}

bool fault_shape_is_piecewise(const struct exch *x)
{
    const struct fault_action *a = x->fault;

    return a != NULL && x->reply.body.len > 0 &&
           (a->truncate >= 0 || a->drain_bps > 0 || a->reset == RESET_DURING);
}

uint64_t fault_shape_cut(const struct exch *x)
{
    const struct fault_action *a = x->fault;
    uint64_t len = x->reply.body.len;

    if (a->reset == RESET_DURING)
        return len / 2;
    return a->truncate >= 0 && (uint64_t)a->truncate < len ? (uint64_t)a->truncate : len;
}
