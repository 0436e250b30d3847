/*
 * classify.c - the API's replies to error classes. Called by the completion of every API call, on
 * the loop thread; no state. Together with s3.c the only place that reads HTTP statuses.
 */
#include "wire/classify.h"

#include <json-c/json.h>
#include <string.h>

#include "wire/clean.h"
#include "wire/date.h"
#include "wire/doc.h"
#include "wire/xml.h"

static int64_t clamp_retry(int64_t ms)
{
    if (ms < 0)
        return 0;
    return ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

/* Decimal seconds, a fraction rounded up. 1, or 0 where text is no number. */
static int read_seconds(const char *text, int64_t *out_ms)
{
    int negative = *text == '-';
    const char *digits = text + negative;
    size_t whole = strspn(digits, "0123456789");
    size_t fraction = digits[whole] == '.' ? strspn(digits + whole + 1, "0123456789") + 1 : 0;
    if (!whole || fraction == 1 || digits[whole + fraction])
        return 0;
    int64_t seconds = fraction > 1;
    int64_t number = 0;
    for (size_t i = 0; i < whole && number <= RETRY_AFTER_MAX_MS; i++)
        number = number * 10 + (digits[i] - '0');
    *out_ms = negative ? 0 : (seconds + number) * 1000;
    return 1;
}

int64_t classify_retry_after(const char *value, int64_t wall_ms)
{
    char text[LIMIT_HEADER_BYTES];
    int64_t ms = 0;
    if (!value)
        return -1;
    clean_text(text, sizeof text, value, strnlen(value, sizeof text));
    if (read_seconds(text, &ms))
        return clamp_retry(ms);
    if (date_parse_http(text, &ms))
        return -1;
    return clamp_retry(ms > wall_ms ? ms - wall_ms : 0);
}

/* Ids are for the server's support: visible ASCII, or nothing. */
static void copy_request_id(const char *id, struct err *err)
{
    size_t len = 0;
    for (; id && id[len] > 0x20 && id[len] < 0x7f && len < sizeof err->request_id - 1; len++)
        err->request_id[len] = id[len];
    err->request_id[len] = '\0';
}

int classify_fail(const struct wire_reply *reply, enum err_code code,
                  const struct classify_words *words, struct err *err)
{
    if (!err)
        return -(int)code;
    const char *open = words->code[0] ? " (" : "";
    const char *close = words->code[0] ? ")" : "";
    err_set(err, code, "HTTP %d%s%s%s%s%s", reply->status, open, words->code, close,
            words->message[0] ? ": " : "", words->message);
    /* What a 4xx refuses was not done; behind a 5xx or a broken 2xx it may have been. */
    int refused = reply->status >= 300 && reply->status < 500;
    err->effect = refused ? EFFECT_NONE : EFFECT_MAYBE;
    err->http_status = reply->status;
    err->retry_after_ms = classify_retry_after(reply->retry_after, reply->wall_ms);
    if (err->retry_after_ms < 0)
        err->retry_after_ms = words->retry_after_ms;
    copy_request_id(reply->request_id, err);
    return -(int)code;
}

static void clean_member(char *dst, size_t cap, const char *text)
{
    if (text && !dst[0])
        clean_text(dst, cap, text, strlen(text));
}

/* {"code","message"}, {"error"}, OAuth's {"error","error_description"}, {"error":{...}}. */
static void read_json(struct json_object *doc, int64_t wall_ms, struct classify_words *out)
{
    struct json_object *error = doc_object(doc, "error");
    clean_member(out->code, sizeof out->code, doc_scalar(doc, "code"));
    clean_member(out->code, sizeof out->code, doc_scalar(error, "code"));
    clean_member(out->message, sizeof out->message, doc_text(doc, "message"));
    clean_member(out->message, sizeof out->message, doc_text(error, "message"));
    clean_member(out->message, sizeof out->message, doc_text(doc, "error_description"));
    clean_member(out->message, sizeof out->message, doc_text(doc, "error"));
    struct json_object *wait = doc_get(doc, "retry_after");
    if (wait)
        out->retry_after_ms = classify_retry_after(json_object_get_string(wait), wall_ms);
}

/* A proxy's page: its title says it all, the rest is decoration. */
static void read_page(const char *body, size_t len, struct classify_words *out)
{
    struct buf title;
    buf_init(&title, LIMIT_SERVER_TEXT);
    if (xml_text(body, len, "title", &title) && title.len)
        clean_text(out->message, sizeof out->message, buf_str(&title), title.len);
    else
        clean_text(out->message, sizeof out->message, "a page without a title", 22);
    buf_release(&title);
}

static void read_body(const struct wire_reply *reply, struct classify_words *out)
{
    const char *body = reply->body;
    size_t len = reply->body_len;
    struct json_object *doc = NULL;
    *out = (struct classify_words){.retry_after_ms = -1};
    if (!body)
        return;
    while (len && *body && strchr(" \t\r\n", *body)) {
        body++;
        len--;
    }
    if (!len)
        return;
    if (*body == '<') {
        read_page(body, len < LIMIT_S3_ERROR_BYTES ? len : LIMIT_S3_ERROR_BYTES, out);
        return;
    }
    if (!doc_parse(body, len, "an error", &doc, NULL))
        read_json(doc, reply->wall_ms, out);
    else
        clean_text(out->message, sizeof out->message, body, len);
    json_object_put(doc);
}

/* Client errors one by one; the ranges are below. */
static const struct {
    int status;
    enum err_code code;
} client_errors[] = {
    {401, ERR_AUTH},         {403, ERR_PERMISSION}, {404, ERR_NOT_FOUND},
    {407, ERR_NETWORK}, /* the proxy's, not PXM's: its advice names the proxy */
    {408, ERR_TIMEOUT},      {409, ERR_CONFLICT},   {410, ERR_NOT_FOUND},
    {429, ERR_RATE_LIMITED},
};

static enum err_code code_of(int status)
{
    for (size_t i = 0; i < sizeof client_errors / sizeof *client_errors; i++)
        if (client_errors[i].status == status)
            return client_errors[i].code;
    if (status == 504)
        return ERR_TIMEOUT;
    if (status >= 500 && status < 600)
        return ERR_SERVER;
    if (status >= 400 && status < 500)
        return ERR_BAD_REQUEST;
    return ERR_BAD_REPLY;
}

int wire_classify_api(const struct wire_reply *reply, struct err *err)
{
    if (reply->status >= 200 && reply->status < 300)
        return 0;
    struct classify_words words;
    read_body(reply, &words);
    return classify_fail(reply, code_of(reply->status), &words, err);
}
