/*
 * wire_bench.c - the protocol bytes of one file, many times: request-upload written, its reply
 * read, the PUT's ETag compared, confirm-upload written, its reply read. Prints one JSON line.
 *
 *   wire_bench [FILES]      (100,000)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wire/wire.h"

#define NAME "product-012345-packshot-front-large.jpg"
#define SIZE 2458392

static const char session_reply[] =
    "{\"upload_data\":{\"upload_type\":\"single\",\"file_path\":\"/incoming/0123456789abcdef\","
    "\"file_name\":\"" NAME "\",\"upload_url\":\"https://pxm-incoming.s3.amazonaws.com/tenants/"
    "0123456789/uploads/0123456789abcdef?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
    "AKIAIOSFODNN7EXAMPLE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date="
    "20260101T000000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature="
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}";
static const char confirm_reply[] = "{\"id\":\"8d5f3c10-94d1-4d20-8c3a-5a86b1b6f0aa\"}";
static const char etag[] = "\"8b1a9953c4611296a827abf8c47804d7\"";

static void need(int rc, const struct err *err)
{
    if (!rc)
        return;
    fprintf(stderr, "wire_bench: %s\n", err->text);
    exit(1);
}

static void one_file(const struct wire_profile *profile, struct buf *body)
{
    static const unsigned char md5[16];
    struct err err = ERR_INIT;
    struct wire_upload upload = {.file_name = NAME, .mime_type = "image/jpeg", .size_bytes = SIZE};
    struct wire_url_rules rules = {0};
    struct wire_session session;
    struct wire_confirmed confirmed;
    int match = 0;
    buf_reset(body);
    need(wire_encode_request(&upload, body), &err);
    need(wire_decode_session(session_reply, sizeof session_reply - 1, &upload, &rules, &session,
                             &err),
         &err);
    (void)wire_etag_compare(etag, NULL, NULL, md5, &match);
    struct wire_confirm confirm = {
        .file_path = session.file_path, .file_name = session.file_name, .size_bytes = SIZE};
    buf_reset(body);
    need(wire_encode_confirm(profile, &confirm, body, &err), &err);
    need(wire_decode_confirm(confirm_reply, sizeof confirm_reply - 1, &confirmed, &err), &err);
    wire_session_release(&session);
}

int main(int argc, char **argv)
{
    long files = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
    struct err err = ERR_INIT;
    struct wire_profile profile;
    struct buf body;
    struct timespec begun, ended;
    need(wire_profile_init(&profile, "v3", &err), &err);
    buf_init(&body, LIMIT_REPLY_BYTES);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (long i = 0; i < files; i++)
        one_file(&profile, &body);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    double took_s =
        (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    printf("{\"files\":%ld,\"us_per_file\":%.4f}\n", files, took_s * 1e6 / (double)files);
    buf_release(&body);
    return 0;
}
