/* place.c - see place.h. On the opening thread. */
#include "journal/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define FUSE_MAGIC 0x65735546ul

/* ---- network file systems ---------------------------------------------------------------- */

const char *place_network_name(unsigned long f_type, const char *mount_type)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } magics[] = {
        {0x6969ul, "NFS"},      {0x517bul, "SMB"},     {0xff534d42ul, "CIFS"},
        {0xfe534d42ul, "SMB2"}, {0x5346414ful, "AFS"}, {0x6b414653ul, "AFS"},
        {0x73757245ul, "Coda"}, {0x564cul, "NCP"},
    };
    static const char *const fuse_names[] = {"fuse.sshfs",    "fuse.rclone",    "fuse.s3fs",
                                             "fuse.davfs",    "fuse.curlftpfs", "fuse.gcsfuse",
                                             "fuse.smbnetfs", "fuse.glusterfs", "fuse.goofys"};
    /* f_type is signed in places; 32 bits are what the magics have. */
    unsigned long magic = f_type & 0xfffffffful;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (magics[i].magic == magic)
            return magics[i].name;
    if (magic != FUSE_MAGIC || !mount_type)
        return NULL;
    for (size_t i = 0; i < sizeof fuse_names / sizeof *fuse_names; i++)
        if (strcmp(mount_type, fuse_names[i]) == 0)
            return fuse_names[i] + strlen("fuse.");
    return NULL;
}

/* The mount's type by device number; "36 35 98:0 / /mnt rw - ext3 /dev/sda rw" gives "ext3". */
static void find_mount_type(dev_t dev, char out[64])
{
    char want[32];
    char *line = NULL;
    size_t cap = 0;
    *out = '\0';
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return;
    snprintf(want, sizeof want, "%u:%u", major(dev), minor(dev));
    while (getline(&line, &cap, file) > 0) {
        char device[32];
        const char *rest = strstr(line, " - ");
        if (rest && sscanf(line, "%*d %*d %31s", device) == 1 && strcmp(device, want) == 0)
            sscanf(rest, " - %63s", out);
    }
    free(line);
    fclose(file);
}

int place_network_of(const char *folder, char out[64], struct err *err)
{
    struct statfs fs;
    struct stat st;
    char type[64] = "";
    if (statfs(folder, &fs) || stat(folder, &st))
        return err_set_errno(err, ERR_JOURNAL, errno, "the journal's folder %s", folder);
    if ((unsigned long)fs.f_type == FUSE_MAGIC)
        find_mount_type(st.st_dev, type);
    const char *network = place_network_name((unsigned long)fs.f_type, type);
    snprintf(out, 64, "%s", network ? network : "");
    return 0;
}

static int refuse_network(const struct place *place, struct err *err)
{
    char network[64];
    char *slash = strrchr(place->path, '/');
    *slash = '\0';
    int rc = place_network_of(*place->path ? place->path : "/", network, err);
    *slash = '/';
    if (rc || !*network)
        return rc;
    return err_set(err, ERR_JOURNAL,
                   "journal %s lies on a network file system (%s), where it can be damaged: put it "
                   "on a local disk with --journal FILE",
                   place->path, network);
}

/* ---- finding ----------------------------------------------------------------------------- */

/* The real path of a file that may not exist yet, whose folder must. */
static char *canonical(const char *path)
{
    char *real = realpath(path, NULL);
    if (real || errno != ENOENT)
        return real;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    char *real_folder = folder ? realpath(folder, NULL) : NULL;
    free(folder);
    if (!real_folder)
        return NULL;
    int is_top = strcmp(real_folder, "/") == 0;
    if (asprintf(&real, "%s/%s", is_top ? "" : real_folder, slash ? slash + 1 : path) < 0)
        real = NULL;
    free(real_folder);
    return real;
}

/* By errno. The disk's or the user's doing: no journal is broken. */
static int cannot_open(const char *path, int create, struct err *err)
{
    int os_errno = errno;
    if (os_errno == ENOENT && !create)
        return err_set(err, ERR_JOURNAL, "there is no journal %s", path);
    if (os_errno == ENOENT)
        return err_set(err, ERR_IO, "the folder of journal %s is not there: make it first", path);
    return err_set_errno(err, ERR_IO, os_errno, "journal %s cannot be opened", path);
}

int place_find(const char *path, int create, struct place *out, struct err *err)
{
    struct stat st;
    *out = (struct place){.lock_fd = -1};
    out->path = canonical(path);
    if (!out->path)
        return cannot_open(path, create, err);
    if (asprintf(&out->lock_path, "%s.lock", out->path) < 0) {
        out->lock_path = NULL;
        place_release(out);
        return err_set(err, ERR_NOMEM, "no memory for the journal's path");
    }
    int rc = 0;
    if (stat(out->path, &st) == 0) {
        out->exists = st.st_size > 0;
        if (!S_ISREG(st.st_mode))
            rc = err_set(err, ERR_JOURNAL, "%s is no pxload journal: it is no regular file", path);
        else if (!out->exists && !create)
            rc = err_set(err, ERR_JOURNAL, "%s is no pxload journal: it is empty", path);
    } else if (errno != ENOENT) {
        rc = cannot_open(path, create, err);
    } else if (!create) {
        rc = err_set(err, ERR_JOURNAL, "there is no journal %s", path);
    }
    if (!rc)
        rc = refuse_network(out, err);
    if (rc)
        place_release(out);
    return rc;
}

/* ---- the lock ---------------------------------------------------------------------------- */

static int report_holder(int fd, const struct place *place, struct err *err)
{
    char text[32];
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    text[len > 0 ? len : 0] = '\0';
    long pid = strtol(text, NULL, 10);
    if (pid > 0)
        return err_set(err, ERR_JOURNAL_BUSY,
                       "journal %s is in use by process %ld; pxload watch shows what it does",
                       place->path, pid);
    return err_set(err, ERR_JOURNAL_BUSY, "journal %s is in use by another process", place->path);
}

/* Whether the file that was locked is still the one at lock_path: its holder may have removed it.
 */
static int is_current(int fd, const char *lock_path)
{
    struct stat held;
    struct stat there;
    return fstat(fd, &held) == 0 && stat(lock_path, &there) == 0 && held.st_dev == there.st_dev &&
           held.st_ino == there.st_ino;
}

int place_lock(struct place *place, struct err *err)
{
    for (;;) {
        int fd = open(place->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return err_set_errno(err, ERR_IO, errno, "the journal's lock %s", place->lock_path);
        /* An open-file-description lock: no other close() in this process can drop it. */
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_OFD_SETLK, &lock)) {
            int os_errno = errno;
            int rc = os_errno == EAGAIN || os_errno == EACCES
                         ? report_holder(fd, place, err)
                         : err_set_errno(err, ERR_IO, os_errno, "the journal's lock %s",
                                         place->lock_path);
            close(fd);
            return rc;
        }
        if (is_current(fd, place->lock_path)) {
            place->lock_fd = fd;
            break;
        }
        close(fd);
    }
    /* For the message of the next one alone, so a full disk does not matter. */
    if (ftruncate(place->lock_fd, 0) || dprintf(place->lock_fd, "%ld\n", (long)getpid()) < 0)
        return 0;
    return 0;
}

int place_is_locked(const char *path)
{
    char *real = canonical(path);
    char *lock_path = NULL;
    int locked = 0;
    if (real && asprintf(&lock_path, "%s.lock", real) >= 0) {
        int fd = open(lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        locked = fd >= 0 && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
        if (fd >= 0)
            close(fd);
        free(lock_path);
    }
    free(real);
    return locked;
}

int place_create(const struct place *place, struct err *err)
{
    int fd = open(place->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return err_set_errno(err, ERR_IO, errno, "journal %s cannot be made", place->path);
    return 0;
}

void place_release(struct place *place)
{
    if (place->lock_fd >= 0) {
        if (place->lock_path)
            unlink(place->lock_path);
        close(place->lock_fd);
    }
    place->lock_fd = -1;
    free(place->path);
    free(place->lock_path);
    place->path = NULL;
    place->lock_path = NULL;
}
