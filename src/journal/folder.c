/*
 * folder.c - see folder.h.
 *
 * A folder is known by its mapping, its parent and its name (NFC): two spellings of one name are
 * one folder, and another mapping has folders of its own, with ids of their own. A wave marks the
 * folders that its files lie in, and all above them; so only these are ever made.
 */
#include "journal/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/store.h"

void folder_release(struct folder_state *folders)
{
    free(folders->top_id);
    folders->top_id = NULL;
    idset_release(&folders->given);
}

/* ---- the mapping ------------------------------------------------------------------------- */

static int find_mapping(struct store *store, const char *rules, int64_t *out_id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_MAPPING_FIND);
    sql_bind_text(stmt, 1, rules);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc > 0) {
        *out_id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    if (rc)
        return rc < 0 ? rc : 0;
    stmt = sql_get(&store->sql, SQL_MAPPING_ADD);
    sql_bind_text(stmt, 1, rules);
    rc = sql_run(&store->sql, stmt, err);
    *out_id = sqlite3_last_insert_rowid(store->sql.db);
    return rc;
}

static int set_mapping(struct store *store, const struct journal_mapping *mapping, struct err *err)
{
    struct folder_state *folders = &store->folders;
    struct buf rules;
    buf_init(&rules, LIMIT_ID_BYTES + 32);
    folder_release(folders);
    *folders = (struct folder_state){0};
    if (!mapping)
        return 0;
    const char *top_id = mapping->top_id ? mapping->top_id : "";
    folders->has_categories = mapping->has_categories;
    folders->top_id = strdup(top_id);
    int rc = 0;
    if (!folders->top_id ||
        buf_printf(&rules, "%s:%s", mapping->has_categories ? "tree" : "collections", top_id))
        rc = err_set(err, ERR_NOMEM, "no memory for the folders");
    if (!rc)
        rc = find_mapping(store, buf_str(&rules), &folders->mapping_id, err);
    buf_release(&rules);
    return rc;
}

int folder_map(struct store *store, const struct journal_mapping *mapping, struct err *err)
{
    static const enum sql_id forget[] = {SQL_FOLDER_FAILURE_CLEAR, SQL_FOLDER_INTENT_TRIES,
                                         SQL_LISTED_CLEAR};
    int rc = set_mapping(store, mapping, err);
    for (size_t i = 0; !rc && i < sizeof forget / sizeof *forget; i++)
        rc = sql_do(&store->sql, forget[i], err);
    return rc;
}

/* ---- rows -------------------------------------------------------------------------------- */

int folder_find(struct store *store, const struct journal_folder *folder, int64_t *out_id,
                struct err *err)
{
    int64_t mapping_id = store->folders.mapping_id;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FOLDER_FIND);
    BUG_ON(!mapping_id);
    sqlite3_bind_int64(stmt, 1, mapping_id);
    sqlite3_bind_int64(stmt, 2, folder->parent_id);
    sql_bind_text(stmt, 3, folder->name);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc > 0) {
        *out_id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    if (rc)
        return rc < 0 ? rc : 0;
    stmt = sql_get(&store->sql, SQL_FOLDER_ADD);
    sqlite3_bind_int64(stmt, 1, mapping_id);
    sqlite3_bind_int64(stmt, 2, folder->parent_id);
    sql_bind_text(stmt, 3, folder->name);
    /* Where all collections lie in one place, who has files first gets the short name. */
    sql_bind_text(stmt, 4, folder->other_title ? NULL : folder->name);
    sql_bind_text(stmt, 5, folder->other_title);
    rc = sql_run(&store->sql, stmt, err);
    *out_id = sqlite3_last_insert_rowid(store->sql.db);
    return rc;
}

int folder_get(struct store *store, int64_t id, struct folder *out, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FOLDER_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    *out = (struct folder){
        .id = id,
        .parent_id = sqlite3_column_int64(stmt, 0),
        .name = (const char *)sqlite3_column_text(stmt, 1),
        .title = (const char *)sqlite3_column_text(stmt, 2),
        .other_title = (const char *)sqlite3_column_text(stmt, 3),
        .files_wave = sqlite3_column_int64(stmt, 4),
        .folders_wave = sqlite3_column_int64(stmt, 5),
        .category_id = (const char *)sqlite3_column_text(stmt, 6),
        .collection_id = (const char *)sqlite3_column_text(stmt, 7),
    };
    return 1;
}

int folder_path(struct store *store, int64_t id, struct buf *out, struct err *err)
{
    struct folder folder;
    int64_t chain[LIMIT_FOLDER_PATH];
    size_t depth = 0;
    int rc = 0;
    for (; id && depth < LIMIT_FOLDER_PATH; id = folder.parent_id) {
        chain[depth++] = id;
        rc = folder_get(store, id, &folder, err);
        if (rc <= 0)
            return rc;
    }
    if (id)
        rc = buf_puts(out, "...");
    while (rc >= 0 && depth) {
        rc = folder_get(store, chain[--depth], &folder, err);
        if (rc > 0)
            rc = buf_printf(out, "%s%s", out->len ? "/" : "", folder.name);
    }
    return rc < 0 ? rc : 0;
}

int folder_titled(struct store *store, const char *title, int64_t *out_id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FOLDER_TITLED);
    sqlite3_bind_int64(stmt, 1, store->folders.mapping_id);
    sql_bind_text(stmt, 2, title);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    *out_id = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return 1;
}

/* ---- what a walk sees -------------------------------------------------------------------- */

static int refuse_title(struct store *store, const char *title, int64_t owner, struct err *err)
{
    struct buf path;
    struct err failure = ERR_INIT;
    /* Before the path is read: the title is of the same statement. */
    int rc =
        err_set(err, ERR_NAME_INVALID, "its folder would be the collection '%.150s' of", title);
    buf_init(&path, LIMIT_PATH_BYTES);
    if (!folder_path(store, owner, &path, &failure)) {
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used,
                 " the folder '%.200s' too: rename one of the two", buf_str(&path));
    }
    buf_release(&path);
    return rc;
}

/* Takes the first of the folder's two names that no other folder has. */
static int take_title(struct store *store, const struct folder *folder, struct err *err)
{
    int64_t owner = 0;
    const char *title = folder->name;
    int rc = folder_titled(store, title, &owner, err);
    if (rc > 0) {
        title = folder->other_title;
        rc = folder_titled(store, title, &owner, err);
    }
    if (rc)
        return rc < 0 ? rc : refuse_title(store, title, owner, err);
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FOLDER_SET_TITLE);
    sqlite3_bind_int64(stmt, 1, folder->id);
    sql_bind_text(stmt, 2, title);
    return sql_run(&store->sql, stmt, err);
}

static int set_wave(struct store *store, enum sql_id id, int64_t folder_id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, id);
    sqlite3_bind_int64(stmt, 1, folder_id);
    sqlite3_bind_int64(stmt, 2, store_wave(store));
    return sql_run(&store->sql, stmt, err);
}

/* All above a folder with files, up to the first that is known to lead to some. */
static int see_parents(struct store *store, int64_t id, struct err *err)
{
    int64_t wave = store_wave(store);
    while (id) {
        struct folder folder;
        int rc = folder_get(store, id, &folder, err);
        if (rc <= 0 || folder.folders_wave == wave)
            return rc < 0 ? rc : 0;
        if (store->folders.has_categories && !folder.category_id)
            counters_add(&store->counters, COUNTERS_CATEGORIES, 1);
        rc = set_wave(store, SQL_FOLDER_SEE_FOLDERS, id, err);
        if (rc)
            return rc;
        id = folder.parent_id;
    }
    return 0;
}

int folder_see(struct store *store, int64_t id, struct err *err)
{
    struct folder_state *folders = &store->folders;
    int64_t wave = store_wave(store);
    if (folders->seen_id == id && folders->seen_wave == wave)
        return 0;
    struct folder folder;
    int rc = folder_get(store, id, &folder, err);
    if (!rc)
        return err_set(err, ERR_INTERNAL, "the journal knows no folder %lld", (long long)id);
    if (rc < 0)
        return rc;
    if (!folder.title && (rc = take_title(store, &folder, err)) < 0)
        return rc;
    folders->seen_id = id;
    folders->seen_wave = wave;
    if (folder.files_wave == wave)
        return 0;
    if (!folder.collection_id)
        counters_add(&store->counters, COUNTERS_COLLECTIONS, 1);
    int64_t parent_id = folder.parent_id;
    rc = set_wave(store, SQL_FOLDER_SEE_FILES, id, err);
    return rc ? rc : see_parents(store, parent_id, err);
}

/* ---- ids --------------------------------------------------------------------------------- */

int folder_is_ready(struct store *store, int64_t id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_FOLDER_READY);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    rc = sqlite3_column_int(stmt, 0);
    sqlite3_reset(stmt);
    return rc;
}

int folder_set_id(struct store *store, int64_t id, enum folder_kind kind, const char *remote_id,
                  struct err *err)
{
    int is_category = kind == FOLDER_CATEGORY;
    struct folder folder;
    int rc = folder_get(store, id, &folder, err);
    if (rc <= 0)
        return rc;
    int is_known = (is_category ? folder.category_id : folder.collection_id) != NULL;
    int is_seen = (is_category ? folder.folders_wave : folder.files_wave) == store_wave(store);
    if (is_seen && is_known != (remote_id != NULL))
        counters_add(&store->counters, is_category ? COUNTERS_CATEGORIES : COUNTERS_COLLECTIONS,
                     is_known ? 1 : -1);
    sqlite3_stmt *stmt =
        sql_get(&store->sql, is_category ? SQL_FOLDER_SET_CATEGORY : SQL_FOLDER_SET_COLLECTION);
    sqlite3_bind_int64(stmt, 1, id);
    sql_bind_text(stmt, 2, remote_id);
    return sql_run(&store->sql, stmt, err);
}

int folder_doubt(struct store *store, int64_t id, struct err *err)
{
    int rc = folder_set_id(store, id, FOLDER_COLLECTION, NULL, err);
    while (!rc && id) {
        struct folder folder = {0};
        rc = folder_get(store, id, &folder, err);
        int64_t parent_id = folder.parent_id;
        if (rc > 0)
            rc = folder_set_id(store, id, FOLDER_CATEGORY, NULL, err);
        id = parent_id;
    }
    return rc;
}
