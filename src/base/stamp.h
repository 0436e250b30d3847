/*
 * stamp.h - what tells that a file is the same, with the same bytes, as it was before.
 */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdint.h>

struct file_stamp {
    uint64_t dev;
    uint64_t ino;
    int64_t size_bytes;
    int64_t mtime_ns;
    int64_t ctime_ns;
};

#endif
