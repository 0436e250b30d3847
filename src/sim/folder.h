/* Categories and collections: the folders of a tenant. Guarded by tenant_lock(). */
#ifndef SIM_FOLDER_H
#define SIM_FOLDER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "sim/ident.h"
#include "sim/text.h"

enum folder_kind { FOLDER_CATEGORY, FOLDER_COLLECTION, FOLDER_KIND_COUNT };

struct folder {
    UT_hash_handle hh_id;
    UT_hash_handle hh_place;
    enum folder_kind kind;
    uint8_t id[IDENT_UUID_BYTES];
    char id_text[IDENT_UUID_TEXT];
    char *place;         /* kind, parent and name: what should be unique, but isn't enforced */
    char *parent_id;     /* NULL at the top */
    json_object *fields; /* as created */
    int64_t created_ms;
};

/* (locked) Makes one; *out_twin tells whether that place was taken already. */
struct folder *folder_add(enum folder_kind kind, const char *name, const char *parent_id,
                          json_object *fields, bool *out_twin);

/* (locked) NULL when unknown. */
struct folder *folder_by_id(const char *id);

/* (locked) The i-th made of a kind, or NULL past the last. */
struct folder *folder_at(enum folder_kind kind, size_t i);

/* (locked) Its record. */
void folder_json(struct text *out, const struct folder *f);

/* (locked) All of them: "categories":[...],"collections":[...]. */
void folder_state_json(struct text *out);

void folder_teardown(void);

#endif
