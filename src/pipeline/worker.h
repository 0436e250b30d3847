/*
 * worker.h - threads that read, type and digest local files. A work item is whole: the worker
 * touches nothing but the item and the source it names; the asset pointer is for the loop.
 */
#ifndef PIPELINE_WORKER_H
#define PIPELINE_WORKER_H

#include "scan/scan.h"

enum work_kind { WORK_PREPARE, WORK_DIGEST };

struct work {
    enum work_kind kind;
    struct asset *asset;
    int rc;
    struct err error;
    int want_md5;
    unsigned char md5[16];
    /* PREPARE, in: borrowed from the asset, which stays while the work is out */
    const char *root;
    const char *path;
    const char *name;
    const struct file_stamp *expected; /* as the journal has it */
    int copy_links;
    int want_snapshot;
    int64_t former_bytes;            /* with former_md5 */
    const unsigned char *former_md5; /* NULL: nothing to compare the bytes with */
    /* PREPARE, out */
    int is_former;         /* the bytes are those of former_md5, whatever the file's time says */
    struct source *source; /* NULL with a snapshot */
    char *snapshot;
    struct file_stamp stamp;
    char mime_type[MIME_MAX];
    int mime_contradicted;
    int has_md5;
    /* DIGEST, in: source stays open while the work is out */
    struct source *digest_source;
    size_t part_idx;
    int64_t start;
    int64_t len;
};

struct workers;
/* wake(user) is called on a worker's thread when an item is done. */
int workers_new(int threads, size_t capacity, void (*wake)(void *user), void *user,
                struct workers **out, struct err *err) WARN_UNUSED;
/* Waits for what runs; items that were not begun are done with -ERR_STOPPED. */
void workers_free(struct workers *workers);
/* Never waits: the caller bounds how much is out. The item is the pool's until workers_next. */
void workers_submit(struct workers *workers, struct work *work);
struct work *workers_next(struct workers *workers);

#endif
