/* facts.c - see facts.h. */
#include "journal/facts.h"

#include "journal/history.h"
#include "journal/naming.h"

static int is_done(enum asset_state state)
{
    return !store_is_queued(state) && state != ASSET_FAILED;
}

static int set_prepared(struct store *store, const struct journal_fact *fact, struct work *work,
                        struct err *err)
{
    const struct file_stamp *stamp = &fact->stamp;
    int rc = 0;
    if (fact->mime_type)
        rc = store_mime_id(store, fact->mime_type, &work->mime_id, err);
    if (rc)
        return rc;
    work->size_bytes = stamp->size_bytes;
    work->marks &= ~(unsigned)WORK_CHANGED;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_STAMP);
    sqlite3_bind_int64(stmt, 1, work->id);
    rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    int same = rc && sqlite3_column_int64(stmt, 0) == (int64_t)stamp->dev &&
               sqlite3_column_int64(stmt, 1) == (int64_t)stamp->ino &&
               sqlite3_column_int64(stmt, 2) == stamp->mtime_ns &&
               sqlite3_column_int64(stmt, 3) == stamp->ctime_ns;
    sqlite3_reset(stmt);
    if (same)
        return 0;
    stmt = sql_get(&store->sql, SQL_ASSET_SET_STAMP);
    sqlite3_bind_int64(stmt, 1, work->id);
    sqlite3_bind_int64(stmt, 2, (int64_t)stamp->dev);
    sqlite3_bind_int64(stmt, 3, (int64_t)stamp->ino);
    sqlite3_bind_int64(stmt, 4, stamp->mtime_ns);
    sqlite3_bind_int64(stmt, 5, stamp->ctime_ns);
    return sql_run(&store->sql, stmt, err);
}

static int set_session(struct store *store, const struct journal_fact *fact, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_SESSION_SET);
    sqlite3_bind_int64(stmt, 1, fact->asset_id);
    sql_bind_text(stmt, 2, fact->file_path);
    sql_bind_text(stmt, 3, fact->file_name);
    sql_bind_text(stmt, 4, fact->upload_id);
    sql_bind_text(stmt, 5, fact->conflict_id);
    sqlite3_bind_int64(stmt, 6, fact->fields & FACT_INTENT ? fact->intent_ms : 0);
    sqlite3_bind_int64(stmt, 7, fact->fields & FACT_INTENT ? fact->intent_server_ms : 0);
    int rc = sql_run(&store->sql, stmt, err);
    if (rc || fact->keep_parts)
        return rc;
    return sql_do_id(&store->sql, SQL_PART_DROP, fact->asset_id, err);
}

static int set_part(struct store *store, const struct journal_fact *fact, struct err *err)
{
    const unsigned char *md5 = fact->has_md5 ? fact->md5 : NULL;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_PART_SET);
    sqlite3_bind_int64(stmt, 1, fact->asset_id);
    sqlite3_bind_int(stmt, 2, fact->part_no);
    sqlite3_bind_int64(stmt, 3, fact->part_start);
    sqlite3_bind_int64(stmt, 4, fact->part_len);
    naming_bind_etag(stmt, 5, fact->etag, md5);
    sqlite3_bind_blob(stmt, 6, md5, 16, SQLITE_STATIC);
    return sql_run(&store->sql, stmt, err);
}

static int set_intent(struct store *store, const struct journal_fact *fact, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_SESSION_INTENT);
    sqlite3_bind_int64(stmt, 1, fact->asset_id);
    sqlite3_bind_int64(stmt, 2, fact->intent_ms);
    sqlite3_bind_int64(stmt, 3, fact->intent_server_ms);
    return sql_run(&store->sql, stmt, err);
}

/* What PXM gave, or only when the asset came to its end. */
static int set_result(struct store *store, const struct journal_fact *fact, struct err *err)
{
    if (!(fact->fields & FACT_FILE)) {
        if (!(fact->fields & FACT_STATE) || store_is_queued(fact->state) || !fact->done_ms)
            return 0;
        sqlite3_stmt *stmt = sql_get(&store->sql, SQL_RESULT_DONE);
        sqlite3_bind_int64(stmt, 1, fact->asset_id);
        sqlite3_bind_int64(stmt, 2, fact->done_ms);
        sqlite3_bind_int64(stmt, 3, fact->took_ms);
        return sql_run(&store->sql, stmt, err);
    }
    unsigned char uuid[16];
    const unsigned char *md5 = fact->has_md5 ? fact->md5 : NULL;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_RESULT_SET);
    sqlite3_bind_int64(stmt, 1, fact->asset_id);
    naming_bind_file_id(stmt, 2, fact->file_id, uuid);
    sqlite3_bind_blob(stmt, 3, md5, 16, SQLITE_STATIC);
    naming_bind_etag(stmt, 4, fact->etag, md5);
    sqlite3_bind_int64(stmt, 5, fact->done_ms);
    sqlite3_bind_int64(stmt, 6, fact->took_ms);
    sql_bind_text(stmt, 7, fact->version);
    sql_bind_text(stmt, 8, fact->cdn_url);
    return sql_run(&store->sql, stmt, err);
}

/* What a done asset needs no more. */
static int drop_leftovers(struct store *store, const struct journal_fact *fact, struct work *work,
                          struct err *err)
{
    static const unsigned of_session = FACT_NO_SESSION | FACT_SESSION | FACT_PART | FACT_INTENT;
    int is_dropped = (fact->fields & of_session) == FACT_NO_SESSION;
    int rc = is_dropped ? 0 : store_drop_session(store, work->id, err);
    if (!rc && work->code)
        rc = sql_do_id(&store->sql, SQL_FAILURE_DROP, work->id, err);
    work->code = ERR_NONE;
    return rc;
}

/* What a state tells for the time after it. */
static void mark_state(struct work *work, const struct journal_fact *fact)
{
    if (fact->state >= ASSET_CONFIRMED && fact->state <= ASSET_VERIFIED)
        work->marks |= WORK_CONFIRMED;
    /* Once it is linked, anybody may link it further. */
    work->marks &= ~(unsigned)WORK_WAS_NEW;
    if (fact->state == ASSET_CONFIRMED && fact->was_new)
        work->marks |= WORK_WAS_NEW;
}

static int apply_session(struct store *store, const struct journal_fact *fact, struct err *err)
{
    static const unsigned restarts = FACT_STATE | FACT_NO_SESSION;
    int64_t id = fact->asset_id;
    int rc = 0;
    if (fact->fields & FACT_NO_SESSION)
        rc = store_drop_session(store, id, err);
    /* A confirm of what is given up may have been sent. */
    int is_restart = (fact->fields & (restarts | FACT_PREPARED)) == restarts;
    if (!rc && is_restart && store_is_queued(fact->state))
        rc = sql_do_id(&store->sql, SQL_FORMER_DOUBT, id, err);
    if (!rc && (fact->fields & FACT_NO_INTENT))
        rc = sql_do_id(&store->sql, SQL_SESSION_NO_INTENT, id, err);
    if (!rc && (fact->fields & FACT_SESSION))
        rc = set_session(store, fact, err);
    if (!rc && (fact->fields & FACT_PART))
        rc = set_part(store, fact, err);
    if (!rc && (fact->fields & (FACT_INTENT | FACT_SESSION)) == FACT_INTENT)
        rc = set_intent(store, fact, err);
    return rc;
}

/* The error last: it may be told beside a done state, which forgets the errors before it. */
static int apply(struct store *store, const struct journal_fact *fact, struct err *err)
{
    static const unsigned work_fields =
        FACT_STATE | FACT_PREPARED | FACT_ERROR | FACT_TRIES | FACT_LOST | FACT_CHANGED;
    struct work before;
    int rc = store_get_work(store, fact->asset_id, &before, err);
    struct work after = before;
    if (!rc && (fact->fields & FACT_PREPARED))
        rc = set_prepared(store, fact, &after, err);
    if (!rc)
        rc = apply_session(store, fact, err);
    if (!rc)
        rc = set_result(store, fact, err);
    if (!rc && (fact->fields & (FACT_LOST | FACT_CHANGED)))
        rc = store_begin_anew(store, &after, (fact->fields & FACT_CHANGED) != 0, err);
    if (!rc && (fact->fields & FACT_STATE)) {
        after.state = fact->state;
        mark_state(&after, fact);
        if (is_done(after.state) && !is_done(before.state))
            rc = drop_leftovers(store, fact, &after, err);
    }
    if (!rc && (fact->fields & FACT_ERROR)) {
        after.code = fact->error->code;
        rc = store_set_failure(store, fact->asset_id, fact->error, 0, err);
    }
    if (fact->fields & FACT_TRIES)
        after.tries = fact->tries;
    if (rc || !(fact->fields & work_fields))
        return rc;
    return store_set_work(store, &before, &after, err);
}

static int add_requests(struct store *store, const struct journal_batch *batch, struct err *err)
{
    int64_t newest = INT64_MIN;
    for (size_t i = 0; i < batch->request_count; i++) {
        int64_t at_ms = batch->request_times[i];
        int rc = sql_do_id(&store->sql, SQL_REQUEST_ADD, at_ms, err);
        if (rc)
            return rc;
        newest = at_ms > newest ? at_ms : newest;
    }
    if (!batch->request_count)
        return 0;
    return sql_do_id(&store->sql, SQL_REQUEST_PRUNE, newest - RATE_WINDOW_MS, err);
}

static int apply_folders(struct store *store, const struct journal_batch *batch, struct err *err)
{
    int rc = batch->list_began_ms ? folder_task_list(store, batch->list_began_ms, err) : 0;
    for (size_t i = 0; !rc && i < batch->listed_count; i++)
        rc = folder_task_listed(store, &batch->listed[i], err);
    for (size_t i = 0; !rc && i < batch->folder_fact_count; i++)
        rc = folder_task_fact(store, &batch->folder_facts[i], err);
    return rc;
}

int facts_apply(struct store *store, const struct journal_batch *batch, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < batch->fact_count; i++)
        rc = apply(store, &batch->facts[i], err);
    if (!rc)
        rc = add_requests(store, batch, err);
    if (!rc && batch->has_moment)
        rc = history_add(store, &batch->moment, err);
    if (!rc)
        rc = apply_folders(store, batch, err);
    for (size_t i = 0; !rc && i < batch->unclaim_count; i++)
        rc = claim_undo(store, batch->unclaims[i], err);
    return rc;
}

int facts_claim(struct store *store, struct journal_batch *batch, struct err *err)
{
    int rc = fresh_queue(store, err);
    /* Before the claims: what it finds in the listing can be linked at once. */
    if (!rc && batch->folders.asked)
        rc = folder_task_take(store, &batch->folders, err);
    for (int lane = 0; !rc && lane < CLAIM_LANE_COUNT; lane++) {
        struct batch_request *request = &batch->requests[lane];
        if (request->asked)
            rc = claim_take(store, (enum claim_lane)lane, request->max, request->boundary_bytes,
                            &request->list, err);
    }
    return rc;
}
