/*
 * The tenant's API: one table of endpoints, and what its handlers share.
 *
 * Handlers run on the API's MHD thread, fill the exchange's reply, and are called only
 * after token, rate, content type and body were found good.
 */
#ifndef SIM_API_H
#define SIM_API_H

#include <json-c/json.h>

#include "sim/server.h"
#include "sim/tenant.h"

extern const struct side_ops api_ops;

void api_setup(void);
void api_teardown(void);

/* The sides, for the control calls; set once both run. */
void api_set_sides(struct side *api, struct side *s3);
struct side *api_side(void);
struct side *api_s3_side(void);

/* Requests of the last 60 s and the most ever in any 60 s. */
void api_rate(uint64_t *out_now, uint64_t *out_peak);

/* Takes over t as a JSON reply. */
void api_reply(struct exch *x, int status, struct text *t);
void api_error(struct exch *x, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Member of a JSON object as a string, or NULL when absent or no string. */
const char *api_string(json_object *object, const char *key);
json_object *api_member(json_object *object, const char *key);

/* Query parameter as a number, or fallback. */
int64_t api_query_number(const struct exch *x, const char *key, int64_t fallback);

/* One page of a list, in the shape the tenant uses for it. */
struct page {
    struct text text;
    const char *close;
    uint64_t skip;  /* rows still to be skipped */
    uint64_t left;  /* rows that still fit */
    uint64_t total; /* rows that match */
    bool any;
};
/* usual: key of the wrapping object, or NULL for a bare array. */
void page_begin(struct page *p, const struct exch *x, int shape, const char *usual);
/* Whether the next matching row is on this page; then it is to be added to p->text. */
bool page_row(struct page *p);
void page_end(struct page *p, struct exch *x);

/* The JSON arrays of f's regions and of its attributes (tenant lock held). */
void file_regions_json(struct text *out, const struct file *f);
void file_attributes_json(struct text *out, const struct file *f);

/* Adds the record of f (tenant lock held). */
void file_json(struct text *out, struct file *f, bool minified);

/* Handlers; arg is the decoded {} of the path, body the parsed JSON or NULL. */
#define API_HANDLERS(X)      \
    X(api_authorize)         \
    X(api_request_upload)    \
    X(api_confirm_upload)    \
    X(api_regions)           \
    X(api_attributes)        \
    X(api_categories)        \
    X(api_category)          \
    X(api_category_create)   \
    X(api_category_files)    \
    X(api_collections)       \
    X(api_collection)        \
    X(api_collection_create) \
    X(api_collection_files)  \
    X(api_files)             \
    X(api_file)              \
    X(api_file_update)       \
    X(api_file_search)       \
    X(api_keyword_search)    \
    X(sim_state)             \
    X(sim_violations)        \
    X(sim_violations_clear)  \
    X(sim_requests)          \
    X(sim_object)            \
    X(sim_preload)           \
    X(sim_revoke)            \
    X(sim_faults)            \
    X(sim_faults_add)        \
    X(sim_faults_clear)      \
    X(sim_damage)            \
    X(sim_listen)

#define X(name) void name(struct exch *x, const char *arg, json_object *body);
API_HANDLERS(X)
#undef X

/* Adds one preloaded file of a JSON line; false with a reason. */
bool sim_preload_line(json_object *line, struct text *why);

#endif
