/*
 * test_journal_check.h - what must hold in every journal that is not being written: counters and
 * queues agree with the rows, and no two queued rows bear one name. Through a connection of its
 * own. Included after test_journal_fixture.h.
 */
#ifndef TEST_JOURNAL_CHECK_H
#define TEST_JOURNAL_CHECK_H

#include <sqlite3.h>

#include "journal/store.h"

static int64_t check_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        print_message("%s: %s\n", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(stmt, 0);
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return number;
}

/* The books by a full count. */
static void check_full_count(sqlite3 *db, struct journal_books *out)
{
    sqlite3_stmt *stmt;
    *out = (struct journal_books){0};
    out->wave = check_number(db, "SELECT total(value) FROM control WHERE key = 'wave'");
    /* A number that was never set has no row: no walk may have come to its end yet. */
    out->walk_complete =
        (int)check_number(db, "SELECT total(value) FROM control WHERE key = 'walk_complete'");
    assert_int_equal(sqlite3_prepare_v2(
                         db,
                         "SELECT w.state, w.size, w.wave, c.name, w.marks, w.folder_id FROM work w"
                         " LEFT JOIN class c ON c.id = w.class_id",
                         -1, &stmt, NULL),
                     SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        int state = sqlite3_column_int(stmt, 0);
        int64_t size = sqlite3_column_int64(stmt, 1);
        const char *name = (const char *)sqlite3_column_text(stmt, 3);
        if (sqlite3_column_int64(stmt, 2) != out->wave) {
            out->gone_files += out->walk_complete;
            continue;
        }
        int wants_link = (sqlite3_column_int(stmt, 4) & WORK_WISH) || sqlite3_column_int64(stmt, 5);
        out->unlinked_files += wants_link && state == ASSET_CONFIRMED;
        out->to_link_files += wants_link && state <= ASSET_CONFIRMED;
        out->files[state]++;
        out->bytes[state] += size;
        if (state == ASSET_FAILED)
            out->failed_by_code[name ? err_by_name(name) : ERR_NONE]++;
        if (state <= ASSET_STORED && size > out->largest_pending_bytes)
            out->largest_pending_bytes = size;
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    out->excluded_files = check_number(db, "SELECT total(files) FROM excluded");
    out->excluded_bytes = check_number(db, "SELECT total(bytes) FROM excluded");
    out->issues = check_number(db, "SELECT count(*) FROM issue");
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM folder WHERE files_wave = %lld AND collection_id IS NULL",
             (long long)out->wave);
    out->collections = check_number(db, sql);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM folder o JOIN mapping m ON m.id = o.mapping_id"
             " WHERE folders_wave = %lld AND category_id IS NULL AND m.rules LIKE 'tree:%%'",
             (long long)out->wave);
    out->categories = check_number(db, sql);
}

static void check_queues(sqlite3 *db, int64_t wave)
{
    char sql[512];
    sqlite3_stmt *stmt;
    int64_t rows = 0;
    snprintf(sql, sizeof sql,
             "SELECT w.id, w.size, q.id FROM work w LEFT JOIN queue q ON q.id = w.id"
             " WHERE w.wave = %lld AND w.state <= %d",
             (long long)wave, ASSET_STORED);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        int64_t key = claim_size_key(sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1));
        rows++;
        assert_int_equal(sqlite3_column_type(stmt, 2), SQLITE_INTEGER);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM queue_by_size WHERE key = %lld",
                 (long long)key);
        assert_int_equal(check_number(db, sql), 1);
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    assert_int_equal(check_number(db, "SELECT count(*) FROM queue"), rows);
    assert_int_equal(check_number(db, "SELECT count(*) FROM queue_by_size"), rows);
    /* A row to be linked stands in one of two places: it can be, or it waits for its folder. */
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM work WHERE wave = %lld AND state = %d"
             " AND (marks & %d OR folder_id)",
             (long long)wave, ASSET_CONFIRMED, WORK_WISH);
    rows = check_number(db, sql);
    assert_int_equal(check_number(db, "SELECT (SELECT count(*) FROM queue_link) +"
                                      " (SELECT count(*) FROM held_link)"),
                     rows);
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM work w WHERE w.wave = %lld AND w.state = %d AND"
             " (EXISTS(SELECT 1 FROM queue_link q WHERE q.id = w.id) OR"
             " EXISTS(SELECT 1 FROM held_link h WHERE h.asset_id = w.id"
             " AND h.folder_id = w.folder_id))",
             (long long)wave, ASSET_CONFIRMED);
    assert_int_equal(check_number(db, sql), rows);
    assert_int_equal(check_number(db, "SELECT count(*) FROM work w LEFT JOIN wish x"
                                      " ON x.asset_id = w.id"
                                      " WHERE (w.marks & 1) <> (x.asset_id IS NOT NULL)"),
                     0);
}

static void check_names(sqlite3 *db)
{
    /* Every queued row owns a name. The names here need no substring of their path but `name`. */
    assert_int_equal(check_number(db, "SELECT count(*) FROM queue q WHERE NOT EXISTS"
                                      " (SELECT 1 FROM name_key k WHERE k.asset_id = q.id)"),
                     0);
    assert_int_equal(check_number(db, "SELECT count(*) FROM (SELECT asset_id FROM name_key"
                                      " WHERE asset_id > 0 GROUP BY 1 HAVING count(*) > 1)"),
                     0);
    /* Side tables hold what is needed and nothing else. */
    assert_int_equal(check_number(db, "SELECT count(*) FROM work w JOIN session s"
                                      " ON s.asset_id = w.id WHERE w.state BETWEEN 4 AND 7"),
                     0);
    assert_int_equal(check_number(db, "SELECT count(*) FROM part p WHERE NOT EXISTS"
                                      " (SELECT 1 FROM work w WHERE w.id = p.asset_id"
                                      " AND (w.state <= 3 OR w.state = 8))"),
                     0);
    assert_int_equal(check_number(db, "SELECT count(*) FROM work w LEFT JOIN failure f"
                                      " ON f.asset_id = w.id WHERE"
                                      " (w.class_id <> 0) <> (f.asset_id IS NOT NULL)"),
                     0);
    assert_int_equal(check_number(db, "SELECT (SELECT count(*) FROM work) +"
                                      " 2 * (SELECT count(*) FROM asset) -"
                                      " 3 * (SELECT count(*) FROM path_key)"),
                     0);
}

/* Largest is told by class: within 1.6 %. */
static void check_books_alike(struct journal_books told, struct journal_books counted)
{
    assert_true(told.largest_pending_bytes <= counted.largest_pending_bytes);
    assert_true(told.largest_pending_bytes >=
                counted.largest_pending_bytes - counted.largest_pending_bytes / 64 - 1);
    told.largest_pending_bytes = counted.largest_pending_bytes;
    assert_memory_equal(&told, &counted, sizeof told);
}

/* Of the open journal, and of what a reader sees. */
static void check_journal(struct fixture *fixture)
{
    struct journal_books counted;
    struct journal_books told;
    struct journal *reader;
    sqlite3 *db;
    char *value;
    /* A blocking call: everything that was added before is committed when it returns. */
    expect_ok(fixture, journal_set_meta(fixture->journal, "check", "1", &fixture->err));
    expect_ok(fixture, journal_get_meta(fixture->journal, "check", &value, &fixture->err));
    free(value);
    assert_int_equal(sqlite3_open_v2(fixture->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    check_full_count(db, &counted);
    check_queues(db, counted.wave);
    check_names(db);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    check_books_alike(read_books(fixture), counted);
    expect_ok(fixture,
              journal_open(fixture->path, JOURNAL_READ, NULL, NULL, &reader, &fixture->err));
    expect_ok(fixture, journal_read_books(reader, &told, &fixture->err));
    check_books_alike(told, counted);
    journal_close(reader);
}

#endif
