/*
 * found.c - see found.h.
 *
 * Invariants: a queued row of the current wave owns its name, so two files of one name are never
 * under way at once; a row that failed in the walk, or by name_collision, owns none. So "FAILED
 * and owns no name" is what tells a walk's verdict from the pipeline's.
 */
#include "journal/found.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/manifest.h"
#include "journal/naming.h"
#include "journal/wish.h"

#define PAGE_ROWS 256 /* failed rows that are looked at in one go */

/* A row that the journal had before; the name is the statement's, valid until it is reset. */
struct known {
    struct work work;
    struct file_stamp stamp;
    const char *name;
};

/* ---- names ------------------------------------------------------------------------------- */

/* What the column `name` holds for a name: NULL for the path's last component, '' for none. */
static const char *name_column(const char *path, const char *name)
{
    if (!name)
        return "";
    return strcmp(naming_last_component(path), name) == 0 ? NULL : name;
}

static int set_name(struct store *store, int64_t id, const char *path, const char *name,
                    struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_SET_NAME);
    sqlite3_bind_int64(stmt, 1, id);
    sql_bind_text(stmt, 2, name_column(path, name));
    return sql_run(&store->sql, stmt, err);
}

/* Tries the found row's names in turn. *out_name is the one it owns, or `name` with *out_owner. */
static int take_name(struct store *store, int64_t id, const struct journal_found *row,
                     const char **out_name, int64_t *out_owner, struct err *err)
{
    *out_name = row->name;
    int rc = naming_take(store, id, row->name, out_owner, err);
    if (rc || !*out_owner || !row->other_name)
        return rc;
    int64_t other_owner;
    rc = naming_take(store, id, row->other_name, &other_owner, err);
    if (!rc && !other_owner) {
        *out_name = row->other_name;
        *out_owner = 0;
    }
    return rc;
}

/* ---- failing ----------------------------------------------------------------------------- */

static int keep_walk_failure(struct store *store, int64_t id, const struct journal_found *row,
                             struct err *err)
{
    struct err failure = ERR_INIT;
    err_set(&failure, row->failure, "%s", row->failure_text ? row->failure_text : "");
    return store_set_failure(store, id, &failure, 0, err);
}

static void fail_work(struct work *work, enum err_code code)
{
    work->state = ASSET_FAILED;
    work->code = code;
}

/* ---- new paths --------------------------------------------------------------------------- */

/* Puts an id under a path's key, if no path has that key yet: 1, 0, or negative. */
static int add_path(struct store *store, int64_t key, int64_t id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_PATH_ADD);
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, id);
    int rc = sql_run(&store->sql, stmt, err);
    return rc ? rc : sqlite3_changes(store->sql.db);
}

/* Whether an id stands under a path's key: 1, 0, or negative. */
static int has_path(struct store *store, int64_t key, int64_t id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_PATH_GET);
    sqlite3_bind_int64(stmt, 1, key);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    rc = sqlite3_column_int64(stmt, 0) == id;
    sqlite3_reset(stmt);
    return rc;
}

/* The rest of a new row, whose id stands in path_key already. */
static int add_new(struct store *store, int64_t id, const struct journal_found *row,
                   struct err *err)
{
    struct work work = {
        .id = id,
        .wave = store_wave(store),
        .state = ASSET_DISCOVERED,
        .size_bytes = row->stamp.size_bytes,
    };
    const char *name = row->name;
    int64_t owner = 0;
    int rc = 0;
    if (row->failure)
        fail_work(&work, row->failure);
    else
        rc = take_name(store, id, row, &name, &owner, err);
    if (rc)
        return rc;
    store->last_id = id;
    if (row->failure) {
        rc = keep_walk_failure(store, id, row, err);
    } else if (owner) {
        fail_work(&work, ERR_NAME_COLLISION);
        rc = naming_set_collision(store, id, owner, err);
    }
    if (!rc)
        rc = manifest_keep(store, row, &work, err);
    if (!rc && !row->failure)
        rc = wish_keep(store, row, &work, err);
    if (rc < 0)
        return rc;
    struct fresh_row fresh = {.root_id = row->root_id,
                              .path = row->path,
                              .name = name_column(row->path, name),
                              .stamp = row->stamp,
                              .work = work};
    return fresh_add(store, &fresh, err);
}

/* ---- known paths ------------------------------------------------------------------------- */

/* A row of SQL_ASSET_BY_PATH; its name is the statement's. */
static void read_known(struct store *store, sqlite3_stmt *stmt, const struct journal_found *row,
                       struct known *out)
{
    *out = (struct known){
        .work = {.id = sqlite3_column_int64(stmt, 0),
                 .wave = sqlite3_column_int64(stmt, 8),
                 .state = (enum asset_state)sqlite3_column_int(stmt, 9),
                 .code = counters_code_of(&store->counters, sqlite3_column_int64(stmt, 10)),
                 .size_bytes = sqlite3_column_int64(stmt, 11),
                 .mime_id = sqlite3_column_int64(stmt, 12),
                 .tries = sqlite3_column_int(stmt, 13),
                 .marks = (unsigned)sqlite3_column_int(stmt, 14),
                 .folder_id = sqlite3_column_int64(stmt, 15)},
        .stamp = {.dev = (uint64_t)sqlite3_column_int64(stmt, 4),
                  .ino = (uint64_t)sqlite3_column_int64(stmt, 5),
                  .size_bytes = sqlite3_column_int64(stmt, 11),
                  .mtime_ns = sqlite3_column_int64(stmt, 6),
                  .ctime_ns = sqlite3_column_int64(stmt, 7)},
        .name = (const char *)sqlite3_column_text(stmt, 3),
    };
    if (!out->name)
        out->name = naming_last_component(row->path);
}

/*
 * 1 and *out when the path is known; the statement stays open for out->name. 0 and *key is where
 * the path belongs.
 */
static int find_known(struct store *store, const struct journal_found *row, int64_t *key,
                      struct known *out, struct err *err)
{
    size_t path_len = strlen(row->path);
    for (;; *key = naming_next_key(*key)) {
        sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_BY_PATH);
        sqlite3_bind_int64(stmt, 1, *key);
        int rc = sql_next(&store->sql, stmt, err);
        if (rc <= 0)
            return rc;
        const void *path = sqlite3_column_blob(stmt, 2);
        size_t len = (size_t)sqlite3_column_bytes(stmt, 2);
        if (sqlite3_column_int64(stmt, 1) == row->root_id && len == path_len &&
            (!len || memcmp(path, row->path, len) == 0)) {
            read_known(store, stmt, row, out);
            return 1;
        }
    }
}

static int set_stamp(struct store *store, int64_t id, const struct file_stamp *stamp,
                     struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_SET_STAMP);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)stamp->dev);
    sqlite3_bind_int64(stmt, 3, (int64_t)stamp->ino);
    sqlite3_bind_int64(stmt, 4, stamp->mtime_ns);
    sqlite3_bind_int64(stmt, 5, stamp->ctime_ns);
    return sql_run(&store->sql, stmt, err);
}

/* The row starts from nothing, with the tuple that was found. */
static int start_over(struct store *store, struct work *after, const struct file_stamp *stamp,
                      struct err *err)
{
    int rc = store_begin_anew(store, after, 1, err);
    after->size_bytes = stamp->size_bytes;
    after->mime_id = 0;
    return rc ? rc : set_stamp(store, after->id, stamp, err);
}

/* 1 where a confirm may have been sent, 0, or negative. */
static int has_intent(struct store *store, int64_t id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_SESSION_HAS_INTENT);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc > 0)
        sqlite3_reset(stmt);
    return rc;
}

/*
 * Another size or mtime: it starts from nothing. But where a confirm of the file as it was may have
 * been sent, that is resolved first: or PXM's file would be a stranger's, and its bytes those of
 * the wave before.
 */
static int see_changed(struct store *store, struct work *after, const struct file_stamp *stamp,
                       struct err *err)
{
    int in_doubt = has_intent(store, after->id, err);
    if (in_doubt <= 0)
        return in_doubt ? in_doubt : start_over(store, after, stamp, err);
    after->marks |= WORK_CHANGED;
    return after->state == ASSET_FAILED ? store_requeue(store, after, err) : 0;
}

/*
 * Same size and mtime, but another inode, device or ctime: perhaps a copy with its times kept.
 * Parts of the old tuple cannot be trusted. With an intent the confirm has to be resolved first,
 * which reads no more bytes of the file.
 */
static int refresh_stamp(struct store *store, struct work *after, const struct file_stamp *stamp,
                         struct err *err)
{
    int rc = has_intent(store, after->id, err);
    if (rc)
        return rc < 0 ? rc : set_stamp(store, after->id, stamp, err);
    rc = store_drop_session(store, after->id, err);
    after->state = ASSET_DISCOVERED;
    return rc ? rc : set_stamp(store, after->id, stamp, err);
}

/* A queued row without a name takes one, or becomes a collision. */
static int secure_name(struct store *store, const struct journal_found *row,
                       const struct known *known, struct work *after, struct err *err)
{
    const char *name;
    int64_t owner;
    int rc = *known->name ? naming_owns(store, after->id, known->name, err) : 0;
    if (rc)
        return rc < 0 ? rc : 0;
    rc = take_name(store, after->id, row, &name, &owner, err);
    if (rc)
        return rc;
    if (owner) {
        fail_work(after, ERR_NAME_COLLISION);
        rc = naming_set_collision(store, after->id, owner, err);
    }
    if (!rc && strcmp(name, known->name) != 0)
        rc = set_name(store, after->id, row->path, name, err);
    return rc;
}

/* The file's own name is fine: what fails is its row of the manifest, or its folder's name. */
static int is_about_link(const struct journal_found *row)
{
    return row->failure == ERR_MANIFEST || (row->failure == ERR_NAME_INVALID && row->name);
}

/* It failed so, and PXM has its bytes: only a walk can tell whether that is still wanted. */
static int is_for_walk(const struct work *work)
{
    return work->code == ERR_MANIFEST ||
           (work->code == ERR_NAME_INVALID && (work->marks & WORK_CONFIRMED));
}

/* The walk says that the file cannot be sent. What PXM has already, it keeps having. */
static int see_failed(struct store *store, const struct journal_found *row,
                      const struct known *known, struct work *after, int changed, struct err *err)
{
    if (!changed && (after->marks & WORK_CONFIRMED) && is_about_link(row)) {
        /* It is in PXM and keeps its name; what is wanted of it now cannot be done. */
        fail_work(after, row->failure);
        return keep_walk_failure(store, after->id, row, err);
    }
    if (!changed && !store_is_queued(after->state) && after->state != ASSET_FAILED)
        return 0;
    int rc = *known->name ? naming_release(store, after->id, known->name, err) : 0;
    if (!rc && changed)
        rc = start_over(store, after, &row->stamp, err);
    if (rc)
        return rc;
    fail_work(after, row->failure);
    return keep_walk_failure(store, after->id, row, err);
}

/* Whether a FAILED row that is unchanged waits again: 1, 0, or negative. */
static int may_wait_again(struct store *store, const struct known *known, struct err *err)
{
    if (err_is_temporary(known->work.code) || is_for_walk(&known->work) || !*known->name)
        return 1;
    int owns = naming_owns(store, known->work.id, known->name, err);
    return owns < 0 ? owns : !owns; /* without a name it was the walk that failed it */
}

/*
 * A queued row that the manifest calls otherwise now: 1 and it has neither its name nor a session
 * any more. 0 where that is not so, or where a confirm of the old name may have been sent.
 */
static int give_up_name(struct store *store, const struct journal_found *row,
                        const struct known *known, struct work *after, struct err *err)
{
    int is_meant = !strcmp(known->name, row->name) ||
                   (row->other_name && !strcmp(known->name, row->other_name));
    int was_sent = (known->work.marks & WORK_CONFIRMED) != 0;
    if (is_meant || was_sent || !*known->name || !store_is_queued(after->state))
        return 0;
    int rc = has_intent(store, after->id, err);
    if (rc)
        return rc < 0 ? rc : 0;
    rc = naming_release(store, after->id, known->name, err);
    if (!rc)
        rc = store_drop_session(store, after->id, err);
    after->state = ASSET_DISCOVERED;
    return rc ? rc : 1;
}

static int see_known(struct store *store, const struct journal_found *row,
                     const struct known *known, struct err *err)
{
    struct work after = known->work;
    int changed = row->stamp.size_bytes != known->stamp.size_bytes ||
                  row->stamp.mtime_ns != known->stamp.mtime_ns;
    int moved = row->stamp.dev != known->stamp.dev || row->stamp.ino != known->stamp.ino ||
                row->stamp.ctime_ns != known->stamp.ctime_ns;
    int was_queued = store_is_queued(after.state);
    after.wave = store_wave(store);
    if (after.wave == known->work.wave)
        return 0; /* the same path twice in one walk */
    int rc = manifest_keep(store, row, &after, err);
    if (rc)
        return rc;
    if (row->failure) {
        rc = see_failed(store, row, known, &after, changed, err);
        return rc ? rc : store_set_work(store, &known->work, &after, err);
    }
    int is_renewed = wish_keep(store, row, &after, err);
    if (is_renewed < 0)
        return is_renewed;
    if (changed) {
        rc = see_changed(store, &after, &row->stamp, err);
    } else if (is_renewed && (after.marks & WORK_CONFIRMED)) {
        rc = wish_renew(store, &after, err);
    } else if (after.state == ASSET_FAILED) {
        rc = may_wait_again(store, known, err);
        if (rc > 0)
            rc = store_requeue(store, &after, err);
    }
    if (!rc && !changed && moved && store_is_queued(after.state))
        rc = refresh_stamp(store, &after, &row->stamp, err);
    int is_renamed = rc ? 0 : give_up_name(store, row, known, &after, err);
    rc = is_renamed < 0 ? is_renamed : rc;
    /* A row that waited all along has its name still, unless it was gone in between. */
    if (!rc && store_is_queued(after.state) &&
        (!was_queued || is_renamed || store_is_gone(store, known->work.wave)))
        rc = secure_name(store, row, known, &after, err);
    return rc ? rc : store_set_work(store, &known->work, &after, err);
}

/* The row, or where its folder has no name of its own, one that fails with that. */
static int see_folder(struct store *store, const struct journal_found **row,
                      struct journal_found *failed, struct err *why, struct err *err)
{
    if ((*row)->failure || !(*row)->folder_id)
        return 0;
    int rc = folder_see(store, (*row)->folder_id, why);
    if (!rc)
        return 0;
    if (rc != -ERR_NAME_INVALID) {
        *err = *why;
        return rc;
    }
    *failed = **row;
    failed->failure = ERR_NAME_INVALID;
    failed->failure_text = why->text;
    *row = failed;
    return 0;
}

/* 1 and *known when the journal has the path; else the id stands under the path's key now. */
static int place_row(struct store *store, const struct journal_found *row, int64_t key, int64_t id,
                     struct known *known, struct err *err)
{
    for (;;) {
        int64_t at = key;
        int rc = find_known(store, row, &at, known, err);
        if (rc)
            return rc;
        rc = add_path(store, at, id, err);
        if (rc || !store->fresh.row_count)
            return rc < 0 ? rc : 0;
        /* A row of this batch has the key: only one that is written can be compared. */
        rc = fresh_write(store, err);
        if (rc)
            return rc;
    }
}

static int add_row(struct store *store, const struct journal_found *row, int is_placed, int64_t key,
                   int64_t id, struct err *err)
{
    struct journal_found failed;
    struct known known = {.name = ""};
    struct err why = ERR_INIT;
    int rc = see_folder(store, &row, &failed, &why, err);
    if (!rc && !is_placed)
        rc = place_row(store, row, key, id, &known, err);
    if (rc <= 0)
        return rc < 0 ? rc : add_new(store, id, row, err);
    rc = see_known(store, row, &known, err);
    sqlite3_reset(sql_get(&store->sql, SQL_ASSET_BY_PATH));
    return rc;
}

/*
 * In a first walk nearly every path is new, so all of them get their keys and ids at once; in a
 * later one nearly every path is known, and is looked for first.
 */
static int add_rows(struct store *store, const struct journal_found *rows, size_t count,
                    struct err *err)
{
    int64_t keys[LIMIT_WALK_BATCH];
    int64_t first_id = store->last_id + 1;
    int is_first = !store->counters.numbers[COUNTERS_UNSEEN];
    for (size_t i = 0; i < count; i++) {
        BUG_ON(!rows[i].path || (!rows[i].name && !rows[i].failure));
        keys[i] = naming_path_key(rows[i].root_id, rows[i].path);
    }
    store->fresh.added_ms = clock_wall_ms();
    int all_placed = is_first ? fresh_add_paths(store, keys, count, first_id, err) : 0;
    int rc = all_placed < 0 ? all_placed : 0;
    for (size_t i = 0; !rc && i < count; i++) {
        int64_t id = is_first ? first_id + (int64_t)i : store->last_id + 1;
        int is_placed = is_first && !all_placed ? has_path(store, keys[i], id, err) : all_placed;
        rc = is_placed < 0 ? is_placed : add_row(store, &rows[i], is_placed, keys[i], id, err);
    }
    return rc ? rc : fresh_write(store, err);
}

int found_add(struct store *store, const struct journal_found *rows, size_t count, struct err *err)
{
    int rc = 0;
    for (size_t from = 0; !rc && from < count; from += LIMIT_WALK_BATCH) {
        size_t left = count - from;
        rc = add_rows(store, rows + from, left < LIMIT_WALK_BATCH ? left : LIMIT_WALK_BATCH, err);
    }
    store->fresh.walked += count;
    return rc;
}

/* ---- failed rows again ------------------------------------------------------------------- */

/*
 * A failed row waits again, if it has a name or can take one: 1, 0 when it stays failed, or
 * negative. Its collision's text then names the present owner.
 */
static int requeue_failed(struct store *store, int64_t id, struct err *err)
{
    struct work before;
    int64_t owner = 0;
    int rc = store_get_work(store, id, &before, err);
    if (rc || is_for_walk(&before))
        return rc;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_NAME);
    sqlite3_bind_int64(stmt, 1, id);
    rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    /* The path blob as text: SQLite ends it with a NUL. */
    const char *path = (const char *)sqlite3_column_text(stmt, 0);
    const char *name = (const char *)sqlite3_column_text(stmt, 1);
    if (!name)
        name = naming_last_component(path ? path : "");
    int usable = *name != '\0';
    if (usable)
        rc = naming_take(store, id, name, &owner, err);
    sqlite3_reset(stmt);
    if (rc < 0 || !usable)
        return usable ? rc : 0;
    struct work after = before;
    if (owner && !(before.marks &
                   WORK_CONFIRMED)) /* or it failed in the walk, and another took the name since */
        return before.code == ERR_NAME_COLLISION ? naming_set_collision(store, id, owner, err) : 0;
    int is_refused = before.code == ERR_BAD_REQUEST || before.code == ERR_NOT_FOUND;
    /* A file that is gone waits for no folder: nobody would ask for it again. */
    int is_seen = before.wave == store_wave(store);
    rc = 0;
    if (is_refused && is_seen && (before.marks & WORK_CONFIRMED) && before.folder_id)
        rc = folder_doubt(store, before.folder_id, err);
    if (!rc)
        rc = store_requeue(store, &after, err);
    if (!rc)
        rc = store_set_work(store, &before, &after, err);
    return rc ? rc : 1;
}

/* Every id that a paged statement yields; pages, as the rows are changed on the way. */
static int requeue_all(struct store *store, enum sql_id page, int64_t parameter, int64_t *out_count,
                       struct err *err)
{
    int64_t ids[PAGE_ROWS];
    int64_t after_id = 0;
    int count;
    do {
        count = 0;
        sqlite3_stmt *stmt = sql_get(&store->sql, page);
        sqlite3_bind_int64(stmt, 1, after_id);
        sqlite3_bind_int(stmt, 2, ASSET_FAILED);
        sqlite3_bind_int(stmt, 3, PAGE_ROWS);
        sqlite3_bind_int64(stmt, 4, parameter);
        int rc;
        while ((rc = sql_next(&store->sql, stmt, err)) > 0)
            ids[count++] = sqlite3_column_int64(stmt, 0);
        for (int i = 0; !rc && i < count; i++) {
            rc = requeue_failed(store, ids[i], err);
            *out_count += rc > 0;
            rc = rc < 0 ? rc : 0;
        }
        if (rc)
            return rc;
        after_id = count ? ids[count - 1] : 0;
    } while (count == PAGE_ROWS);
    return 0;
}

int found_requeue_failed(struct store *store, enum err_code only, int64_t *out_count,
                         struct err *err)
{
    *out_count = 0;
    if (!only)
        return requeue_all(store, SQL_FAILED_PAGE, 0, out_count, err);
    return requeue_all(store, SQL_FAILED_ONLY_PAGE, counters_class_of(&store->counters, only),
                       out_count, err);
}

/* ---- walks ------------------------------------------------------------------------------- */

int found_begin_walk(struct store *store, int64_t *out_wave, struct err *err)
{
    int rc = counters_begin_wave(&store->counters, &store->sql, err);
    *out_wave = store_wave(store);
    if (!rc)
        rc = manifest_begin_walk(store, err);
    return rc ? rc : store_clear_queue(store, err);
}

int found_finish_walk(struct store *store, struct err *err)
{
    int64_t freed = 0;
    int64_t wave = store_wave(store);
    counters_set(&store->counters, COUNTERS_WALK_COMPLETE, 1);
    counters_set(&store->counters, COUNTERS_FINISHED_WAVE, wave);
    int rc = manifest_finish_walk(store, err);
    if (rc)
        return rc;
    /* Names whose owner is gone now go to the first that waits for them, a moved file say. */
    return requeue_all(store, SQL_ORPHAN_PAGE, wave, &freed, err);
}
