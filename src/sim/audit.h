/*
 * The record of every breach of the protocol. Tests that don't provoke one require it
 * to be empty. Any thread; its lock is the innermost one.
 */
#ifndef SIM_AUDIT_H
#define SIM_AUDIT_H

#include <stdint.h>

#include "sim/text.h"

/* X(CODE, name, what the page says) */
#define AUDIT_CODES(X)                                                                             \
    X(MISSING_FILENAME, "missing_filename", "request-upload sends filename and file_name")         \
    X(NAMES_DIFFER, "names_differ", "filename and file_name are the same value")                   \
    X(NAME_INVALID, "name_invalid", "a file name is UTF-8 and not empty")                          \
    X(MISSING_MIME, "missing_mime_type", "request-upload sends mime_type")                         \
    X(BAD_SIZE, "bad_size", "size is a whole number of bytes")                                     \
    X(BAD_BODY, "bad_body", "an API body is one JSON object")                                      \
    X(BAD_CONTENT_TYPE, "bad_content_type", "an API body is application/json")                     \
    X(BAD_GRANT, "bad_grant", "grant_type is client_credentials")                                  \
    X(MISSING_TOKEN, "missing_token", "API calls carry a bearer token")                            \
    X(TOKEN_TO_S3, "token_to_s3", "neither token nor Authorization goes to S3")                    \
    X(TOKEN_IN_URL, "token_in_url", "a token is never part of a URL")                              \
    X(EXPECT_HEADER, "expect_header", "PUTs carry no Expect header")                               \
    X(CHUNKED_PUT, "chunked_put", "PUTs carry a Content-Length, not chunks")                       \
    X(PUT_CONTENT_TYPE, "put_content_type", "a PUT's Content-Type is the declared mime_type")      \
    X(PUT_LENGTH, "put_length", "a PUT is exactly its slice")                                      \
    X(UNSIGNED_HEADER, "unsigned_header", "no unsigned x-amz-* header")                            \
    X(BAD_SIGNATURE, "bad_signature", "presigned URLs are used as they were given")                \
    X(PART_ORDER, "part_order", "parts begin in rising order")                                     \
    X(PART_OVERLAP, "part_overlap", "a part begins after its predecessor was answered")            \
    X(NAME_IN_FLIGHT, "name_in_flight", "same-named files are never in flight at once")            \
    X(PUT_AFTER_CONFIRM, "put_after_confirm", "nothing is PUT after the confirm")                  \
    X(CONFIRM_TWICE, "confirm_twice", "a session is confirmed once")                               \
    X(CONFIRM_UNKNOWN, "confirm_unknown", "confirm names a path that was handed out")              \
    X(CONFIRM_EXPIRED, "confirm_expired", "an expired session is not confirmed")                   \
    X(CONFIRM_NOT_STORED, "confirm_not_stored", "confirm comes after the PUT succeeded")           \
    X(CONFIRM_PARTS, "confirm_parts", "confirm lists every part in rising order")                  \
    X(CONFIRM_SIZE, "confirm_size", "file_size is what was requested and stored")                  \
    X(CONFIRM_ETAG, "confirm_etag", "ETags are sent as they were received")                        \
    X(CONFIRM_NAME, "confirm_name", "confirm has the file_name of the request")                    \
    X(CONFIRM_UPLOAD_ID, "confirm_upload_id", "confirm has the upload_id of the session")          \
    X(CONFIRM_METADATA, "confirm_metadata", "metadata is well formed for this wire")               \
    X(CONFIRM_CONFLICT, "confirm_conflict", "conflict fields name an existing file and an action") \
    X(DUPLICATE_MADE, "duplicate_made", "a name in use is not confirmed without an action")        \
    X(CONCURRENCY, "concurrency", "at most 10 API requests at once")                               \
    X(RATE, "rate", "no 60 s hold more requests than the limit")                                   \
    X(PARTIAL_ARRAY, "partial_array", "arrays are merged before they are written")                 \
    X(BAD_VALUE, "bad_value", "a written value fits its type and its references exist")            \
    X(CATEGORY_TWICE, "category_twice", "a category is made once under one parent")                \
    X(COLLECTION_TWICE, "collection_twice", "a collection is made once under one parent")          \
    X(UNKNOWN_ENDPOINT, "unknown_endpoint", "only documented calls")

enum audit_code {
#define X(code, name, rule) AUDIT_##code,
    AUDIT_CODES(X)
#undef X
        AUDIT_CODE_COUNT
};

void audit_setup(void);
void audit_teardown(void);

/* Records a breach by the request `where` ("PUT /path"); fmt says what was seen. */
void audit_add(enum audit_code code, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void audit_clear(void);
uint64_t audit_count(void);

/* Adds the breaches as a JSON array. */
void audit_json(struct text *out);

#endif
