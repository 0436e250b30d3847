/*
 * What the tenant holds: files by id and by name, and its regions.
 *
 * One short lock guards this, the sessions, the folders and the attributes. Functions
 * marked (locked) are called between tenant_lock() and tenant_unlock(), and so is every
 * access to a record. Nothing that moves or digests bytes happens in there.
 */
#ifndef SIM_TENANT_H
#define SIM_TENANT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "sim/digest.h"
#include "sim/ident.h"
#include "sim/store.h"

#define TENANT_REGIONS 2

struct region {
    uint8_t id[IDENT_UUID_BYTES];
    char id_text[IDENT_UUID_TEXT];
    const char *name;
    const char *language;
    bool is_primary;
};

struct version {
    struct content *content;
    uint64_t size;
    uint64_t seq; /* of the session that made it */
    uint8_t md5[DIGEST_MD5_BYTES];
    bool has_md5;
    int64_t at_ms;
};

/* What most files don't have, so that a million of them stay small. */
struct file_extra {
    struct version *older; /* oldest first */
    uint32_t n_older;
    uint8_t (*collections)[IDENT_UUID_BYTES];
    uint32_t n_collections;
    json_object **attributes; /* by index of the definition; NULL: not set */
    char *caption;
    char *start_date;
    char *end_date;
    uint64_t old_size;      /* before the last replacement: what a lagging index still shows */
    int64_t old_updated_ms; /* 0: never replaced */
};

struct file {
    UT_hash_handle hh_id;
    UT_hash_handle hh_name; /* only the first file of a name is in that table */
    struct file *next_same; /* the others of that name, oldest first */
    uint8_t id[IDENT_UUID_BYTES];
    uint8_t md5[DIGEST_MD5_BYTES];
    uint64_t size;
    uint64_t seq; /* of the session that made its present content */
    int64_t created_ms;
    int64_t updated_ms;
    const char *mime; /* interned */
    struct content *content;
    struct file_extra *extra;
    uint32_t reads;
    uint8_t region_mask;
    bool published;
    bool has_md5;
    char name[];
};

struct tenant {
    struct region regions[TENANT_REGIONS];
    struct file **files; /* in order of creation */
    size_t n_files;
    size_t cap_files;
    uint64_t duplicates; /* records whose name was in use when they were made */
};

struct new_file {
    const char *name;
    const char *mime;
    uint64_t size;
    uint64_t seq;
    const uint8_t *md5;      /* NULL: unknown */
    struct content *content; /* taken over */
    uint8_t region_mask;
    bool published;
};

void tenant_setup(void);
void tenant_teardown(void);
void tenant_lock(void);
void tenant_unlock(void);

/* (locked) The data. */
struct tenant *tenant_data(void);

/* (locked) An equal string that lives as long as the process. */
const char *tenant_intern(const char *str);

/* (locked) Lookups; NULL when there is none. */
struct file *tenant_by_id(const uint8_t id[IDENT_UUID_BYTES]);
struct file *tenant_by_id_text(const char *id);
struct file *tenant_by_name(const char *name); /* the first; next_same goes on */
int tenant_region_index(const char *id);       /* -1 when unknown */

/* (locked) Makes a record. */
struct file *tenant_add(const struct new_file *nf);

/* (locked) Forgets a record; its versions' content too. */
void tenant_remove(struct file *f);

/* (locked) Gives a new record another id; nothing happens if it is taken or no UUID. */
void tenant_set_id(struct file *f, const char *id);

/* (locked) Gives f new content; keep_old makes the old one an older version. */
void tenant_replace(struct file *f, const struct new_file *nf, bool keep_old);

/* (locked) The rare fields of f, made when they are not there yet. */
struct file_extra *tenant_extra(struct file *f);

#endif
