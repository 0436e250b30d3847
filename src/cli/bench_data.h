/*
 * bench_data.h - the files that `pxload bench` sends: in memory (tmpfs), each with bytes of its
 * own. Main thread.
 *
 * They are files and not a source of their own kind, so that a bench walks, opens, reads and
 * digests as an upload does. They are sparse: a marker a MiB is stored, the rest reads as zeros
 * without a page of memory, whatever their size.
 */
#ifndef CLI_BENCH_DATA_H
#define CLI_BENCH_DATA_H

#include <stdint.h>

#include "base/err.h"

struct bench_data {
    char *folder;  /* of the files; NULL: none was made */
    char *work;    /* of the journal, on the disk where journals are; NULL likewise */
    int folder_fd; /* locks it, as nobody else's leftover; negative: not */
    int work_fd;
    char *journal;
    char id[32]; /* begins the files' names, and is no other run's */
};

/* 0, -ERR_IO, -ERR_CONFIG, -ERR_NOMEM; release it in any case. */
int bench_data_make(struct bench_data *data, int files, int64_t size_bytes,
                    struct err *err) WARN_UNUSED;
/* Removes both folders. */
void bench_data_release(struct bench_data *data);

#endif
