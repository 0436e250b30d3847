/* claim.c - see claim.h. */
#include "journal/claim.h"

#include <stdlib.h>
#include <string.h>

#include "journal/naming.h"
#include "journal/store.h"

static int is_by_size(enum claim_lane lane)
{
    return lane == CLAIM_LARGEST || lane == CLAIM_LARGE_LARGEST;
}

void claim_free(struct claim *claim)
{
    free(claim);
}

void claim_release(struct claims *claims)
{
    idset_release(&claims->given);
}

void claim_restart(struct claims *claims)
{
    for (int lane = 0; lane < CLAIM_LANE_COUNT; lane++)
        claims->cursors[lane].key = 0;
}

static int size_class(int64_t size_bytes)
{
    if (size_bytes < 64)
        return size_bytes < 0 ? 0 : (int)size_bytes;
    int octave = 63 - __builtin_clzll((unsigned long long)size_bytes);
    return octave * 64 + (int)((size_bytes >> (octave - 6)) & 63);
}

int64_t claim_size_key(int64_t id, int64_t size_bytes)
{
    BUG_ON(id > CLAIM_ID_MASK);
    return (int64_t)(CLAIM_CLASSES - 1 - size_class(size_bytes)) << CLAIM_ID_BITS | id;
}

void claim_offer(struct claims *claims, int64_t id, int64_t size_bytes)
{
    int64_t size_key = claim_size_key(id, size_bytes);
    for (int lane = 0; lane < CLAIM_LINKS; lane++) {
        int64_t key = is_by_size((enum claim_lane)lane) ? size_key : id;
        if (key < claims->cursors[lane].key)
            claims->cursors[lane].key = key;
    }
}

void claim_offer_link(struct claims *claims, int64_t id)
{
    if (id < claims->cursors[CLAIM_LINKS].key)
        claims->cursors[CLAIM_LINKS].key = id;
}

void claim_forget(struct claims *claims, int64_t id)
{
    idset_remove(&claims->given, id);
}

int claim_undo(struct store *store, int64_t id, struct err *err)
{
    struct work work;
    idset_remove(&store->claims.given, id);
    int rc = store_get_work(store, id, &work, err);
    if (rc)
        return rc;
    if (work.wave != store_wave(store))
        return 0;
    if (store_is_queued(work.state))
        claim_offer(&store->claims, id, work.size_bytes);
    else if (store_is_unlinked(&work))
        return store_queue_link(store, &work, err);
    return 0;
}

/* ---- reading one ------------------------------------------------------------------------ */

/* Where the strings of a claim go: behind it, in the same piece of memory. */
struct pack {
    char *at;
    char *end;
};

static char *pack_text(struct pack *pack, const void *text, size_t len)
{
    if (!text)
        return NULL;
    BUG_ON((size_t)(pack->end - pack->at) <= len);
    char *out = pack->at;
    memcpy(out, text, len);
    out[len] = '\0';
    pack->at += len + 1;
    return out;
}

/* NULL stays NULL, but an empty blob (the path of a root that is a file) is "". */
static char *pack_column(struct pack *pack, sqlite3_stmt *stmt, int column)
{
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return NULL;
    const void *bytes = sqlite3_column_blob(stmt, column);
    return pack_text(pack, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, column));
}

static int sum_parts(struct store *store, int64_t id, size_t *out_count, size_t *out_bytes,
                     struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_PART_SUM);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    *out_count = (size_t)sqlite3_column_int64(stmt, 0);
    *out_bytes = (size_t)sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    return 0;
}

static int read_parts(struct store *store, struct claim *claim, size_t count, struct pack *pack,
                      struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_PART_EACH);
    sqlite3_bind_int64(stmt, 1, claim->asset_id);
    int rc;
    while ((rc = sql_next(&store->sql, stmt, err)) > 0) {
        BUG_ON(claim->part_count >= count);
        struct journal_part *part = &claim->parts[claim->part_count++];
        char etag[NAMING_ETAG_MAX];
        part->part_no = sqlite3_column_int(stmt, 0);
        part->start = sqlite3_column_int64(stmt, 3);
        part->len = sqlite3_column_int64(stmt, 4);
        part->has_md5 = naming_read_md5(stmt, 2, part->md5);
        const char *text = naming_read_etag(stmt, 1, part->md5, etag);
        part->etag = pack_text(pack, text, text ? strlen(text) : 0);
    }
    return rc;
}

/* The columns of SQL_CLAIM_GET into the claim; strings go behind it. */
static void read_columns(sqlite3_stmt *stmt, struct claim *claim, struct pack *pack)
{
    claim->root = pack_column(pack, stmt, 0);
    claim->path = pack_column(pack, stmt, 1);
    claim->name = pack_column(pack, stmt, 2);
    if (!claim->name) {
        const char *base = naming_last_component(claim->path);
        claim->name = pack_text(pack, base, strlen(base));
    }
    claim->stamp = (struct file_stamp){
        .dev = (uint64_t)sqlite3_column_int64(stmt, 3),
        .ino = (uint64_t)sqlite3_column_int64(stmt, 4),
        .size_bytes = sqlite3_column_int64(stmt, 5),
        .mtime_ns = sqlite3_column_int64(stmt, 6),
        .ctime_ns = sqlite3_column_int64(stmt, 7),
    };
    claim->state = (enum asset_state)sqlite3_column_int(stmt, 8);
    claim->tries = sqlite3_column_int(stmt, 9);
    claim->wave = sqlite3_column_int64(stmt, 10);
    claim->mime_type = pack_column(pack, stmt, 11);
    claim->file_path = pack_column(pack, stmt, 13);
    claim->file_name = pack_column(pack, stmt, 14);
    claim->upload_id = pack_column(pack, stmt, 15);
    claim->conflict_id = pack_column(pack, stmt, 16);
    claim->intent_ms = sqlite3_column_int64(stmt, 17);
    claim->intent_server_ms = sqlite3_column_int64(stmt, 22);
    char uuid[NAMING_UUID_MAX];
    const char *former = naming_read_file_id(stmt, 18, uuid);
    if (!former)
        return;
    claim->former_id = pack_text(pack, former, strlen(former));
    claim->former_bytes = sqlite3_column_int64(stmt, 19);
    claim->has_former_md5 = naming_read_md5(stmt, 20, claim->former_md5);
}

static size_t bytes_of(sqlite3_stmt *stmt, const int *columns, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += (size_t)sqlite3_column_bytes(stmt, columns[i]) + 1;
    return bytes;
}

/* The rows that a claim is made of, and what room they take. */
struct pieces {
    sqlite3_stmt *stmt;     /* SQL_CLAIM_GET */
    sqlite3_stmt *wish;     /* SQL_CLAIM_WISH; NULL: nothing is wanted beside the bytes */
    sqlite3_stmt *manifest; /* SQL_CLAIM_MANIFEST; NULL: it says nothing */
    unsigned marks;
    int64_t folder_id;
    size_t part_count;
    size_t text_bytes;
};

static void close_pieces(const struct pieces *pieces)
{
    if (pieces->stmt)
        sqlite3_reset(pieces->stmt);
    if (pieces->wish)
        sqlite3_reset(pieces->wish);
    if (pieces->manifest)
        sqlite3_reset(pieces->manifest);
}

/* What it is to get beside its bytes, and what PXM gave already. */
static int open_wish(struct store *store, int64_t id, struct pieces *pieces, struct err *err)
{
    static const int texts[] = {0, 1, 2, 4, 6, 8};
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_CLAIM_WISH);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    pieces->wish = stmt;
    pieces->text_bytes += NAMING_UUID_MAX + NAMING_ETAG_MAX;
    pieces->text_bytes += bytes_of(stmt, texts, sizeof texts / sizeof *texts);
    return 0;
}

/* What the manifest says for its confirm. */
static int open_manifest(struct store *store, int64_t id, struct pieces *pieces, struct err *err)
{
    static const int texts[] = {1, 2, 3};
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_CLAIM_MANIFEST);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    pieces->manifest = stmt;
    pieces->text_bytes += bytes_of(stmt, texts, sizeof texts / sizeof *texts);
    return 0;
}

static void read_manifest(const struct pieces *pieces, struct claim *claim, struct pack *pack)
{
    sqlite3_stmt *stmt = pieces->manifest;
    claim->published = sqlite3_column_int(stmt, 0);
    claim->publish_start = pack_column(pack, stmt, 1);
    claim->publish_end = pack_column(pack, stmt, 2);
    claim->region_ids = pack_column(pack, stmt, 3);
}

static void read_wish(const struct counters *counters, const struct pieces *pieces,
                      struct claim *claim, struct pack *pack)
{
    sqlite3_stmt *stmt = pieces->wish;
    char uuid[NAMING_UUID_MAX];
    char quoted[NAMING_ETAG_MAX];
    claim->wants_link = (pieces->marks & WORK_WISH) || pieces->folder_id;
    claim->wish_collections = pack_column(pack, stmt, 0);
    claim->wish_attributes = pack_column(pack, stmt, 1);
    const char *file_id = naming_read_file_id(stmt, 2, uuid);
    claim->file_id = pack_text(pack, file_id, file_id ? strlen(file_id) : 0);
    claim->has_md5 = naming_read_md5(stmt, 3, claim->md5);
    const char *etag = naming_read_etag(stmt, 4, claim->md5, quoted);
    claim->etag = pack_text(pack, etag, etag ? strlen(etag) : 0);
    claim->done_ms = sqlite3_column_int64(stmt, 5);
    claim->was_new = (pieces->marks & WORK_WAS_NEW) != 0;
    claim->folder_id = pieces->folder_id;
    claim->folder_collection = pack_column(pack, stmt, 6);
    claim->folder_failure = counters_code_of(counters, sqlite3_column_int64(stmt, 7));
    claim->folder_failure_text = pack_column(pack, stmt, 8);
}

static int open_pieces(struct store *store, int64_t id, int whole, struct pieces *out,
                       struct err *err)
{
    static const int texts[] = {0,  1,  1,  2,  11,
                                13, 14, 15, 16, 18}; /* the path may be the name too */
    *out = (struct pieces){0};
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_CLAIM_GET);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    if (!rc)
        return err_set(err, ERR_JOURNAL, "journal %s is damaged: asset %lld has no row",
                       store->sql.path, (long long)id);
    out->stmt = stmt;
    out->marks = (unsigned)sqlite3_column_int(stmt, 21);
    out->folder_id = sqlite3_column_int64(stmt, 23);
    rc = 0;
    if (sqlite3_column_type(stmt, 12) != SQLITE_NULL)
        rc = sum_parts(store, id, &out->part_count, &out->text_bytes, err);
    out->text_bytes += bytes_of(stmt, texts, sizeof texts / sizeof *texts);
    out->text_bytes += NAMING_UUID_MAX; /* the former id may be longer as text than in its column */
    if (!rc && (whole || (out->marks & WORK_WISH) || out->folder_id))
        rc = open_wish(store, id, out, err);
    if (!rc && (out->marks & WORK_MANIFEST))
        rc = open_manifest(store, id, out, err);
    return rc;
}

int claim_read(struct store *store, int64_t id, int whole, struct claim **out, struct err *err)
{
    struct pieces pieces;
    struct claim *claim = NULL;
    int rc = open_pieces(store, id, whole, &pieces, err);
    size_t texts_at = sizeof *claim + pieces.part_count * sizeof(struct journal_part);
    if (!rc && !(claim = calloc(1, texts_at + pieces.text_bytes)))
        rc = err_set(err, ERR_NOMEM, "no memory for a claim");
    if (!rc) {
        char *base = (char *)claim;
        struct pack pack = {base + texts_at, base + texts_at + pieces.text_bytes};
        claim->asset_id = id;
        claim->published = -1;
        claim->is_changed = (pieces.marks & WORK_CHANGED) != 0;
        if (pieces.part_count)
            claim->parts = (struct journal_part *)(void *)(base + sizeof *claim);
        read_columns(pieces.stmt, claim, &pack);
        if (pieces.wish)
            read_wish(&store->counters, &pieces, claim, &pack);
        if (pieces.manifest)
            read_manifest(&pieces, claim, &pack);
        if (pieces.part_count)
            rc = read_parts(store, claim, pieces.part_count, &pack, err);
    }
    close_pieces(&pieces);
    if (rc) {
        free(claim);
        return rc;
    }
    *out = claim;
    return 0;
}

/* ---- taking ------------------------------------------------------------------------------ */

/* Takes the rows of a statement (keys of a queue) as far as there is room. */
static int take_rows(struct store *store, sqlite3_stmt *stmt, size_t max,
                     struct claim_cursor *cursor, struct claim_list *list, struct err *err)
{
    int full = 0; /* a further row was seen that has no room */
    int rc;
    while ((rc = sql_next(&store->sql, stmt, err)) > 0) {
        int64_t key = sqlite3_column_int64(stmt, 0);
        int64_t id = key & CLAIM_ID_MASK;
        int given = idset_has(&store->claims.given, id);
        full = !given && list->count == max;
        cursor->key = full ? key : key + 1;
        if (full)
            break;
        if (given)
            continue;
        struct claim *claim = NULL;
        rc = claim_read(store, id, 0, &claim, err);
        if (rc)
            break;
        list->items[list->count++] = claim;
        if (idset_add(&store->claims.given, id)) {
            rc = err_set(err, ERR_NOMEM, "no memory for a claim");
            break;
        }
    }
    sqlite3_reset(stmt);
    list->dry = !rc;
    return rc < 0 ? rc : 0;
}

static sqlite3_stmt *lane_statement(struct store *store, enum claim_lane lane,
                                    const struct claim_cursor *cursor)
{
    static const enum sql_id ids[CLAIM_LANE_COUNT] = {
        [CLAIM_BY_PATH] = SQL_CLAIM_BY_PATH,
        [CLAIM_LARGEST] = SQL_CLAIM_BY_SIZE,
        [CLAIM_SMALL_BY_PATH] = SQL_CLAIM_SMALL_BY_PATH,
        [CLAIM_LARGE_LARGEST] = SQL_CLAIM_BY_SIZE,
        [CLAIM_LINKS] = SQL_CLAIM_LINKS,
    };
    int64_t least = lane == CLAIM_LARGE_LARGEST ? cursor->boundary_bytes : 0;
    sqlite3_stmt *stmt = sql_get(&store->sql, ids[lane]);
    sqlite3_bind_int64(stmt, 1, cursor->key);
    if (lane == CLAIM_SMALL_BY_PATH)
        sqlite3_bind_int64(stmt, 2, cursor->boundary_bytes);
    if (is_by_size(lane)) {
        /* The boundary's own class holds both kinds: its size decides there. */
        sqlite3_bind_int64(stmt, 2, least);
        sqlite3_bind_int64(stmt, 3, claim_size_key(CLAIM_ID_MASK, least));
        sqlite3_bind_int64(stmt, 4, CLAIM_ID_MASK);
    }
    return stmt;
}

int claim_take(struct store *store, enum claim_lane lane, size_t max, int64_t boundary_bytes,
               struct claim_list *list, struct err *err)
{
    struct claim_cursor *cursor = &store->claims.cursors[lane];
    if (cursor->boundary_bytes != boundary_bytes)
        cursor->key = 0;
    cursor->boundary_bytes = boundary_bytes;
    return take_rows(store, lane_statement(store, lane, cursor), max, cursor, list, err);
}
