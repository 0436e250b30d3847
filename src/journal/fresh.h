/*
 * fresh.h - new rows of a walk on their way into the tables: gathered, and written many with one
 * statement. What a batch found is in `asset` and `work` when the batch is done, names and queues
 * follow before the commit, and each before anything looks for it there. On the writer's thread.
 */
#ifndef JOURNAL_FRESH_H
#define JOURNAL_FRESH_H

#include "journal/nameset.h"
#include "journal/work.h"

struct store;

struct fresh_row {
    int64_t root_id;
    const char *path;
    const char *name; /* for column `name` */
    struct file_stamp stamp;
    struct work work;
};

struct fresh {
    size_t walked; /* found rows since the last commit, new or known */
    struct fresh_row rows[LIMIT_WALK_BATCH];
    size_t row_count;
    int64_t written_id; /* the last in `asset` and in `work` */
    int64_t added_ms;   /* wall: of the batch under way */
    struct nameset names;
    /*
     * New rows that do not stand in the queues yet: claim_size_key() of each, all ids from
     * first_id on.
     */
    int64_t *keys;
    size_t key_count;
    size_t key_cap;
    int64_t first_id;
    int64_t largest_bytes;
};

/* After last_id is known. */
void fresh_init(struct store *store);
void fresh_release(struct fresh *fresh);

/* Path keys, the rows' ids being first_id and on: 1 where all were new, 0 or negative. */
int fresh_add_paths(struct store *store, const int64_t *keys, size_t count, int64_t first_id,
                    struct err *err) WARN_UNUSED;
/* A row whose key stands in path_key and whose name is taken; what it points to stays a while. */
int fresh_add(struct store *store, const struct fresh_row *row, struct err *err) WARN_UNUSED;
/* Into `asset` and `work`. */
int fresh_write(struct store *store, struct err *err) WARN_UNUSED;

/* A name that is not in name_key. */
int fresh_add_name(struct store *store, int64_t key, int64_t id, struct err *err) WARN_UNUSED;
/* Into name_key. */
int fresh_write_names(struct store *store, struct err *err) WARN_UNUSED;

/* A pending one, to be queued. */
int fresh_add_pending(struct store *store, const struct work *work, struct err *err) WARN_UNUSED;
/* Into the queues. */
int fresh_queue(struct store *store, struct err *err) WARN_UNUSED;
/* The queues were emptied. */
void fresh_forget_queue(struct store *store);

#endif
