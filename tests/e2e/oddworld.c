/*
 * oddworld.c - a disk and a resolver that fail on order. Preloaded into pxload by the tests.
 *   WORLD_READS="NAME SKIP COUNT ERRNO"  the reads of files of that name: SKIP go well, COUNT
 *                                              fail with ERRNO (0: they see the file's end)
 *   WORLD_NAMES="HOST COUNT STALL_MS"    HOST is 127.0.0.1, but for COUNT questions there is
 *                                              no answer for STALL_MS
 */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int reads;
static atomic_int questions;

/* 1 where this read of fd is to fail with *out_errno. */
static int read_fails(int fd, int *out_errno)
{
    const char *order = getenv("WORLD_READS");
    char name[64];
    char link[64];
    char path[4096];
    int skip = 0;
    int count = 0;
    if (!order || sscanf(order, "%63s %d %d %d", name, &skip, &count, out_errno) != 4)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    const char *base = strrchr(path, '/');
    if (!base || strcmp(base + 1, name) != 0)
        return 0;
    int at = atomic_fetch_add(&reads, 1);
    return at >= skip && at < skip + count;
}

static ssize_t read_at(int fd, void *buf, size_t len, off_t offset)
{
    int why = 0;
    if (!read_fails(fd, &why))
        return syscall(SYS_pread64, fd, buf, len, offset);
    errno = why;
    return why ? -1 : 0;
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
    return read_at(fd, buf, len, offset);
}

ssize_t pread64(int fd, void *buf, size_t len, off64_t offset)
{
    return read_at(fd, buf, len, offset);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    const char *order = getenv("WORLD_NAMES");
    char name[64];
    int count = 0;
    int stall_ms = 0;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!order || !host || sscanf(order, "%63s %d %d", name, &count, &stall_ms) != 3 ||
        strcmp(host, name) != 0)
        return real(host, service, hints, out);
    if (atomic_fetch_add(&questions, 1) < count)
        poll(NULL, 0, stall_ms);
    return real("127.0.0.1", service, hints, out);
}
