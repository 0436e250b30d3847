/* wish.c - see wish.h. */
#include "journal/wish.h"

#include <string.h>

static int is_same(sqlite3_stmt *stmt, int column, const char *text)
{
    const char *kept = (const char *)sqlite3_column_text(stmt, column);
    return kept && text ? !strcmp(kept, text) : kept == text;
}

/* 1 where the row of `wish` says the same, 0, or negative. */
static int is_known(struct store *store, int64_t id, const struct journal_found *row,
                    struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_WISH_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    int same = is_same(stmt, 0, row->wish_collections) && is_same(stmt, 1, row->wish_attributes);
    sqlite3_reset(stmt);
    return same;
}

int wish_keep(struct store *store, const struct journal_found *row, struct work *work,
              struct err *err)
{
    int is_moved = work->folder_id != row->folder_id;
    work->folder_id = row->folder_id;
    int had = (work->marks & WORK_WISH) != 0;
    int has = row->wish_collections || row->wish_attributes;
    int rc = had && has ? is_known(store, work->id, row, err) : had == has;
    if (rc)
        return rc < 0 ? rc : is_moved;
    if (!has) {
        work->marks &= ~(unsigned)WORK_WISH;
        rc = sql_do_id(&store->sql, SQL_WISH_DROP, work->id, err);
        return rc ? rc : 1;
    }
    work->marks |= WORK_WISH;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_WISH_SET);
    sqlite3_bind_int64(stmt, 1, work->id);
    sql_bind_text(stmt, 2, row->wish_collections);
    sql_bind_text(stmt, 3, row->wish_attributes);
    rc = sql_run(&store->sql, stmt, err);
    return rc ? rc : 1;
}

int wish_renew(struct store *store, struct work *work, struct err *err)
{
    int is_linked = work->state == ASSET_LINKED || work->state == ASSET_VERIFIED;
    if (!(work->marks & WORK_CONFIRMED) || (is_linked && !store_wants_link(work)))
        return 0;
    return store_requeue(store, work, err);
}
