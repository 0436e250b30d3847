/*
 * sql.c - see sql.h. The statement table is the only place with SQL beside schema.c; a unit test
 * runs EXPLAIN QUERY PLAN over it, so a statement that would read a whole large table has to
 * say why it may.
 */
#include "journal/sql.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/feed.h"
#include "journal/journal.h"

struct statement {
    const char *text;
    const char *scan_reason;
};

/* Behind an INSERT into history: a row that is there already takes the sums in. */
#define SUM(sym, column) ", " #column " = " #column " + excluded." #column
#define HISTORY_SUMS \
    " ON CONFLICT(at_ms) DO UPDATE SET at_ms = excluded.at_ms" HISTORY_MEASURES(SUM)

#define FED "rows in memory, each once" /* a scan_reason: see feed.h */

static const struct statement table[] = {
    [SQL_BEGIN] = {"BEGIN IMMEDIATE", NULL},
    [SQL_BEGIN_READ] = {"BEGIN", NULL},
    [SQL_COMMIT] = {"COMMIT", NULL},
    [SQL_ROLLBACK] = {"ROLLBACK", NULL},
    [SQL_META_GET] = {"SELECT value FROM meta WHERE key = ?1", NULL},
    [SQL_META_SET] = {"INSERT INTO meta(key, value) VALUES(?1, ?2)"
                      " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                      NULL},
    [SQL_CONTROL_EACH] = {"SELECT key, value FROM control", NULL},
    [SQL_CONTROL_SET] = {"INSERT INTO control(key, value) VALUES(?1, ?2)"
                         " ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                         NULL},
    [SQL_CLASS_EACH] = {"SELECT id, name FROM class", NULL},
    [SQL_CLASS_ADD] = {"INSERT INTO class(name) VALUES(?1)", NULL},
    [SQL_ROOT_FIND] = {"SELECT id FROM root WHERE path = ?1", NULL},
    [SQL_ROOT_ADD] = {"INSERT INTO root(path) VALUES(?1)", NULL},
    [SQL_MIME_FIND] = {"SELECT id FROM mime WHERE type = ?1", NULL},
    [SQL_MIME_ADD] = {"INSERT INTO mime(type) VALUES(?1)", NULL},
    [SQL_TALLY_EACH] = {"SELECT state, class_id, files, bytes FROM tally", NULL},
    [SQL_TALLY_SET] = {"INSERT INTO tally(state, class_id, files, bytes) VALUES(?1, ?2, ?3, ?4)"
                       " ON CONFLICT(state, class_id)"
                       " DO UPDATE SET files = excluded.files, bytes = excluded.bytes",
                       NULL},
    [SQL_TALLY_CLEAR] = {"DELETE FROM tally", NULL},
    [SQL_LARGEST_PENDING] =
        {"SELECT w.size FROM queue_by_size q CROSS JOIN work w ON w.id = q.key & ?1"
         " ORDER BY q.key LIMIT 1",
         "one step into the primary key"},
    [SQL_EXCLUDED_ADD] = {"INSERT INTO excluded(reason, files, bytes) VALUES(?1, ?2, ?3)"
                          " ON CONFLICT(reason) DO UPDATE SET files = files + ?2,"
                          " bytes = bytes + ?3",
                          NULL},
    [SQL_EXCLUDED_EACH] = {"SELECT reason, files, bytes FROM excluded ORDER BY reason", NULL},
    [SQL_EXCLUDED_SUM] = {"SELECT total(files), total(bytes) FROM excluded", NULL},
    [SQL_EXCLUDED_CLEAR] = {"DELETE FROM excluded", NULL},
    [SQL_ISSUE_ADD] = {"INSERT INTO issue(path, class_id, text) VALUES(?1, ?2, ?3)", NULL},
    [SQL_ISSUE_EACH] = {"SELECT path, class_id, text FROM issue ORDER BY id", NULL},
    [SQL_ISSUE_CLEAR] = {"DELETE FROM issue", NULL},
    [SQL_LAST_ID] = {"SELECT id FROM asset ORDER BY id DESC LIMIT 1",
                     "one step from the end of the primary key"},
    [SQL_ASSET_ADD_ALL] = {"INSERT OR FAIL INTO asset(id, root_id, path, name, dev, ino, mtime_ns,"
                           " ctime_ns, added_ms)"
                           " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8 FROM feed(?1)",
                           FED},
    /* With the ids that follow the last one: no search for each. */
    [SQL_ASSET_APPEND_ALL] = {"INSERT OR FAIL INTO asset(root_id, path, name, dev, ino, mtime_ns,"
                              " ctime_ns, added_ms)"
                              " SELECT c1, c2, c3, c4, c5, c6, c7, c8 FROM feed(?1)",
                              FED},
    [SQL_ASSET_BY_PATH] =
        {"SELECT a.id, a.root_id, a.path, a.name, a.dev, a.ino, a.mtime_ns,"
         " a.ctime_ns, w.wave, w.state, w.class_id, w.size, w.mime_id, w.tries,"
         " w.marks, w.folder_id FROM path_key k CROSS JOIN asset a ON a.id = k.asset_id"
         " CROSS JOIN work w ON w.id = k.asset_id WHERE k.key = ?1",
         NULL},
    [SQL_ASSET_NAME] = {"SELECT path, name FROM asset WHERE id = ?1", NULL},
    [SQL_ASSET_OWNER] = {"SELECT a.path, a.name, w.wave FROM asset a"
                         " CROSS JOIN work w ON w.id = a.id WHERE a.id = ?1",
                         NULL},
    [SQL_ASSET_PLACE] = {"SELECT r.path, a.path FROM asset a JOIN root r ON r.id = a.root_id"
                         " WHERE a.id = ?1",
                         NULL},
    [SQL_ASSET_STAMP] = {"SELECT dev, ino, mtime_ns, ctime_ns FROM asset WHERE id = ?1", NULL},
    [SQL_ASSET_SET_STAMP] = {"UPDATE asset SET dev = ?2, ino = ?3, mtime_ns = ?4, ctime_ns = ?5"
                             " WHERE id = ?1",
                             NULL},
    [SQL_ASSET_SET_NAME] = {"UPDATE asset SET name = ?2 WHERE id = ?1", NULL},
    [SQL_PATH_ADD_ALL] = {"INSERT OR IGNORE INTO path_key(key, asset_id)"
                          " SELECT c0, c1 FROM feed(?1)",
                          FED},
    [SQL_PATH_GET] = {"SELECT asset_id FROM path_key WHERE key = ?1", NULL},
    [SQL_PATH_ADD] = {"INSERT OR IGNORE INTO path_key(key, asset_id) VALUES(?1, ?2)", NULL},
    [SQL_NAME_ADD] = {"INSERT OR IGNORE INTO name_key(key, asset_id) VALUES(?1, ?2)", NULL},
    [SQL_NAME_ADD_ALL] = {"INSERT OR FAIL INTO name_key(key, asset_id) SELECT c0, c1 FROM feed(?1)",
                          FED},
    [SQL_NAME_SET] = {"UPDATE name_key SET asset_id = ?2 WHERE key = ?1", NULL},
    [SQL_NAME_GET] = {"SELECT asset_id FROM name_key WHERE key = ?1", NULL},
    [SQL_NAME_OWNER] =
        {"SELECT k.asset_id, a.path, a.name, w.wave FROM name_key k"
         " LEFT JOIN asset a ON a.id = k.asset_id LEFT JOIN work w ON w.id = k.asset_id"
         " WHERE k.key = ?1",
         NULL},
    [SQL_WORK_ADD_ALL] = {"INSERT OR FAIL INTO work(id, wave, state, class_id, size, mime_id,"
                          " tries, marks, folder_id)"
                          " SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8 FROM feed(?1)",
                          FED},
    [SQL_WORK_APPEND_ALL] = {"INSERT OR FAIL INTO work(wave, state, class_id, size, mime_id,"
                             " tries, marks, folder_id)"
                             " SELECT c1, c2, c3, c4, c5, c6, c7, c8 FROM feed(?1)",
                             FED},
    [SQL_WORK_GET] =
        {"SELECT wave, state, class_id, size, mime_id, tries, marks, folder_id FROM work"
         " WHERE id = ?1",
         NULL},
    [SQL_WORK_SET] =
        {"UPDATE work SET wave = ?2, state = ?3, class_id = ?4, size = ?5, mime_id = ?6,"
         " tries = ?7, marks = ?8, folder_id = ?9 WHERE id = ?1",
         NULL},
    [SQL_QUEUE_ADD] = {"INSERT OR IGNORE INTO queue(id) VALUES(?1)", NULL},
    [SQL_QUEUE_ADD_ALL] = {"INSERT OR FAIL INTO queue(id) SELECT c0 FROM feed(?1)", FED},
    [SQL_QUEUE_DROP] = {"DELETE FROM queue WHERE id = ?1", NULL},
    [SQL_QUEUE_CLEAR] = {"DELETE FROM queue", NULL},
    [SQL_SIZES_ADD] = {"INSERT OR IGNORE INTO queue_by_size(key) VALUES(?1)", NULL},
    [SQL_SIZES_ADD_ALL] = {"INSERT OR FAIL INTO queue_by_size(key) SELECT c0 FROM feed(?1)", FED},
    [SQL_SIZES_DROP] = {"DELETE FROM queue_by_size WHERE key = ?1", NULL},
    [SQL_SIZES_CLEAR] = {"DELETE FROM queue_by_size", NULL},
    [SQL_LINK_ADD] = {"INSERT OR IGNORE INTO queue_link(id) VALUES(?1)", NULL},
    [SQL_LINK_DROP] = {"DELETE FROM queue_link WHERE id = ?1", NULL},
    [SQL_LINK_CLEAR] = {"DELETE FROM queue_link", NULL},
    [SQL_HELD_ADD] = {"INSERT OR IGNORE INTO held_link(folder_id, asset_id) VALUES(?1, ?2)", NULL},
    [SQL_HELD_DROP] = {"DELETE FROM held_link WHERE folder_id = ?1 AND asset_id = ?2", NULL},
    [SQL_HELD_CLEAR] = {"DELETE FROM held_link", NULL},
    [SQL_HELD_NEXT] = {"SELECT folder_id FROM held_link WHERE folder_id > ?1"
                       " ORDER BY folder_id LIMIT 1",
                       NULL},
    [SQL_HELD_FIRST] = {"SELECT asset_id FROM held_link WHERE folder_id = ?1"
                        " ORDER BY asset_id LIMIT 1",
                        NULL},
    [SQL_HELD_QUEUE] = {"INSERT OR IGNORE INTO queue_link(id)"
                        " SELECT asset_id FROM held_link WHERE folder_id = ?1",
                        NULL},
    [SQL_HELD_RELEASE] = {"DELETE FROM held_link WHERE folder_id = ?1", NULL},
    [SQL_MAPPING_FIND] = {"SELECT id FROM mapping WHERE rules = ?1", NULL},
    [SQL_MAPPING_ADD] = {"INSERT INTO mapping(rules) VALUES(?1)", NULL},
    [SQL_FOLDER_FIND] = {"SELECT id FROM folder WHERE mapping_id = ?1 AND parent_id = ?2"
                         " AND name = ?3",
                         NULL},
    [SQL_FOLDER_ADD] = {"INSERT INTO folder(mapping_id, parent_id, name, title, other_title,"
                        " files_wave, folders_wave) VALUES(?1, ?2, ?3, ?4, ?5, 0, 0)",
                        NULL},
    [SQL_FOLDER_GET] = {"SELECT parent_id, name, title, other_title, files_wave, folders_wave,"
                        " category_id, collection_id FROM folder WHERE id = ?1",
                        NULL},
    [SQL_FOLDER_TITLED] = {"SELECT id FROM folder WHERE mapping_id = ?1 AND title = ?2", NULL},
    [SQL_FOLDER_SET_TITLE] = {"UPDATE folder SET title = ?2 WHERE id = ?1", NULL},
    [SQL_FOLDER_SEE_FILES] = {"UPDATE folder SET files_wave = ?2 WHERE id = ?1", NULL},
    [SQL_FOLDER_SEE_FOLDERS] = {"UPDATE folder SET folders_wave = ?2 WHERE id = ?1", NULL},
    [SQL_FOLDER_SET_CATEGORY] = {"UPDATE folder SET category_id = ?2 WHERE id = ?1", NULL},
    [SQL_FOLDER_SET_COLLECTION] = {"UPDATE folder SET collection_id = ?2 WHERE id = ?1", NULL},
    [SQL_FOLDER_READY] = {"SELECT o.collection_id IS NOT NULL OR i.folder_id IS NOT NULL"
                          " FROM folder o LEFT JOIN folder_failure i ON i.folder_id = o.id"
                          " AND i.kind = 1 WHERE o.id = ?1",
                          NULL},
    [SQL_FOLDER_INTENT_GET] = {"SELECT at_ms, looked_ms, tries FROM folder_intent"
                               " WHERE folder_id = ?1 AND kind = ?2",
                               NULL},
    [SQL_FOLDER_INTENT_SET] = {"INSERT OR REPLACE INTO folder_intent(folder_id, kind, at_ms,"
                               " looked_ms, tries) VALUES(?1, ?2, ?3, 0, ?4)",
                               NULL},
    [SQL_FOLDER_INTENT_LOOKED] = {"UPDATE folder_intent SET looked_ms = ?3"
                                  " WHERE folder_id = ?1 AND kind = ?2",
                                  NULL},
    [SQL_FOLDER_INTENT_DROP] = {"DELETE FROM folder_intent WHERE folder_id = ?1 AND kind = ?2",
                                NULL},
    [SQL_FOLDER_INTENT_TRIES] = {"UPDATE folder_intent SET tries = 0",
                                 "once a run, and it holds what is under way alone"},
    [SQL_FOLDER_FAILURE_GET] = {"SELECT class_id, text FROM folder_failure"
                                " WHERE folder_id = ?1 AND kind = ?2",
                                NULL},
    [SQL_FOLDER_FAILURE_SET] = {"INSERT OR REPLACE INTO folder_failure(folder_id, kind, class_id,"
                                " text) VALUES(?1, ?2, ?3, ?4)",
                                NULL},
    [SQL_FOLDER_FAILURE_CLEAR] = {"DELETE FROM folder_failure", NULL},
    [SQL_LISTED_ADD] = {"INSERT OR IGNORE INTO listed(kind, parent, name, id)"
                        " VALUES(?1, ?2, ?3, ?4)",
                        NULL},
    [SQL_LISTED_FIND] = {"SELECT id FROM listed WHERE kind = ?1 AND parent = ?2 AND name = ?3"
                         " ORDER BY id LIMIT 2",
                         NULL},
    [SQL_LISTED_CLEAR] = {"DELETE FROM listed", NULL},
    [SQL_MANIFEST_CLEAR] = {"DELETE FROM manifest", NULL},
    [SQL_MANIFEST_KEY_CLEAR] = {"DELETE FROM manifest_key", NULL},
    [SQL_MANIFEST_USE_CLEAR] = {"DELETE FROM manifest_use", NULL},
    [SQL_MANIFEST_ADD] = {"INSERT INTO manifest(id, line, key, by_name, error, file_name,"
                          " published, publish_start, publish_end, region_ids, collections,"
                          " attributes)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                          NULL},
    [SQL_MANIFEST_KEY_ADD] = {"INSERT INTO manifest_key(key, row_id) VALUES(?1, ?2)", NULL},
    [SQL_MANIFEST_USE_ADD] = {"INSERT INTO manifest_use(row_id, files) VALUES(?1, 0)", NULL},
    [SQL_MANIFEST_BY_KEY] = {"SELECT m.id, m.key, m.by_name FROM manifest_key k"
                             " CROSS JOIN manifest m ON m.id = k.row_id WHERE k.key = ?1",
                             NULL},
    [SQL_MANIFEST_LINE] = {"SELECT line FROM manifest WHERE id = ?1", NULL},
    [SQL_MANIFEST_FAIL] = {"UPDATE manifest SET error = ?2 WHERE id = ?1", NULL},
    [SQL_MANIFEST_GET] = {"SELECT line, key, by_name, published, error, file_name, publish_start,"
                          " publish_end, region_ids, collections, attributes FROM manifest"
                          " WHERE id = ?1",
                          NULL},
    [SQL_MANIFEST_USE] = {"UPDATE manifest_use SET files = files + 1 WHERE row_id = ?1", NULL},
    [SQL_MANIFEST_USE_GET] = {"SELECT files FROM manifest_use WHERE row_id = ?1", NULL},
    [SQL_MANIFEST_USE_RESET] = {"UPDATE manifest_use SET files = 0 WHERE files <> 0",
                                "once a walk, every row of it"},
    [SQL_MANIFEST_UNUSED_COUNT] = {"SELECT count(*) FROM manifest_use WHERE files = 0",
                                   "once a walk, every row of it"},
    [SQL_MANIFEST_UNUSED_EACH] = {"SELECT m.line, m.key, m.by_name, m.error FROM manifest_use u"
                                  " CROSS JOIN manifest m ON m.id = u.row_id WHERE u.files = 0"
                                  " ORDER BY u.row_id",
                                  "a report shows every row that no file used"},
    [SQL_MANIFEST_FILE_GET] = {"SELECT line, published, publish_start, publish_end, region_ids"
                               " FROM manifest_file WHERE asset_id = ?1",
                               NULL},
    [SQL_MANIFEST_FILE_SET] = {"INSERT OR REPLACE INTO manifest_file(asset_id, line, published,"
                               " publish_start, publish_end, region_ids)"
                               " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                               NULL},
    [SQL_MANIFEST_FILE_DROP] = {"DELETE FROM manifest_file WHERE asset_id = ?1", NULL},
    [SQL_WISH_GET] = {"SELECT collections, attributes FROM wish WHERE asset_id = ?1", NULL},
    [SQL_WISH_SET] = {"INSERT OR REPLACE INTO wish(asset_id, collections, attributes)"
                      " VALUES(?1, ?2, ?3)",
                      NULL},
    [SQL_WISH_DROP] = {"DELETE FROM wish WHERE asset_id = ?1", NULL},
    [SQL_RESULT_SET] = {"INSERT OR REPLACE INTO result(asset_id, file_id, md5, etag, done_ms,"
                        " took_ms, version, cdn_url) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                        /* A file that stays the same one in PXM keeps its URL. */
                        " coalesce(?8, (SELECT cdn_url FROM former"
                        " WHERE asset_id = ?1 AND file_id = ?2)))",
                        NULL},
    [SQL_RESULT_DONE] = {"INSERT INTO result(asset_id, done_ms, took_ms) VALUES(?1, ?2, ?3)"
                         " ON CONFLICT(asset_id) DO UPDATE SET done_ms = excluded.done_ms,"
                         " took_ms = iif(file_id IS NULL, 0, took_ms) + excluded.took_ms",
                         NULL},
    [SQL_RESULT_DROP] = {"DELETE FROM result WHERE asset_id = ?1", NULL},
    [SQL_FORMER_DOUBT] = {"UPDATE former SET md5 = NULL WHERE asset_id = ?1", NULL},
    [SQL_FORMER_SET] = {"INSERT OR REPLACE INTO former(asset_id, file_id, size, md5, cdn_url)"
                        " SELECT asset_id, file_id, ?2, iif(?3, md5, NULL), cdn_url FROM result"
                        " WHERE asset_id = ?1 AND file_id IS NOT NULL",
                        NULL},
    [SQL_SESSION_SET] = {"INSERT OR REPLACE INTO session(asset_id, file_path, file_name, upload_id,"
                         " conflict_id, intent_ms, intent_server_ms)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         NULL},
    [SQL_SESSION_INTENT] =
        {"INSERT INTO session(asset_id, intent_ms, intent_server_ms) VALUES(?1, ?2, ?3)"
         " ON CONFLICT(asset_id) DO UPDATE SET intent_ms = excluded.intent_ms,"
         " intent_server_ms = excluded.intent_server_ms",
         NULL},
    [SQL_SESSION_NO_INTENT] = {"UPDATE session SET intent_ms = 0 WHERE asset_id = ?1", NULL},
    [SQL_SESSION_HAS_INTENT] = {"SELECT 1 FROM session WHERE asset_id = ?1 AND intent_ms <> 0",
                                NULL},
    [SQL_SESSION_DROP] = {"DELETE FROM session WHERE asset_id = ?1", NULL},
    [SQL_PART_SET] = {"INSERT OR REPLACE INTO part(asset_id, part_no, start, length, etag, md5)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                      NULL},
    [SQL_PART_SUM] = {"SELECT count(*), total(length(CAST(etag AS BLOB)) + 40) FROM part"
                      " WHERE asset_id = ?1",
                      NULL},
    [SQL_PART_EACH] = {"SELECT part_no, etag, md5, start, length FROM part"
                       " WHERE asset_id = ?1 ORDER BY part_no",
                       NULL},
    [SQL_PART_DROP] = {"DELETE FROM part WHERE asset_id = ?1", NULL},
    [SQL_FAILURE_SET] = {"INSERT OR REPLACE INTO failure(asset_id, class_id, http_status, text,"
                         " request_id, owner_id) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                         NULL},
    [SQL_FAILURE_DROP] = {"DELETE FROM failure WHERE asset_id = ?1", NULL},
    [SQL_FAILED_PAGE] = {"SELECT f.asset_id FROM failure f CROSS JOIN work w ON w.id = f.asset_id"
                         " WHERE f.asset_id > ?1 AND w.state = ?2 ORDER BY f.asset_id LIMIT ?3",
                         NULL},
    [SQL_FAILED_ONLY_PAGE] = {"SELECT f.asset_id FROM failure f"
                              " CROSS JOIN work w ON w.id = f.asset_id"
                              " WHERE f.asset_id > ?1 AND w.state = ?2 AND f.class_id = ?4"
                              " ORDER BY f.asset_id LIMIT ?3",
                              NULL},
    [SQL_ORPHAN_PAGE] = {"SELECT f.asset_id FROM failure f"
                         " CROSS JOIN work o ON o.id = f.owner_id"
                         " CROSS JOIN work w ON w.id = f.asset_id"
                         " WHERE f.asset_id > ?1 AND w.state = ?2 AND w.wave = ?4"
                         " AND o.wave < ?4 ORDER BY f.asset_id LIMIT ?3",
                         NULL},
    [SQL_REQUEST_ADD] = {"INSERT INTO request(at_ms, count) VALUES(?1, 1)"
                         " ON CONFLICT(at_ms) DO UPDATE SET count = count + 1",
                         NULL},
    [SQL_REQUEST_PRUNE] = {"DELETE FROM request WHERE at_ms < ?1", NULL},
    [SQL_REQUEST_AGE] = {"INSERT INTO request SELECT ?1, sum(count) FROM request"
                         " WHERE at_ms > ?1 HAVING count(*) > 0"
                         " ON CONFLICT(at_ms) DO UPDATE SET count = count + excluded.count",
                         NULL},
    [SQL_REQUEST_AGED] = {"DELETE FROM request WHERE at_ms > ?1", NULL},
    [SQL_REQUEST_EACH] = {"SELECT at_ms, count FROM request WHERE at_ms > ?1 AND at_ms <= ?2"
                          " ORDER BY at_ms",
                          NULL},
    [SQL_CLAIM_BY_PATH] = {"SELECT id FROM queue WHERE id >= ?1 ORDER BY id", NULL},
    [SQL_CLAIM_SMALL_BY_PATH] = {"SELECT q.id FROM queue q CROSS JOIN work w ON w.id = q.id"
                                 " WHERE q.id >= ?1 AND w.size < ?2 ORDER BY q.id",
                                 NULL},
    [SQL_CLAIM_BY_SIZE] =
        {"SELECT q.key FROM queue_by_size q CROSS JOIN work w ON w.id = q.key & ?4"
         " WHERE q.key >= ?1 AND q.key < ?3 AND w.size >= ?2 ORDER BY q.key",
         NULL},
    [SQL_CLAIM_LINKS] = {"SELECT id FROM queue_link WHERE id >= ?1 ORDER BY id", NULL},
    [SQL_CLAIM_GET] = {"SELECT r.path, a.path, a.name, a.dev, a.ino, w.size, a.mtime_ns,"
                       " a.ctime_ns, w.state, w.tries, w.wave, m.type, s.asset_id, s.file_path,"
                       " s.file_name, s.upload_id, s.conflict_id, s.intent_ms,"
                       " o.file_id, o.size, o.md5, w.marks, s.intent_server_ms, w.folder_id"
                       " FROM asset a CROSS JOIN work w ON w.id = a.id"
                       " CROSS JOIN root r ON r.id = a.root_id"
                       " LEFT JOIN mime m ON m.id = w.mime_id"
                       " LEFT JOIN session s ON s.asset_id = a.id"
                       " LEFT JOIN former o ON o.asset_id = a.id WHERE a.id = ?1",
                       NULL},
    [SQL_CLAIM_WISH] = {"SELECT x.collections, x.attributes, d.file_id, d.md5, d.etag, d.done_ms,"
                        " o.collection_id, i.class_id, i.text"
                        " FROM work w LEFT JOIN wish x ON x.asset_id = w.id"
                        " LEFT JOIN folder o ON o.id = w.folder_id"
                        " LEFT JOIN folder_failure i ON i.folder_id = w.folder_id AND i.kind = 1"
                        " LEFT JOIN result d ON d.asset_id = w.id WHERE w.id = ?1",
                        NULL},
    [SQL_CLAIM_MANIFEST] = {"SELECT published, publish_start, publish_end, region_ids"
                            " FROM manifest_file WHERE asset_id = ?1",
                            NULL},
    [SQL_ROW_EACH] = {"SELECT a.id, r.path, a.path, a.name, m.type, a.dev, a.ino, w.size,"
                      " a.mtime_ns, a.ctime_ns, w.state, w.wave, a.added_ms, d.done_ms,"
                      " d.file_id, d.md5, d.etag, f.class_id, f.http_status, f.text,"
                      " f.request_id, f.owner_id, w.tries, d.took_ms, d.version, d.cdn_url, n.line,"
                      " o.collection_id, x.collections"
                      " FROM asset a CROSS JOIN work w ON w.id = a.id"
                      " CROSS JOIN root r ON r.id = a.root_id"
                      " LEFT JOIN mime m ON m.id = w.mime_id"
                      " LEFT JOIN result d ON d.asset_id = a.id"
                      " LEFT JOIN failure f ON f.asset_id = a.id"
                      " LEFT JOIN manifest_file n ON n.asset_id = a.id"
                      " LEFT JOIN wish x ON x.asset_id = a.id"
                      " LEFT JOIN folder o ON o.id = w.folder_id ORDER BY a.id",
                      "a report shows every row, in the order of the primary key"},
#define COLUMN(sym, column) ", " #column
#define VALUE(sym, column)  ", ?"
    [SQL_HISTORY_ADD] = {"INSERT INTO history VALUES(?" HISTORY_MEASURES(VALUE) ")" HISTORY_SUMS,
                         NULL},
    [SQL_HISTORY_COUNT] = {"SELECT count(*) FROM history", NULL},
    /* ?1: how long a moment is from now on. Those that do not begin one join the one before. */
    [SQL_HISTORY_JOIN] = {"INSERT INTO history SELECT at_ms - at_ms % ?1" HISTORY_MEASURES(
                              COLUMN) " FROM history WHERE at_ms % ?1 <> 0" HISTORY_SUMS,
                          NULL},
    [SQL_HISTORY_JOINED] = {"DELETE FROM history WHERE at_ms % ?1 <> 0", NULL},
    [SQL_HISTORY_EACH] = {"SELECT at_ms" HISTORY_MEASURES(COLUMN) " FROM history ORDER BY at_ms",
                          NULL},
#undef COLUMN
#undef VALUE
};
_Static_assert(sizeof table / sizeof *table == SQL_COUNT, "one row a statement");

const char *sql_text(size_t n)
{
    return n < SQL_COUNT ? table[n].text : NULL;
}

const char *sql_scan_reason(size_t n)
{
    return n < SQL_COUNT ? table[n].scan_reason : NULL;
}

int sql_open(struct sql *sql, const char *path, const char *name, int flags, struct err *err)
{
    *sql = (struct sql){.path = path};
    int rc = sqlite3_open_v2(name, &sql->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = feed_register(sql->db);
    if (rc == SQLITE_OK)
        return 0;
    rc = sql_fail(sql, err);
    sql_close(sql);
    return rc;
}

void sql_close(struct sql *sql)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(sql->statements[i]);
        sql->statements[i] = NULL;
    }
    int rc = sqlite3_close(sql->db);
    BUG_ON(rc == SQLITE_BUSY);
    sql->db = NULL;
}

sqlite3_stmt *sql_get(struct sql *sql, enum sql_id id)
{
    sqlite3_stmt *stmt = sql->statements[id];
    if (stmt) {
        sqlite3_reset(stmt);
        return stmt;
    }
    int rc = sqlite3_prepare_v3(sql->db, table[id].text, -1, SQLITE_PREPARE_PERSISTENT,
                                &sql->statements[id], NULL);
    return rc == SQLITE_OK ? sql->statements[id] : NULL;
}

void sql_bind_text(sqlite3_stmt *stmt, int column, const char *text)
{
    sqlite3_bind_text(stmt, column, text, -1, SQLITE_STATIC);
}

int sql_next(struct sql *sql, sqlite3_stmt *stmt, struct err *err)
{
    int rc = stmt ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (rc == SQLITE_ROW)
        return 1;
    int failed = rc == SQLITE_DONE ? 0 : sql_fail(sql, err);
    sqlite3_reset(stmt);
    return failed;
}

int sql_run(struct sql *sql, sqlite3_stmt *stmt, struct err *err)
{
    int rc = sql_next(sql, stmt, err);
    if (rc > 0)
        sqlite3_reset(stmt);
    return rc < 0 ? rc : 0;
}

int sql_do(struct sql *sql, enum sql_id id, struct err *err)
{
    return sql_run(sql, sql_get(sql, id), err);
}

int sql_do_id(struct sql *sql, enum sql_id id, int64_t value, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(sql, id);
    sqlite3_bind_int64(stmt, 1, value);
    return sql_run(sql, stmt, err);
}

int sql_exec(struct sql *sql, const char *text, int64_t *out, struct err *err)
{
    const char *rest = text;
    while (*rest) {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(sql->db, rest, -1, &stmt, &rest) != SQLITE_OK)
            return sql_fail(sql, err);
        if (!stmt)
            break; /* nothing but white space was left */
        int rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW && out)
            *out = sqlite3_column_int64(stmt, 0);
        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            int failed = sql_fail(sql, err);
            sqlite3_finalize(stmt);
            return failed;
        }
        sqlite3_finalize(stmt);
    }
    return 0;
}

int sql_fail(struct sql *sql, struct err *err)
{
    int extended = sql->db ? sqlite3_extended_errcode(sql->db) : SQLITE_NOMEM;
    int os_errno = sql->db ? sqlite3_system_errno(sql->db) : 0;
    const char *why = sql->db ? sqlite3_errmsg(sql->db) : "out of memory";
    switch (extended & 0xff) {
    case SQLITE_NOMEM:
        return err_set(err, ERR_NOMEM, "journal %s: out of memory", sql->path);
    case SQLITE_FULL:
        return err_set(err, ERR_IO, "journal %s: no space is left on its disk", sql->path);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        if (os_errno)
            return err_set_errno(err, ERR_IO, os_errno, "journal %s: %s", sql->path, why);
        return err_set(err, ERR_IO, "journal %s: %s", sql->path, why);
    case SQLITE_NOTADB:
        return err_set(err, ERR_JOURNAL, "%s is no pxload journal: it is no SQLite file",
                       sql->path);
    case SQLITE_CORRUPT:
        return err_set(err, ERR_JOURNAL,
                       "journal %s is damaged (%s): restore it from a backup, or move it away and "
                       "start again; files that PXM already has will show as conflicts",
                       sql->path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_JOURNAL_BUSY, "journal %s is held by another program", sql->path);
    default:
        return err_set(err, ERR_JOURNAL, "journal %s: %s", sql->path, why);
    }
}
