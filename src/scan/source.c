/*
 * source.c - opens one source file beneath its root and reads it by pread. Called by the workers
 * that prepare and send files; a source has one owner, source_read alone may run in parallel.
 *
 * Invariants: no symlink below the root is followed unless asked for, however the tree changes
 * meanwhile; a path may be longer than PATH_MAX; what is returned is a regular file.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scan/fstamp.h"
#include "scan/scan.h"
#include "scan/source.h"

/* What one system call takes as a path, with room for its NUL. */
#define CHUNK_MAX 4000

#define FILE_FLAGS   (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

struct source {
    int fd;
    struct file_stamp stamp; /* at open */
};

/* Set once openat2 proved to be missing or barred; every thread may set it, to the same value. */
static int openat2_missing;

/* ---- opening ------------------------------------------------------------------------------ */

/* One component, without following it. A symlink gives ELOOP whatever the flags are. */
static int open_component(int dir_fd, const char *name, int flags)
{
    int fd = openat(dir_fd, name, flags | O_NOFOLLOW);
    if (fd >= 0 || errno != ENOTDIR)
        return fd;
    /* O_DIRECTORY on a symlink says ENOTDIR; the caller must see what it really was. */
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        errno = ELOOP;
    else
        errno = ENOTDIR;
    return -1;
}

/* Length of the component at path, and where the next one starts. */
static size_t component_length(const char *path, const char **out_next)
{
    size_t len = strcspn(path, "/");
    const char *next = path + len;
    while (*next == '/')
        next++;
    *out_next = next;
    return len;
}

/* chunk: relative, within CHUNK_MAX. The way of kernels without openat2. */
static int open_by_components(int dir_fd, const char *chunk, int flags)
{
    int at = dir_fd;
    for (const char *next = chunk; *next;) {
        char name[CHUNK_MAX + 1];
        const char *start = next;
        size_t len = component_length(start, &next);
        memcpy(name, start, len);
        name[len] = '\0';
        int fd = open_component(at, name, *next ? FOLDER_FLAGS : flags);
        int os_errno = errno;
        if (at != dir_fd)
            close(at);
        errno = os_errno;
        if (fd < 0)
            return -1;
        at = fd;
    }
    return at;
}

static int open_chunk(int dir_fd, const char *chunk, int flags, int copy_links)
{
    if (copy_links)
        return openat(dir_fd, chunk, flags);
    if (!__atomic_load_n(&openat2_missing, __ATOMIC_RELAXED)) {
        struct open_how how = {
            .flags = (unsigned)flags,
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        long fd = syscall(SYS_openat2, dir_fd, chunk, &how, sizeof how);
        /* EPERM: seccomp filters older than the call; EAGAIN: it raced with a rename. */
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EAGAIN))
            return (int)fd;
        if (errno == ENOSYS)
            __atomic_store_n(&openat2_missing, 1, __ATOMIC_RELAXED);
    }
    return open_by_components(dir_fd, chunk, flags);
}

/* Cuts the longest run of whole components that one call takes; returns what is behind it. */
static const char *cut_chunk(const char *path, char chunk[CHUNK_MAX + 1])
{
    size_t len = strlen(path);
    if (len > CHUNK_MAX) {
        len = CHUNK_MAX;
        while (len > 0 && path[len] != '/')
            len--;
    }
    memcpy(chunk, path, len);
    chunk[len] = '\0';
    while (path[len] == '/')
        len++;
    return path + len;
}

/* ".." and absolute paths never come from the walker: refused before the file system is asked. */
static int is_beneath(const char *path)
{
    if (*path == '/')
        return 0;
    for (const char *next = path; *next;) {
        const char *start = next;
        size_t len = component_length(start, &next);
        if (len == 2 && start[0] == '.' && start[1] == '.')
            return 0;
    }
    return 1;
}

static int open_beneath(const char *root, const char *path, int copy_links)
{
    if (*path == '\0')
        return open(root, FILE_FLAGS);
    int at = open(root, FOLDER_FLAGS);
    while (at >= 0 && *path) {
        char chunk[CHUNK_MAX + 1];
        path = cut_chunk(path, chunk);
        int fd = -1;
        int os_errno = ENAMETOOLONG; /* one component alone is too long for a call */
        if (*chunk) {
            fd = open_chunk(at, chunk, *path ? FOLDER_FLAGS : FILE_FLAGS, copy_links);
            os_errno = errno;
        }
        close(at);
        errno = os_errno;
        at = fd;
    }
    return at;
}

/* ---- small files ------------------------------------------------------------------------- */

void source_root_init(struct source_root *root)
{
    *root = (struct source_root){.fd = -1};
}

void source_root_release(struct source_root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    free(root->path);
    source_root_init(root);
}

static int go_to_root(struct source_root *root, const char *path)
{
    if (root->fd >= 0 && !strcmp(root->path, path))
        return root->fd;
    source_root_release(root);
    root->path = strdup(path);
    root->fd = root->path ? open(path, FOLDER_FLAGS) : -1;
    return root->fd;
}

static int is_same_file(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size_bytes == b->size_bytes &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int read_all(int fd, char *out, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(fd, out + done, len - done, (off_t)done);
        if (got == 0 || (got < 0 && errno != EINTR))
            return 0;
        done += got > 0 ? (size_t)got : 0;
    }
    return 1;
}

int source_slurp(struct source_root *root, const char *root_path, const char *path, int copy_links,
                 const struct file_stamp *expected, char *out)
{
    size_t len = strlen(path);
    if (!len || len > CHUNK_MAX || !is_beneath(path) || go_to_root(root, root_path) < 0)
        return 0;
    int fd = open_chunk(root->fd, path, FILE_FLAGS, copy_links);
    if (fd < 0) {
        source_root_release(root); /* it may be another folder by now */
        return 0;
    }
    struct file_stamp now;
    mode_t mode;
    int is_whole = read_all(fd, out, (size_t)expected->size_bytes) &&
                   fstamp_at(fd, "", 0, &now, &mode) == 0 && S_ISREG(mode) &&
                   is_same_file(&now, expected);
    close(fd);
    return is_whole;
}

/* ---- errors ------------------------------------------------------------------------------- */

enum err_code source_error(int os_errno)
{
    switch (os_errno) {
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
        return ERR_SOURCE_VANISHED;
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENXIO: /* a socket, or a device without its driver */
    case ENODEV:
    case EXDEV:
    case ENAMETOOLONG:
        return ERR_SOURCE_UNREADABLE;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

static int require_regular(int fd, struct file_stamp *out_stamp, struct err *err)
{
    mode_t mode;
    if (fstamp_at(fd, "", 0, out_stamp, &mode) != 0) {
        int os_errno = errno;
        return err_set_errno(err, source_error(os_errno), os_errno, "cannot look at the file");
    }
    if (!S_ISREG(mode))
        return err_set(err, ERR_SOURCE_UNREADABLE, "not a regular file");
    return 0;
}

int source_open(const char *root, const char *path, int copy_links, struct source **out,
                struct file_stamp *out_stamp, struct err *err)
{
    *out = NULL;
    if (!is_beneath(path))
        return err_set(err, ERR_SOURCE_UNREADABLE, "the path leads out of its root");
    int fd = open_beneath(root, path, copy_links);
    if (fd < 0) {
        int os_errno = errno;
        const char *what = os_errno == ELOOP ? "a symlink is in the way" : "cannot open";
        return err_set_errno(err, source_error(os_errno), os_errno, "%s", what);
    }
    struct file_stamp stamp;
    int rc = require_regular(fd, &stamp, err);
    struct source *source = rc ? NULL : malloc(sizeof *source);
    if (!source) {
        close(fd);
        return rc ? rc : err_set(err, ERR_NOMEM, "no memory for an open file");
    }
    *source = (struct source){.fd = fd, .stamp = stamp};
    *out = source;
    *out_stamp = stamp;
    return 0;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    close(source->fd);
    free(source);
}

int source_fd(const struct source *source)
{
    return source->fd;
}

/* ---- checking and reading ------------------------------------------------------------------ */

int source_check(struct source *source, struct err *err)
{
    struct stat st;
    struct file_stamp now;
    mode_t mode;
    if (fstat(source->fd, &st) != 0 || fstamp_at(source->fd, "", 0, &now, &mode) != 0) {
        int os_errno = errno;
        return err_set_errno(err, source_error(os_errno), os_errno,
                             "cannot look at the file again");
    }
    const struct file_stamp *then = &source->stamp;
    if (now.dev != then->dev || now.ino != then->ino || now.size_bytes != then->size_bytes)
        return err_set(err, ERR_SOURCE_CHANGED, "the size went from %lld to %lld bytes",
                       (long long)then->size_bytes, (long long)now.size_bytes);
    if (now.mtime_ns != then->mtime_ns)
        return err_set(err, ERR_SOURCE_CHANGED, "the file was written to");
    /* Unlinking moves the ctime by itself, and leaves the bytes alone. */
    if (now.ctime_ns != then->ctime_ns && st.st_nlink > 0)
        return err_set(err, ERR_SOURCE_CHANGED, "the file's status was changed");
    return 0;
}

int source_read(struct source *source, void *out, size_t len, int64_t offset, struct err *err)
{
    char *to = out;
    size_t done = 0;
    while (done < len) {
        ssize_t got = pread(source->fd, to + done, len - done, (off_t)(offset + (int64_t)done));
        int os_errno = errno;
        if (got < 0 && os_errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno(err, source_error(os_errno), os_errno,
                                 "cannot read %zu bytes at %lld", len, (long long)offset);
        if (got == 0)
            return err_set(err, ERR_SOURCE_CHANGED, "the file ends %zu bytes too soon", len - done);
        done += (size_t)got;
    }
    return 0;
}
