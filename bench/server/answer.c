/* answer.c - see answer.h. The server's one thread. */
#include "server/answer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/objects.h"
#include "server/zeros.h"

#define HEAD_ROOM 512

static struct answer_options options;
static uint64_t last_session;
static uint64_t last_file;
static struct {
    uint64_t requests, puts, bytes, sessions, confirms;
    double first_s; /* CLOCK_MONOTONIC of the first of them */
} counts;

void answer_setup(const struct answer_options *wanted)
{
    options = *wanted;
}

int answer_needs_body(const struct request *request)
{
    return request->method[0] == 'P' && strstr(request->target, "/file/request-upload") != NULL;
}

__attribute__((format(printf, 2, 3))) static void add(struct reply *reply, const char *format, ...)
{
    va_list args;
    for (;;) {
        va_start(args, format);
        int n = vsnprintf(reply->data + reply->len, reply->room - reply->len, format, args);
        va_end(args);
        if (n < 0)
            abort();
        if (reply->len + (size_t)n < reply->room) {
            reply->len += (size_t)n;
            return;
        }
        reply->room = 2 * (reply->room + (size_t)n + HEAD_ROOM);
        reply->data = realloc(reply->data, reply->room);
        if (!reply->data)
            abort();
    }
}

static int write_head(const struct request *request, int status, const char *type,
                      const char *headers, uint64_t length, char out[HEAD_ROOM])
{
    return snprintf(out, HEAD_ROOM,
                    "HTTP/1.1 %d %s\r\nServer: null\r\nx-amz-request-id: %016" PRIX64 "\r\n%s"
                    "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n%s\r\n",
                    status, status < 300 ? "OK" : "Not Found", counts.requests, headers, type,
                    length, request->close ? "Connection: close\r\n" : "");
}

/* The body is already there, behind HEAD_ROOM; the head is put right in front of it. */
static void finish(const struct request *request, struct reply *reply, const char *type,
                   const char *headers)
{
    char head[HEAD_ROOM];
    size_t body_len = reply->len - HEAD_ROOM;
    size_t n = (size_t)write_head(request, 200, type, headers, body_len, head);
    memmove(reply->data + n, reply->data + HEAD_ROOM, body_len);
    memcpy(reply->data, head, n);
    reply->len = n + body_len;
}

/* ---- PXM ------------------------------------------------------------------------------------ */

/* As long as a presigned URL is: the client has to copy and send it. */
static void add_url(struct reply *reply, uint64_t session, unsigned part_no)
{
    add(reply,
        "%s://%s/pxm-incoming/tenants/0123456789/uploads/%016" PRIx64
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%%2F20260101%%2F"
        "us-east-1%%2Fs3%%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600"
        "&X-Amz-SignedHeaders=host",
        options.scheme, options.host, session);
    if (part_no)
        add(reply, "&partNumber=%u&uploadId=upload-%016" PRIx64, part_no, session);
    add(reply, "&X-Amz-Signature=%064" PRIx64, session);
}

/* The value behind "key": in a body that is known to be flat. */
static const char *find_value(const char *body, const char *key)
{
    const char *at = strstr(body, key);
    if (!at)
        return NULL;
    at += strlen(key);
    return at + strspn(at, "\": ");
}

static size_t string_len(const char *text)
{
    size_t len = 0;
    while (text[len] && text[len] != '"')
        len += text[len] == '\\' && text[len + 1] ? 2 : 1;
    return len;
}

static void make_session(const struct request *request, struct reply *reply)
{
    const char *name = find_value(request->body, "\"file_name");
    const char *size_text = find_value(request->body, "\"size");
    uint64_t size = size_text ? strtoull(size_text, NULL, 10) : 0;
    uint64_t session = ++last_session;
    counts.sessions++;
    int multipart = size > options.threshold;
    add(reply,
        "{\"upload_data\":{\"upload_type\":\"%s\",\"file_path\":\"/incoming/%016" PRIx64
        "\",\"file_name\":\"%.*s\",",
        multipart ? "multipart" : "single", session, name ? (int)string_len(name) : 0,
        name ? name : "");
    if (!multipart) {
        add(reply, "\"upload_url\":\"");
        add_url(reply, session, 0);
        add(reply, "\"}}");
    } else {
        add(reply, "\"upload_id\":\"upload-%016" PRIx64 "\",\"parts\":[", session);
        unsigned part_no = 1;
        for (uint64_t at = 0; at < size; at += options.part_bytes, part_no++) {
            uint64_t end = at + options.part_bytes < size ? at + options.part_bytes : size;
            add(reply, "%s{\"part_number\":%u,\"upload_url\":\"", at ? "," : "", part_no);
            add_url(reply, session, part_no);
            add(reply, "\",\"start_byte\":%" PRIu64 ",\"end_byte\":%" PRIu64 "}", at, end - 1);
        }
        add(reply, "]}}");
    }
    finish(request, reply, "application/json", "");
}

static int answer_pxm(const struct request *request, struct reply *reply)
{
    const char *target = request->target;
    if (strncmp(target, "/v2/", 4) != 0 && strncmp(target, "/v2.1/", 6) != 0 &&
        strncmp(target, "/v3/", 4) != 0)
        return 0;
    if (strstr(target, "/oauth/authorize")) {
        add(reply, "{\"access_token\":\"null-token\",\"token_type\":\"bearer\"}");
    } else if (strstr(target, "/file/request-upload")) {
        make_session(request, reply);
        return 1;
    } else if (strstr(target, "/file/confirm-upload")) {
        counts.confirms++;
        add(reply, "{\"id\":\"00000000-0000-4000-8000-%012" PRIx64 "\"}", ++last_file);
    } else {
        add(reply, "[]");
    }
    finish(request, reply, "application/json", "");
    return 1;
}

/* ---- S3 ------------------------------------------------------------------------------------- */

#define XML "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/* Of an object or part of that length. */
static void write_etag(uint64_t bytes, int in_parts, char *out, size_t size)
{
    char hex[ZEROS_HEX_SIZE];
    if (options.opaque_etag)
        snprintf(out, size, "ETag: \"%032" PRIx64 "\"\r\nx-amz-server-side-encryption: aws:kms\r\n",
                 bytes);
    else if (in_parts || !zeros_md5(bytes, hex))
        snprintf(out, size, "ETag: \"%032" PRIx64 "-2\"\r\n", bytes);
    else
        snprintf(out, size, "ETag: \"%s\"\r\n", hex);
}

static void answer_put(const struct request *request, struct reply *reply)
{
    char headers[160];
    counts.puts++;
    counts.bytes += request->body_bytes;
    if (options.keeps_objects)
        objects_add(request->target, strstr(request->target, "partNumber=") != NULL,
                    request->body_bytes);
    write_etag(request->body_bytes, 0, headers, sizeof headers);
    finish(request, reply, "application/xml", headers);
}

/* A bucket is always there. */
static void answer_head(const struct request *request, struct reply *reply)
{
    char headers[256] = "";
    uint64_t bytes = 0;
    int in_parts = 0;
    const char *object = strchr(request->target + 1, '/');
    int is_object = object && object[1] && object[1] != '?';
    int found = !is_object || objects_find(request->target, &bytes, &in_parts);
    if (is_object && found) {
        write_etag(bytes, in_parts, headers, sizeof headers);
        snprintf(headers + strlen(headers), sizeof headers - strlen(headers),
                 "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n");
    }
    reply->len = (size_t)write_head(request, found ? 200 : 404, "application/octet-stream", headers,
                                    bytes, reply->data);
}

static void answer_post(const struct request *request, struct reply *reply)
{
    if (strstr(request->target, "uploadId=")) {
        add(reply, XML "<CompleteMultipartUploadResult><Location>/</Location><Bucket>bench</Bucket>"
                       "<Key>k</Key><ETag>\"0123456789abcdef0123456789abcdef-2\"</ETag>"
                       "</CompleteMultipartUploadResult>");
    } else {
        objects_add(request->target, 0, 0);
        add(reply,
            XML "<InitiateMultipartUploadResult><Bucket>bench</Bucket><Key>k</Key><UploadId>"
                "upload-%" PRIu64 "</UploadId></InitiateMultipartUploadResult>",
            ++last_session);
    }
    finish(request, reply, "application/xml", "");
}

/* GET counts; what was counted so far is forgotten. */
static void answer_counts(const struct request *request, struct reply *reply)
{
    add(reply,
        "{\"requests\":%" PRIu64 ",\"puts\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"sessions\":%" PRIu64
        ",\"confirms\":%" PRIu64 ",\"first_s\":%.6f}",
        counts.requests, counts.puts, counts.bytes, counts.sessions, counts.confirms,
        counts.first_s);
    finish(request, reply, "application/json", "");
    memset(&counts, 0, sizeof counts);
    objects_clear();
}

static void count_request(void)
{
    struct timespec now;
    if (counts.requests++)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    counts.first_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void answer_get(const struct request *request, struct reply *reply)
{
    if (strstr(request->target, "location"))
        add(reply, XML "<LocationConstraint>us-east-1</LocationConstraint>");
    else
        add(reply, XML "<ListBucketResult><Name>bench</Name><Prefix></Prefix><KeyCount>0"
                       "</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
                       "</ListBucketResult>");
    finish(request, reply, "application/xml", "");
}

static void answer_s3(const struct request *request, struct reply *reply)
{
    if (strcmp(request->method, "PUT") == 0) {
        answer_put(request, reply);
    } else if (strcmp(request->method, "POST") == 0) {
        answer_post(request, reply);
    } else if (strcmp(request->method, "GET") == 0) {
        answer_get(request, reply);
    } else if (strcmp(request->method, "HEAD") == 0) {
        answer_head(request, reply);
    } else {
        finish(request, reply, "application/xml", "");
    }
}

void answer_make(const struct request *request, struct reply *reply)
{
    if (!reply->data) {
        reply->room = 4096;
        reply->data = malloc(reply->room);
        if (!reply->data)
            abort();
    }
    reply->len = HEAD_ROOM;
    if (strcmp(request->target, "/_null/counts") == 0) {
        answer_counts(request, reply);
        return;
    }
    count_request();
    if (!answer_pxm(request, reply))
        answer_s3(request, reply);
}
