/*
 * answer.h - what the null server says to a request: PXM's three calls, and of S3 what rclone,
 * awscli, s3cmd and curl need for an upload. Remembers nothing but counters.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stddef.h>
#include <stdint.h>

struct request {
    char method[8];
    char target[2048];   /* path and query */
    const char *body;    /* NUL-terminated, of request-upload alone */
    uint64_t body_bytes; /* Content-Length */
    int close;           /* the client wants the connection closed */
};

struct answer_options {
    const char *scheme;
    char host[64]; /* with port */
    uint64_t threshold;
    uint64_t part_bytes;
    int keeps_objects; /* HEAD finds what was PUT */
    int opaque_etag;   /* ETags that are no MD5, marked as KMS's */
};

struct reply {
    char *data; /* head and body */
    size_t len;
    size_t room;
};

void answer_setup(const struct answer_options *options);

/* Whether the body has to be kept for answer_make. */
int answer_needs_body(const struct request *request);

/* Replaces reply by the whole reply, head included. */
void answer_make(const struct request *request, struct reply *reply);

#endif
