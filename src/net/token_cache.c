/*
 * token_cache.c - the token on disk: two lines, expiry (wall ms) and token. Loop thread.
 * The file's name is a hash, so that neither the tenant nor the client id shows in a listing.
 */
#include "net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_MAX 16384

static int cache_path(const char *dir, const char *base_url, const char *client_id, struct buf *out)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int hash_len = 0;
    struct buf key;
    buf_init(&key, 4 * LIMIT_URL_BYTES);
    int rc = buf_printf(&key, "%s\n%s", base_url, client_id);
    if (!rc && !EVP_Digest(buf_str(&key), key.len, hash, &hash_len, EVP_sha256(), NULL))
        rc = -ERR_INTERNAL;
    buf_release(&key);
    if (rc)
        return rc;
    rc = buf_printf(out, "%s/token-", dir);
    for (unsigned int i = 0; !rc && i < 16; i++)
        rc = buf_printf(out, "%02x", hash[i]);
    return rc;
}

static int read_private(const char *path, char *out, size_t max, size_t *out_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -ERR_IO;
    struct stat st;
    ssize_t got = -1;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077))
        got = read(fd, out, max - 1);
    close(fd);
    if (got < 0)
        return -ERR_IO;
    out[got] = '\0';
    *out_len = (size_t)got;
    return 0;
}

void token_cache_load(const char *dir, const char *base_url, const char *client_id,
                      int64_t now_wall_ms, char **out_token)
{
    *out_token = NULL;
    struct buf path;
    buf_init(&path, LIMIT_PATH_BYTES);
    char text[TOKEN_MAX];
    size_t len = 0;
    if (!cache_path(dir, base_url, client_id, &path) &&
        !read_private(buf_str(&path), text, sizeof text, &len)) {
        char *end = NULL;
        int64_t expires = strtoll(text, &end, 10);
        if (end != text && *end == '\n' && expires > now_wall_ms) {
            char *token = end + 1;
            token[strcspn(token, "\r\n")] = '\0';
            if (*token)
                *out_token = strdup(token);
        }
    }
    explicit_bzero(text, sizeof text);
    buf_release(&path);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int token_cache_store(const char *dir, const char *base_url, const char *client_id,
                      const char *token, int64_t expires_wall_ms, struct err *err)
{
    struct buf path, fresh, text;
    buf_init(&path, LIMIT_PATH_BYTES);
    buf_init(&fresh, LIMIT_PATH_BYTES);
    buf_init(&text, TOKEN_MAX);
    int fd = -1;
    int rc = cache_path(dir, base_url, client_id, &path);
    if (!rc)
        rc = buf_printf(&fresh, "%s.XXXXXX", buf_str(&path));
    if (!rc)
        rc = buf_printf(&text, "%" PRId64 "\n%s\n", expires_wall_ms, token);
    if (rc) {
        rc = err_set(err, ERR_IO, "token cache in %s: name or token too long", dir);
        goto done;
    }
    fd = mkostemp(fresh.data, O_CLOEXEC);
    if (fd < 0 || write_all(fd, text.data, text.len) || fsync(fd) ||
        rename(fresh.data, path.data)) {
        rc = err_set_errno(err, ERR_IO, errno, "token cache %s", buf_str(&path));
        if (fd >= 0)
            unlink(fresh.data);
    }
done:
    if (fd >= 0)
        close(fd);
    if (text.data)
        explicit_bzero(text.data, text.len);
    buf_release(&text);
    buf_release(&fresh);
    buf_release(&path);
    return rc;
}

void token_cache_drop(const char *dir, const char *base_url, const char *client_id)
{
    struct buf path;
    buf_init(&path, LIMIT_PATH_BYTES);
    if (!cache_path(dir, base_url, client_id, &path))
        unlink(buf_str(&path));
    buf_release(&path);
}
