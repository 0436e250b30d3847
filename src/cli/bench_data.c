/* bench_data.c - see bench_data.h. Called by cmd_bench.c. */
#include "cli/bench_data.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define MARK_EVERY_BYTES (1024 * 1024)
#define MARK_BYTES       64
#define PREFIX           "bench-"

/* A folder that is memory and that we may write to; NULL where there is none. */
static const char *memory_folder(void)
{
    const char *const places[] = {"/dev/shm", getenv("XDG_RUNTIME_DIR"), "/tmp"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct statfs fs;
        if (places[i] && *places[i] == '/' && !statfs(places[i], &fs) &&
            (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC) && !access(places[i], W_OK))
            return places[i];
    }
    return NULL;
}

static void remove_folder(char *path)
{
    DIR *folder = path ? opendir(path) : NULL;
    const struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    if (path && rmdir(path))
        log_warning("the folder %s could not be removed: %s", path, strerror(errno));
    free(path);
}

/* The folder, locked as long as we live; negative: another bench has it, or it is none of ours. */
static int hold(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && !fstat(fd, &st) && st.st_uid == getuid() && !flock(fd, LOCK_EX | LOCK_NB))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* What a bench that was killed left behind may be all of a machine's memory. */
static void remove_leftovers(const char *parent)
{
    DIR *folder = opendir(parent);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char *path = NULL;
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
            asprintf(&path, "%s/%s", parent, entry->d_name) < 0)
            continue;
        int fd = hold(path);
        if (fd < 0) {
            free(path);
            continue;
        }
        remove_folder(path);
        close(fd);
    }
    if (folder)
        closedir(folder);
}

static int make_temporary(const char *parent, char **out, int *out_fd, struct err *err)
{
    remove_leftovers(parent);
    if (asprintf(out, "%s/" PREFIX "XXXXXX", parent) < 0) {
        *out = NULL;
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    if (mkdtemp(*out)) {
        *out_fd = hold(*out);
        return 0;
    }
    int rc = err_set_errno(err, ERR_IO, errno, "cannot make a folder in %s", parent);
    free(*out);
    *out = NULL;
    return rc;
}

/* Its bytes differ from every other file's, in every part that a server may ask for. */
static int write_marks(int fd, int file_no, int64_t size_bytes)
{
    for (int64_t at = 0; at < size_bytes; at += MARK_EVERY_BYTES) {
        char mark[MARK_BYTES + 1];
        int len = snprintf(mark, sizeof mark, "pxload bench %d:%lld\n", file_no, (long long)at);
        size_t room = size_bytes - at < len ? (size_t)(size_bytes - at) : (size_t)len;
        if (pwrite(fd, mark, room, at) != (ssize_t)room)
            return -1;
    }
    return ftruncate(fd, size_bytes);
}

static int make_file(const struct bench_data *data, int file_no, int64_t size_bytes,
                     struct err *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s-%07d.bin", data->folder, data->id, file_no) < 0)
        return err_set(err, ERR_NOMEM, "no memory for a path");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int rc = 0;
    if (fd < 0 || write_marks(fd, file_no, size_bytes))
        rc = err_set_errno(err, ERR_IO, errno,
                           "cannot make file %d in %s (fewer --files need less memory)", file_no,
                           data->folder);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

int bench_data_make(struct bench_data *data, int files, int64_t size_bytes, struct err *err)
{
    *data = (struct bench_data){.folder_fd = -1, .work_fd = -1};
    const char *memory = memory_folder();
    if (!memory)
        return err_set(err, ERR_CONFIG,
                       "no folder is memory (tmpfs): neither /dev/shm nor XDG_RUNTIME_DIR; a bench "
                       "from a disk would measure the disk");
    snprintf(data->id, sizeof data->id, "bench-%llx-%x", (unsigned long long)clock_wall_ms(),
             (unsigned)getpid());
    char *jobs = NULL;
    int rc = make_temporary(memory, &data->folder, &data->folder_fd, err);
    if (!rc)
        rc = paths_make_folder(PATHS_JOBS, &jobs, err);
    if (!rc)
        rc = make_temporary(jobs, &data->work, &data->work_fd, err);
    if (!rc && asprintf(&data->journal, "%s/bench.journal", data->work) < 0) {
        data->journal = NULL;
        rc = err_set(err, ERR_NOMEM, "no memory for a path");
    }
    for (int i = 1; i <= files && !rc; i++)
        rc = make_file(data, i, size_bytes, err);
    free(jobs);
    return rc;
}

void bench_data_release(struct bench_data *data)
{
    if (data->folder && data->folder_fd >= 0)
        close(data->folder_fd);
    if (data->work && data->work_fd >= 0)
        close(data->work_fd);
    remove_folder(data->folder);
    remove_folder(data->work);
    free(data->journal);
    *data = (struct bench_data){0};
}
