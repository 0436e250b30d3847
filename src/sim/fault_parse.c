/*
 * The fault table: one row per key of a rule, with its parser and its help. Called at
 * start and from POST /_sim/faults.
 */
#include "sim/fault_parse.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"
#include "sim/when.h"

enum row_kind { ROW_NUMBER, ROW_SWITCH, ROW_CHOICE, ROW_TEXT, ROW_SPECIAL };

struct row {
    const char *key;
    enum row_kind kind;
    size_t offset; /* in struct fault_action */
    int64_t fixed; /* CHOICE by switch: the value that `true` sets */
    const char *const *choices;
    bool (*special)(struct fault_rule *r, json_object *value);
    const char *help;
};

static const char *const point_names[] = {
#define X(code, name) name,
    FAULT_POINTS(X)
#undef X
};
_Static_assert(sizeof point_names / sizeof point_names[0] == FAULT_POINT_COUNT, "one name a point");

static char *copy_string(json_object *value)
{
    const char *str = json_object_get_string(value);

    return mem_copy(str, strlen(str));
}

static bool set_endpoint(struct fault_rule *r, json_object *value)
{
    const char *str = json_object_get_string(value);

    if (strcmp(str, "any") == 0) {
        r->points = (1u << FAULT_POINT_COUNT) - 1;
        return true;
    }
    for (unsigned i = 0; i < FAULT_POINT_COUNT; i++) {
        if (strcmp(str, point_names[i]) == 0) {
            r->points |= 1u << i;
            return true;
        }
    }
    return false;
}

static bool set_name(struct fault_rule *r, json_object *value)
{
    free(r->name);
    r->name = copy_string(value);
    return true;
}

static bool set_nth(struct fault_rule *r, json_object *value)
{
    r->nth = json_object_get_int64(value);
    return r->nth > 0;
}

static bool set_every(struct fault_rule *r, json_object *value)
{
    r->every = json_object_get_int64(value);
    return r->every > 0;
}

static bool set_probability(struct fault_rule *r, json_object *value)
{
    r->probability = json_object_get_double(value);
    return r->probability >= 0 && r->probability <= 1;
}

static bool set_times(struct fault_rule *r, json_object *value)
{
    r->times = json_object_get_int64(value);
    return r->times >= 0;
}

/* "json", "s3xml", "html", "empty", or any other text as the body itself. */
static bool set_body(struct fault_rule *r, json_object *value)
{
    static const char *const kinds[] = {"json", "s3xml", "html", "empty"};
    const char *str = json_object_get_string(value);

    for (int i = 0; i < BODY_RAW; i++) {
        if (strcmp(str, kinds[i]) == 0) {
            r->action->body = i;
            return true;
        }
    }
    r->action->body = BODY_RAW;
    free(r->action->raw);
    r->action->raw = copy_string(value);
    return true;
}

/* Seconds, "date:SECONDS" for an HTTP date that far ahead, or any other text. */
static bool set_retry_after(struct fault_rule *r, json_object *value)
{
    const char *str = json_object_get_string(value);
    char date[WHEN_BYTES];

    free(r->action->retry_after);
    if (strncmp(str, "date:", 5) == 0) {
        when_http(when_now_ms() + strtoll(str + 5, NULL, 10) * 1000, date);
        r->action->retry_after = mem_copy(date, strlen(date));
    } else {
        r->action->retry_after = copy_string(value);
    }
    return true;
}

static bool set_headers(struct fault_rule *r, json_object *value)
{
    struct fault_action *a = r->action;

    if (!json_object_is_type(value, json_type_object))
        return false;
    json_object_object_foreach(value, key, v)
    {
        if (a->n_headers == sizeof a->headers / sizeof a->headers[0])
            return false;
        a->headers[a->n_headers].name = mem_copy(key, strlen(key));
        a->headers[a->n_headers++].value = copy_string(v);
    }
    return true;
}

static bool set_clock_offset(struct fault_rule *r, json_object *value)
{
    r->action->has_clock_offset = true;
    r->action->clock_offset_s = json_object_get_int64(value);
    return true;
}

static bool set_deep_json(struct fault_rule *r, json_object *value)
{
    bool plain = json_object_is_type(value, json_type_boolean);

    r->action->deep_json = plain ? 10000 : json_object_get_int64(value);
    return r->action->deep_json > 0 && r->action->deep_json <= 10000000;
}

static bool set_stall(struct fault_rule *r, json_object *value)
{
    bool plain = json_object_is_type(value, json_type_boolean);

    r->action->stall_ms = plain ? 3600000 : json_object_get_int64(value);
    return r->action->stall_ms > 0;
}

static const char *const parts_choices[] = {"",     "overlap", "gap",        "exceed",
                                            "zero", "10001",   "descending", NULL};
static const char *const dup_choices[] = {"", "first", "last", NULL};

#define A(field) offsetof(struct fault_action, field)
#define SPECIAL(key, fn, help)                 \
    {                                          \
        key, ROW_SPECIAL, 0, 0, NULL, fn, help \
    }
#define NUMBER(key, field, help)                       \
    {                                                  \
        key, ROW_NUMBER, A(field), 0, NULL, NULL, help \
    }
#define SWITCH(key, field, help)                       \
    {                                                  \
        key, ROW_SWITCH, A(field), 0, NULL, NULL, help \
    }
#define FIXED(key, field, value, help)                     \
    {                                                      \
        key, ROW_CHOICE, A(field), value, NULL, NULL, help \
    }
#define CHOICE(key, field, list, help)                 \
    {                                                  \
        key, ROW_CHOICE, A(field), 0, list, NULL, help \
    }
#define TEXT(key, field, help)                       \
    {                                                \
        key, ROW_TEXT, A(field), 0, NULL, NULL, help \
    }

static const struct row rows[] = {
    SPECIAL("endpoint", set_endpoint,
            "auth, request, put, part, confirm, list, search, write or any; required"),
    SPECIAL("name", set_name, "only exchanges about this file name"),
    SPECIAL("nth", set_nth, "only the n-th matching exchange"),
    SPECIAL("every", set_every, "every n-th"),
    SPECIAL("probability", set_probability, "0..1, seeded (1 when nothing else is said)"),
    SPECIAL("times", set_times, "fires at most so often"),
    NUMBER("status", status, "this status instead; not processed unless `after`"),
    SWITCH("after", after, "status or stall come after the request was processed"),
    SPECIAL("body", set_body, "json, s3xml, html, empty, or the text itself"),
    TEXT("code", raw, "error code in a json or s3xml body"),
    TEXT("message", message, "error message in it"),
    SPECIAL("headers", set_headers, "object of extra headers"),
    SPECIAL("retry_after", set_retry_after, "seconds, \"date:SECONDS\" or any text"),
    FIXED("reset_before", reset, RESET_BEFORE, "RST before processing"),
    FIXED("reset_during", reset, RESET_DURING, "RST in the PUT's body or the API's reply"),
    FIXED("reset_after", reset, RESET_AFTER, "RST after processing, before a byte of reply"),
    NUMBER("refuse", refuse_ms,
           "ms that new connections are refused after the reset (reset_before unless said)"),
    SWITCH("plain_close", plain_close, "resets close the connection instead of RST"),
    SPECIAL("stall", set_stall, "accept and never answer; reset after so many ms (true: 1 h)"),
    NUMBER("delay", delay_ms, "ms before the reply"),
    NUMBER("slow_drain", drain_bps, "bytes/s at which a body is read and a reply sent"),
    NUMBER("truncate", truncate, "bytes of the reply that arrive before the connection closes"),
    NUMBER("oversize", oversize_mib, "MiB that the reply is made of"),
    SPECIAL("deep_json", set_deep_json, "nesting that is put into the reply (true: 10000)"),
    CHOICE("duplicate_keys", dup_keys, dup_choices,
           "wrong twins of the keys, \"first\" or \"last\""),
    SWITCH("numbers_as_strings", numbers_as_strings, "numbers of the reply in quotes"),
    FIXED("wrong_etag", etag, ETAG_WRONG, "an ETag that isn't the MD5"),
    FIXED("no_etag", etag, ETAG_ABSENT, "no ETag"),
    SWITCH("kms_header", kms, "KMS header, and an ETag that isn't the MD5 but is right"),
    SWITCH("early_403_close", early_close, "403 before the body, then the connection closes"),
    NUMBER("close_after", close_after, "close once the connection served so many"),
    SWITCH("close_silently", close_silently, "...without announcing it"),
    TEXT("redirect", redirect, "307 with this Location"),
    CHOICE("bad_parts", parts, parts_choices, "overlap, gap, exceed, zero, 10001, descending"),
    TEXT("url_scheme", url_scheme, "upload URLs of another scheme"),
    TEXT("url_host", url_host, "... host[:port]"),
    TEXT("url_userinfo", url_userinfo, "... with user info"),
    TEXT("url", url_raw, "... this text whole"),
    TEXT("upload_type", upload_type, "an upload_type of this name"),
    SWITCH("expire_url", expire_url, "upload URLs that have expired already"),
    SWITCH("bad_signature", bad_signature, "upload URLs that are signed wrongly"),
    SWITCH("revoke_token", revoke_token, "revokes all tokens and answers 401"),
    NUMBER("search_lag", search_lag_ms, "ms that the search index lags behind"),
    SPECIAL("clock_offset", set_clock_offset, "seconds that the Date header is off"),
    SWITCH("no_instructions", no_instructions, "request-upload without upload instructions"),
};

#define N_ROWS (sizeof rows / sizeof rows[0])

static bool set_choice(int *out, const char *const *choices, json_object *value)
{
    const char *str = json_object_get_string(value);

    for (int i = 1; choices[i] != NULL; i++) {
        if (strcmp(choices[i], str) == 0) {
            *out = i;
            return true;
        }
    }
    /* `true` means the first of them. */
    *out = 1;
    return json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static bool apply(const struct row *row, struct fault_rule *r, json_object *value)
{
    char *at = (char *)r->action + row->offset;
    void *slot = at;

    switch (row->kind) {
    case ROW_NUMBER:
        *(int64_t *)slot = json_object_get_int64(value);
        return json_object_is_type(value, json_type_int) && *(int64_t *)slot >= 0;
    case ROW_SWITCH:
        *(bool *)slot = json_object_get_boolean(value);
        return json_object_is_type(value, json_type_boolean);
    case ROW_CHOICE:
        if (row->choices != NULL)
            return set_choice(slot, row->choices, value);
        if (json_object_get_boolean(value))
            *(int *)slot = (int)row->fixed;
        return json_object_is_type(value, json_type_boolean);
    case ROW_TEXT:
        free(*(char **)slot);
        *(char **)slot = copy_string(value);
        return json_object_is_type(value, json_type_string);
    case ROW_SPECIAL:
        return value != NULL && row->special(r, value);
    }
    return false;
}

static bool apply_key(struct fault_rule *r, const char *key, json_object *value)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        if (strcmp(rows[i].key, key) == 0)
            return value != NULL && apply(&rows[i], r, value);
    }
    return false;
}

struct fault_rule *fault_parse_rule(json_object *json, struct text *why)
{
    struct fault_rule *r = mem_new(1, sizeof *r);

    r->action = mem_new(1, sizeof *r->action);
    atomic_init(&r->action->refs, 1);
    r->action->truncate = -1;
    r->probability = 1;
    r->times = -1;
    r->source = json_object_get(json);
    if (!json_object_is_type(json, json_type_object)) {
        text_puts(why, "a rule is a JSON object");
    } else {
        json_object_object_foreach(json, key, value)
        {
            if (!apply_key(r, key, value)) {
                text_addf(why, "unknown key or bad value: %s", key);
                break;
            }
        }
        if (why->len == 0 && r->points == 0)
            text_puts(why, "a rule needs an endpoint");
        if (r->action->refuse_ms > 0 && r->action->reset == RESET_NONE)
            r->action->reset = RESET_BEFORE;
    }
    if (why->len == 0)
        return r;
    fault_drop(r->action);
    json_object_put(r->source);
    free(r->name);
    free(r);
    return NULL;
}

void fault_print_help(void)
{
    puts("Fault rules: a JSON array of objects, in --faults FILE or POST /_sim/faults.\n"
         "The first rule that fires for an exchange is the one it suffers. Keys:\n");
    for (size_t i = 0; i < N_ROWS; i++)
        printf("  %-20s %s\n", rows[i].key, rows[i].help);
}
