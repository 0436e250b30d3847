/*
 * feed.h - rows in memory as a table that a statement reads: `SELECT c0, c1 FROM feed(?1)`. So
 * many rows are inserted by one statement, which costs a fifth of a statement a row. One thread.
 */
#ifndef JOURNAL_FEED_H
#define JOURNAL_FEED_H

#include <sqlite3.h>
#include <stddef.h>

struct feed {
    size_t count;
    /* Gives out a column of a row by one of sqlite3_result_*(); what it points to outlives the run.
     */
    void (*column)(const void *rows, size_t row, int column, sqlite3_context *out);
    const void *rows;
};

/* Makes the table known to a connection; SQLite's code. */
int feed_register(sqlite3 *db);
/* What the table holds while the statement runs. */
void feed_bind(sqlite3_stmt *stmt, int parameter, const struct feed *feed);

#endif
