/*
 * The S3 side: takes presigned PUTs as S3 would, and audits how they were sent.
 *
 * S3 threads only. An exchange that is refused still has its body read, as S3 does, so
 * that the connection lives on and the client sees the status; only a fault (or an
 * Expect header) makes the refusal come early.
 */
#include "sim/s3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sim/audit.h"
#include "sim/fault_shape.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/presign.h"
#include "sim/session.h"
#include "sim/stats.h"
#include "sim/token.h"
#include "sim/upload.h"
#include "sim/when.h"

#define SLOT_PUT   61
#define SLOT_PART  62
#define SLOT_OTHER 63

static void refuse(struct exch *x, int status, const char *code, const char *message)
{
    struct text t = {0};

    if (x->reply.status != 0)
        return;
    text_addf(&t,
              "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>%s"
              "</Message><RequestId>%016llX</RequestId></Error>",
              code, message, (unsigned long long)ident_random());
    x->reply.status = status;
    x->reply.content_type = "application/xml";
    x->reply.body = t;
}

static enum MHD_Result check_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct exch *x = cls;

    (void)kind;
    if (strcasecmp(key, "Authorization") == 0) {
        audit_add(AUDIT_TOKEN_TO_S3, x->where, "an Authorization header");
        refuse(x, 400, "InvalidArgument", "Only one auth mechanism allowed");
    } else if (value != NULL && strstr(value, TOKEN_PREFIX) != NULL) {
        audit_add(AUDIT_TOKEN_TO_S3, x->where, "the token is in %s", key);
    } else if (strncasecmp(key, "x-amz-", 6) == 0) {
        audit_add(AUDIT_UNSIGNED_HEADER, x->where, "%s", key);
        refuse(x, 403, "AccessDenied",
               "There were headers present in the request which were not "
               "signed");
    } else if (strcasecmp(key, "Expect") == 0 && value != NULL && strcmp(value, "unheard") != 0) {
        audit_add(AUDIT_EXPECT_HEADER, x->where, "Expect: %s", value);
    }
    return MHD_YES;
}

static void check_framing(struct exch *x)
{
    if (exch_header(x, "Transfer-Encoding") != NULL) {
        audit_add(AUDIT_CHUNKED_PUT, x->where, "Transfer-Encoding");
        refuse(x, 501, "NotImplemented",
               "A header you provided implies functionality that is not implemented");
    } else if (x->content_length < 0) {
        audit_add(AUDIT_CHUNKED_PUT, x->where, "no Content-Length");
        refuse(x, 411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
}

static void check_signature(struct exch *x)
{
    const char *host = exch_header(x, "Host");
    enum presign_verdict verdict = presign_verify(upload_presigner(), x->method, x->path, x->query,
                                                  host == NULL ? "" : host, when_now_ms());

    switch (verdict) {
    case PRESIGN_GOOD:
        return;
    case PRESIGN_ABSENT:
        audit_add(AUDIT_BAD_SIGNATURE, x->where, "no signature");
        refuse(x, 403, "AccessDenied", "Access Denied");
        return;
    case PRESIGN_MALFORMED:
        audit_add(AUDIT_BAD_SIGNATURE, x->where, "malformed parameters");
        refuse(x, 400, "AuthorizationQueryParametersError", "Query-string authentication is bad");
        return;
    case PRESIGN_EXPIRED:
        refuse(x, 403, "AccessDenied", "Request has expired");
        return;
    case PRESIGN_MISMATCH:
        audit_add(AUDIT_BAD_SIGNATURE, x->where, "signature mismatch");
        refuse(x, 403, "SignatureDoesNotMatch",
               "The request signature we calculated does not match the signature you provided.");
        return;
    }
}

/* The session and part that the URL is about; false after a refusal. (locked) */
static bool find_target(struct exch *x, const char *path, struct session **out, uint32_t *out_idx)
{
    char number[16] = "0";
    char given_id[64];
    char upload_id[40];
    struct file *f = NULL;

    enum session_look look = session_find(path, out, &f);
    if (look == SESSION_CONFIRMED)
        audit_add(AUDIT_PUT_AFTER_CONFIRM, x->where, "%s is confirmed", f->name);
    if (look != SESSION_OPEN) {
        refuse(x, 404, "NoSuchUpload", "The specified upload does not exist.");
        return false;
    }
    *out_idx = 0;
    if (!(*out)->multipart)
        return true;
    session_upload_id(*out, upload_id);
    presign_query_value(x->query, "partNumber", number, sizeof number);
    unsigned long part_no = strtoul(number, NULL, 10);
    if (!presign_query_value(x->query, "uploadId", given_id, sizeof given_id) ||
        strcmp(given_id, upload_id) != 0 || part_no == 0 || part_no > (*out)->n_parts) {
        refuse(x, 404, "NoSuchUpload", "The specified upload does not exist.");
        return false;
    }
    *out_idx = (uint32_t)part_no - 1;
    return true;
}

static void audit_slice(struct exch *x, const struct put *p)
{
    const char *type = exch_header(x, "Content-Type");

    if (type == NULL || strcmp(type, p->session->mime) != 0)
        audit_add(AUDIT_PUT_CONTENT_TYPE, x->where, "%s of %s, declared as %s",
                  type == NULL ? "-" : type, p->session->name, p->session->mime);
    if (x->content_length >= 0 && (uint64_t)x->content_length != p->expected)
        audit_add(AUDIT_PUT_LENGTH, x->where, "%lld bytes of %s where %llu belong",
                  (long long)x->content_length, p->session->name, (unsigned long long)p->expected);
}

/* Ties the exchange to its session's part. */
static void open_put(struct exch *x, const char *path)
{
    struct put *p = mem_new(1, sizeof *p);

    p->fd = x->fd;
    p->sink.fd = -1;
    tenant_lock();
    if (!find_target(x, path, &p->session, &p->part_idx)) {
        tenant_unlock();
        free(p);
        return;
    }
    const struct part *part = &p->session->parts[p->part_idx];
    p->expected = part->end - part->start;
    x->slot = p->session->multipart ? SLOT_PART : SLOT_PUT;
    x->endpoint_name = p->session->multipart ? "part" : "put";
    x->name = mem_copy(p->session->name, strlen(p->session->name));
    audit_slice(x, p);
    session_put_begin(p, x->where);
    tenant_unlock();
    x->put = p;
}

/* Where the bytes go; nothing is opened for a PUT that is refused anyway. */
static void open_sink(struct exch *x)
{
    struct put *p = x->put;

    if (!options_current()->digest_off)
        p->md5 = digest_new(DIGEST_MD5);
    sink_open(&p->sink, p->session->seq, p->session->parts[p->part_idx].start,
              x->content_length < 0 ? 0 : (uint64_t)x->content_length, !p->session->multipart);
}

static void s3_begin(struct exch *x)
{
    char *path = mem_copy(x->path, strlen(x->path));

    x->slot = SLOT_OTHER;
    x->endpoint_name = "s3-other";
    if (strstr(x->query, TOKEN_PREFIX) != NULL)
        audit_add(AUDIT_TOKEN_TO_S3, x->where, "a token is in the query");
    if (strcmp(x->method, "PUT") != 0) {
        audit_add(AUDIT_UNKNOWN_ENDPOINT, x->where, "S3 serves PUT only");
        refuse(x, 405, "MethodNotAllowed", "The specified method is not allowed");
    } else if (text_unescape(path) < 0) {
        refuse(x, 400, "InvalidURI", "Couldn't parse the specified URI.");
    } else {
        MHD_get_connection_values(x->conn, MHD_HEADER_KIND, check_header, x);
        check_framing(x);
        check_signature(x);
        if (x->reply.status == 0)
            open_put(x, path);
    }
    free(path);
    x->fault =
        x->put == NULL ? NULL : fault_pick(x->slot == SLOT_PART ? FAULT_PART : FAULT_PUT, x->name);
    if (x->put != NULL && !fault_shape_replaces(x, false))
        open_sink(x);
    if (x->fault != NULL && x->fault->early_close) {
        refuse(x, 403, "AccessDenied", "Access Denied");
        x->reply.close = true;
        x->early = true;
    }
    /* Who waits for 100-continue is answered before the body, or it would be sent. */
    if (x->reply.status != 0 && exch_header(x, "Expect") != NULL)
        x->early = true;
}

static void s3_data(struct exch *x, const void *bytes, size_t len)
{
    struct put *p = x->put;

    stats_bytes(len);
    if (p == NULL || x->reply.status != 0 || fault_shape_replaces(x, false))
        return;
    p->got += len;
    if (p->md5 != NULL)
        digest_add(p->md5, bytes, len);
    if (p->whole != NULL)
        digest_add(p->whole, bytes, len);
    sink_add(&p->sink, bytes, len);
}

static void make_etag(struct put *p)
{
    uint64_t halves[2];

    if (p->md5 != NULL) {
        digest_end(p->md5, p->etag);
        return;
    }
    halves[0] = ident_mix(p->session->seq);
    halves[1] = ident_mix(p->part_idx + halves[0]);
    memcpy(p->etag, halves, sizeof p->etag);
}

static void reply_etag(struct exch *x)
{
    const struct fault_action *a = x->fault;
    char hex[DIGEST_HEX_BYTES];
    char etag[DIGEST_HEX_BYTES + 2];

    x->reply.status = 200;
    if (options_current()->digest_off || (a != NULL && a->kms))
        exch_reply_header(x, "x-amz-server-side-encryption", "aws:kms");
    if (a != NULL && a->etag == ETAG_ABSENT)
        return;
    digest_hex(x->put->etag, DIGEST_MD5_BYTES, hex);
    if (a != NULL && a->etag == ETAG_WRONG)
        hex[0] = hex[0] == '0' ? '1' : '0';
    snprintf(etag, sizeof etag, "\"%s\"", hex);
    exch_reply_header(x, "ETag", etag);
}

static void s3_finish(struct exch *x)
{
    struct put *p = x->put;
    const char *md5 = exch_header(x, "Content-MD5");

    if (fault_shape_replaces(x, false)) {
        fault_shape_fill(x);
        return;
    }
    if (x->reply.status != 0 || p == NULL)
        return;
    make_etag(p);
    if (md5 != NULL && p->md5 != NULL && !digest_base64_is_md5(md5, p->etag)) {
        refuse(x, 400, "BadDigest",
               "The Content-MD5 you specified did not match what we received.");
        return;
    }
    if (p->sink.broken) {
        refuse(x, 500, "InternalError", "We encountered an internal error. Please try again.");
        return;
    }
    /* KMS objects have an ETag that is no MD5; the confirm must get this one back. */
    if (x->fault != NULL && x->fault->kms)
        p->etag[0] ^= 0xFF;
    tenant_lock();
    session_put_stored(p);
    tenant_unlock();
    reply_etag(x);
    if (fault_shape_replaces(x, true))
        fault_shape_fill(x);
}

static void s3_answer(struct exch *x)
{
    char id[24];

    snprintf(id, sizeof id, "%016llX", (unsigned long long)ident_random());
    exch_reply_header(x, "x-amz-request-id", id);
    if (x->put != NULL) {
        tenant_lock();
        if (x->reply.status / 100 == 2)
            session_put_answered(x->put);
        session_put_end(x->put);
        tenant_unlock();
        free(x->put);
        x->put = NULL;
    }
    stats_request(x->slot, x->endpoint_name, x->reply.status, x->name);
}

static void s3_end(struct exch *x)
{
    if (x->phase == EXCH_ANSWERED)
        return;
    if (x->put != NULL) {
        tenant_lock();
        session_put_end(x->put);
        tenant_unlock();
        free(x->put);
        x->put = NULL;
    }
    stats_request(x->slot, x->endpoint_name, 0, x->name);
}

const struct side_ops s3_ops = {
    .begin = s3_begin,
    .data = s3_data,
    .finish = s3_finish,
    .answer = s3_answer,
    .end = s3_end,
};
