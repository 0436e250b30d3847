/*
 * journal.c - the face: opening and closing, and the blocking calls, each a small function that
 * runs on the writer's thread. Any thread may make blocking calls; reading in the writing modes
 * goes through a read-only connection of its own under a lock.
 */
#include "journal/journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/face.h"
#include "journal/folder.h"
#include "journal/found.h"
#include "journal/naming.h"
#include "journal/place.h"
#include "journal/reader.h"
#include "journal/schema.h"
#include "journal/writer.h"

/*
 * quick_check reads every page, 4 ms a megabyte from the page cache: always for journals up to
 * this size, for larger ones only after a run that did not close its journal.
 */
#define QUICK_CHECK_BYTES (64 * 1024 * 1024)

#define WRITER_BUSY_MS 10000 /* a reader recovers the log of a killed run */

struct journal {
    enum journal_mode mode;
    char *path; /* as it was given */
    int was_killed;
    struct place place;
    struct store store;    /* the writer's */
    struct writer *writer; /* NULL in READ mode */
    pthread_mutex_t reader_lock;
    struct sql reader; /* in the writing modes opened at its first use */
};

const char *asset_state_name(enum asset_state state)
{
    static const char *const names[] = {
#define X(sym, name) name,
        ASSET_STATES(X)
#undef X
    };
    _Static_assert(sizeof names / sizeof *names == ASSET_STATE_COUNT, "one name a state");
    BUG_ON(state >= ASSET_STATE_COUNT);
    return names[state];
}

const char *journal_statement(size_t n)
{
    return sql_text(n);
}

int journal_network_of(const char *folder, char out[64], struct err *err)
{
    return place_network_of(folder, out, err);
}

int journal_is_running(const char *path)
{
    return place_is_locked(path);
}

/* ---- open and close ---------------------------------------------------------------------- */

/* Makes the counters of this run: all classes have numbers, and the journal is not clean now. */
static int mark_open(struct journal *journal, struct err *err)
{
    struct store *store = &journal->store;
    int fresh = !store->counters.class_ids[ERR_USAGE];
    journal->was_killed = !fresh && !store->counters.numbers[COUNTERS_CLEAN];
    int rc = sql_do(&store->sql, SQL_BEGIN, err);
    if (!rc)
        rc = counters_add_classes(&store->counters, &store->sql, err);
    counters_set(&store->counters, COUNTERS_CLEAN, 0);
    if (!rc)
        rc = counters_save(&store->counters, &store->sql, err);
    return rc ? rc : sql_do(&store->sql, SQL_COMMIT, err);
}

static int check_pages(struct journal *journal, struct err *err)
{
    struct stat st;
    if (!journal->place.exists || stat(journal->place.path, &st))
        return 0;
    if (journal->store.counters.numbers[COUNTERS_CLEAN] && st.st_size > QUICK_CHECK_BYTES)
        return 0;
    return schema_quick_check(&journal->store.sql, err);
}

/* Counting every allocation under one lock costs a tenth of the time, and nobody reads it. */
static void configure_sqlite(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* fails harmlessly when SQLite is in use already */
}

static int load_store(struct journal *journal, struct err *err)
{
    struct store *store = &journal->store;
    sqlite3_busy_timeout(store->sql.db, WRITER_BUSY_MS);
    int rc = schema_check(&store->sql, journal->mode == JOURNAL_CREATE, err);
    if (!rc)
        rc = schema_tune_writer(&store->sql, err);
    if (!rc)
        rc = store_load(store, err);
    if (!rc)
        rc = check_pages(journal, err);
    return rc ? rc : mark_open(journal, err);
}

static int open_writer(struct journal *journal, void (*wake)(void *user), void *user,
                       struct err *err)
{
    struct place *place = &journal->place;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_sqlite);
    int rc = place_lock(place, err);
    if (!rc && !place->exists)
        rc = place_create(place, err);
    if (!rc)
        rc = sql_open(&journal->store.sql, place->path, place->path, SQLITE_OPEN_READWRITE, err);
    if (rc)
        return rc;
    rc = load_store(journal, err);
    if (rc) {
        store_release(&journal->store);
        return rc;
    }
    return writer_start(&journal->store, wake, user, &journal->writer, err);
}

static int open_reader(struct journal *journal, struct err *err)
{
    int rc = reader_open(&journal->reader, journal->place.path, err);
    return rc ? rc : reader_was_killed(&journal->reader, &journal->was_killed, err);
}

int journal_open(const char *path, enum journal_mode mode, void (*wake)(void *user), void *user,
                 struct journal **out, struct err *err)
{
    *out = NULL;
    struct journal *journal = calloc(1, sizeof *journal);
    if (!journal)
        return err_set(err, ERR_NOMEM, "no memory for the journal");
    journal->mode = mode;
    journal->place.lock_fd = -1;
    pthread_mutex_init(&journal->reader_lock, NULL);
    journal->path = strdup(path);
    int rc = journal->path ? 0 : err_set(err, ERR_NOMEM, "no memory for the journal");
    if (!rc)
        rc = place_find(path, mode == JOURNAL_CREATE, &journal->place, err);
    if (!rc)
        rc = mode == JOURNAL_READ ? open_reader(journal, err)
                                  : open_writer(journal, wake, user, err);
    if (rc) {
        journal_close(journal);
        return rc;
    }
    *out = journal;
    return 0;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    /* The reader first: the last connection to close is the one that empties the log. */
    if (journal->reader.db)
        sql_close(&journal->reader);
    if (journal->writer)
        writer_stop(journal->writer);
    place_release(&journal->place);
    pthread_mutex_destroy(&journal->reader_lock);
    free(journal->path);
    free(journal);
}

const char *journal_path(const struct journal *journal)
{
    return journal->path;
}

int journal_was_killed(const struct journal *journal)
{
    return journal->was_killed;
}

/* ---- blocking calls ---------------------------------------------------------------------- */

int face_call(struct journal *journal, batch_call_fn *fn, void *arg, int relaxed, struct err *err)
{
    BUG_ON(!journal->writer);
    return writer_call(journal->writer, fn, arg, relaxed, err);
}

void face_start(struct journal *journal, struct message *message)
{
    BUG_ON(!journal->writer);
    writer_start_call(journal->writer, message);
}

int face_wait(struct journal *journal, struct message *message, struct err *err)
{
    return writer_wait_call(journal->writer, message, err);
}

static int call(struct journal *journal, batch_call_fn *fn, void *arg, struct err *err)
{
    return face_call(journal, fn, arg, 0, err);
}

struct meta_call {
    const char *key;
    const char *value;
    char **out_value;
};

static int run_set_meta(struct store *store, void *arg, struct err *err)
{
    const struct meta_call *meta = arg;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_META_SET);
    sql_bind_text(stmt, 1, meta->key);
    sql_bind_text(stmt, 2, meta->value);
    return sql_run(&store->sql, stmt, err);
}

int journal_set_meta(struct journal *journal, const char *key, const char *value, struct err *err)
{
    struct meta_call meta = {.key = key, .value = value};
    return call(journal, run_set_meta, &meta, err);
}

static int run_get_meta(struct store *store, void *arg, struct err *err)
{
    const struct meta_call *meta = arg;
    return reader_meta(&store->sql, meta->key, meta->out_value, err);
}

int journal_get_meta(struct journal *journal, const char *key, char **out_value, struct err *err)
{
    struct meta_call meta = {.key = key, .out_value = out_value};
    *out_value = NULL;
    if (journal->mode == JOURNAL_READ)
        return reader_meta(&journal->reader, key, out_value, err);
    return call(journal, run_get_meta, &meta, err);
}

struct root_call {
    const char *path;
    int64_t id;
};

static int run_root_id(struct store *store, void *arg, struct err *err)
{
    struct root_call *root = arg;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ROOT_FIND);
    sqlite3_bind_blob(stmt, 1, root->path, (int)strlen(root->path), SQLITE_STATIC);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc > 0) {
        root->id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    if (rc)
        return rc < 0 ? rc : 0;
    stmt = sql_get(&store->sql, SQL_ROOT_ADD);
    sqlite3_bind_blob(stmt, 1, root->path, (int)strlen(root->path), SQLITE_STATIC);
    rc = sql_run(&store->sql, stmt, err);
    root->id = sqlite3_last_insert_rowid(store->sql.db);
    return rc;
}

int journal_root_id(struct journal *journal, const char *abs_path, int64_t *out_root_id,
                    struct err *err)
{
    struct root_call root = {.path = abs_path};
    int rc = call(journal, run_root_id, &root, err);
    *out_root_id = root.id;
    return rc;
}

static int run_map_folders(struct store *store, void *arg, struct err *err)
{
    return folder_map(store, arg, err);
}

int journal_map_folders(struct journal *journal, const struct journal_mapping *mapping,
                        struct err *err)
{
    struct journal_mapping copy = mapping ? *mapping : (struct journal_mapping){0};
    return call(journal, run_map_folders, mapping ? &copy : NULL, err);
}

struct folder_call {
    const struct journal_folder *folder;
    int64_t id;
};

static int run_folder_id(struct store *store, void *arg, struct err *err)
{
    struct folder_call *folder = arg;
    return folder_find(store, folder->folder, &folder->id, err);
}

int journal_folder_id(struct journal *journal, const struct journal_folder *folder, int64_t *out_id,
                      struct err *err)
{
    struct folder_call found = {.folder = folder};
    BUG_ON(!journal->writer);
    int rc = writer_call(journal->writer, run_folder_id, &found, 1, err);
    *out_id = found.id;
    return rc;
}

struct recent_call {
    int64_t now_ms;
    int64_t *times;
    size_t count;
    size_t cap;
};

static int run_recent_requests(struct store *store, void *arg, struct err *err)
{
    struct recent_call *recent = arg;
    /* Where the clock was set back, nobody knows how old the latest are: as young as they can be.
     */
    int rc = sql_do_id(&store->sql, SQL_REQUEST_AGE, recent->now_ms, err);
    if (!rc)
        rc = sql_do_id(&store->sql, SQL_REQUEST_AGED, recent->now_ms, err);
    if (rc)
        return rc;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_REQUEST_EACH);
    sqlite3_bind_int64(stmt, 1, recent->now_ms - RATE_WINDOW_MS);
    sqlite3_bind_int64(stmt, 2, recent->now_ms);
    while ((rc = sql_next(&store->sql, stmt, err)) > 0) {
        size_t count = (size_t)sqlite3_column_int64(stmt, 1);
        if (recent->count + count > recent->cap) {
            size_t cap = (recent->count + count) * 2;
            int64_t *times = realloc(recent->times, cap * sizeof *times);
            if (!times) {
                sqlite3_reset(stmt);
                return err_set(err, ERR_NOMEM, "no memory for the recent requests");
            }
            recent->times = times;
            recent->cap = cap;
        }
        while (count--)
            recent->times[recent->count++] = sqlite3_column_int64(stmt, 0);
    }
    return rc;
}

int journal_recent_requests(struct journal *journal, int64_t now_wall_ms, int64_t **out_at_ms,
                            size_t *out_count, struct err *err)
{
    struct recent_call recent = {.now_ms = now_wall_ms};
    int rc = call(journal, run_recent_requests, &recent, err);
    if (rc) {
        free(recent.times);
        recent = (struct recent_call){0};
    }
    *out_at_ms = recent.times;
    *out_count = recent.count;
    return rc;
}

struct requeue_call {
    enum err_code only;
    int64_t count;
};

static int run_requeue_failed(struct store *store, void *arg, struct err *err)
{
    struct requeue_call *requeue = arg;
    return found_requeue_failed(store, requeue->only, &requeue->count, err);
}

int journal_requeue_failed(struct journal *journal, enum err_code only, int64_t *out_count,
                           struct err *err)
{
    struct requeue_call requeue = {.only = only};
    int rc = call(journal, run_requeue_failed, &requeue, err);
    if (out_count)
        *out_count = requeue.count;
    return rc;
}

struct look_up_call {
    const char *name; /* NULL: by id */
    int64_t id;
    struct claim *claim;
};

static int run_look_up(struct store *store, void *arg, struct err *err)
{
    struct look_up_call *look_up = arg;
    struct work work;
    if (look_up->name) {
        int rc = naming_owner(store, look_up->name, &look_up->id, err);
        if (rc <= 0)
            return rc;
    }
    int rc = store_get_work(store, look_up->id, &work, err);
    if (rc || work.wave != store_wave(store))
        return rc;
    return claim_read(store, look_up->id, 1, &look_up->claim, err);
}

static int look_up(struct journal *journal, struct look_up_call *look_up, struct claim **out,
                   struct err *err)
{
    int rc = call(journal, run_look_up, look_up, err);
    *out = look_up->claim;
    return rc ? rc : look_up->claim != NULL;
}

int journal_look_up_name(struct journal *journal, const char *name, struct claim **out,
                         struct err *err)
{
    struct look_up_call by_name = {.name = name};
    return look_up(journal, &by_name, out, err);
}

int journal_look_up(struct journal *journal, int64_t asset_id, struct claim **out, struct err *err)
{
    struct look_up_call by_id = {.id = asset_id};
    return look_up(journal, &by_id, out, err);
}

/* ---- batches ----------------------------------------------------------------------------- */

void journal_submit(struct journal *journal, struct journal_batch *batch)
{
    BUG_ON(!journal->writer);
    writer_submit(journal->writer, batch);
}

struct journal_batch *journal_next_done(struct journal *journal, struct err *out_err)
{
    BUG_ON(!journal->writer);
    return writer_next_done(journal->writer, out_err);
}

static int run_nothing(struct store *store, void *arg, struct err *err)
{
    (void)store;
    (void)arg;
    (void)err;
    return 0;
}

int journal_flush(struct journal *journal, struct err *err)
{
    return call(journal, run_nothing, NULL, err);
}

/* ---- reading ----------------------------------------------------------------------------- */

/*
 * The connection to read through, held until read_done. In the writing modes everything that was
 * added before is committed first, so a caller reads its own writes.
 */
static int read_begin(struct journal *journal, struct err *err)
{
    int rc = journal->writer ? journal_flush(journal, err) : 0;
    if (rc)
        return rc;
    pthread_mutex_lock(&journal->reader_lock);
    if (!journal->reader.db)
        rc = reader_open(&journal->reader, journal->place.path, err);
    if (rc)
        pthread_mutex_unlock(&journal->reader_lock);
    return rc;
}

static void read_done(struct journal *journal)
{
    pthread_mutex_unlock(&journal->reader_lock);
}

int journal_read_books(struct journal *journal, struct journal_books *out, struct err *err)
{
    if (journal->writer)
        return writer_books(journal->writer, out, err);
    return reader_books(&journal->reader, out, err);
}

int journal_each_row(struct journal *journal, int (*fn)(const struct journal_row *row, void *user),
                     void *user, struct err *err)
{
    int rc = read_begin(journal, err);
    if (rc)
        return rc;
    rc = reader_each_row(&journal->reader, fn, user, err);
    read_done(journal);
    return rc;
}

int journal_each_excluded(struct journal *journal,
                          int (*fn)(const char *reason, int64_t files, int64_t bytes, void *user),
                          void *user, struct err *err)
{
    int rc = read_begin(journal, err);
    if (rc)
        return rc;
    rc = reader_each_excluded(&journal->reader, fn, user, err);
    read_done(journal);
    return rc;
}

int journal_each_issue(struct journal *journal,
                       int (*fn)(const char *path, enum err_code code, const char *text,
                                 void *user),
                       void *user, struct err *err)
{
    int rc = read_begin(journal, err);
    if (rc)
        return rc;
    rc = reader_each_issue(&journal->reader, fn, user, err);
    read_done(journal);
    return rc;
}

int journal_each_unused(struct journal *journal,
                        int (*fn)(int64_t line, const char *key, int by_name, const char *error,
                                  void *user),
                        void *user, struct err *err)
{
    int rc = read_begin(journal, err);
    if (rc)
        return rc;
    rc = reader_each_unused(&journal->reader, fn, user, err);
    read_done(journal);
    return rc;
}

int journal_each_moment(struct journal *journal,
                        int (*fn)(const struct journal_moment *moment, void *user), void *user,
                        struct err *err)
{
    int rc = read_begin(journal, err);
    if (rc)
        return rc;
    rc = reader_each_moment(&journal->reader, fn, user, err);
    read_done(journal);
    return rc;
}

int journal_read_begin(struct journal *journal, struct err *err)
{
    BUG_ON(journal->mode != JOURNAL_READ);
    return reader_hold(&journal->reader, err);
}

void journal_read_end(struct journal *journal)
{
    reader_let_go(&journal->reader);
}
