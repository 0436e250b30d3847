/*
 * reader.c - see reader.h. Each call is one read transaction, so it sees one moment of the
 * journal however long it takes.
 */
#include "journal/reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "journal/claim.h"
#include "journal/counters.h"
#include "journal/naming.h"
#include "journal/schema.h"

#define BUSY_MS 5000 /* a writer that recovers its log holds readers up for a moment */

/* "file:...?immutable=1": no lock, no log, no shared memory. */
static int open_immutable(struct sql *sql, const char *path, struct err *err)
{
    struct buf uri;
    buf_init(&uri, 3 * LIMIT_PATH_BYTES + 64);
    int rc = buf_puts(&uri, "file:");
    for (const char *at = path; !rc && *at; at++)
        rc = strchr("%?#", *at) ? buf_printf(&uri, "%%%02X", (unsigned)*at)
                                : buf_append(&uri, at, 1);
    if (!rc)
        rc = buf_puts(&uri, "?immutable=1");
    if (rc)
        err_set(err, ERR_NOMEM, "no memory for the journal's path");
    else
        rc = sql_open(sql, path, buf_str(&uri), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    buf_release(&uri);
    return rc;
}

/* A log that is not empty holds commits that the file lacks. */
static int has_log(const char *path)
{
    struct buf log;
    struct stat st;
    buf_init(&log, LIMIT_PATH_BYTES + 16);
    int has = buf_printf(&log, "%s-wal", path) || (!stat(buf_str(&log), &st) && st.st_size > 0);
    buf_release(&log);
    return has;
}

int reader_open(struct sql *sql, const char *path, struct err *err)
{
    int rc = sql_open(sql, path, path, SQLITE_OPEN_READONLY, err);
    if (rc)
        return rc;
    sqlite3_busy_timeout(sql->db, BUSY_MS);
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = schema_check(sql, 0, err);
    if (!rc)
        return 0;
    sql_close(sql);
    /*
     * A closed journal in a folder where this user may make no files: SQLite wants its shared
     * memory there. Nobody writes it, or the log would be there, so it can be read as it is.
     */
    if (rc != -ERR_IO)
        return rc;
    if (has_log(path)) {
        struct err cause = *err;
        return err_set(err, ERR_IO,
                       "%.300s; a journal that was not closed is read only where files can be "
                       "made: copy it and its -wal file to such a folder",
                       cause.text);
    }
    rc = open_immutable(sql, path, err);
    if (rc)
        return rc;
    rc = schema_check(sql, 0, err);
    if (rc)
        sql_close(sql);
    return rc;
}

static int begin(struct sql *sql, struct counters *counters, struct err *err)
{
    int rc = sql->held ? 0 : sql_do(sql, SQL_BEGIN_READ, err);
    if (rc)
        return rc;
    rc = counters_load(counters, sql, err);
    struct err ignored;
    if (rc && !sql->held && sql_do(sql, SQL_ROLLBACK, &ignored))
        err_clear(&ignored);
    return rc;
}

/* Ends the transaction; the first failure counts. */
static int end(struct sql *sql, int rc, struct err *err)
{
    struct err ignored;
    int ended = sql->held ? 0 : sql_do(sql, SQL_COMMIT, rc ? &ignored : err);
    return rc ? rc : ended;
}

int reader_hold(struct sql *sql, struct err *err)
{
    BUG_ON(sql->held);
    int rc = sql_do(sql, SQL_BEGIN_READ, err);
    sql->held = !rc;
    return rc;
}

void reader_let_go(struct sql *sql)
{
    struct err ignored;
    if (sql->held && sql_do(sql, SQL_COMMIT, &ignored))
        err_clear(&ignored); /* nothing was written: there is nothing to lose */
    sql->held = 0;
}

int reader_was_killed(struct sql *sql, int *out, struct err *err)
{
    struct counters counters;
    int rc = begin(sql, &counters, err);
    if (rc)
        return rc;
    *out = !counters.numbers[COUNTERS_CLEAN];
    return end(sql, 0, err);
}

int reader_books(struct sql *sql, struct journal_books *out, struct err *err)
{
    struct counters counters;
    int rc = begin(sql, &counters, err);
    if (rc)
        return rc;
    counters_fill_books(&counters, out);
    sqlite3_stmt *stmt = sql_get(sql, SQL_LARGEST_PENDING);
    sqlite3_bind_int64(stmt, 1, CLAIM_ID_MASK);
    rc = sql_next(sql, stmt, err);
    if (rc > 0) {
        out->largest_pending_bytes = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        rc = 0;
    }
    return end(sql, rc, err);
}

/* Raw bytes of a path column as a string: SQLite ends what it hands out as text with a NUL. */
static const char *text_column(sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

/* Where there is always a text: an empty blob comes as NULL, and so does what is damaged. */
static const char *text_or_empty(sqlite3_stmt *stmt, int column)
{
    const char *text = text_column(stmt, column);
    return text ? text : "";
}

/* The columns of SQL_ROW_EACH; room is where composed texts stand. */
struct row_room {
    char uuid[NAMING_UUID_MAX];
    char etag[NAMING_ETAG_MAX];
};

static void read_row(sqlite3_stmt *stmt, const struct counters *counters, struct row_room *room,
                     struct journal_row *out)
{
    *out = (struct journal_row){
        .asset_id = sqlite3_column_int64(stmt, 0),
        .root = text_or_empty(stmt, 1),
        .path = text_or_empty(stmt, 2),
        .name = text_column(stmt, 3),
        .mime_type = text_column(stmt, 4),
        .stamp = {.dev = (uint64_t)sqlite3_column_int64(stmt, 5),
                  .ino = (uint64_t)sqlite3_column_int64(stmt, 6),
                  .size_bytes = sqlite3_column_int64(stmt, 7),
                  .mtime_ns = sqlite3_column_int64(stmt, 8),
                  .ctime_ns = sqlite3_column_int64(stmt, 9)},
        .state = (enum asset_state)sqlite3_column_int(stmt, 10),
        .wave = sqlite3_column_int64(stmt, 11),
        .added_ms = sqlite3_column_int64(stmt, 12),
        .done_ms = sqlite3_column_int64(stmt, 13),
        .file_id = naming_read_file_id(stmt, 14, room->uuid),
        .error = counters_code_of(counters, sqlite3_column_int64(stmt, 17)),
        .http_status = sqlite3_column_int(stmt, 18),
        .error_text = text_column(stmt, 19),
        .request_id = text_column(stmt, 20),
        .owner_id = sqlite3_column_int64(stmt, 21),
        .tries = sqlite3_column_int(stmt, 22),
        .took_ms = sqlite3_column_int64(stmt, 23),
        .version = text_column(stmt, 24),
        .cdn_url = text_column(stmt, 25),
        .manifest_line = sqlite3_column_int64(stmt, 26),
        .collection_id = text_column(stmt, 27),
        .wish_collections = text_column(stmt, 28),
    };
    out->has_md5 = naming_read_md5(stmt, 15, out->md5);
    out->etag = naming_read_etag(stmt, 16, out->md5, room->etag);
    if (!out->name)
        out->name = naming_last_component(out->path);
    else if (!*out->name)
        out->name = NULL;
}

int reader_each_row(struct sql *sql, int (*fn)(const struct journal_row *row, void *user),
                    void *user, struct err *err)
{
    struct counters counters;
    int rc = begin(sql, &counters, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(sql, SQL_ROW_EACH);
    int stopped = 0;
    while (!stopped && (rc = sql_next(sql, stmt, err)) > 0) {
        struct row_room room;
        struct journal_row row;
        read_row(stmt, &counters, &room, &row);
        if ((unsigned)row.state < ASSET_STATE_COUNT)
            stopped = fn(&row, user);
    }
    sqlite3_reset(stmt);
    return end(sql, stopped ? stopped : rc, err);
}

int reader_each_excluded(struct sql *sql,
                         int (*fn)(const char *reason, int64_t files, int64_t bytes, void *user),
                         void *user, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(sql, SQL_EXCLUDED_EACH);
    int rc;
    int stopped = 0;
    while (!stopped && (rc = sql_next(sql, stmt, err)) > 0)
        stopped = fn(text_or_empty(stmt, 0), sqlite3_column_int64(stmt, 1),
                     sqlite3_column_int64(stmt, 2), user);
    sqlite3_reset(stmt);
    return stopped ? stopped : rc;
}

int reader_each_unused(struct sql *sql,
                       int (*fn)(int64_t line, const char *key, int by_name, const char *error,
                                 void *user),
                       void *user, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(sql, SQL_MANIFEST_UNUSED_EACH);
    int rc;
    int stopped = 0;
    while (!stopped && (rc = sql_next(sql, stmt, err)) > 0)
        stopped = fn(sqlite3_column_int64(stmt, 0), text_column(stmt, 1),
                     sqlite3_column_int(stmt, 2), text_column(stmt, 3), user);
    sqlite3_reset(stmt);
    return stopped ? stopped : rc;
}

int reader_each_moment(struct sql *sql, int (*fn)(const struct journal_moment *moment, void *user),
                       void *user, struct err *err)
{
    struct counters counters;
    int rc = begin(sql, &counters, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(sql, SQL_HISTORY_EACH);
    int stopped = 0;
    while (!stopped && (rc = sql_next(sql, stmt, err)) > 0) {
        struct journal_moment moment = {.from_ms = sqlite3_column_int64(stmt, 0)};
        moment.to_ms = moment.from_ms + counters.numbers[COUNTERS_HISTORY_MS];
        for (int i = 0; i < HISTORY_MEASURE_COUNT; i++)
            moment.sums[i] = sqlite3_column_int64(stmt, i + 1);
        stopped = fn(&moment, user);
    }
    sqlite3_reset(stmt);
    return end(sql, stopped ? stopped : rc, err);
}

int reader_each_issue(struct sql *sql,
                      int (*fn)(const char *path, enum err_code code, const char *text, void *user),
                      void *user, struct err *err)
{
    struct counters counters;
    int rc = begin(sql, &counters, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(sql, SQL_ISSUE_EACH);
    int stopped = 0;
    while (!stopped && (rc = sql_next(sql, stmt, err)) > 0)
        stopped =
            fn(text_or_empty(stmt, 0), counters_code_of(&counters, sqlite3_column_int64(stmt, 1)),
               text_column(stmt, 2), user);
    sqlite3_reset(stmt);
    return end(sql, stopped ? stopped : rc, err);
}

int reader_meta(struct sql *sql, const char *key, char **out_value, struct err *err)
{
    *out_value = NULL;
    sqlite3_stmt *stmt = sql_get(sql, SQL_META_GET);
    sql_bind_text(stmt, 1, key);
    int rc = sql_next(sql, stmt, err);
    if (rc <= 0)
        return rc;
    *out_value = strdup(text_or_empty(stmt, 0));
    sqlite3_reset(stmt);
    return *out_value ? 0 : err_set(err, ERR_NOMEM, "no memory for a setting");
}
