/*
 * walker.c - the part of the journal's face that the walker's thread uses: waves, what it found and
 * what a manifest says of it. Blocking calls, each a small function that runs on the writer's
 * thread.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/face.h"
#include "journal/found.h"
#include "journal/manifest.h"

static int run_begin_walk(struct store *store, void *arg, struct err *err)
{
    return found_begin_walk(store, arg, err);
}

int journal_walk_begin(struct journal *journal, int64_t *out_wave, struct err *err)
{
    return face_call(journal, run_begin_walk, out_wave, 0, err);
}

static int run_finish_walk(struct store *store, void *arg, struct err *err)
{
    (void)arg;
    return found_finish_walk(store, err);
}

int journal_walk_finish(struct journal *journal, struct err *err)
{
    return face_call(journal, run_finish_walk, NULL, 0, err);
}

struct found_call {
    const struct journal_found *rows;
    size_t count;
};

static int run_add_found(struct store *store, void *arg, struct err *err)
{
    const struct found_call *found = arg;
    return found_add(store, found->rows, found->count, err);
}

struct journal_adding {
    struct message message;
    struct found_call found;
};

int journal_start_adding(struct journal *journal, const struct journal_found *rows, size_t count,
                         struct journal_adding **out, struct err *err)
{
    *out = malloc(sizeof **out);
    if (!*out)
        return err_set(err, ERR_NOMEM, "no memory for the walk");
    **out = (struct journal_adding){
        .message = {.call = run_add_found, .relaxed = 1, .err = ERR_INIT},
        .found = {rows, count},
    };
    (*out)->message.arg = &(*out)->found;
    face_start(journal, &(*out)->message);
    return 0;
}

int journal_end_adding(struct journal *journal, struct journal_adding *adding, struct err *err)
{
    int rc = face_wait(journal, &adding->message, err);
    free(adding);
    return rc;
}

int journal_add_found(struct journal *journal, const struct journal_found *rows, size_t count,
                      struct err *err)
{
    struct found_call found = {rows, count};
    return face_call(journal, run_add_found, &found, 1, err);
}

static int run_manifest_clear(struct store *store, void *arg, struct err *err)
{
    (void)arg;
    return manifest_clear(store, err);
}

int journal_manifest_clear(struct journal *journal, struct err *err)
{
    return face_call(journal, run_manifest_clear, NULL, 0, err);
}

struct manifest_call {
    const struct journal_manifest_row *rows;
    struct journal_manifest_query *queries;
    size_t count;
    unsigned how;
};

static int run_manifest_add(struct store *store, void *arg, struct err *err)
{
    const struct manifest_call *manifest = arg;
    return manifest_add(store, manifest->rows, manifest->count, err);
}

int journal_manifest_add(struct journal *journal, const struct journal_manifest_row *rows,
                         size_t count, struct err *err)
{
    struct manifest_call manifest = {.rows = rows, .count = count};
    return face_call(journal, run_manifest_add, &manifest, 1, err);
}

static int run_manifest_find(struct store *store, void *arg, struct err *err)
{
    const struct manifest_call *manifest = arg;
    return manifest_find(store, manifest->queries, manifest->count, manifest->how, err);
}

int journal_manifest_find(struct journal *journal, struct journal_manifest_query *queries,
                          size_t count, unsigned how, struct err *err)
{
    struct manifest_call manifest = {.queries = queries, .count = count, .how = how};
    return face_call(journal, run_manifest_find, &manifest, 1, err);
}

struct excluded_call {
    const char *reason;
    int64_t files;
    int64_t bytes;
};

static int exclude(struct store *store, const char *reason, int64_t files, int64_t bytes,
                   struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_EXCLUDED_ADD);
    sql_bind_text(stmt, 1, reason);
    sqlite3_bind_int64(stmt, 2, files);
    sqlite3_bind_int64(stmt, 3, bytes);
    store->counters.excluded_files += files;
    store->counters.excluded_bytes += bytes;
    return sql_run(&store->sql, stmt, err);
}

static int add_issue(struct store *store, const char *path, enum err_code code, const char *text,
                     struct err *err)
{
    struct counters *counters = &store->counters;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ISSUE_ADD);
    sqlite3_bind_blob(stmt, 1, path, (int)strlen(path), SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 2, counters_class_of(counters, code));
    sql_bind_text(stmt, 3, text);
    counters_set(counters, COUNTERS_ISSUES, counters->numbers[COUNTERS_ISSUES] + 1);
    return sql_run(&store->sql, stmt, err);
}

static int run_add_excluded(struct store *store, void *arg, struct err *err)
{
    const struct excluded_call *excluded = arg;
    return exclude(store, excluded->reason, excluded->files, excluded->bytes, err);
}

int journal_add_excluded(struct journal *journal, const char *reason, int64_t files, int64_t bytes,
                         struct err *err)
{
    struct excluded_call excluded = {reason, files, bytes};
    return face_call(journal, run_add_excluded, &excluded, 1, err);
}

struct issue_call {
    const char *path;
    enum err_code code;
    const char *text;
};

static int run_add_issue(struct store *store, void *arg, struct err *err)
{
    const struct issue_call *issue = arg;
    return add_issue(store, issue->path, issue->code, issue->text, err);
}

int journal_add_issue(struct journal *journal, const char *path, enum err_code code,
                      const char *text, struct err *err)
{
    struct issue_call issue = {path, code, text};
    return face_call(journal, run_add_issue, &issue, 1, err);
}
