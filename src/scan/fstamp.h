/*
 * fstamp.h - one statx, made into the stamp that the walker notes and that source_check compares:
 * both must come from the same place, or equal files would look changed.
 */
#ifndef SCAN_FSTAMP_H
#define SCAN_FSTAMP_H

#include <sys/types.h>

#include "base/stamp.h"

/*
 * Of name relative to dir_fd, or of dir_fd itself where name is "". at_flags: AT_SYMLINK_NOFOLLOW
 * or 0. 0, or -1 with errno set.
 */
int fstamp_at(int dir_fd, const char *name, int at_flags, struct file_stamp *out, mode_t *out_mode);

#endif
