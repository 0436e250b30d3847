/*
 * folder.h - the folders of the tree and what they are in PXM: which are there this wave, their
 * names, their ids. On the writer's thread.
 */
#ifndef JOURNAL_FOLDER_H
#define JOURNAL_FOLDER_H

#include "base/buf.h"
#include "journal/idset.h"
#include "journal/journal.h"
#include "journal/sql.h"

struct store;

/* What the store keeps of them in memory. */
struct folder_state {
    int64_t mapping_id; /* 0: folders are left alone */
    int has_categories;
    char *top_id;    /* "" at the top */
    int64_t seen_id; /* the folder of the file seen last, in seen_wave */
    int64_t seen_wave;
    int64_t cursor;     /* the folder that files wait for, looked at last */
    int64_t listed_ms;  /* when the listing that `listed` holds began; 0: none yet */
    struct idset given; /* folder_key() of what is with the loop */
};

/* A row of `folder`; strings are the statement's, until its next use. */
struct folder {
    int64_t id;
    int64_t parent_id;
    const char *name;
    const char *title; /* its name in PXM; NULL: none was taken yet */
    const char *other_title;
    int64_t files_wave;
    int64_t folders_wave;
    const char *category_id; /* NULL: not known */
    const char *collection_id;
};

static inline int64_t folder_key(int64_t id, enum folder_kind kind)
{
    return id * 2 + (int64_t)kind;
}

void folder_release(struct folder_state *folders);
/* The rules that hold from now on; NULL: none. Failures and the listing are forgotten. */
int folder_map(struct store *store, const struct journal_mapping *mapping,
               struct err *err) WARN_UNUSED;
/* The number of a folder, made where it is new. */
int folder_find(struct store *store, const struct journal_folder *folder, int64_t *out_id,
                struct err *err) WARN_UNUSED;
/* 1 and *out, or 0 where there is no such row, or negative. */
int folder_get(struct store *store, int64_t id, struct folder *out, struct err *err) WARN_UNUSED;
/* 1 and a folder that has this title in PXM, 0, or negative. */
int folder_titled(struct store *store, const char *title, int64_t *out_id,
                  struct err *err) WARN_UNUSED;
/*
 * A file of the current wave lies in it. 0; -ERR_NAME_INVALID with the text where two folders
 * would be one collection; another negative code is a failure of the journal.
 */
int folder_see(struct store *store, int64_t id, struct err *err) WARN_UNUSED;
/* 1 where its collection is known, or known not to come; 0; negative. */
int folder_is_ready(struct store *store, int64_t id, struct err *err) WARN_UNUSED;
/* What PXM calls one of its two sides: NULL forgets it. */
int folder_set_id(struct store *store, int64_t id, enum folder_kind kind, const char *remote_id,
                  struct err *err) WARN_UNUSED;
/* Perhaps somebody deleted it in PXM: it and all above it are looked up by name again. */
int folder_doubt(struct store *store, int64_t id, struct err *err) WARN_UNUSED;
/* Appends its path below the first root, or as much of its end as fits. */
int folder_path(struct store *store, int64_t id, struct buf *out, struct err *err) WARN_UNUSED;

#endif
