/*
 * record.h - one file as reports show it, whether it comes from a run's event or from a row of
 * the journal, so that --json and report --format ndjson cannot drift apart.
 */
#ifndef REPORT_RECORD_H
#define REPORT_RECORD_H

#include "pipeline/pipeline.h"
#include "report/json.h"

/* All borrowed. */
struct record {
    const char *root;
    const char *path;
    const char *name;
    const char *mime_type;
    int64_t size_bytes;
    enum asset_state state;
    const char *file_id;
    const char *version; /* NULL: not said; likewise the next */
    const char *cdn_url;
    const char *etag;
    const unsigned char *md5; /* NULL: none */
    int tries;
    int64_t duration_ms; /* -1: not known */
    enum err_code error;
    int http_status;
    const char *error_text;
    const char *request_id;
};
void record_of_event(const struct file_event *event, struct record *out);
void record_of_row(const struct journal_row *row, struct record *out);

/* Adds the record's keys to an open object. scratch is used up. 0 or -ERR_NOMEM. */
int record_json(const struct record *record, struct json *json, struct buf *scratch) WARN_UNUSED;
/* "source", printable, and "source_raw", percent-escaped, where the bytes are no plain UTF-8. */
int record_json_source(const char *root, const char *path, struct json *json,
                       struct buf *scratch) WARN_UNUSED;
/* error (secrets taken out), error_class, http_status, request_id, advice; those that are set. */
void record_json_error(const struct err *error, struct json *json);

/*
 * What proves the bytes: "md5:HEX" of the whole file, or "md5-parts:HEX-N" of the MD5s of its N
 * parts, as S3 names an object of many parts. Empty where neither is known.
 */
#define RECORD_DIGEST_MAX 64
const char *record_digest(const unsigned char *md5, const char *etag, char out[RECORD_DIGEST_MAX]);

/* "OK", "skip", "error", "pending": gsutil's words and one more. */
const char *record_result(enum asset_state state);

/* How long each step's exchanges took, as `steps`, in milliseconds. */
void record_json_times(const struct step_time *times, int count, struct json *json);
/* How long each limit held, as `limit_ms`. */
void record_json_limits(const int64_t limit_ms[JOB_LIMIT_COUNT], struct json *json);

#endif
