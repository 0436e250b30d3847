/* record.c - see record.h. Called by observer.c and rows.c. */
#include "report/record.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "report/text.h"

void record_of_event(const struct file_event *event, struct record *out)
{
    *out = (struct record){
        .root = event->root,
        .path = event->path,
        .name = event->name,
        .mime_type = event->mime_type,
        .size_bytes = event->size_bytes,
        .state = event->state,
        .file_id = event->file_id,
        .version = event->version,
        .cdn_url = event->cdn_url,
        .etag = event->etag,
        .md5 = event->has_md5 ? event->md5 : NULL,
        .tries = event->tries,
        .duration_ms = event->duration_ms,
    };
    if (!event->error)
        return;
    out->error = event->error->code;
    out->http_status = event->error->http_status;
    out->error_text = event->error->text;
    out->request_id = event->error->request_id;
}

void record_of_row(const struct journal_row *row, struct record *out)
{
    *out = (struct record){
        .root = row->root,
        .path = row->path,
        .name = row->name,
        .mime_type = row->mime_type,
        .size_bytes = row->stamp.size_bytes,
        .state = row->state,
        .file_id = row->file_id,
        .version = row->version,
        .cdn_url = row->cdn_url,
        .etag = row->etag,
        .md5 = row->has_md5 ? row->md5 : NULL,
        .tries = row->tries,
        .duration_ms = row->done_ms > 0 ? row->took_ms : -1,
        .error = row->error,
        .http_status = row->http_status,
        .error_text = row->error_text,
        .request_id = row->request_id,
    };
}

int record_json_source(const char *root, const char *path, struct json *json, struct buf *scratch)
{
    int rc = text_source(root, path, scratch);
    if (rc)
        return rc;
    if (text_is_plain(buf_str(scratch))) {
        json_str(json, "source", buf_str(scratch));
        return 0;
    }
    struct buf form;
    buf_init(&form, TEXT_MAX_BYTES);
    rc = name_printable(buf_str(scratch), &form);
    if (!rc) {
        json_str(json, "source", buf_str(&form));
        buf_reset(&form);
        rc = text_escape(buf_str(scratch), &form);
    }
    if (!rc)
        json_str(json, "source_raw", buf_str(&form));
    buf_release(&form);
    return rc;
}

void record_json_error(const struct err *error, struct json *json)
{
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", error->text);
    log_redact(text);
    json_str(json, "error", text);
    json_str(json, "error_class", err_name(error->code));
    if (error->http_status)
        json_int(json, "http_status", error->http_status);
    if (error->request_id[0])
        json_str(json, "request_id", error->request_id);
    if (*err_advice(error->code))
        json_str(json, "advice", err_advice(error->code));
}

static void put_error(const struct record *record, struct json *json)
{
    struct err error = ERR_INIT;
    error.code = record->error;
    error.http_status = record->http_status;
    snprintf(error.text, sizeof error.text, "%s", record->error_text ? record->error_text : "");
    snprintf(error.request_id, sizeof error.request_id, "%s",
             record->request_id ? record->request_id : "");
    record_json_error(&error, json);
}

int record_json(const struct record *record, struct json *json, struct buf *scratch)
{
    json_str(json, "operation", "upload");
    /* What a script may tick off: done, or left out on purpose. */
    const char *result = record_result(record->state);
    json_flag(json, "success", !strcmp(result, "OK") || !strcmp(result, "skip"));
    int rc = record_json_source(record->root, record->path, json, scratch);
    if (rc)
        return rc;
    json_str(json, "destination", record->name);
    json_int(json, "size", record->size_bytes);
    json_str(json, "state", asset_state_name(record->state));
    json_str(json, "file_id", record->file_id);
    json_str(json, "version", record->version);
    json_str(json, "cdn_url", record->cdn_url);
    json_str(json, "etag", record->etag);
    char hex[33];
    char digest[RECORD_DIGEST_MAX];
    if (record->md5)
        json_str(json, "md5", text_hex(record->md5, hex));
    if (*record_digest(record->md5, record->etag, digest))
        json_str(json, "digest", digest);
    json_str(json, "mime_type", record->mime_type);
    json_int(json, "attempt", record->tries);
    if (record->duration_ms >= 0)
        json_int(json, "duration_ms", record->duration_ms);
    if (record->error != ERR_NONE)
        put_error(record, json);
    return 0;
}

const char *record_digest(const unsigned char *md5, const char *etag, char out[RECORD_DIGEST_MAX])
{
    static const char hex_digits[] = "0123456789abcdef";
    char hex[33];
    out[0] = '\0';
    if (md5) {
        snprintf(out, RECORD_DIGEST_MAX, "md5:%s", text_hex(md5, hex));
    } else if (etag && *etag == '"' && strspn(etag + 1, hex_digits) == 32 && etag[33] == '-') {
        size_t digits = strspn(etag + 34, "0123456789");
        if (digits && digits <= 5 && !strcmp(etag + 34 + digits, "\""))
            snprintf(out, RECORD_DIGEST_MAX, "md5-parts:%.*s", (int)(33 + digits), etag + 1);
    }
    return out;
}

const char *record_result(enum asset_state state)
{
    switch (state) {
    case ASSET_DISCOVERED:
    case ASSET_PREPARED:
    case ASSET_REQUESTED:
    case ASSET_STORED:
        return "pending";
    case ASSET_CONFIRMED:
    case ASSET_LINKED:
    case ASSET_VERIFIED:
        return "OK";
    case ASSET_SKIPPED:
        return "skip";
    case ASSET_FAILED:
        return "error";
    case ASSET_STATE_COUNT:
        break;
    }
    return "";
}

void record_json_times(const struct step_time *times, int count, struct json *json)
{
    json_open(json, "steps");
    for (int i = 0; i < count; i++) {
        json_open(json, times[i].step);
        json_int(json, "count", times[i].count);
        json_milli(json, "p50", times[i].p50_us);
        json_milli(json, "p95", times[i].p95_us);
        json_milli(json, "p99", times[i].p99_us);
        json_milli(json, "max", times[i].most_us);
        json_close(json);
    }
    json_close(json);
}

void record_json_limits(const int64_t limit_ms[JOB_LIMIT_COUNT], struct json *json)
{
    json_open(json, "limit_ms");
    for (int i = 0; i < JOB_LIMIT_COUNT; i++)
        if (limit_ms[i])
            json_int(json, job_limit_name((enum job_limit)i), limit_ms[i]);
    json_close(json);
}
