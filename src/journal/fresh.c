/*
 * fresh.c - see fresh.h.
 *
 * Invariant: between two calls of the writer `rows` is empty. `names` and `keys` are not; whoever
 * reads name_key or the queues writes them first.
 */
#include "journal/fresh.h"

#include <stdlib.h>
#include <string.h>

#include "journal/feed.h"
#include "journal/store.h"

void fresh_forget_queue(struct store *store)
{
    struct fresh *fresh = &store->fresh;
    fresh->key_count = 0;
    fresh->largest_bytes = 0;
    fresh->first_id = store->last_id + 1;
}

void fresh_init(struct store *store)
{
    store->fresh.names.is_whole = !store->last_id;
    store->fresh.written_id = store->last_id;
    fresh_forget_queue(store);
}

void fresh_release(struct fresh *fresh)
{
    nameset_release(&fresh->names);
    free(fresh->keys);
    fresh->keys = NULL;
}

static int run_feed(struct store *store, enum sql_id id, const struct feed *feed, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, id);
    feed_bind(stmt, 1, feed);
    return sql_run(&store->sql, stmt, err);
}

/* ---- paths ------------------------------------------------------------------------------- */

struct paths {
    const int64_t *keys;
    int64_t first_id;
};

static void path_column(const void *rows, size_t row, int column, sqlite3_context *out)
{
    const struct paths *paths = rows;
    sqlite3_result_int64(out, column ? paths->first_id + (int64_t)row : paths->keys[row]);
}

int fresh_add_paths(struct store *store, const int64_t *keys, size_t count, int64_t first_id,
                    struct err *err)
{
    struct paths paths = {keys, first_id};
    int rc = run_feed(store, SQL_PATH_ADD_ALL, &(struct feed){count, path_column, &paths}, err);
    return rc ? rc : (size_t)sqlite3_changes64(store->sql.db) == count;
}

/* ---- assets ------------------------------------------------------------------------------ */

static void asset_column(const void *rows, size_t row, int column, sqlite3_context *out)
{
    const struct fresh *fresh = rows;
    const struct fresh_row *new = &fresh->rows[row];
    const struct file_stamp *stamp = &new->stamp;
    switch (column) {
    case 0:
        sqlite3_result_int64(out, new->work.id);
        break;
    case 1:
        sqlite3_result_int64(out, new->root_id);
        break;
    case 2:
        sqlite3_result_blob(out, new->path, (int)strlen(new->path), SQLITE_STATIC);
        break;
    case 3:
        sqlite3_result_text(out, new->name, -1, SQLITE_STATIC);
        break;
    case 4:
        sqlite3_result_int64(out, (int64_t)stamp->dev);
        break;
    case 5:
        sqlite3_result_int64(out, (int64_t)stamp->ino);
        break;
    case 6:
        sqlite3_result_int64(out, stamp->mtime_ns);
        break;
    case 7:
        sqlite3_result_int64(out, stamp->ctime_ns);
        break;
    default:
        sqlite3_result_int64(out, fresh->added_ms);
    }
}

static void work_column(const void *rows, size_t row, int column, sqlite3_context *out)
{
    const struct store *store = rows;
    const struct work *work = &store->fresh.rows[row].work;
    const int64_t columns[] = {
        work->id,
        work->wave,
        (int64_t)work->state,
        counters_class_of(&store->counters, work->code),
        work->size_bytes,
        work->mime_id,
        work->tries,
        work->marks,
        work->folder_id,
    };
    sqlite3_result_int64(out, columns[column]);
}

int fresh_add(struct store *store, const struct fresh_row *row, struct err *err)
{
    struct fresh *fresh = &store->fresh;
    int rc = fresh->row_count == LIMIT_WALK_BATCH ? fresh_write(store, err) : 0;
    if (rc)
        return rc;
    fresh->rows[fresh->row_count++] = *row;
    return store_add_work(store, &row->work, err);
}

/* Rows whose ids follow each other and the last one, as nearly all do. */
static int append_rows(struct store *store, enum sql_id id, const struct feed *feed,
                       int64_t last_id, struct err *err)
{
    int rc = run_feed(store, id, feed, err);
    if (!rc && sqlite3_last_insert_rowid(store->sql.db) != last_id)
        rc = err_set(err, ERR_JOURNAL, "journal %s is damaged: its assets end elsewhere",
                     store->sql.path);
    return rc;
}

int fresh_write(struct store *store, struct err *err)
{
    struct fresh *fresh = &store->fresh;
    size_t count = fresh->row_count;
    if (!count)
        return 0;
    struct feed assets = {count, asset_column, fresh};
    struct feed works = {count, work_column, store};
    int64_t last_id = fresh->rows[count - 1].work.id;
    int rc;
    if (last_id == fresh->written_id + (int64_t)count) {
        rc = append_rows(store, SQL_ASSET_APPEND_ALL, &assets, last_id, err);
        if (!rc)
            rc = append_rows(store, SQL_WORK_APPEND_ALL, &works, last_id, err);
    } else {
        rc = run_feed(store, SQL_ASSET_ADD_ALL, &assets, err);
        if (!rc)
            rc = run_feed(store, SQL_WORK_ADD_ALL, &works, err);
    }
    fresh->written_id = last_id;
    fresh->row_count = 0;
    return rc;
}

/* ---- names ------------------------------------------------------------------------------- */

static void name_column(const void *rows, size_t row, int column, sqlite3_context *out)
{
    const struct nameset_item *items = rows;
    sqlite3_result_int64(out, column ? items[row].id : items[row].key);
}

int fresh_write_names(struct store *store, struct err *err)
{
    struct nameset *names = &store->fresh.names;
    if (!names->count)
        return 0;
    size_t count = nameset_sort(names);
    int rc =
        run_feed(store, SQL_NAME_ADD_ALL, &(struct feed){count, name_column, names->items}, err);
    nameset_clear(names);
    return rc;
}

int fresh_add_name(struct store *store, int64_t key, int64_t id, struct err *err)
{
    struct nameset *names = &store->fresh.names;
    int rc = nameset_fits(names, key) ? 0 : fresh_write_names(store, err);
    return rc ? rc : nameset_add(names, key, id, err);
}

/* ---- queues ------------------------------------------------------------------------------ */

static void id_column(const void *rows, size_t row, int column, sqlite3_context *out)
{
    (void)column;
    sqlite3_result_int64(out, ((const int64_t *)rows)[row] & CLAIM_ID_MASK);
}

static void key_column(const void *rows, size_t row, int column, sqlite3_context *out)
{
    (void)column;
    sqlite3_result_int64(out, ((const int64_t *)rows)[row]);
}

/*
 * The keys by class; they come with their ids in ascending order, which stays. NULL on lack of
 * memory.
 */
static int64_t *sort_keys(const int64_t *keys, size_t count)
{
    size_t starts[CLAIM_CLASSES] = {0};
    int64_t *sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < count; i++)
        starts[keys[i] >> CLAIM_ID_BITS]++;
    size_t start = 0;
    for (size_t i = 0; i < CLAIM_CLASSES; i++) {
        size_t of_class = starts[i];
        starts[i] = start;
        start += of_class;
    }
    for (size_t i = 0; i < count; i++)
        sorted[starts[keys[i] >> CLAIM_ID_BITS]++] = keys[i];
    return sorted;
}

int fresh_add_pending(struct store *store, const struct work *work, struct err *err)
{
    struct fresh *fresh = &store->fresh;
    if (fresh->key_count == fresh->key_cap) {
        size_t cap = fresh->key_cap ? fresh->key_cap * 2 : 1024;
        int64_t *keys = realloc(fresh->keys, cap * sizeof *keys);
        if (!keys)
            return err_set(err, ERR_NOMEM, "no memory for the queue");
        fresh->keys = keys;
        fresh->key_cap = cap;
    }
    fresh->keys[fresh->key_count++] = claim_size_key(work->id, work->size_bytes);
    if (work->size_bytes > fresh->largest_bytes)
        fresh->largest_bytes = work->size_bytes;
    claim_offer(&store->claims, work->id, work->size_bytes);
    return 0;
}

/* By id as they came; by size sorted, so that thousands go page by page through the tree. */
int fresh_queue(struct store *store, struct err *err)
{
    struct fresh *fresh = &store->fresh;
    if (!fresh->key_count)
        return 0;
    int64_t *sorted = sort_keys(fresh->keys, fresh->key_count);
    if (!sorted)
        return err_set(err, ERR_NOMEM, "no memory for the queue");
    struct feed by_id = {fresh->key_count, id_column, fresh->keys};
    struct feed by_size = {fresh->key_count, key_column, sorted};
    int rc = run_feed(store, SQL_QUEUE_ADD_ALL, &by_id, err);
    if (!rc)
        rc = run_feed(store, SQL_SIZES_ADD_ALL, &by_size, err);
    free(sorted);
    fresh_forget_queue(store);
    return rc;
}
