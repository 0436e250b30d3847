/*
 * What the command line can say: flags and quirks, each kind one table that both the
 * parser and --help are made from.
 *
 * A quirk is a way in which real tenants are known to differ. The defaults are what the
 * protocol page calls the usual reply.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum store_kind { STORE_MEMORY, STORE_NULL, STORE_DIR };
enum wire { WIRE_V3, WIRE_V21 };
enum list_shape {
    SHAPE_USUAL,
    SHAPE_ARRAY,
    SHAPE_COLLECTIONS,
    SHAPE_FILES,
    SHAPE_ITEMS,
    SHAPE_DATA,
    SHAPE_HITS
};
enum id_place { ID_TOP, ID_FILE_ID, ID_IN_FILE, ID_IN_DATA, ID_NONE };
enum etag_rule { ETAG_KEEP, ETAG_STRIP, ETAG_ANY };
enum same_session { SESSION_NEW, SESSION_SAME, SESSION_RESLICED };
enum name_place { NAME_BOTH, NAME_TOP, NAME_METADATA };

struct quirks {
    int bare;
    int no_ranges;
    int single_name; /* 0 as the wire says, 1 single, 2 standard */
    int conflict_409;
    int conflict_inside;
    int conflict_no_instructions;
    int ignore_conflict_fields;
    const char *conflict_action_field;
    const char *conflict_id_field;
    int confirm_reply;
    int confirm_twice_409;
    int confirm_201;
    int confirm_details;
    int etag_quotes;
    int file_shape;
    int collection_shape;
    int category_shape;
    int region_shape;
    int attribute_shape;
    int folder_files_shape;
    int search_shape;
    int name_place;
    int attribute_key_name;
    int page_repeat;
    int64_t page_max;
    int64_t page_shifts;
    int64_t search_lag_ms;
    int64_t converting_reads;
    int64_t converting_ms;
    int64_t session_ttl_s;
    int same_session; /* enum same_session */
    int no_expires_in;
    int ignore_expect;
    int no_request_id;
};

struct options {
    const char *listen;
    const char *s3_listen;
    const char *tls_cert;
    const char *tls_key;
    int64_t rate;
    enum store_kind store;
    const char *store_dir;
    bool digest_off;
    int64_t multipart_threshold;
    int64_t part_size;
    int64_t url_ttl_s;
    int64_t api_latency_ms;
    int64_t s3_latency_ms;
    int64_t s3_rtt_ms;
    int64_t s3_bytes_per_s;            /* of all PUTs together; 0: no limit */
    int64_t s3_connection_bytes_per_s; /* of one connection */
    enum wire wire;
    const char *faults;
    const char *preload;
    int64_t seed;
    int64_t part_concurrency; /* parts of a file at once; 0: one after the other's answer */
    const char *s3_endpoint;
    const char *s3_bucket;
    const char *s3_region;
    int64_t threads;
    struct quirks quirk;
};

enum options_outcome { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_USAGE };

/*
 * Fills *opt from argv, whose strings must outlive it. Prints help to stdout (DONE) or
 * what is wrong to stderr (USAGE).
 */
enum options_outcome options_parse(int argc, char **argv, struct options *opt);

/* The options of this process: set once before threads start, read-only after. */
void options_set_current(const struct options *opt);
const struct options *options_current(void);

#endif
