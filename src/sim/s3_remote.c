/*
 * Multipart uploads at a real S3 server, by presigned URLs; see s3_remote.h.
 *
 * A fresh easy handle per call: these are few, and job threads share nothing.
 */
#include "sim/s3_remote.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"
#include "sim/options.h"
#include "sim/presign.h"
#include "sim/upload.h"
#include "sim/when.h"

#define CALL_TTL_S      300
#define CALL_TIMEOUT_S  120L
#define REPLY_BYTES_MAX (1 << 20)

static size_t take_reply(char *bytes, size_t size, size_t n, void *cls)
{
    struct text *out = cls;

    if (out->len + size * n > REPLY_BYTES_MAX)
        return 0;
    text_add(out, bytes, size * n);
    return size * n;
}

struct call {
    struct presign_call presign;
    const char *content_type;
    const struct text *body;
};

/* The status, 0 with a reason when none came; the reply's text in *reply. */
static int run(struct call *c, struct text *reply, curl_off_t *out_length, struct text *why)
{
    struct text url = {0};
    char type[300];
    long status = 0;
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

    c->presign.at_ms = when_now_ms();
    c->presign.ttl_s = CALL_TTL_S;
    presign_url(upload_presigner(), &c->presign, &url);
    snprintf(type, sizeof type, "Content-Type: %s",
             c->content_type == NULL ? "application/xml" : c->content_type);
    headers = curl_slist_append(headers, type);
    curl_easy_setopt(easy, CURLOPT_URL, url.data);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, CALL_TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_reply);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
    if (strcmp(c->presign.method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->body == NULL ? "" : c->body->data);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         c->body == NULL ? (curl_off_t)0 : (curl_off_t)c->body->len);
    }
    CURLcode code = curl_easy_perform(easy);
    if (code == CURLE_OK) {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, out_length);
    } else {
        text_addf(why, "S3: %s", curl_easy_strerror(code));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    text_release(&url);
    return (int)status;
}

/* The text of <tag>...</tag>; the caller frees it. */
static char *element(const struct text *xml, const char *tag)
{
    struct text open = {0};
    char *found = NULL;

    text_addf(&open, "<%s>", tag);
    const char *at = xml->data == NULL ? NULL : strstr(xml->data, open.data);
    if (at != NULL) {
        at += open.len;
        found = mem_copy(at, strcspn(at, "<"));
    }
    text_release(&open);
    return found;
}

char *s3_remote_create(const char *path, const char *mime, struct text *why)
{
    struct call c = {.presign = {.method = "POST", .path = path, .create_multipart = true},
                     .content_type = mime};
    struct text reply = {0};
    curl_off_t length = 0;

    int status = run(&c, &reply, &length, why);
    char *id = status == 200 ? element(&reply, "UploadId") : NULL;
    if (id == NULL)
        text_addf(why, "S3 create: status %d %.300s", status, reply.data == NULL ? "" : reply.data);
    text_release(&reply);
    return id;
}

int s3_remote_complete(const char *path, const char *upload_id, const struct text *xml,
                       struct text *why)
{
    struct call c = {.presign = {.method = "POST", .path = path, .upload_id = upload_id},
                     .body = xml};
    struct text reply = {0};
    curl_off_t length = 0;

    int status = run(&c, &reply, &length, why);
    /* S3 may say 200 first and find the error later. */
    bool failed = reply.data != NULL && strstr(reply.data, "<Error>") != NULL;
    if (status != 200 || failed)
        text_addf(why, "S3 complete: status %d %.300s", status,
                  reply.data == NULL ? "" : reply.data);
    text_release(&reply);
    return failed && status == 200 ? 500 : status;
}

int64_t s3_remote_size(const char *path, struct text *why)
{
    struct call c = {.presign = {.method = "HEAD", .path = path}};
    struct text reply = {0};
    curl_off_t length = -1;

    int status = run(&c, &reply, &length, why);
    text_release(&reply);
    if (status == 200)
        return (int64_t)length;
    text_addf(why, "S3 head: status %d", status);
    return -1;
}
