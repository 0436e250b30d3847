/*
 * sql.h - every SQL statement of the journal in one table, and the few helpers that run them.
 * One struct sql is one connection and belongs to one thread at a time.
 */
#ifndef JOURNAL_SQL_H
#define JOURNAL_SQL_H

#include <sqlite3.h>

#include "base/err.h"

/* The texts stand in sql.c, in the same order. */
enum sql_id {
    SQL_BEGIN,
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_META_GET,
    SQL_META_SET,
    SQL_CONTROL_EACH,
    SQL_CONTROL_SET,
    SQL_CLASS_EACH,
    SQL_CLASS_ADD,
    SQL_ROOT_FIND,
    SQL_ROOT_ADD,
    SQL_MIME_FIND,
    SQL_MIME_ADD,
    SQL_TALLY_EACH,
    SQL_TALLY_SET,
    SQL_TALLY_CLEAR,
    SQL_LARGEST_PENDING,
    SQL_EXCLUDED_ADD,
    SQL_EXCLUDED_EACH,
    SQL_EXCLUDED_SUM,
    SQL_EXCLUDED_CLEAR,
    SQL_ISSUE_ADD,
    SQL_ISSUE_EACH,
    SQL_ISSUE_CLEAR,
    SQL_LAST_ID,
    SQL_ASSET_ADD_ALL,
    SQL_ASSET_APPEND_ALL,
    SQL_ASSET_BY_PATH,
    SQL_ASSET_NAME,
    SQL_ASSET_OWNER,
    SQL_ASSET_PLACE,
    SQL_ASSET_STAMP,
    SQL_ASSET_SET_STAMP,
    SQL_ASSET_SET_NAME,
    SQL_PATH_ADD_ALL,
    SQL_PATH_GET,
    SQL_PATH_ADD,
    SQL_NAME_ADD,
    SQL_NAME_ADD_ALL,
    SQL_NAME_SET,
    SQL_NAME_GET,
    SQL_NAME_OWNER,
    SQL_WORK_ADD_ALL,
    SQL_WORK_APPEND_ALL,
    SQL_WORK_GET,
    SQL_WORK_SET,
    SQL_QUEUE_ADD,
    SQL_QUEUE_ADD_ALL,
    SQL_QUEUE_DROP,
    SQL_QUEUE_CLEAR,
    SQL_SIZES_ADD,
    SQL_SIZES_ADD_ALL,
    SQL_SIZES_DROP,
    SQL_SIZES_CLEAR,
    SQL_LINK_ADD,
    SQL_LINK_DROP,
    SQL_LINK_CLEAR,
    SQL_HELD_ADD,
    SQL_HELD_DROP,
    SQL_HELD_CLEAR,
    SQL_HELD_NEXT,
    SQL_HELD_FIRST,
    SQL_HELD_QUEUE,
    SQL_HELD_RELEASE,
    SQL_MAPPING_FIND,
    SQL_MAPPING_ADD,
    SQL_FOLDER_FIND,
    SQL_FOLDER_ADD,
    SQL_FOLDER_GET,
    SQL_FOLDER_TITLED,
    SQL_FOLDER_SET_TITLE,
    SQL_FOLDER_SEE_FILES,
    SQL_FOLDER_SEE_FOLDERS,
    SQL_FOLDER_SET_CATEGORY,
    SQL_FOLDER_SET_COLLECTION,
    SQL_FOLDER_READY,
    SQL_FOLDER_INTENT_GET,
    SQL_FOLDER_INTENT_SET,
    SQL_FOLDER_INTENT_LOOKED,
    SQL_FOLDER_INTENT_DROP,
    SQL_FOLDER_INTENT_TRIES,
    SQL_FOLDER_FAILURE_GET,
    SQL_FOLDER_FAILURE_SET,
    SQL_FOLDER_FAILURE_CLEAR,
    SQL_LISTED_ADD,
    SQL_LISTED_FIND,
    SQL_LISTED_CLEAR,
    SQL_MANIFEST_CLEAR,
    SQL_MANIFEST_KEY_CLEAR,
    SQL_MANIFEST_USE_CLEAR,
    SQL_MANIFEST_ADD,
    SQL_MANIFEST_KEY_ADD,
    SQL_MANIFEST_USE_ADD,
    SQL_MANIFEST_BY_KEY,
    SQL_MANIFEST_LINE,
    SQL_MANIFEST_FAIL,
    SQL_MANIFEST_GET,
    SQL_MANIFEST_USE,
    SQL_MANIFEST_USE_GET,
    SQL_MANIFEST_USE_RESET,
    SQL_MANIFEST_UNUSED_COUNT,
    SQL_MANIFEST_UNUSED_EACH,
    SQL_MANIFEST_FILE_GET,
    SQL_MANIFEST_FILE_SET,
    SQL_MANIFEST_FILE_DROP,
    SQL_WISH_GET,
    SQL_WISH_SET,
    SQL_WISH_DROP,
    SQL_RESULT_SET,
    SQL_RESULT_DONE,
    SQL_RESULT_DROP,
    SQL_FORMER_SET,
    SQL_FORMER_DOUBT,
    SQL_SESSION_SET,
    SQL_SESSION_INTENT,
    SQL_SESSION_NO_INTENT,
    SQL_SESSION_HAS_INTENT,
    SQL_SESSION_DROP,
    SQL_PART_SET,
    SQL_PART_SUM,
    SQL_PART_EACH,
    SQL_PART_DROP,
    SQL_FAILURE_SET,
    SQL_FAILURE_DROP,
    SQL_FAILED_PAGE,
    SQL_FAILED_ONLY_PAGE,
    SQL_ORPHAN_PAGE,
    SQL_REQUEST_ADD,
    SQL_REQUEST_PRUNE,
    SQL_REQUEST_EACH,
    SQL_REQUEST_AGE,
    SQL_REQUEST_AGED,
    SQL_CLAIM_BY_PATH,
    SQL_CLAIM_SMALL_BY_PATH,
    SQL_CLAIM_BY_SIZE,
    SQL_CLAIM_LINKS,
    SQL_CLAIM_GET,
    SQL_CLAIM_WISH,
    SQL_CLAIM_MANIFEST,
    SQL_ROW_EACH,
    SQL_HISTORY_ADD,
    SQL_HISTORY_COUNT,
    SQL_HISTORY_JOIN,
    SQL_HISTORY_JOINED,
    SQL_HISTORY_EACH,
    SQL_COUNT,
};

struct sql {
    sqlite3 *db;
    const char *path; /* for messages; the journal's, outlives this */
    int held;         /* a read transaction stays open from call to call, see reader_hold() */
    sqlite3_stmt *statements[SQL_COUNT];
};

/* The text of a statement, NULL past the last. */
const char *sql_text(size_t n);
/* Why this statement may read a whole large table; NULL: it may not. */
const char *sql_scan_reason(size_t n);

/* Opens a connection with sqlite3_open_v2's flags. `name` is a path, or a URI with that flag. */
int sql_open(struct sql *sql, const char *path, const char *name, int flags,
             struct err *err) WARN_UNUSED;
void sql_close(struct sql *sql);

/*
 * The statement, reset and ready for binding; prepared at its first use. NULL when that failed:
 * binding to NULL is harmless, and sql_run and sql_next then report the failure.
 */
sqlite3_stmt *sql_get(struct sql *sql, enum sql_id id);
void sql_bind_text(sqlite3_stmt *stmt, int column, const char *text); /* NULL binds NULL */
/* Runs a statement that returns no row, or whose rows do not matter, and resets it. */
int sql_run(struct sql *sql, sqlite3_stmt *stmt, struct err *err) WARN_UNUSED;
/* Steps: 1 a row, 0 no more, negative a failure; the last two reset the statement. */
int sql_next(struct sql *sql, sqlite3_stmt *stmt, struct err *err) WARN_UNUSED;
/* sql_get and sql_run of a statement without parameters, or with one id. */
int sql_do(struct sql *sql, enum sql_id id, struct err *err) WARN_UNUSED;
int sql_do_id(struct sql *sql, enum sql_id id, int64_t value, struct err *err) WARN_UNUSED;
/* Ad-hoc text, for schema and pragmas alone; *out (NULL allowed) takes the first column's int. */
int sql_exec(struct sql *sql, const char *text, int64_t *out, struct err *err) WARN_UNUSED;

/* Turns the connection's last failure into *err; returns its negative code. */
int sql_fail(struct sql *sql, struct err *err);

#endif
