/* feed.c - see feed.h. An eponymous virtual table; its hidden column takes the rows' pointer. */
#include "journal/feed.h"

#include <stdlib.h>

#define POINTER_TYPE "feed"
#define HIDDEN       9 /* the column behind c0 to c8 */
#define LIKELY_ROWS  500

struct cursor {
    sqlite3_vtab_cursor base;
    const struct feed *feed; /* NULL: no rows */
    size_t row;
};

static int on_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
                      char **error)
{
    (void)aux;
    (void)argc;
    (void)argv;
    (void)error;
    int rc =
        sqlite3_declare_vtab(db, "CREATE TABLE x(c0, c1, c2, c3, c4, c5, c6, c7, c8, rows HIDDEN)");
    *out = rc == SQLITE_OK ? calloc(1, sizeof **out) : NULL;
    return rc == SQLITE_OK && !*out ? SQLITE_NOMEM : rc;
}

static int on_disconnect(sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int on_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != HIDDEN || !info->aConstraint[i].usable ||
            info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->estimatedCost = LIKELY_ROWS;
        info->estimatedRows = LIKELY_ROWS;
        return SQLITE_OK;
    }
    return SQLITE_CONSTRAINT;
}

static int on_open(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    (void)table;
    struct cursor *cursor = calloc(1, sizeof *cursor);
    if (!cursor)
        return SQLITE_NOMEM;
    *out = &cursor->base;
    return SQLITE_OK;
}

static struct cursor *of(sqlite3_vtab_cursor *base)
{
    return (struct cursor *)base; /* its first member */
}

static int on_close(sqlite3_vtab_cursor *base)
{
    free(of(base));
    return SQLITE_OK;
}

static int on_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int argc,
                     sqlite3_value **argv)
{
    (void)plan;
    (void)text;
    of(base)->feed = argc == 1 ? sqlite3_value_pointer(argv[0], POINTER_TYPE) : NULL;
    of(base)->row = 0;
    return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *base)
{
    of(base)->row++;
    return SQLITE_OK;
}

static int on_eof(sqlite3_vtab_cursor *base)
{
    const struct cursor *cursor = of(base);
    return !cursor->feed || cursor->row >= cursor->feed->count;
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
    const struct cursor *cursor = of(base);
    if (column < HIDDEN)
        cursor->feed->column(cursor->feed->rows, cursor->row, column, out);
    return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)of(base)->row;
    return SQLITE_OK;
}

int feed_register(sqlite3 *db)
{
    static const sqlite3_module module = {
        .xConnect = on_connect,
        .xBestIndex = on_best_index,
        .xDisconnect = on_disconnect,
        .xOpen = on_open,
        .xClose = on_close,
        .xFilter = on_filter,
        .xNext = on_next,
        .xEof = on_eof,
        .xColumn = on_column,
        .xRowid = on_rowid,
    };
    return sqlite3_create_module(db, "feed", &module, NULL);
}

void feed_bind(sqlite3_stmt *stmt, int parameter, const struct feed *feed)
{
    /* SQLite's pointers have no const; nothing is written through it. */
    sqlite3_bind_pointer(stmt, parameter, (void *)(size_t)feed, POINTER_TYPE, NULL);
}
