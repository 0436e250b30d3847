/*
 * json.h - one JSON object a line, built key by key. Every string that goes in comes out as
 * valid UTF-8 (log_append_json_string). One owner, one thread.
 */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <stdio.h>

#include "base/buf.h"

struct json {
    struct buf buf;
    int comma; /* the next key needs one before it */
};

void json_init(struct json *json);
void json_release(struct json *json);
/* Empties it and opens an object with message_type and time. */
void json_begin(struct json *json, const char *message_type, int64_t wall_ms);
/* A NULL value leaves the key out. */
void json_str(struct json *json, const char *key, const char *value);
void json_int(struct json *json, const char *key, int64_t value);
/* value / 1000 with three decimals, whatever the locale. */
void json_milli(struct json *json, const char *key, int64_t value);
void json_flag(struct json *json, const char *key, int value);
void json_null(struct json *json, const char *key);
/* A nested object, until json_close. */
void json_open(struct json *json, const char *key);
void json_close(struct json *json);
/* A list of strings: json_item for each, until json_close_list. */
void json_open_list(struct json *json, const char *key);
void json_item(struct json *json, const char *value);
void json_close_list(struct json *json);
/*
 * Closes the object. The line with its newline is json->buf; -ERR_NOMEM where a key did not fit,
 * then nothing of it may be written.
 */
int json_end(struct json *json, struct err *err) WARN_UNUSED;
/* json_end, then writes the line. 0, -ERR_NOMEM, -ERR_IO. */
int json_write(struct json *json, FILE *out, struct err *err) WARN_UNUSED;

#endif
