/* test_journal_sql.c - no statement reads a whole large table, but those that say why. */
#include "test_journal_fixture.h"

#include <sqlite3.h>

#include "journal/feed.h"
#include "journal/sql.h"

/* Tables that hold a handful of rows whatever the job's size. */
static int is_small(const char *detail)
{
    static const char *const tables[] = {"control",  "class", "tally",
                                         "excluded", "issue", "history"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        size_t len = strlen(tables[i]);
        const char *name = detail + strlen("SCAN ");
        if (strncmp(name, tables[i], len) == 0 && (!name[len] || name[len] == ' '))
            return 1;
    }
    return 0;
}

/* How many steps of a statement's plan read a whole large table or sort. */
static int bad_steps(sqlite3 *db, const char *text)
{
    char explain[2048];
    sqlite3_stmt *stmt;
    int bad = 0;
    snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", text);
    if (sqlite3_prepare_v2(db, explain, -1, &stmt, NULL) != SQLITE_OK)
        print_message("%s: %s\n", text, sqlite3_errmsg(db));
    assert_non_null(stmt);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);
        if (strstr(detail, "TEMP B-TREE") || strstr(detail, "AUTOMATIC") ||
            (strncmp(detail, "SCAN ", 5) == 0 && !is_small(detail))) {
            print_message("%s\n    %s\n", text, detail);
            bad++;
        }
    }
    assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    return bad;
}

static void no_statement_reads_a_whole_table_without_a_reason(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    size_t n = 0;
    assert_int_equal(sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(feed_register(db), SQLITE_OK);
    for (; journal_statement(n); n++) {
        int bad = bad_steps(db, journal_statement(n));
        /* A reason that is needed no more must go too. */
        assert_int_equal(bad > 0, sql_scan_reason(n) != NULL);
        assert_true(bad <= 1);
    }
    assert_int_equal(n, SQL_COUNT);
    assert_null(sql_scan_reason(n));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_statement_reads_a_whole_table_without_a_reason,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
