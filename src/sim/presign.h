/*
 * AWS Signature V4 in the query string, for our own S3 and for a real one.
 *
 * Only `host` is signed and the payload is not, as PXM's URLs do it.
 */
#ifndef SIM_PRESIGN_H
#define SIM_PRESIGN_H

#include <stdint.h>

#include "sim/text.h"

struct presigner;

struct presign_call {
    const char *method;
    const char *path;      /* absolute, already percent-encoded */
    const char *upload_id; /* NULL: no multipart part */
    unsigned part_no;      /* 0: with upload_id, the upload itself */
    bool create_multipart; /* adds ?uploads */
    int64_t at_ms;
    int64_t ttl_s;
};

enum presign_verdict {
    PRESIGN_GOOD,
    PRESIGN_ABSENT,    /* not a presigned URL */
    PRESIGN_MALFORMED, /* its parameters make no sense */
    PRESIGN_EXPIRED,
    PRESIGN_MISMATCH
};

/* origin: scheme://host[:port]; all strings are copied. Any thread may use it. */
struct presigner *presigner_new(const char *origin, const char *access_key, const char *secret_key,
                                const char *region);
void presigner_free(struct presigner *p);

/* Adds the URL to out. */
void presign_url(struct presigner *p, const struct presign_call *call, struct text *out);

/* Judges a request by its raw path and query and its Host header. */
enum presign_verdict presign_verify(struct presigner *p, const char *method, const char *path,
                                    const char *query, const char *host, int64_t now_ms);

/* Value of a query parameter, percent-decoded, into out; false when it is absent. */
bool presign_query_value(const char *query, const char *name, char *out, size_t out_bytes);

#endif
