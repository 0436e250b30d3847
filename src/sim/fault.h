/*
 * Faults on order: rules that say which exchange goes wrong, and how.
 *
 * A rule is picked per exchange, by endpoint, name, and n-th / every n-th / probability.
 * Its action is constant and counted, so that clearing the rules never pulls it away
 * from an exchange that is still suffering it. Any thread.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/text.h"

#define FAULT_POINTS(X)   \
    X(AUTH, "auth")       \
    X(REQUEST, "request") \
    X(PUT, "put")         \
    X(PART, "part")       \
    X(CONFIRM, "confirm") \
    X(LIST, "list")       \
    X(SEARCH, "search")   \
    X(WRITE, "write")

enum fault_point {
#define X(code, name) FAULT_##code,
    FAULT_POINTS(X)
#undef X
        FAULT_POINT_COUNT /* of an exchange: no rule applies */
};

enum fault_reset { RESET_NONE, RESET_BEFORE, RESET_DURING, RESET_AFTER };
enum fault_body { BODY_JSON, BODY_S3XML, BODY_HTML, BODY_EMPTY, BODY_RAW };
enum fault_etag { ETAG_RIGHT, ETAG_WRONG, ETAG_ABSENT };
enum fault_parts {
    PARTS_RIGHT,
    PARTS_OVERLAP,
    PARTS_GAP,
    PARTS_EXCEED,
    PARTS_ZERO,
    PARTS_10001,
    PARTS_DESCENDING
};
enum fault_dup { DUP_NONE, DUP_FIRST, DUP_LAST };

#define FAULT_HEADERS_MAX 8

struct fault_header {
    char *name;
    char *value;
};

struct fault_action {
    char *raw; /* body text, or the S3/API error code for the built-in bodies */
    char *message;
    char *retry_after; /* seconds, or a ready HTTP date; NULL: absent */
    char *redirect;
    char *url_scheme;
    char *url_host;
    char *url_userinfo;
    char *url_raw;
    char *upload_type;
    struct fault_header headers[FAULT_HEADERS_MAX];
    int64_t status; /* 0: the usual one */
    int64_t stall_ms;
    int64_t delay_ms;
    int64_t drain_bps;
    int64_t refuse_ms;
    int64_t truncate; /* bytes of the body that are sent; -1: all */
    int64_t oversize_mib;
    int64_t deep_json;
    int64_t close_after;
    int64_t search_lag_ms;
    int64_t clock_offset_s;
    atomic_int refs;
    unsigned n_headers;
    int body; /* enum fault_body, and so on: ints, as the table writes them */
    int reset;
    int dup_keys;
    int etag;
    int parts;
    bool after;       /* the status comes after processing */
    bool plain_close; /* a reset closes instead of RST */
    bool numbers_as_strings;
    bool kms;
    bool early_close;
    bool close_silently;
    bool expire_url;
    bool bad_signature;
    bool revoke_token;
    bool has_clock_offset;
    bool no_instructions;
};

void fault_setup(void);
void fault_teardown(void);

/*
 * Adds the rules of a JSON array (or one object). On error nothing is added and `why`
 * says what is wrong.
 */
bool fault_load(const char *json, size_t len, struct text *why);
void fault_clear(void);

/* The rules and how often each fired, as a JSON array. */
void fault_json(struct text *out);

/* The action that this exchange suffers, held for the caller; usually NULL. */
struct fault_action *fault_pick(enum fault_point point, const char *name);
void fault_drop(struct fault_action *a); /* NULL is fine */

/* Prints the rule keys for --help-faults. */
void fault_print_help(void);

#endif
