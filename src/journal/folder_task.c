/*
 * folder_task.c - see folder_task.h.
 *
 * Only what files wait for is made: the collection of their folder, and before it the categories
 * above, from the top down. A task that is handed out has its intent in the same transaction, so
 * that it is durable before the request goes out. An intent that nobody knows the end of, after a
 * kill or a lost reply, is looked up until a listing that began `patience` after it lacks the
 * folder; only then it is made again.
 */
#include "journal/folder_task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "journal/folder.h"
#include "journal/store.h"

/* Folders that files wait for and that one call looks at. */
#define LOOK_MAX 256

/* What is to be made for a folder next: itself, or a category above it. */
struct choice {
    int64_t folder_id;
    enum folder_kind kind;
    char parent[LIMIT_ID_BYTES]; /* empty: the top */
};

struct intent {
    int64_t at_ms; /* 0: there is none */
    int64_t looked_ms;
    int tries;
};

/* ---- side tables ------------------------------------------------------------------------- */

static sqlite3_stmt *bind_side(struct store *store, enum sql_id id, int64_t folder_id,
                               enum folder_kind kind)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, id);
    sqlite3_bind_int64(stmt, 1, folder_id);
    sqlite3_bind_int(stmt, 2, (int)kind);
    return stmt;
}

static int drop_intent(struct store *store, int64_t folder_id, enum folder_kind kind,
                       struct err *err)
{
    return sql_run(&store->sql, bind_side(store, SQL_FOLDER_INTENT_DROP, folder_id, kind), err);
}

static int get_intent(struct store *store, const struct choice *choice, struct intent *out,
                      struct err *err)
{
    sqlite3_stmt *stmt = bind_side(store, SQL_FOLDER_INTENT_GET, choice->folder_id, choice->kind);
    *out = (struct intent){0};
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    out->at_ms = sqlite3_column_int64(stmt, 0);
    out->looked_ms = sqlite3_column_int64(stmt, 1);
    out->tries = sqlite3_column_int(stmt, 2);
    sqlite3_reset(stmt);
    return 0;
}

static int set_intent(struct store *store, const struct choice *choice, int64_t at_ms, int tries,
                      struct err *err)
{
    sqlite3_stmt *stmt = bind_side(store, SQL_FOLDER_INTENT_SET, choice->folder_id, choice->kind);
    sqlite3_bind_int64(stmt, 3, at_ms);
    sqlite3_bind_int(stmt, 4, tries);
    return sql_run(&store->sql, stmt, err);
}

static int set_failure(struct store *store, int64_t folder_id, enum folder_kind kind,
                       const struct err *failure, struct err *err)
{
    sqlite3_stmt *stmt = bind_side(store, SQL_FOLDER_FAILURE_SET, folder_id, kind);
    sqlite3_bind_int64(stmt, 3, counters_class_of(&store->counters, failure->code));
    sql_bind_text(stmt, 4, failure->text);
    return sql_run(&store->sql, stmt, err);
}

/* 1 and what failed, 0, or negative. */
static int get_failure(struct store *store, int64_t folder_id, enum folder_kind kind,
                       struct err *out, struct err *err)
{
    sqlite3_stmt *stmt = bind_side(store, SQL_FOLDER_FAILURE_GET, folder_id, kind);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    const char *text = (const char *)sqlite3_column_text(stmt, 1);
    enum err_code code = counters_code_of(&store->counters, sqlite3_column_int64(stmt, 0));
    (void)!err_set(out, code, "%s", text ? text : "");
    sqlite3_reset(stmt);
    return 1;
}

/* The files that waited for a folder can be linked, or fail, now. */
static int release(struct store *store, int64_t folder_id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_HELD_FIRST);
    sqlite3_bind_int64(stmt, 1, folder_id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    int64_t first = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    rc = sql_do_id(&store->sql, SQL_HELD_QUEUE, folder_id, err);
    if (!rc)
        rc = sql_do_id(&store->sql, SQL_HELD_RELEASE, folder_id, err);
    claim_offer_link(&store->claims, first);
    return rc;
}

static int fail_side(struct store *store, int64_t folder_id, enum folder_kind kind,
                     const struct err *failure, struct err *err)
{
    int rc = set_failure(store, folder_id, kind, failure, err);
    /* What may be there after all stays to be looked up. */
    if (!rc && failure->effect == EFFECT_NONE)
        rc = drop_intent(store, folder_id, kind, err);
    return rc || kind == FOLDER_CATEGORY ? rc : release(store, folder_id, err);
}

static int know_side(struct store *store, int64_t folder_id, enum folder_kind kind,
                     const char *remote_id, struct err *err)
{
    int rc = folder_set_id(store, folder_id, kind, remote_id, err);
    if (!rc)
        rc = drop_intent(store, folder_id, kind, err);
    return rc || kind == FOLDER_CATEGORY ? rc : release(store, folder_id, err);
}

/* ---- the listing ------------------------------------------------------------------------- */

int folder_task_list(struct store *store, int64_t began_ms, struct err *err)
{
    store->folders.listed_ms = began_ms;
    return sql_do(&store->sql, SQL_LISTED_CLEAR, err);
}

int folder_task_listed(struct store *store, const struct folder_listed *listed, struct err *err)
{
    int64_t folder_id;
    /* A tenant may have any number; those of our names are as many as our folders. */
    int rc = folder_titled(store, listed->name, &folder_id, err);
    if (rc <= 0)
        return rc;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_LISTED_ADD);
    sqlite3_bind_int(stmt, 1, (int)listed->kind);
    sql_bind_text(stmt, 2, listed->parent ? listed->parent : "");
    sql_bind_text(stmt, 3, listed->name);
    sql_bind_text(stmt, 4, listed->id);
    return sql_run(&store->sql, stmt, err);
}

/* How many of that name the listing showed in that place (2: or more); the first by id. */
static int find_listed(struct store *store, const struct choice *choice, const char *title,
                       char out_id[LIMIT_ID_BYTES], struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_LISTED_FIND);
    int count = 0;
    int rc;
    sqlite3_bind_int(stmt, 1, (int)choice->kind);
    sql_bind_text(stmt, 2, choice->parent);
    sql_bind_text(stmt, 3, title);
    while ((rc = sql_next(&store->sql, stmt, err)) > 0) {
        const char *id = (const char *)sqlite3_column_text(stmt, 0);
        if (!count++)
            snprintf(out_id, LIMIT_ID_BYTES, "%s", id ? id : "");
    }
    return rc < 0 ? rc : count;
}

/* ---- choosing ---------------------------------------------------------------------------- */

/*
 * a/html/html beside files in a/html: both are the collection html of the category html, and one
 * is made for both, in the name of the upper folder. 1 and its number, 0, or negative.
 */
static int find_namesake(struct store *store, int64_t id, int64_t *out_id, struct err *err)
{
    struct folder folder;
    char title[LIMIT_NAME_BYTES + 1];
    int64_t wave = store_wave(store);
    int rc = folder_get(store, id, &folder, err);
    if (rc <= 0 || folder.folders_wave == wave || !folder.parent_id || !folder.title)
        return rc < 0 ? rc : 0;
    *out_id = folder.parent_id;
    snprintf(title, sizeof title, "%s", folder.title);
    rc = folder_get(store, *out_id, &folder, err);
    if (rc <= 0)
        return rc;
    return folder.files_wave == wave && folder.title && !strcmp(folder.title, title);
}

/*
 * What comes next for a folder: the topmost category above its collection that is not known, or
 * the collection. 1 where a category above has failed: then the collection has, too.
 */
static int choose(struct store *store, int64_t id, struct choice *out, struct err *err)
{
    struct folder folder = {0};
    struct err failure = ERR_INIT;
    *out = (struct choice){.folder_id = id, .kind = FOLDER_COLLECTION};
    snprintf(out->parent, sizeof out->parent, "%s", store->folders.top_id);
    if (!store->folders.has_categories)
        return 0;
    int rc = folder_get(store, id, &folder, err);
    if (rc <= 0)
        return rc;
    int64_t at = folder.folders_wave == store_wave(store) ? id : folder.parent_id;
    while (at) {
        rc = get_failure(store, at, FOLDER_CATEGORY, &failure, err);
        if (rc > 0)
            rc = fail_side(store, id, FOLDER_COLLECTION, &failure, err);
        else if (!rc)
            rc = folder_get(store, at, &folder, err);
        if (rc <= 0 || failure.code)
            return rc < 0 ? rc : 1;
        if (folder.category_id) {
            snprintf(out->parent, sizeof out->parent, "%s", folder.category_id);
            rc = out->kind == FOLDER_COLLECTION ? find_namesake(store, id, &at, err) : 0;
            if (rc > 0)
                out->folder_id = at;
            return rc < 0 ? rc : 0;
        }
        out->folder_id = at;
        out->kind = FOLDER_CATEGORY;
        at = folder.parent_id;
    }
    return 0;
}

/* ---- handing out ------------------------------------------------------------------------- */

static char *copy_of(const char *text)
{
    return text && *text ? strdup(text) : NULL;
}

void folder_task_free(struct folder_task *task)
{
    if (!task)
        return;
    free(task->name);
    free(task->parent);
    free(task->path);
    free(task);
}

static int add_task(struct store *store, struct folder_request *request,
                    const struct choice *choice, const char *title, enum folder_action action,
                    int64_t intent_ms, struct err *err)
{
    struct buf path;
    struct folder_task *task = calloc(1, sizeof *task);
    if (!task)
        return err_set(err, ERR_NOMEM, "no memory for a folder");
    *task = (struct folder_task){.folder_id = choice->folder_id,
                                 .kind = choice->kind,
                                 .action = action,
                                 .intent_ms = intent_ms};
    task->name = copy_of(title); /* before the path is read: it is of the same statement */
    buf_init(&path, LIMIT_PATH_BYTES);
    int rc = folder_path(store, choice->folder_id, &path, err);
    task->parent = copy_of(choice->parent);
    task->path = copy_of(buf_str(&path));
    buf_release(&path);
    int is_whole = task->name && task->path && (task->parent || !*choice->parent);
    if (rc || !is_whole) {
        folder_task_free(task);
        return rc ? rc : err_set(err, ERR_NOMEM, "no memory for a folder");
    }
    request->tasks[request->count++] = task;
    if (action == FOLDER_TWINS)
        return 0;
    if (idset_add(&store->folders.given, folder_key(choice->folder_id, choice->kind)))
        return err_set(err, ERR_NOMEM, "no memory for a folder");
    return 0;
}

/* The other side was asked so often and shows nothing. */
static int give_up(struct store *store, const struct choice *choice, const char *title, int tries,
                   struct err *err)
{
    struct err failure = ERR_INIT;
    (void)!err_set(&failure, ERR_SERVER,
                   "PXM was asked %d times for the %s '%.200s' and shows none: run again later",
                   tries, choice->kind == FOLDER_CATEGORY ? "category" : "collection", title);
    return fail_side(store, choice->folder_id, choice->kind, &failure, err);
}

/* Hands a choice out that no listing shows; 1 when that is done, 0 when it failed for good. */
static int hand_out(struct store *store, struct folder_request *request,
                    const struct choice *choice, const char *title, struct err *err)
{
    struct intent intent;
    int64_t listed_ms = store->folders.listed_ms;
    int rc = get_intent(store, choice, &intent, err);
    if (!rc && intent.at_ms > request->ask.now_ms) {
        /* The clock was set back: the time that is to pass begins now. */
        intent.at_ms = request->ask.now_ms;
        rc = set_intent(store, choice, intent.at_ms, intent.tries, err);
        intent.looked_ms = 0;
        listed_ms = 0;
    }
    if (rc)
        return rc;
    int64_t looked_ms = intent.looked_ms > listed_ms ? intent.looked_ms : listed_ms;
    enum folder_action action = FOLDER_MAKE;
    if (intent.at_ms && looked_ms < intent.at_ms + request->ask.patience_ms) {
        action = FOLDER_LOOK_UP;
    } else if (intent.tries >= request->ask.tries_max) {
        return give_up(store, choice, title, intent.tries, err);
    } else {
        rc = set_intent(store, choice, request->ask.now_ms, intent.tries + 1, err);
        intent.at_ms = request->ask.now_ms;
    }
    if (!rc)
        rc = add_task(store, request, choice, title, action, intent.at_ms, err);
    return rc ? rc : 1;
}

/* What became of its namesake's collection, where that is decided: 1, 0, or negative. */
static int share_collection(struct store *store, int64_t id, const struct folder *namesake,
                            struct err *err)
{
    char remote_id[LIMIT_ID_BYTES];
    struct err failure = ERR_INIT;
    int rc;
    if (namesake->collection_id) {
        snprintf(remote_id, sizeof remote_id, "%s", namesake->collection_id);
        rc = know_side(store, id, FOLDER_COLLECTION, remote_id, err);
        return rc ? rc : 1;
    }
    rc = get_failure(store, namesake->id, FOLDER_COLLECTION, &failure, err);
    if (rc <= 0)
        return rc;
    rc = fail_side(store, id, FOLDER_COLLECTION, &failure, err);
    return rc ? rc : 1;
}

/* One step for a folder that files wait for; 1 where nothing more can be done now, 0, negative. */
static int advance(struct store *store, struct folder_request *request, int64_t id, struct err *err)
{
    struct choice choice;
    struct folder folder;
    char remote_id[LIMIT_ID_BYTES];
    int rc = choose(store, id, &choice, err);
    if (rc || idset_has(&store->folders.given, folder_key(choice.folder_id, choice.kind)))
        return rc < 0 ? rc : 1;
    rc = folder_get(store, choice.folder_id, &folder, err);
    if (rc <= 0)
        return rc < 0 ? rc : 1;
    if (choice.folder_id != id && choice.kind == FOLDER_COLLECTION) {
        rc = share_collection(store, id, &folder, err);
        if (rc)
            return rc;
    }
    int count = find_listed(store, &choice, folder.title, remote_id, err);
    if (count < 0)
        return count;
    if (!count) {
        rc = hand_out(store, request, &choice, folder.title, err);
        return rc < 0 ? rc : rc > 0 || choice.kind == FOLDER_COLLECTION;
    }
    if (count > 1 && request->count < request->ask.max)
        rc = add_task(store, request, &choice, folder.title, FOLDER_TWINS, 0, err);
    if (rc >= 0)
        rc = know_side(store, choice.folder_id, choice.kind, remote_id, err);
    return rc < 0 ? rc : choice.kind == FOLDER_COLLECTION;
}

/* The next folder behind the cursor that files wait for: 1, 0 past the last, or negative. */
static int next_held(struct store *store, int64_t behind, int64_t *out_id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_HELD_NEXT);
    sqlite3_bind_int64(stmt, 1, behind);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    *out_id = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return 1;
}

static int take_all(struct store *store, struct folder_request *request, struct err *err)
{
    int64_t *cursor = &store->folders.cursor;
    const int64_t start = *cursor;
    int wrapped = 0;
    for (int looked = 0; looked < LOOK_MAX && request->count < request->ask.max; looked++) {
        int64_t id = 0;
        int rc = next_held(store, *cursor, &id, err);
        if (!rc && !wrapped && start) {
            wrapped = 1;
            *cursor = 0;
            rc = next_held(store, 0, &id, err);
        }
        if (rc <= 0 || (wrapped && id > start))
            return rc < 0 ? rc : 0;
        *cursor = id;
        do {
            rc = advance(store, request, id, err);
        } while (!rc && request->count < request->ask.max);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int folder_task_take(struct store *store, struct folder_request *request, struct err *err)
{
    request->tasks = calloc(request->ask.max ? request->ask.max : 1, sizeof(struct folder_task *));
    if (!request->tasks)
        return err_set(err, ERR_NOMEM, "no memory for the folders");
    int rc = store->folders.listed_ms ? take_all(store, request, err) : 0;
    int64_t first;
    int held = rc ? rc : next_held(store, 0, &first, err);
    request->held = held > 0;
    return held < 0 ? held : 0;
}

int folder_task_fact(struct store *store, const struct journal_folder_fact *fact, struct err *err)
{
    int64_t id = fact->folder_id;
    idset_remove(&store->folders.given, folder_key(id, fact->kind));
    if (fact->remote_id)
        return know_side(store, id, fact->kind, fact->remote_id, err);
    if (fact->error)
        return fail_side(store, id, fact->kind, fact->error, err);
    if (!fact->looked_ms)
        return drop_intent(store, id, fact->kind, err);
    sqlite3_stmt *stmt = bind_side(store, SQL_FOLDER_INTENT_LOOKED, id, fact->kind);
    sqlite3_bind_int64(stmt, 3, fact->looked_ms);
    return sql_run(&store->sql, stmt, err);
}
