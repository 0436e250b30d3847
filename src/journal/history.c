/*
 * history.c - see history.h. Called by facts.c.
 *
 * A row is a moment of the wall clock; all have one length, COUNTERS_HISTORY_MS. When there are
 * too many rows, that length doubles and each row joins its neighbour, in one transaction with
 * the rows that were added: the sums over all rows are those of what was added, always.
 */
#include "journal/history.h"

/* The k-th of n nearly equal shares of a sum; all of them together are the sum. */
static int64_t share_of(int64_t sum, int64_t k, int64_t n)
{
    return (int64_t)((__int128)sum * (k + 1) / n - (__int128)sum * k / n);
}

static int add_row(struct store *store, int64_t at_ms, const struct journal_moment *moment,
                   int64_t k, int64_t n, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_HISTORY_ADD);
    sqlite3_bind_int64(stmt, 1, at_ms);
    for (int i = 0; i < HISTORY_MEASURE_COUNT; i++)
        sqlite3_bind_int64(stmt, i + 2, share_of(moment->sums[i], k, n));
    return sql_run(&store->sql, stmt, err);
}

static int count_rows(struct store *store, int64_t *out, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_HISTORY_COUNT);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    *out = rc ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    return 0;
}

/* Moments become twice as long until there are few enough. */
static int join_rows(struct store *store, int64_t width_ms, struct err *err)
{
    int64_t rows = 0;
    int rc = count_rows(store, &rows, err);
    while (!rc && rows > LIMIT_HISTORY_ROWS) {
        width_ms *= 2;
        rc = sql_do_id(&store->sql, SQL_HISTORY_JOIN, width_ms, err);
        if (!rc)
            rc = sql_do_id(&store->sql, SQL_HISTORY_JOINED, width_ms, err);
        if (!rc)
            rc = count_rows(store, &rows, err);
        counters_set(&store->counters, COUNTERS_HISTORY_MS, width_ms);
    }
    return rc;
}

int history_add(struct store *store, const struct journal_moment *moment, struct err *err)
{
    int64_t width_ms = store->counters.numbers[COUNTERS_HISTORY_MS];
    if (width_ms <= 0) {
        width_ms = HISTORY_FIRST_MS;
        counters_set(&store->counters, COUNTERS_HISTORY_MS, width_ms);
    }
    int64_t last = moment->to_ms / width_ms;
    int64_t first = moment->from_ms < moment->to_ms ? moment->from_ms / width_ms : last;
    if (last - first >= HISTORY_SPREAD)
        first = last - HISTORY_SPREAD + 1;
    int rc = 0;
    for (int64_t slot = first; !rc && slot <= last; slot++)
        rc = add_row(store, slot * width_ms, moment, slot - first, last - first + 1, err);
    return rc ? rc : join_rows(store, width_ms, err);
}
