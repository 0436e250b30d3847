/* fstamp.c - see fstamp.h. Called by walk.c and source.c, on any thread; no state. */
#include "scan/fstamp.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int64_t nanoseconds(const struct statx_timestamp *when)
{
    /* Unsigned, so that a file system's absurd year wraps instead of being undefined. */
    return (int64_t)((uint64_t)when->tv_sec * 1000000000u + when->tv_nsec);
}

int fstamp_at(int dir_fd, const char *name, int at_flags, struct file_stamp *out, mode_t *out_mode)
{
    struct statx st;
    unsigned mask = STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME | STATX_CTIME;
    int flags = at_flags | AT_NO_AUTOMOUNT | AT_STATX_SYNC_AS_STAT;
    if (*name == '\0')
        flags |= AT_EMPTY_PATH;
    if (statx(dir_fd, name, flags, mask, &st) != 0)
        return -1;
    *out = (struct file_stamp){
        .dev = makedev(st.stx_dev_major, st.stx_dev_minor),
        .ino = st.stx_ino,
        .size_bytes = (int64_t)st.stx_size,
        .mtime_ns = nanoseconds(&st.stx_mtime),
        .ctime_ns = nanoseconds(&st.stx_ctime),
    };
    *out_mode = st.stx_mode;
    return 0;
}
