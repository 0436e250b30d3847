/*
 * naming.h - which asset owns which name for PXM, and how paths, names, ids and checksums are
 * written into rows. The first path to bear a name in walk order owns it until it is gone; a row
 * of name_key is the ownership.
 */
#ifndef JOURNAL_NAMING_H
#define JOURNAL_NAMING_H

#include "journal/sql.h"

struct store;

/* The 64-bit keys of path_key and name_key. They are stored: never change them. */
int64_t naming_path_key(int64_t root_id, const char *path);
int64_t naming_name_key(const char *name);
/* Where a second text of the same key stands. */
int64_t naming_next_key(int64_t key);
/* Behind the last '/'. */
const char *naming_last_component(const char *path);

/*
 * Makes the asset the owner of a name, also where the owner is gone. *out_owner is 0 then, else
 * the asset that owns it.
 */
int naming_take(struct store *store, int64_t id, const char *name, int64_t *out_owner,
                struct err *err) WARN_UNUSED;
/* 1 and the asset that owns the name, 0 where nobody does, or negative. */
int naming_owner(struct store *store, const char *name, int64_t *out_owner,
                 struct err *err) WARN_UNUSED;
/* 1 when the asset owns the name, 0 when not, or negative. */
int naming_owns(struct store *store, int64_t id, const char *name, struct err *err) WARN_UNUSED;
int naming_release(struct store *store, int64_t id, const char *name, struct err *err) WARN_UNUSED;
/* Keeps a name_collision beside an asset, with a text that names the owner's path. */
int naming_set_collision(struct store *store, int64_t id, int64_t owner,
                         struct err *err) WARN_UNUSED;

/* A file id: 16 bytes where it is a UUID in its canonical spelling, else text. */
#define NAMING_UUID_MAX 37
void naming_bind_file_id(sqlite3_stmt *stmt, int column, const char *file_id,
                         unsigned char uuid[16]);
/* Valid until the statement's next step; uuid is room for the spelling. */
const char *naming_read_file_id(sqlite3_stmt *stmt, int column, char uuid[NAMING_UUID_MAX]);

/* An ETag: '' where it is the MD5 in quotes, as S3 gives it. */
#define NAMING_ETAG_MAX 35
void naming_bind_etag(sqlite3_stmt *stmt, int column, const char *etag, const unsigned char *md5);
const char *naming_read_etag(sqlite3_stmt *stmt, int column, const unsigned char *md5,
                             char quoted[NAMING_ETAG_MAX]);
/* 1 when the column holds an MD5. */
int naming_read_md5(sqlite3_stmt *stmt, int column, unsigned char md5[16]);

#endif
