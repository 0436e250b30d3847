/*
 * schema.c - see schema.h.
 *
 * How the tables are cut, and why:
 *   asset    what the walk knows of a file; written once, in walk order, so its pages are full.
 *   work     the hot columns, narrow: a state change in random order dirties few pages, and a
 *            second walk rewrites 16 bytes a file instead of the whole row.
 *   queue, queue_by_size  the pending rows of the current wave, in the two orders they are claimed
 *            in; the second's key is claim_size_key(). Tables of integers alone, as their trees
 *            take an insert in a third of an index's time; a walk empties and refills them.
 *   wish     what a file is to get beside its bytes, where a manifest says so.
 *   manifest, manifest_key, manifest_use  the rows of a manifest, how they are found by path or
 *            name, and by how many files of the current walk: wide, hashed and narrow.
 *   manifest_file  what the manifest says of an asset that its confirm needs.
 *   queue_link   CONFIRMED rows of the current wave that can be linked now.
 *   held_link    those that wait for the collection of their folder.
 *   mapping  the ways that folders were mapped in, each with rows of `folder` of its own.
 *   folder   the folders of the tree and their ids in PXM. title: the name there.
 *   folder_intent, folder_failure  exist only while a folder needs them.
 *   listed   what PXM has of the names in `folder`, by the listing of the last run.
 *   result   what PXM gave; a table of its own because a row that grows splits a full page.
 *   path_key, name_key  64-bit hashes in place of an index over the text: a fifth of the bytes.
 *            The text is compared after. A row of name_key *is* the ownership of a name.
 *   session, part, failure  exist only while an asset needs them.
 *   former   what a changed file was in PXM before it changed, so that a later wave can tell its
 *            own file from a stranger's, and changed bytes from a changed time.
 *   history  what the runs did and when, in moments of one length; bounded, see history.c.
 *   tally    counters, changed in the same transaction as the rows they count.
 *   class    error classes by name, as their numbers may move between versions.
 */
#include "journal/schema.h"

#include "journal/journal.h"

#include <string.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

static const char tables[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE control(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE class(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE root(id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE mime(id INTEGER PRIMARY KEY, type TEXT NOT NULL UNIQUE) STRICT;"
    /* name: NULL where it is the path's last component, '' where PXM can take none. */
    "CREATE TABLE asset(id INTEGER PRIMARY KEY, root_id INTEGER NOT NULL, path BLOB NOT NULL,"
    " name TEXT, dev INTEGER NOT NULL, ino INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
    " ctime_ns INTEGER NOT NULL, added_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE work(id INTEGER PRIMARY KEY, wave INTEGER NOT NULL, state INTEGER NOT NULL,"
    " class_id INTEGER NOT NULL, size INTEGER NOT NULL, mime_id INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, marks INTEGER NOT NULL, folder_id INTEGER NOT NULL) STRICT;"
    "CREATE TABLE queue(id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE queue_by_size(key INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE queue_link(id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE held_link(folder_id INTEGER NOT NULL, asset_id INTEGER NOT NULL,"
    " PRIMARY KEY(folder_id, asset_id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE mapping(id INTEGER PRIMARY KEY, rules TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE folder(id INTEGER PRIMARY KEY, mapping_id INTEGER NOT NULL,"
    " parent_id INTEGER NOT NULL, name TEXT NOT NULL, title TEXT, other_title TEXT,"
    " files_wave INTEGER NOT NULL, folders_wave INTEGER NOT NULL, category_id TEXT,"
    " collection_id TEXT, UNIQUE(mapping_id, parent_id, name)) STRICT;"
    "CREATE INDEX folder_title ON folder(mapping_id, title);"
    "CREATE TABLE folder_intent(folder_id INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " at_ms INTEGER NOT NULL, looked_ms INTEGER NOT NULL, tries INTEGER NOT NULL,"
    " PRIMARY KEY(folder_id, kind)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE folder_failure(folder_id INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " class_id INTEGER NOT NULL, text TEXT, PRIMARY KEY(folder_id, kind)) STRICT, WITHOUT ROWID;"
    /* parent: '' at the top. */
    "CREATE TABLE listed(kind INTEGER NOT NULL, parent TEXT NOT NULL, name TEXT NOT NULL,"
    " id TEXT NOT NULL, PRIMARY KEY(kind, parent, name, id)) STRICT, WITHOUT ROWID;"
    /* key: NULL where a row has none. error: why it cannot be followed. region_ids: one a line. */
    "CREATE TABLE manifest(id INTEGER PRIMARY KEY, line INTEGER NOT NULL, key TEXT,"
    " by_name INTEGER NOT NULL, error TEXT, file_name TEXT, published INTEGER NOT NULL,"
    " publish_start TEXT, publish_end TEXT, region_ids TEXT, collections TEXT, attributes TEXT)"
    " STRICT;"
    "CREATE TABLE manifest_key(key INTEGER PRIMARY KEY, row_id INTEGER NOT NULL) STRICT;"
    "CREATE TABLE manifest_use(row_id INTEGER PRIMARY KEY, files INTEGER NOT NULL) STRICT;"
    "CREATE TABLE manifest_file(asset_id INTEGER PRIMARY KEY, line INTEGER NOT NULL,"
    " published INTEGER NOT NULL, publish_start TEXT, publish_end TEXT, region_ids TEXT) STRICT;"
    /* JSON arrays: collection ids; {id, type, value}. */
    "CREATE TABLE wish(asset_id INTEGER PRIMARY KEY, collections TEXT, attributes TEXT) STRICT;"
    /* Two texts of one hash: the second stands at key + 1, and so on. asset_id 0: given back. */
    "CREATE TABLE path_key(key INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL) STRICT;"
    "CREATE TABLE name_key(key INTEGER PRIMARY KEY, asset_id INTEGER NOT NULL) STRICT;"
    /* file_id: 16 bytes when it is a UUID, else text. etag: '' when it is the quoted MD5. */
    "CREATE TABLE result(asset_id INTEGER PRIMARY KEY, file_id ANY, md5 BLOB, etag TEXT,"
    " done_ms INTEGER NOT NULL, took_ms INTEGER NOT NULL, version TEXT, cdn_url TEXT) STRICT;"
    "CREATE TABLE former(asset_id INTEGER PRIMARY KEY, file_id ANY NOT NULL, size INTEGER NOT NULL,"
    " md5 BLOB, cdn_url TEXT) STRICT;"
    "CREATE TABLE session(asset_id INTEGER PRIMARY KEY, file_path TEXT, file_name TEXT,"
    " upload_id TEXT, conflict_id TEXT, intent_ms INTEGER NOT NULL,"
    " intent_server_ms INTEGER) STRICT;"
    "CREATE TABLE part(asset_id INTEGER NOT NULL, part_no INTEGER NOT NULL, start INTEGER NOT NULL,"
    " length INTEGER NOT NULL, etag TEXT, md5 BLOB, PRIMARY KEY(asset_id, part_no))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE failure(asset_id INTEGER PRIMARY KEY, class_id INTEGER NOT NULL,"
    " http_status INTEGER NOT NULL, text TEXT, request_id TEXT, owner_id INTEGER) STRICT;"
    "CREATE TABLE tally(state INTEGER NOT NULL, class_id INTEGER NOT NULL,"
    " files INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(state, class_id))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE excluded(reason TEXT PRIMARY KEY, files INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE issue(id INTEGER PRIMARY KEY, path BLOB NOT NULL, class_id INTEGER NOT NULL,"
    " text TEXT) STRICT;"
    "CREATE TABLE request(at_ms INTEGER PRIMARY KEY, count INTEGER NOT NULL) STRICT;"
    "CREATE TABLE history(at_ms INTEGER PRIMARY KEY"
#define X(sym, column) ", " #column " INTEGER NOT NULL"
    HISTORY_MEASURES(X)
#undef X
        ") STRICT;";

/* WAL first: it cannot be switched inside the transaction that makes the tables. */
static int make_tables(struct sql *sql, struct err *err)
{
    int rc = sql_exec(sql, "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE", NULL, err);
    if (rc)
        return rc;
    rc = sql_exec(sql, tables, NULL, err);
    if (!rc)
        rc = sql_exec(
            sql,
            "PRAGMA application_id = " TEXT(SCHEMA_APPLICATION_ID) ";"
                                                                   "PRAGMA user_version = " TEXT(
                                                                       SCHEMA_VERSION) ";"
                                                                                       "COMMIT",
            NULL, err);
    return rc;
}

int schema_check(struct sql *sql, int create, struct err *err)
{
    int64_t application_id = 0;
    int64_t version = 0;
    int64_t objects = 0;
    int rc = sql_exec(sql, "SELECT count(*) FROM sqlite_schema", &objects, err);
    if (!rc)
        rc = sql_exec(sql, "PRAGMA application_id", &application_id, err);
    if (!rc)
        rc = sql_exec(sql, "PRAGMA user_version", &version, err);
    if (rc)
        return rc;
    if (!objects && !application_id) {
        if (create)
            return make_tables(sql, err);
        return err_set(err, ERR_JOURNAL, "%s is no pxload journal: it is empty", sql->path);
    }
    if (application_id != SCHEMA_APPLICATION_ID)
        return err_set(err, ERR_JOURNAL,
                       "%s is no pxload journal: it is another program's database", sql->path);
    if (version > SCHEMA_VERSION)
        return err_set(err, ERR_JOURNAL,
                       "journal %s was made by a newer pxload (format %d, this program knows %d): "
                       "use that one",
                       sql->path, (int)version, SCHEMA_VERSION);
    if (version < SCHEMA_VERSION)
        return err_set(err, ERR_JOURNAL, "journal %s has the unknown format %d", sql->path,
                       (int)version);
    return 0;
}

int schema_tune_writer(struct sql *sql, struct err *err)
{
    sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /*
     * The cache is small, so that memory does not grow with the files (8 MiB between 1,000 and
     * 100,000 are promised); the kernel's page cache has the hash trees when a large walk reads
     * them back. The log may grow to 64 MB before it is moved into the file, as each time costs
     * two syncs and the same pages are written again and again.
     */
    return sql_exec(sql,
                    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                    "PRAGMA cache_size = -4096; PRAGMA wal_autocheckpoint = 16384;"
                    "PRAGMA journal_size_limit = 67108864; PRAGMA cell_size_check = 1;"
                    "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = 0",
                    NULL, err);
}

int schema_quick_check(struct sql *sql, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(sql->db, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK)
        return sql_fail(sql, err);
    int rc = sqlite3_step(stmt);
    const char *verdict = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    int out = 0;
    if (!verdict)
        out = sql_fail(sql, err);
    else if (strcmp(verdict, "ok") != 0)
        out = err_set(err, ERR_JOURNAL,
                      "journal %s is damaged (%.200s): restore it from a backup, or move it away "
                      "and start again; files that PXM already has will show as conflicts",
                      sql->path, verdict);
    sqlite3_finalize(stmt);
    return out;
}
