/*
 * folder_walk.h - where a walk stands among the folders: the journal's numbers of the folder it is
 * in and of those above. On the walker's thread.
 */
#ifndef PIPELINE_FOLDER_WALK_H
#define PIPELINE_FOLDER_WALK_H

#include "pipeline/pipeline.h"

struct folder_level {
    size_t raw_len;  /* of `raw`, up to this folder */
    size_t name_len; /* of `names`, likewise */
    int64_t id;      /* 0: it can be none in PXM */
};

struct folder_walk {
    struct journal *journal;
    const struct job_options *options;
    size_t root_idx;
    struct buf raw;   /* the path below the root, as it is */
    struct buf names; /* the root's name and the path, as PXM gets them */
    struct folder_level *levels;
    size_t depth; /* 0: nowhere yet */
    size_t cap;
};

void folder_walk_init(struct folder_walk *walk, const struct job_options *options,
                      struct journal *journal);
void folder_walk_release(struct folder_walk *walk);
/*
 * The number of the folder that a file of a root lies in; path as the walk gave it. 0;
 * -ERR_NAME_INVALID where it, or one above it, can be none in PXM; other codes end the walk.
 */
int folder_walk_find(struct folder_walk *walk, size_t root_idx, const char *path, int64_t *out_id,
                     struct err *err) WARN_UNUSED;

#endif
