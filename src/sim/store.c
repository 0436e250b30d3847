/* Memory, folder and null store; see store.h. S3 threads write, state jobs read. */
#include "sim/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/mem.h"

#define READ_BYTES (1 << 20)

struct content {
    atomic_int refs;
    uint64_t seq;
    pthread_mutex_t lock; /* guards the digests below */
    bool digested;
    uint8_t md5[DIGEST_MD5_BYTES];
    uint8_t sha256[DIGEST_SHA256_BYTES];
    uint32_t n_blobs;
    struct blob blobs[];
};

static void object_path(uint64_t seq, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s/%08llx", options_current()->store_dir, (unsigned long long)seq);
}

bool store_setup(void)
{
    const struct options *opt = options_current();

    if (opt->store != STORE_DIR)
        return true;
    if (mkdir(opt->store_dir, 0777) == 0 || errno == EEXIST)
        return true;
    fprintf(stderr, "pxm-sim: --store %s: %s\n", opt->store_dir, strerror(errno));
    return false;
}

void sink_open(struct sink *s, uint64_t seq, uint64_t offset, uint64_t len, bool whole)
{
    const struct options *opt = options_current();

    *s = (struct sink){.room = len, .offset = offset, .fd = -1};
    if (opt->store == STORE_MEMORY) {
        s->blob.data = mem_new(len, 1);
    } else if (opt->store == STORE_DIR) {
        char path[4096];
        object_path(seq, path, sizeof path);
        s->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (whole ? O_TRUNC : 0), 0666);
        s->broken = s->fd < 0;
    }
}

static void write_all(struct sink *s, const uint8_t *bytes, size_t len)
{
    while (len > 0 && !s->broken) {
        ssize_t n = pwrite(s->fd, bytes, len, (off_t)(s->offset + s->blob.len));
        s->broken = n <= 0 && errno != EINTR;
        if (n <= 0)
            continue;
        bytes += n;
        len -= (size_t)n;
        s->blob.len += (uint64_t)n;
    }
}

void sink_add(struct sink *s, const void *bytes, size_t len)
{
    if (len > s->room - s->blob.len)
        len = (size_t)(s->room - s->blob.len);
    if (s->fd >= 0) {
        write_all(s, bytes, len);
        return;
    }
    if (s->blob.data != NULL)
        memcpy(s->blob.data + s->blob.len, bytes, len);
    s->blob.len += len;
}

struct blob sink_close(struct sink *s)
{
    struct blob blob = s->blob;

    if (s->fd >= 0)
        close(s->fd);
    *s = (struct sink){.fd = -1};
    return blob;
}

struct content *content_new(uint64_t seq, const struct blob *blobs, uint32_t n)
{
    if (options_current()->store == STORE_NULL)
        return NULL;
    struct content *c = mem_new(1, sizeof *c + n * sizeof *blobs);
    atomic_init(&c->refs, 1);
    c->seq = seq;
    pthread_mutex_init(&c->lock, NULL);
    c->n_blobs = n;
    memcpy(c->blobs, blobs, n * sizeof *blobs);
    return c;
}

struct content *content_hold(struct content *c)
{
    if (c != NULL)
        atomic_fetch_add(&c->refs, 1);
    return c;
}

void content_drop(struct content *c, bool delete_file)
{
    if (c == NULL)
        return;
    if (delete_file && options_current()->store == STORE_DIR) {
        char path[4096];
        object_path(c->seq, path, sizeof path);
        unlink(path);
    }
    if (atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < c->n_blobs; i++)
        free(c->blobs[i].data);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

typedef void take_fn(void *cls, const void *bytes, size_t len);

static bool read_file(const struct content *c, take_fn *take, void *cls)
{
    char path[4096];

    object_path(c->seq, path, sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    uint8_t *window = mem_new(1, READ_BYTES);
    ssize_t n = 0;
    while ((n = read(fd, window, READ_BYTES)) > 0)
        take(cls, window, (size_t)n);
    free(window);
    close(fd);
    return n == 0;
}

static bool read_all(const struct content *c, take_fn *take, void *cls)
{
    if (options_current()->store == STORE_DIR)
        return read_file(c, take, cls);
    for (uint32_t i = 0; i < c->n_blobs; i++)
        take(cls, c->blobs[i].data, (size_t)c->blobs[i].len);
    return true;
}

struct both {
    struct digest *md5;
    struct digest *sha256;
};

static void take_both(void *cls, const void *bytes, size_t len)
{
    struct both *both = cls;

    digest_add(both->md5, bytes, len);
    digest_add(both->sha256, bytes, len);
}

bool content_has_digests(struct content *c)
{
    pthread_mutex_lock(&c->lock);
    bool has = c->digested;
    pthread_mutex_unlock(&c->lock);
    return has;
}

bool content_digests(struct content *c, uint8_t md5[DIGEST_MD5_BYTES],
                     uint8_t sha256[DIGEST_SHA256_BYTES])
{
    if (c == NULL)
        return false;
    pthread_mutex_lock(&c->lock);
    if (!c->digested) {
        struct both both = {digest_new(DIGEST_MD5), digest_new(DIGEST_SHA256)};
        c->digested = read_all(c, take_both, &both);
        digest_end(both.md5, c->md5);
        digest_end(both.sha256, c->sha256);
        digest_free(both.md5);
        digest_free(both.sha256);
    }
    bool ok = c->digested;
    memcpy(md5, c->md5, DIGEST_MD5_BYTES);
    memcpy(sha256, c->sha256, DIGEST_SHA256_BYTES);
    pthread_mutex_unlock(&c->lock);
    return ok;
}

static void take_text(void *cls, const void *bytes, size_t len)
{
    text_add(cls, bytes, len);
}

bool content_read(struct content *c, struct text *out)
{
    return c != NULL && read_all(c, take_text, out);
}
