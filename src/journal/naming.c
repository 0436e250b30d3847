/* naming.c - see naming.h. On the writer's thread; the pure calls on any. */
#include "journal/naming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "journal/store.h"

/* ---- keys -------------------------------------------------------------------------------- */

/* FNV-1a with murmur's finalizer: good enough for a key whose text is compared after. */
static uint64_t hash(uint64_t seed, const char *bytes, size_t len)
{
    uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

const char *naming_last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/*
 * The folder's hash in the upper half, the file's in the lower: the walk goes folder by folder,
 * so its look-ups and inserts stay on the same pages.
 */
int64_t naming_path_key(int64_t root_id, const char *path)
{
    const char *base = naming_last_component(path);
    uint64_t folder = hash((uint64_t)root_id, path, (size_t)(base - path));
    uint64_t file = hash(0, base, strlen(base));
    return (int64_t)((folder & 0xffffffff00000000u) | (file >> 32));
}

int64_t naming_next_key(int64_t key)
{
    return (int64_t)((uint64_t)key + 1);
}

int64_t naming_name_key(const char *name)
{
    return (int64_t)hash(0, name, strlen(name));
}

/* ---- ownership --------------------------------------------------------------------------- */

/* Whether a row (path blob, name) of the statement bears this name. */
static int bears(sqlite3_stmt *stmt, int path_column, const char *name)
{
    size_t want = strlen(name);
    const char *text = (const char *)sqlite3_column_text(stmt, path_column + 1);
    size_t len = (size_t)sqlite3_column_bytes(stmt, path_column + 1);
    if (!text) {
        const char *path = sqlite3_column_blob(stmt, path_column);
        size_t path_len = (size_t)sqlite3_column_bytes(stmt, path_column);
        const char *slash = path_len ? memrchr(path, '/', path_len) : NULL;
        text = slash ? slash + 1 : path;
        len = path_len - (slash ? (size_t)(slash + 1 - path) : 0);
    }
    return len == want && (!len || memcmp(text, name, len) == 0);
}

/* 1 when the key was free and the asset has it now, else 0 or negative. */
static int add_key(struct store *store, int64_t key, int64_t id, struct err *err)
{
    int seen = nameset_see(&store->fresh.names, key, err);
    if (seen)
        return seen;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_NAME_ADD);
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, id);
    int rc = sql_run(&store->sql, stmt, err);
    return rc ? rc : sqlite3_changes(store->sql.db);
}

static int set_key(struct store *store, int64_t key, int64_t id, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_NAME_SET);
    sqlite3_bind_int64(stmt, 1, key);
    sqlite3_bind_int64(stmt, 2, id);
    return sql_run(&store->sql, stmt, err);
}

/* What stands at one key of a name's chain. */
enum link {
    LINK_NONE,  /* nothing: the chain ends here */
    LINK_FREE,  /* was given back, or its owner is gone */
    LINK_OTHER, /* another name of the same hash */
    LINK_OWNED, /* the name, *out_owner has it */
};

/*
 * Whether a file that the last walk did not see is on its disk still: a filter left it out, or its
 * PATH was not given. Its name is its own then: under --on-conflict overwrite another file's bytes
 * would take the place of its own. 1 (also where nobody can tell), 0, or negative.
 */
static int is_left_out(struct store *store, int64_t id, struct err *err)
{
    struct buf path;
    struct stat st;
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_PLACE);
    sqlite3_bind_int64(stmt, 1, id);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc <= 0)
        return rc;
    buf_init(&path, 2 * LIMIT_PATH_BYTES);
    int bad =
        buf_append(&path, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
    if (!bad && sqlite3_column_bytes(stmt, 1))
        bad = buf_puts(&path, "/") || buf_append(&path, sqlite3_column_blob(stmt, 1),
                                                 (size_t)sqlite3_column_bytes(stmt, 1));
    int is_gone = 0;
    if (!bad && lstat(buf_str(&path), &st))
        is_gone = errno == ENOENT || errno == ENOTDIR;
    else if (!bad)
        is_gone = S_ISDIR(st.st_mode);
    buf_release(&path);
    sqlite3_reset(stmt);
    return !is_gone;
}

/* Of a name that waits to be written; FREE: as a row it has to be looked at again. */
static int read_waiting(struct store *store, int64_t owner, const char *name, enum link *out,
                        struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_OWNER);
    sqlite3_bind_int64(stmt, 1, owner);
    int rc = sql_next(&store->sql, stmt, err);
    *out = LINK_OTHER;
    if (rc <= 0)
        return rc;
    if (bears(stmt, 0, name))
        *out = store_is_gone(store, sqlite3_column_int64(stmt, 2)) ? LINK_FREE : LINK_OWNED;
    sqlite3_reset(stmt);
    return 0;
}

static int read_written(struct store *store, int64_t key, const char *name, enum link *out,
                        int64_t *out_owner, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_NAME_OWNER);
    sqlite3_bind_int64(stmt, 1, key);
    int rc = sql_next(&store->sql, stmt, err);
    *out = LINK_NONE;
    if (rc <= 0)
        return rc;
    *out_owner = sqlite3_column_int64(stmt, 0);
    if (!*out_owner)
        *out = LINK_FREE;
    else
        *out = bears(stmt, 1, name) ? LINK_OWNED : LINK_OTHER;
    int is_unseen = *out == LINK_OWNED && store_is_gone(store, sqlite3_column_int64(stmt, 3));
    sqlite3_reset(stmt);
    rc = is_unseen ? is_left_out(store, *out_owner, err) : 1;
    if (!rc)
        *out = LINK_FREE;
    return rc < 0 ? rc : 0;
}

static int read_link(struct store *store, int64_t key, const char *name, enum link *out,
                     int64_t *out_owner, struct err *err)
{
    for (;;) {
        int64_t waiting = nameset_get(&store->fresh.names, key);
        int rc;
        if (waiting) {
            *out_owner = waiting;
            rc = read_waiting(store, waiting, name, out, err);
        } else {
            rc = read_written(store, key, name, out, out_owner, err);
        }
        if (rc)
            return rc;
        int is_unknown = *out == LINK_OTHER && *out_owner > store->fresh.written_id;
        if (is_unknown && store->fresh.row_count)
            rc = fresh_write(store, err); /* a row of this batch */
        else if (waiting && *out == LINK_FREE)
            rc = fresh_write_names(store, err);
        else
            return 0;
        if (rc)
            return rc;
    }
}

/* Whether a key stands in name_key: 1, 0 or negative. */
static int is_in_table(struct store *store, int64_t key, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_NAME_GET);
    sqlite3_bind_int64(stmt, 1, key);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc > 0)
        sqlite3_reset(stmt);
    return rc;
}

/* 1 when nobody had the key and the asset has it now, else 0 or negative. */
static int take_free_key(struct store *store, int64_t key, int64_t id, struct err *err)
{
    const struct nameset *names = &store->fresh.names;
    if (!names->is_whole)
        return add_key(store, key, id, err);
    int is_new = nameset_is_new(names, key);
    if (!is_new && nameset_get(names, key))
        return 0;
    int rc = is_new ? 0 : is_in_table(store, key, err);
    if (rc)
        return rc < 0 ? rc : 0;
    rc = fresh_add_name(store, key, id, err);
    return rc ? rc : 1;
}

int naming_take(struct store *store, int64_t id, const char *name, int64_t *out_owner,
                struct err *err)
{
    int64_t key = naming_name_key(name);
    int64_t free_key = 0;
    int has_free = 0;
    *out_owner = 0;
    int rc = take_free_key(store, key, id, err);
    if (rc)
        return rc < 0 ? rc : 0;
    for (;; key = naming_next_key(key)) {
        enum link link;
        int64_t owner = 0;
        rc = read_link(store, key, name, &link, &owner, err);
        if (rc)
            return rc;
        if (link == LINK_OWNED || (link == LINK_FREE && owner == id)) {
            *out_owner = owner == id ? 0 : owner;
            return 0;
        }
        if (link == LINK_NONE)
            break;
        if (link == LINK_FREE && !has_free) {
            free_key = key;
            has_free = 1;
        }
    }
    if (has_free)
        return set_key(store, free_key, id, err);
    rc = add_key(store, key, id, err);
    return rc < 0 ? rc : 0;
}

/* 1 and the key at which the asset stands, 0 when at none, or negative. */
static int find_key(struct store *store, int64_t id, const char *name, int64_t *out_key,
                    struct err *err)
{
    int written = fresh_write_names(store, err);
    if (written)
        return written;
    for (int64_t key = naming_name_key(name);; key = naming_next_key(key)) {
        sqlite3_stmt *stmt = sql_get(&store->sql, SQL_NAME_GET);
        sqlite3_bind_int64(stmt, 1, key);
        int rc = sql_next(&store->sql, stmt, err);
        if (rc <= 0)
            return rc;
        int64_t owner = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        *out_key = key;
        if (owner == id)
            return 1;
    }
}

int naming_owner(struct store *store, const char *name, int64_t *out_owner, struct err *err)
{
    enum link link = LINK_OTHER;
    int rc = 0;
    for (int64_t key = naming_name_key(name); !rc && link != LINK_NONE && link != LINK_OWNED;
         key = naming_next_key(key))
        rc = read_link(store, key, name, &link, out_owner, err);
    return rc ? rc : link == LINK_OWNED;
}

int naming_owns(struct store *store, int64_t id, const char *name, struct err *err)
{
    int64_t key;
    return find_key(store, id, name, &key, err);
}

int naming_release(struct store *store, int64_t id, const char *name, struct err *err)
{
    int64_t key = 0;
    int rc = find_key(store, id, name, &key, err);
    return rc > 0 ? set_key(store, key, 0, err) : rc;
}

int naming_set_collision(struct store *store, int64_t id, int64_t owner, struct err *err)
{
    sqlite3_stmt *stmt = sql_get(&store->sql, SQL_ASSET_PLACE);
    sqlite3_bind_int64(stmt, 1, owner);
    int rc = sql_next(&store->sql, stmt, err);
    if (rc < 0)
        return rc;
    const char *root = rc ? sqlite3_column_blob(stmt, 0) : NULL;
    int root_len = rc ? sqlite3_column_bytes(stmt, 0) : 0;
    const char *path = rc ? sqlite3_column_blob(stmt, 1) : NULL;
    int path_len = rc ? sqlite3_column_bytes(stmt, 1) : 0;
    struct err failure = ERR_INIT;
    /* The end of a long path tells more than its start. */
    int most = ERR_TEXT_MAX - 160 - (root_len < 120 ? root_len : 120);
    int cut = path_len > most ? path_len - most : 0;
    err_set(&failure, ERR_NAME_COLLISION,
            "another file bears this name and came first: %.*s%s%s%.*s",
            root_len < 120 ? root_len : 120, root ? root : "", path_len ? "/" : "",
            cut ? "..." : "", path_len - cut, path ? path + cut : "");
    sqlite3_reset(stmt);
    return store_set_failure(store, id, &failure, owner, err);
}

/* ---- ids and checksums ------------------------------------------------------------------- */

static const char hex_digits[] = "0123456789abcdef";

/* Lower case alone: the spelling that comes back must be the one that went in. */
static int hex_value(char c)
{
    const char *at = c ? strchr(hex_digits, c) : NULL;
    return at ? (int)(at - hex_digits) : -1;
}

static int is_uuid_dash(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static int parse_uuid(const char *text, unsigned char out[16])
{
    if (strlen(text) != NAMING_UUID_MAX - 1)
        return 0;
    size_t nibble = 0;
    for (size_t i = 0; i < NAMING_UUID_MAX - 1; i++) {
        if (is_uuid_dash(i)) {
            if (text[i] != '-')
                return 0;
            continue;
        }
        int value = hex_value(text[i]);
        if (value < 0)
            return 0;
        unsigned char high = nibble % 2 ? out[nibble / 2] : 0;
        out[nibble / 2] = (unsigned char)(nibble % 2 ? high | value : value << 4);
        nibble++;
    }
    return 1;
}

void naming_bind_file_id(sqlite3_stmt *stmt, int column, const char *file_id,
                         unsigned char uuid[16])
{
    if (file_id && parse_uuid(file_id, uuid))
        sqlite3_bind_blob(stmt, column, uuid, 16, SQLITE_STATIC);
    else
        sql_bind_text(stmt, column, file_id);
}

const char *naming_read_file_id(sqlite3_stmt *stmt, int column, char uuid[NAMING_UUID_MAX])
{
    if (sqlite3_column_type(stmt, column) != SQLITE_BLOB)
        return (const char *)sqlite3_column_text(stmt, column);
    const unsigned char *bytes = sqlite3_column_blob(stmt, column);
    if (sqlite3_column_bytes(stmt, column) != 16)
        return NULL;
    size_t nibble = 0;
    for (size_t i = 0; i < NAMING_UUID_MAX - 1; i++) {
        if (is_uuid_dash(i)) {
            uuid[i] = '-';
            continue;
        }
        unsigned char byte = bytes[nibble / 2];
        uuid[i] = hex_digits[nibble % 2 ? byte & 15 : byte >> 4];
        nibble++;
    }
    uuid[NAMING_UUID_MAX - 1] = '\0';
    return uuid;
}

static void quote_md5(const unsigned char *md5, char out[NAMING_ETAG_MAX])
{
    char *at = out;
    *at++ = '"';
    for (int i = 0; i < 16; i++) {
        *at++ = hex_digits[md5[i] >> 4];
        *at++ = hex_digits[md5[i] & 15];
    }
    *at++ = '"';
    *at = '\0';
}

void naming_bind_etag(sqlite3_stmt *stmt, int column, const char *etag, const unsigned char *md5)
{
    char quoted[NAMING_ETAG_MAX] = "";
    if (md5)
        quote_md5(md5, quoted);
    if (!etag || !*etag)
        sqlite3_bind_null(stmt, column); /* '' would read as the quoted MD5 */
    else
        sql_bind_text(stmt, column, md5 && strcmp(etag, quoted) == 0 ? "" : etag);
}

const char *naming_read_etag(sqlite3_stmt *stmt, int column, const unsigned char *md5,
                             char quoted[NAMING_ETAG_MAX])
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (!text || *text)
        return text;
    quote_md5(md5, quoted);
    return quoted;
}

int naming_read_md5(sqlite3_stmt *stmt, int column, unsigned char md5[16])
{
    const void *bytes = sqlite3_column_blob(stmt, column);
    if (!bytes || sqlite3_column_bytes(stmt, column) != 16)
        return 0;
    memcpy(md5, bytes, 16);
    return 1;
}
