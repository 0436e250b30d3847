/*
 * floor.h - what the two floors share: the files of a folder, a mapped slice that libcurl reads
 * from, options, and the line at the end. Floors do nothing that an upload does not need: they
 * check no reply but its status, retry nothing and remember nothing.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

struct floor_options {
    const char *url;
    const char *folder;
    const char *ca; /* NULL: no TLS */
    int conns;
    int64_t threshold; /* larger files go in parts */
    int64_t part_bytes;
    int md5; /* of all bytes, in the read callback */
};

struct floor_file {
    char *path;
    const char *name; /* last piece of path */
    int64_t size;
};

/* A slice of a file on its way; zeroed, it is closed. */
struct floor_slice {
    void *map;
    size_t map_len;
    int64_t at;
    EVP_MD_CTX *md5;
};

void floor_parse(int argc, char **argv, struct floor_options *out);

/* All files of the folder, any order; ends the program when there are none. */
struct floor_file *floor_list(const char *folder, size_t *out_count);

void floor_open(struct floor_slice *slice, const struct floor_options *options,
                const struct floor_file *file, int64_t start, int64_t len);
void floor_close(struct floor_slice *slice);

/* An easy handle's options that never change. */
CURL *floor_easy(const struct floor_options *options);

/* A PUT of the slice. */
void floor_put(CURL *easy, const char *url, struct floor_slice *slice);

/* Ends the program unless the reply is 2xx. */
void floor_check(CURL *easy, CURLcode code);

void floor_summary(size_t files, int64_t bytes);

#endif
