/* floor.c - see floor.h. */
#include "floor/floor.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SMALL_BUFFER (64L << 10)
#define LARGE_BUFFER (512L << 10)

static struct floor_file *files;
static size_t file_count;
static size_t file_room;
static struct timespec begun;

static void usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--conns 16] [--threshold BYTES] [--part-size BYTES] [--md5] [--ca FILE] "
            "URL FOLDER\n",
            program);
    exit(2);
}

void floor_parse(int argc, char **argv, struct floor_options *out)
{
    *out = (struct floor_options){.conns = 16, .threshold = 16 << 20, .part_bytes = 8 << 20};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--md5") == 0) {
            out->md5 = 1;
            continue;
        }
        if (strcmp(argv[i], "--conns") == 0)
            out->conns = (int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "--threshold") == 0)
            out->threshold = strtoll(value, NULL, 10);
        else if (strcmp(argv[i], "--part-size") == 0)
            out->part_bytes = strtoll(value, NULL, 10);
        else if (strcmp(argv[i], "--ca") == 0)
            out->ca = value;
        else
            usage(argv[0]);
        i++;
    }
    if (i + 2 != argc || out->conns < 1 || out->part_bytes < 1)
        usage(argv[0]);
    out->url = argv[i];
    out->folder = argv[i + 1];
    clock_gettime(CLOCK_MONOTONIC, &begun);
}

static int add_file(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    if (kind != FTW_F)
        return 0;
    if (file_count == file_room) {
        file_room = 2 * file_room + 1024;
        files = reallocarray(files, file_room, sizeof *files);
    }
    struct floor_file *file = &files[file_count++];
    file->path = strdup(path);
    file->name = file->path + where->base;
    file->size = st->st_size;
    return 0;
}

struct floor_file *floor_list(const char *folder, size_t *out_count)
{
    if (nftw(folder, add_file, 32, FTW_PHYS) || !file_count) {
        fprintf(stderr, "no files in %s\n", folder);
        exit(1);
    }
    *out_count = file_count;
    return files;
}

void floor_open(struct floor_slice *slice, const struct floor_options *options,
                const struct floor_file *file, int64_t start, int64_t len)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    *slice = (struct floor_slice){.map_len = (size_t)len};
    if (len)
        slice->map = mmap(NULL, slice->map_len, PROT_READ, MAP_SHARED, fd, (off_t)start);
    if (fd < 0 || slice->map == MAP_FAILED) {
        perror(file->path);
        exit(1);
    }
    close(fd);
    if (options->md5) {
        slice->md5 = EVP_MD_CTX_new();
        EVP_DigestInit_ex(slice->md5, EVP_md5(), NULL);
    }
}

void floor_close(struct floor_slice *slice)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    if (slice->md5)
        EVP_DigestFinal_ex(slice->md5, md5, NULL);
    EVP_MD_CTX_free(slice->md5);
    if (slice->map)
        munmap(slice->map, slice->map_len);
    *slice = (struct floor_slice){0};
}

static size_t on_read(char *out, size_t size, size_t count, void *user)
{
    struct floor_slice *slice = user;
    size_t left = slice->map_len - (size_t)slice->at;
    size_t len = size * count < left ? size * count : left;
    if (len)
        memcpy(out, (const char *)slice->map + slice->at, len);
    if (len && slice->md5)
        EVP_DigestUpdate(slice->md5, out, len);
    slice->at += (int64_t)len;
    return len;
}

static size_t on_reply(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

CURL *floor_easy(const struct floor_options *options)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    if (options->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca);
    return easy;
}

void floor_put(CURL *easy, const char *url, struct floor_slice *slice)
{
    static struct curl_slist *headers;
    if (!headers) {
        headers = curl_slist_append(NULL, "Expect:");
        headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    }
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)slice->map_len);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                     slice->map_len <= (size_t)SMALL_BUFFER ? SMALL_BUFFER : LARGE_BUFFER);
    curl_easy_setopt(easy, CURLOPT_READDATA, slice);
}

void floor_check(CURL *easy, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && status / 100 == 2)
        return;
    fprintf(stderr, "failed: %s, status %ld\n", curl_easy_strerror(code), status);
    exit(1);
}

void floor_summary(size_t count, int64_t bytes)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double took = (double)(now.tv_sec - begun.tv_sec) + (double)(now.tv_nsec - begun.tv_nsec) / 1e9;
    printf("%zu files, %.1f MB in %.3f s: %.0f files/s, %.0f MB/s\n", count, (double)bytes / 1e6,
           took, (double)count / took, (double)bytes / 1e6 / took);
}
