/* store.c - see store.h. */
#include "journal/store.h"

#include <stdlib.h>
#include <string.h>

int store_load(struct store *store, struct err *err)
{
    int rc = counters_load(&store->counters, &store->sql, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_LAST_ID);
    rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    store->last_id = rc ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    fresh_init(store);
    claim_restart(&store->claims);
    return 0;
}

void store_release(struct store *store)
{
    if (store->sql.db)
        sql_close(&store->sql);
    claim_release(&store->claims);
    folder_release(&store->folders);
    fresh_release(&store->fresh);
    for (size_t i = 0; i < store->mime_count; i++)
        free(store->mimes[i].type);
    store->mime_count = 0;
}

int store_is_queued(enum asset_state state)
{
    return state <= ASSET_STORED;
}

int store_wants_link(const struct work *work)
{
    return (work->marks & WORK_WISH) || work->folder_id;
}

int store_is_unlinked(const struct work *work)
{
    return work->state == ASSET_CONFIRMED && store_wants_link(work);
}

int store_is_pending(const struct work *work)
{
    return store_is_queued(work->state) || store_is_unlinked(work);
}

static struct work *recent_slot(struct store *store, int64_t id)
{
    return &store->recent[id & (STORE_RECENT - 1)];
}

int store_is_gone(const struct store *store, int64_t wave)
{
    return wave < store->counters.numbers[COUNTERS_FINISHED_WAVE];
}

int store_get_work(struct store *store, int64_t id, struct work *out, struct err *err)
{
    const struct work *recent = recent_slot(store, id);
    if (recent->id == id && id) {
        *out = *recent;
        return 0;
    }
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_WORK_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    if (!rc)
        return err_set(err, ERR_INTERNAL, "the journal knows no asset %lld", (long long)id);
    int64_t state = sqlite3_column_int64(stmt, 1);
    *out = (struct work){
        .id = id,
        .wave = sqlite3_column_int64(stmt, 0),
        .state = (enum asset_state)state,
        .code = counters_code_of(&store->counters, sqlite3_column_int64(stmt, 2)),
        .size_bytes = sqlite3_column_int64(stmt, 3),
        .mime_id = sqlite3_column_int64(stmt, 4),
        .tries = sqlite3_column_int(stmt, 5),
        .marks = (unsigned)sqlite3_column_int(stmt, 6),
        .folder_id = sqlite3_column_int64(stmt, 7),
    };
    sqlite3_reset(stmt);
    if (state < 0 || state >= ASSET_STATE_COUNT)
        return err_set(err, ERR_JOURNAL, "journal %s is damaged: asset %lld has state %lld",
                       store->sql.path, (long long)id, (long long)state);
    *recent_slot(store, id) = *out;
    return 0;
}

/* What a row counts in the books: nothing when the current wave has not seen it. */
static void count(struct store *store, const struct work *work, int sign)
{
    struct counters *counters = &store->counters;
    if (work->wave != store_wave(store)) {
        counters_add(counters, COUNTERS_UNSEEN, sign);
        return;
    }
    counters_count(counters, work->state, work->code, sign, sign * work->size_bytes);
    counters_add(counters, COUNTERS_UNLINKED, store_is_unlinked(work) ? sign : 0);
    counters_add(counters, COUNTERS_MANIFEST_FILES, work->marks & WORK_MANIFEST ? sign : 0);
    int is_to_link = store_is_pending(work) && store_wants_link(work);
    counters_add(counters, COUNTERS_TO_LINK, is_to_link ? sign : 0);
}

/* Whether a row stands in the queues: the two of files to send, or the one of files to link. */
static int in_queue(const struct store *store, const struct work *work)
{
    return store_is_pending(work) && work->wave == store_wave(store);
}

static int hold_link(struct store *store, enum sql_id id, const struct work *work, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, id);
    sqlite3_bind_int64(stmt, 1, work->folder_id);
    sqlite3_bind_int64(stmt, 2, work->id);
    return sql_run(&store->sql, stmt, err);
}

static int enqueue_link(struct store *store, const struct work *work, struct err *err)
{
    int ready = work->folder_id ? folder_is_ready(store, work->folder_id, err) : 1;
    if (ready <= 0)
        return ready ? ready : hold_link(store, SQL_HELD_ADD, work, err);
    /* Most are linked by whom confirmed them; who gives a claim back offers it. */
    if (!idset_has(&store->claims.given, work->id))
        claim_offer_link(&store->claims, work->id);
    return sql_do_id(&store->sql, SQL_LINK_ADD, work->id, err);
}

int store_queue_link(struct store *store, const struct work *work, struct err *err)
{
    int rc = sql_do_id(&store->sql, SQL_LINK_DROP, work->id, err);
    return rc ? rc : enqueue_link(store, work, err);
}

static int enqueue(struct store *store, const struct work *work, struct err *err)
{
    if (!store_is_queued(work->state))
        return enqueue_link(store, work, err);
    int64_t key = claim_size_key(work->id, work->size_bytes);
    int rc = sql_do_id(&store->sql, SQL_QUEUE_ADD, work->id, err);
    if (!rc)
        rc = sql_do_id(&store->sql, SQL_SIZES_ADD, key, err);
    claim_offer(&store->claims, work->id, work->size_bytes);
    return rc;
}

static int dequeue(struct store *store, const struct work *work, struct err *err)
{
    if (!store_is_queued(work->state)) {
        int rc = work->folder_id ? hold_link(store, SQL_HELD_DROP, work, err) : 0;
        return rc ? rc : sql_do_id(&store->sql, SQL_LINK_DROP, work->id, err);
    }
    int64_t key = claim_size_key(work->id, work->size_bytes);
    int rc = sql_do_id(&store->sql, SQL_QUEUE_DROP, work->id, err);
    return rc ? rc : sql_do_id(&store->sql, SQL_SIZES_DROP, key, err);
}

int store_clear_queue(struct store *store, struct err *err)
{
    int rc = sql_do(&store->sql, SQL_QUEUE_CLEAR, err);
    fresh_forget_queue(store);
    claim_restart(&store->claims);
    if (!rc)
        rc = sql_do(&store->sql, SQL_LINK_CLEAR, err);
    if (!rc)
        rc = sql_do(&store->sql, SQL_HELD_CLEAR, err);
    return rc ? rc : sql_do(&store->sql, SQL_SIZES_CLEAR, err);
}

static int write_work(struct store *store, const struct work *work, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_WORK_SET);
    sqlite3_bind_int64(stmt, 1, work->id);
    sqlite3_bind_int64(stmt, 2, work->wave);
    sqlite3_bind_int(stmt, 3, (int)work->state);
    sqlite3_bind_int64(stmt, 4, counters_class_of(&store->counters, work->code));
    sqlite3_bind_int64(stmt, 5, work->size_bytes);
    sqlite3_bind_int64(stmt, 6, work->mime_id);
    sqlite3_bind_int(stmt, 7, work->tries);
    sqlite3_bind_int(stmt, 8, (int)work->marks);
    sqlite3_bind_int64(stmt, 9, work->folder_id);
    *recent_slot(store, work->id) = *work;
    return sql_run(&store->sql, stmt, err);
}

int store_add_work(struct store *store, const struct work *work, struct err *err)
{
    *recent_slot(store, work->id) = *work;
    count(store, work, 1);
    return in_queue(store, work) ? fresh_add_pending(store, work, err) : 0;
}

int store_set_work(struct store *store, const struct work *before, const struct work *after,
                   struct err *err)
{
    int was_in = in_queue(store, before);
    int is_in = in_queue(store, after);
    /* Another place in the queues, or other queues. */
    int moved = before->size_bytes != after->size_bytes || before->folder_id != after->folder_id ||
                store_is_queued(before->state) != store_is_queued(after->state);
    int rc = before->id >= store->fresh.first_id ? fresh_queue(store, err) : 0;
    if (!rc)
        rc = write_work(store, after, err);
    count(store, before, -1);
    count(store, after, 1);
    if (!rc && was_in && (!is_in || moved))
        rc = dequeue(store, before, err);
    if (!rc && is_in && (!was_in || moved))
        rc = enqueue(store, after, err);
    if (!store_is_pending(after))
        claim_forget(&store->claims, after->id);
    return rc;
}

int store_set_failure(struct store *store, int64_t id, const struct err *failure, int64_t owner_id,
                      struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FAILURE_SET);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, counters_class_of(&store->counters, failure->code));
    sqlite3_bind_int(stmt, 3, failure->http_status);
    sql_bind_text(stmt, 4, failure->text);
    sql_bind_text(stmt, 5, failure->request_id[0] ? failure->request_id : NULL);
    if (owner_id)
        sqlite3_bind_int64(stmt, 6, owner_id);
    else
        sqlite3_bind_null(stmt, 6);
    return sql_run(&store->sql, stmt, err);
}

int store_drop_session(struct store *store, int64_t id, struct err *err)
{
    int rc = sql_do_id(&store->sql, SQL_SESSION_DROP, id, err);
    return rc ? rc : sql_do_id(&store->sql, SQL_PART_DROP, id, err);
}

/* What PXM got of the file as it was; of a skipped one it is someone else's file. */
static int keep_former(struct store *store, const struct work *work, int has_its_bytes,
                       struct err *err)
{
    if (!(work->marks & WORK_CONFIRMED))
        return 0;
    /* Where PXM named no id, the one before stays, but its bytes are not PXM's any more. */
    int rc = sql_do_id(&store->sql, SQL_FORMER_DOUBT, work->id, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FORMER_SET);
    sqlite3_bind_int64(stmt, 1, work->id);
    sqlite3_bind_int64(stmt, 2, work->size_bytes);
    sqlite3_bind_int(stmt, 3, has_its_bytes);
    return sql_run(&store->sql, stmt, err);
}

int store_begin_anew(struct store *store, struct work *work, int has_its_bytes, struct err *err)
{
    int rc = keep_former(store, work, has_its_bytes, err);
    work->marks &= ~(unsigned)(WORK_CONFIRMED | WORK_WAS_NEW | WORK_CHANGED);
    if (!rc)
        rc = store_requeue(store, work, err);
    if (!rc)
        rc = store_drop_session(store, work->id, err);
    return rc ? rc : sql_do_id(&store->sql, SQL_RESULT_DROP, work->id, err);
}

int store_requeue(struct store *store, struct work *work, struct err *err)
{
    work->state = work->marks & WORK_CONFIRMED ? ASSET_CONFIRMED : ASSET_DISCOVERED;
    work->code = ERR_NONE;
    work->tries = 0;
    return sql_do_id(&store->sql, SQL_FAILURE_DROP, work->id, err);
}

static int find_or_add_mime(struct store *store, const char *type, int64_t *out_id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MIME_FIND);
    sql_bind_text(stmt, 1, type);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    if (rc) {
        *out_id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        return 0;
    }
    stmt = sql_get(&store->sql, SQL_MIME_ADD);
    sql_bind_text(stmt, 1, type);
    rc = sql_run(&store->sql, stmt, err);
    *out_id = sqlite3_last_insert_rowid(store->sql.db);
    return rc;
}

int store_mime_id(struct store *store, const char *type, int64_t *out_id, struct err *err)
{
    for (size_t i = 0; i < store->mime_count; i++) {
        if (strcmp(store->mimes[i].type, type) == 0) {
            *out_id = store->mimes[i].id;
            return 0;
        }
    }
    int rc = find_or_add_mime(store, type, out_id, err);
    if (rc || store->mime_count == STORE_MIMES)
        return rc;
    char *copy = strdup(type);
    if (copy)
        store->mimes[store->mime_count++] = (struct store_mime){copy, *out_id};
    return 0;
}
