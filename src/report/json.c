/*
 * json.c - see json.h. A failed append is remembered by the buffer (truncated) and reported once,
 * by json_end, so that the callers need not check each key.
 */
#include "report/json.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "report/text.h"

void json_init(struct json *json)
{
    buf_init(&json->buf, TEXT_MAX_BYTES);
    json->comma = 0;
}

void json_release(struct json *json)
{
    buf_release(&json->buf);
}

static void put_string(struct json *json, const char *str)
{
    if (log_append_json_string(&json->buf, str, strlen(str)))
        json->buf.truncated = 1;
}

static void put_key(struct json *json, const char *key)
{
    if (json->comma)
        buf_puts(&json->buf, ",");
    json->comma = 1;
    put_string(json, key);
    buf_puts(&json->buf, ":");
}

void json_begin(struct json *json, const char *message_type, int64_t wall_ms)
{
    buf_reset(&json->buf);
    json->comma = 0;
    buf_puts(&json->buf, "{");
    json_str(json, "message_type", message_type);
    char when[CLOCK_TEXT_MAX];
    json_str(json, "time", clock_format(wall_ms, when));
}

void json_str(struct json *json, const char *key, const char *value)
{
    if (!value)
        return;
    put_key(json, key);
    put_string(json, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    put_key(json, key);
    buf_printf(&json->buf, "%lld", (long long)value);
}

void json_milli(struct json *json, const char *key, int64_t value)
{
    put_key(json, key);
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    buf_printf(&json->buf, "%s%llu.%03llu", value < 0 ? "-" : "", (unsigned long long)(size / 1000),
               (unsigned long long)(size % 1000));
}

void json_flag(struct json *json, const char *key, int value)
{
    put_key(json, key);
    buf_puts(&json->buf, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    put_key(json, key);
    buf_puts(&json->buf, "null");
}

void json_open(struct json *json, const char *key)
{
    put_key(json, key);
    buf_puts(&json->buf, "{");
    json->comma = 0;
}

void json_close(struct json *json)
{
    buf_puts(&json->buf, "}");
    json->comma = 1;
}

void json_open_list(struct json *json, const char *key)
{
    put_key(json, key);
    buf_puts(&json->buf, "[");
    json->comma = 0;
}

void json_item(struct json *json, const char *value)
{
    if (json->comma)
        buf_puts(&json->buf, ",");
    json->comma = 1;
    put_string(json, value);
}

void json_close_list(struct json *json)
{
    buf_puts(&json->buf, "]");
    json->comma = 1;
}

int json_end(struct json *json, struct err *err)
{
    buf_puts(&json->buf, "}\n");
    if (json->buf.truncated)
        return err_set(err, ERR_NOMEM, "a JSON line grew too long");
    return 0;
}

int json_write(struct json *json, FILE *out, struct err *err)
{
    int rc = json_end(json, err);
    if (rc)
        return rc;
    if (fwrite(json->buf.data, 1, json->buf.len, out) != json->buf.len)
        return err_set_errno(err, ERR_IO, errno, "cannot write a JSON line");
    return 0;
}
