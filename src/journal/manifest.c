/*
 * manifest.c - see manifest.h.
 *
 * manifest has the rows, wide and written once; manifest_key finds them by the hash of their path
 * or name, as path_key does for assets; manifest_use counts the files of a walk that a row is for.
 */
#include "journal/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/naming.h"

/* ---- writing ------------------------------------------------------------------------------- */

int manifest_clear(struct store *store, struct err *err)
{
    static const enum sql_id statements[] = {SQL_MANIFEST_CLEAR, SQL_MANIFEST_KEY_CLEAR,
                                             SQL_MANIFEST_USE_CLEAR};
    int rc = 0;
    for (size_t i = 0; !rc && i < sizeof statements / sizeof *statements; i++)
        rc = sql_do(&store->sql, statements[i], err);
    counters_set(&store->counters, COUNTERS_MANIFEST_ROWS, 0);
    counters_set(&store->counters, COUNTERS_MANIFEST_UNUSED, 0);
    return rc;
}

static int64_t key_of(const char *text, int by_name)
{
    return naming_path_key(by_name, text);
}

/*
 * The row of a path or name: 1 and its id, 0 and *key is where it belongs, or negative.
 */
static int find_row(struct store *store, const char *text, int by_name, int64_t *key,
                    int64_t *out_id, struct err *err)
{
    for (;; *key = naming_next_key(*key)) {
        sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_BY_KEY);
        sqlite3_bind_int64(stmt, 1, *key);
        int rc = sql_next(&store->sql, stmt, err);
        if (rc <= 0)
            return rc;
        const char *other = (const char *)sqlite3_column_text(stmt, 1);
        int same = other && !strcmp(other, text) && sqlite3_column_int(stmt, 2) == by_name;
        *out_id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        if (same)
            return 1;
    }
}

static int fail_row(struct store *store, int64_t id, const char *text, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_FAIL);
    sqlite3_bind_int64(stmt, 1, id);
    sql_bind_text(stmt, 2, text);
    return sql_run(&store->sql, stmt, err);
}

/* Neither of the two can be followed: who knows which one is meant? */
static int fail_twins(struct store *store, int64_t first, int64_t second, int64_t second_line,
                      struct err *err)
{
    char text[128];
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_LINE);
    sqlite3_bind_int64(stmt, 1, first);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    snprintf(text, sizeof text, "manifest lines %lld and %lld are for the same file; keep one",
             (long long)sqlite3_column_int64(stmt, 0), (long long)second_line);
    sqlite3_reset(stmt);
    rc = fail_row(store, first, text, err);
    return rc ? rc : fail_row(store, second, text, err);
}

static int insert_row(struct store *store, const struct journal_manifest_row *row, int64_t id,
                      struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_ADD);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, row->line);
    sql_bind_text(stmt, 3, row->key);
    sqlite3_bind_int(stmt, 4, row->by_name);
    sql_bind_text(stmt, 5, row->error);
    sql_bind_text(stmt, 6, row->file_name);
    sqlite3_bind_int(stmt, 7, row->published);
    sql_bind_text(stmt, 8, row->publish_start);
    sql_bind_text(stmt, 9, row->publish_end);
    sql_bind_text(stmt, 10, row->region_ids);
    sql_bind_text(stmt, 11, row->collections);
    sql_bind_text(stmt, 12, row->attributes);
    int rc = sql_run(&store->sql, stmt, err);
    if (rc)
        return rc;
    stmt = sql_get(&store->sql, SQL_MANIFEST_USE_ADD);
    sqlite3_bind_int64(stmt, 1, id);
    return sql_run(&store->sql, stmt, err);
}

static int add_row(struct store *store, const struct journal_manifest_row *row, struct err *err)
{
    struct counters *counters = &store->counters;
    int64_t id = counters->numbers[COUNTERS_MANIFEST_ROWS] + 1;
    int64_t key = row->key ? key_of(row->key, row->by_name) : 0;
    int64_t twin = 0;
    int rc = row->key ? find_row(store, row->key, row->by_name, &key, &twin, err) : 0;
    int is_twin = rc > 0;
    if (rc >= 0)
        rc = insert_row(store, row, id, err);
    counters_add(counters, COUNTERS_MANIFEST_ROWS, 1);
    if (rc || !row->key)
        return rc;
    if (is_twin)
        return fail_twins(store, twin, id, row->line, err);
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_KEY_ADD);
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, id);
    return sql_run(&store->sql, stmt, err);
}

int manifest_add(struct store *store, const struct journal_manifest_row *rows, size_t count,
                 struct err *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++)
        rc = add_row(store, &rows[i], err);
    store->fresh.walked += count;
    return rc;
}

/* ---- finding ------------------------------------------------------------------------------- */

/* The columns of SQL_MANIFEST_GET; the texts stand in one piece of memory. */
static int read_row(struct store *store, int64_t id, struct journal_manifest_query *query,
                    struct err *err)
{
    struct journal_manifest_row *row = &query->row;
    const char **const texts[] = {&row->key,           &row->error,       &row->file_name,
                                  &row->publish_start, &row->publish_end, &row->region_ids,
                                  &row->collections,   &row->attributes};
    static const int columns[] = {1, 4, 5, 6, 7, 8, 9, 10};
    enum { TEXTS = sizeof columns / sizeof *columns };
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    size_t bytes = 0;
    for (int i = 0; i < TEXTS; i++)
        bytes += (size_t)sqlite3_column_bytes(stmt, columns[i]) + 1;
    char *at = query->memory = malloc(bytes);
    for (int i = 0; at && i < TEXTS; i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, columns[i]);
        *texts[i] = text ? at : NULL;
        at = text ? stpcpy(at, text) + 1 : at;
    }
    row->line = sqlite3_column_int64(stmt, 0);
    row->by_name = sqlite3_column_int(stmt, 2);
    row->published = sqlite3_column_int(stmt, 3);
    sqlite3_reset(stmt);
    return at ? 0 : err_set(err, ERR_NOMEM, "no memory for a row of the manifest");
}

/* The row that is for a file: by its path, by its absolute path, or by its name. */
static int find_file(struct store *store, const struct journal_manifest_query *query,
                     int64_t *out_id, struct err *err)
{
    const char *const texts[] = {query->path, query->abs_path, query->name};
    for (int i = 0; i < 3; i++) {
        int by_name = i == 2;
        int64_t key = texts[i] ? key_of(texts[i], by_name) : 0;
        int rc = texts[i] ? find_row(store, texts[i], by_name, &key, out_id, err) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

static int count_use(struct store *store, int64_t id, struct err *err)
{
    return sql_do_id(&store->sql, SQL_MANIFEST_USE, id, err);
}

static int read_uses(struct store *store, int64_t id, int64_t *out_files, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_USE_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    *out_files = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return 0;
}

int manifest_find(struct store *store, struct journal_manifest_query *queries, size_t count,
                  unsigned how, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        int64_t id = 0;
        rc = find_file(store, &queries[i], &id, err);
        int is_found = rc > 0;
        rc = is_found ? 0 : rc;
        if (is_found && (how & JOURNAL_MANIFEST_COUNT))
            rc = count_use(store, id, err);
        if (!rc && is_found && (how & JOURNAL_MANIFEST_READ))
            rc = read_uses(store, id, &queries[i].files, err);
        if (!rc && is_found && (how & JOURNAL_MANIFEST_READ))
            rc = read_row(store, id, &queries[i], err);
    }
    return rc;
}

/* ---- walks --------------------------------------------------------------------------------- */

int manifest_begin_walk(struct store *store, struct err *err)
{
    return store->counters.numbers[COUNTERS_MANIFEST_ROWS]
               ? sql_do(&store->sql, SQL_MANIFEST_USE_RESET, err)
               : 0;
}

int manifest_finish_walk(struct store *store, struct err *err)
{
    if (!store->counters.numbers[COUNTERS_MANIFEST_ROWS])
        return 0;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_UNUSED_COUNT);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    counters_set(&store->counters, COUNTERS_MANIFEST_UNUSED, sqlite3_column_int64(stmt, 0));
    sqlite3_reset(stmt);
    return 0;
}

/* ---- assets -------------------------------------------------------------------------------- */

static int is_same_text(sqlite3_stmt *stmt, int column, const char *text)
{
    const char *kept = (const char *)sqlite3_column_text(stmt, column);
    return kept && text ? !strcmp(kept, text) : kept == text;
}

/* 1 where the journal says the same already, 0, or negative. */
static int is_kept(struct store *store, int64_t id, const struct journal_manifest_row *row,
                   struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_FILE_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    int same = sqlite3_column_int64(stmt, 0) == row->line &&
               sqlite3_column_int(stmt, 1) == row->published &&
               is_same_text(stmt, 2, row->publish_start) &&
               is_same_text(stmt, 3, row->publish_end) && is_same_text(stmt, 4, row->region_ids);
    sqlite3_reset(stmt);
    return same;
}

int manifest_keep(struct store *store, const struct journal_found *found, struct work *work,
                  struct err *err)
{
    const struct journal_manifest_row *row = found->manifest;
    int had = (work->marks & WORK_MANIFEST) != 0;
    if (!row && !had)
        return 0;
    if (!row) {
        work->marks &= ~(unsigned)WORK_MANIFEST;
        return sql_do_id(&store->sql, SQL_MANIFEST_FILE_DROP, work->id, err);
    }
    int rc = had ? is_kept(store, work->id, row, err) : 0;
    work->marks |= WORK_MANIFEST;
    if (rc)
        return rc < 0 ? rc : 0;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MANIFEST_FILE_SET);
    sqlite3_bind_int64(stmt, 1, work->id);
    sqlite3_bind_int64(stmt, 2, row->line);
    sqlite3_bind_int(stmt, 3, row->published);
    sql_bind_text(stmt, 4, row->publish_start);
    sql_bind_text(stmt, 5, row->publish_end);
    sql_bind_text(stmt, 6, row->region_ids);
    return sql_run(&store->sql, stmt, err);
}
