/* Flags and quirks; see options.h. Main thread, before anything is started. */
#include "sim/options.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct options *current;

void options_set_current(const struct options *opt)
{
    current = opt;
}

const struct options *options_current(void)
{
    return current;
}

struct quirk_row {
    const char *name;
    const char *const *values; /* NULL: see `kind` */
    enum { QUIRK_SWITCH, QUIRK_CHOICE, QUIRK_NUMBER, QUIRK_SECONDS, QUIRK_TEXT } kind;
    size_t offset;
    const char *help;
};

#define Q(field) offsetof(struct quirks, field)

static const char *const single_values[] = {"wire", "single", "standard", NULL};
static const char *const place_values[] = {"top", "inside", NULL};
static const char *const status_values[] = {"200", "409", NULL};
static const char *const created_values[] = {"200", "201", NULL};
static const char *const reply_values[] = {"id", "file_id", "file.id", "data.id", "none", NULL};
static const char *const twice_values[] = {"duplicate", "409", NULL};
static const char *const etag_values[] = {"keep", "strip", "any", NULL};
static const char *const shape_values[] = {"usual", "array", "collections", "files",
                                           "items", "data",  "hits",        NULL};
static const char *const name_values[] = {"both", "top", "metadata", NULL};
static const char *const session_values[] = {"new", "same", "resliced", NULL};
static const char *const key_values[] = {"label", "name", NULL};

static const struct quirk_row quirk_rows[] = {
    {"bare", NULL, QUIRK_SWITCH, Q(bare), "request-upload replies without upload_data"},
    {"no_ranges", NULL, QUIRK_SWITCH, Q(no_ranges), "parts without start_byte and end_byte"},
    {"single_name", single_values, QUIRK_CHOICE, Q(single_name), "upload_type of a one-PUT upload"},
    {"conflict_status", status_values, QUIRK_CHOICE, Q(conflict_409), "status of a conflict"},
    {"conflict_place", place_values, QUIRK_CHOICE, Q(conflict_inside),
     "is_conflict at the top or inside upload_data"},
    {"conflict_no_instructions", NULL, QUIRK_SWITCH, Q(conflict_no_instructions),
     "a conflict comes instead of the upload instructions"},
    {"ignore_conflict_fields", NULL, QUIRK_SWITCH, Q(ignore_conflict_fields),
     "confirm ignores the conflict fields and makes a duplicate"},
    {"conflict_action_field", NULL, QUIRK_TEXT, Q(conflict_action_field),
     "its name in the confirm (conflict_action)"},
    {"conflict_id_field", NULL, QUIRK_TEXT, Q(conflict_id_field),
     "its name in the confirm (conflict_file_id)"},
    {"confirm_reply", reply_values, QUIRK_CHOICE, Q(confirm_reply), "where confirm puts the id"},
    {"confirm_status", created_values, QUIRK_CHOICE, Q(confirm_201), "status of a good confirm"},
    {"confirm_details", NULL, QUIRK_SWITCH, Q(confirm_details),
     "confirm replies with version and metadata.cdn_url beside the id"},
    {"confirm_twice", twice_values, QUIRK_CHOICE, Q(confirm_twice_409),
     "what a second confirm of a path does"},
    {"etag_quotes", etag_values, QUIRK_CHOICE, Q(etag_quotes),
     "ETags in confirm: with quotes, without, either"},
    {"file_shape", shape_values, QUIRK_CHOICE, Q(file_shape), "GET /v2.1/file"},
    {"collection_shape", shape_values, QUIRK_CHOICE, Q(collection_shape), "GET /v2.1/collection"},
    {"category_shape", shape_values, QUIRK_CHOICE, Q(category_shape), "GET /v2.1/category"},
    {"region_shape", shape_values, QUIRK_CHOICE, Q(region_shape), "GET /v2.1/region"},
    {"attribute_shape", shape_values, QUIRK_CHOICE, Q(attribute_shape), "GET /v2.1/attribute"},
    {"folder_files_shape", shape_values, QUIRK_CHOICE, Q(folder_files_shape),
     "GET .../category|collection/{id}/files"},
    {"search_shape", shape_values, QUIRK_CHOICE, Q(search_shape), "GET /v2.1/file/search/{name}"},
    {"name_place", name_values, QUIRK_CHOICE, Q(name_place), "where a file record has its name"},
    {"attribute_key", key_values, QUIRK_CHOICE, Q(attribute_key_name), "what names an attribute"},
    {"page_max", NULL, QUIRK_NUMBER, Q(page_max), "rows that a page has at most"},
    {"page_shifts", NULL, QUIRK_NUMBER, Q(page_shifts),
     "so many later pages begin a row late, as where a row of an earlier one was deleted"},
    {"page_repeat", NULL, QUIRK_SWITCH, Q(page_repeat),
     "each later page begins with the last row of the one before"},
    {"search_lag", NULL, QUIRK_SECONDS, Q(search_lag_ms), "search finds new files only after this"},
    {"converting_reads", NULL, QUIRK_NUMBER, Q(converting_reads), "is_converting for N reads"},
    {"converting", NULL, QUIRK_SECONDS, Q(converting_ms), "is_converting for this long"},
    {"session_ttl", NULL, QUIRK_NUMBER, Q(session_ttl_s), "seconds a session can be confirmed"},
    {"same_session", session_values, QUIRK_CHOICE, Q(same_session),
     "a second request-upload of a multipart file: a new session, the same, or in other slices"},
    {"no_expires_in", NULL, QUIRK_SWITCH, Q(no_expires_in), "token reply without expires_in, user"},
    {"ignore_expect", NULL, QUIRK_SWITCH, Q(ignore_expect), "never answers Expect: 100-continue"},
    {"no_request_id", NULL, QUIRK_SWITCH, Q(no_request_id), "API replies without x-request-id"},
};

enum flag_kind { FLAG_TEXT, FLAG_NUMBER, FLAG_SIZE, FLAG_SWITCH, FLAG_SPECIAL };

struct flag_row {
    const char *name;
    const char *args; /* NULL: none */
    enum flag_kind kind;
    size_t offset;
    bool (*special)(struct options *, char **args);
    const char *help;
};

static bool set_store(struct options *opt, char **args);
static bool set_digest(struct options *opt, char **args);
static bool set_tls(struct options *opt, char **args);
static bool set_wire(struct options *opt, char **args);
static bool set_quirk(struct options *opt, char **args);

#define O(field) offsetof(struct options, field)

static const struct flag_row flag_rows[] = {
    {"--listen", "HOST:PORT", FLAG_TEXT, O(listen), NULL, "API address (127.0.0.1:0)"},
    {"--s3-listen", "HOST:PORT", FLAG_TEXT, O(s3_listen), NULL,
     "S3 address (API port + 1, or any with port 0)"},
    {"--tls", "CERT KEY", FLAG_SPECIAL, 0, set_tls, "serve https with these PEM files"},
    {"--rate", "N", FLAG_NUMBER, O(rate), NULL, "API requests per 60 s, 0 = no limit (1000)"},
    {"--store", "DIR|memory|null", FLAG_SPECIAL, 0, set_store, "where the bytes go (memory)"},
    {"--digest", "on|off", FLAG_SPECIAL, 0, set_digest,
     "off: no MD5 at all; replies then carry a KMS header, as their ETags mean nothing"},
    {"--multipart-threshold", "SIZE", FLAG_SIZE, O(multipart_threshold), NULL,
     "larger files are multipart (16M)"},
    {"--part-size", "SIZE", FLAG_SIZE, O(part_size), NULL, "bytes of a part (8M)"},
    {"--url-ttl", "SECONDS", FLAG_NUMBER, O(url_ttl_s), NULL, "life of a presigned URL (3600)"},
    {"--api-latency", "MS", FLAG_NUMBER, O(api_latency_ms), NULL, "before each API reply"},
    {"--s3-latency", "MS", FLAG_NUMBER, O(s3_latency_ms), NULL, "before each S3 reply"},
    {"--s3-bandwidth", "RATE", FLAG_SIZE, O(s3_bytes_per_s), NULL,
     "bytes/s that S3 takes in all (no limit)"},
    {"--s3-connection-bandwidth", "RATE", FLAG_SIZE, O(s3_connection_bytes_per_s), NULL,
     "bytes/s of one connection (no limit)"},
    {"--s3-rtt", "MS", FLAG_NUMBER, O(s3_rtt_ms), NULL,
     "round trip to S3: replies come later, connections start slowly (0)"},
    {"--wire", "v3|v2.1", FLAG_SPECIAL, 0, set_wire, "upload paths and date format (v3)"},
    {"--faults", "FILE", FLAG_TEXT, O(faults), NULL,
     "JSON array of fault rules, see --help-faults"},
    {"--preload", "FILE", FLAG_TEXT, O(preload), NULL,
     "JSON lines {name,size,age,...}: files that exist (age in seconds)"},
    {"--seed", "N", FLAG_NUMBER, O(seed), NULL, "seed of ids, tokens and probabilities (1)"},
    {"--allow-part-concurrency", "N", FLAG_NUMBER, O(part_concurrency), NULL,
     "that many parts of a file at once are no breach"},
    {"--s3-endpoint", "URL", FLAG_TEXT, O(s3_endpoint), NULL, "presign for this S3 server instead"},
    {"--s3-bucket", "NAME", FLAG_TEXT, O(s3_bucket), NULL, "its bucket"},
    {"--s3-region", "NAME", FLAG_TEXT, O(s3_region), NULL, "its region (AWS_REGION or us-east-1)"},
    {"--threads", "N", FLAG_NUMBER, O(threads), NULL, "threads that take PUTs (2)"},
    {"--quirk", "NAME[=VALUE]", FLAG_SPECIAL, 0, set_quirk, "a way tenants differ; repeatable"},
};

#define LENGTH(a) (sizeof(a) / sizeof(a)[0])

static bool parse_number(const char *text, int64_t *out)
{
    char *end = NULL;

    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < 0)
        return false;
    *out = n;
    return true;
}

static bool parse_size(const char *text, int64_t *out)
{
    static const char units[] = "KMG";
    size_t len = strlen(text);
    char digits[32];
    int shift = 0;

    if (len == 0 || len >= sizeof digits)
        return false;
    memcpy(digits, text, len + 1);
    const char *unit = strchr(units, digits[len - 1]);
    if (unit != NULL) {
        shift = 10 * ((int)(unit - units) + 1);
        digits[len - 1] = '\0';
    }
    if (!parse_number(digits, out) || *out > (INT64_MAX >> 31))
        return false;
    *out <<= shift;
    return true;
}

static bool parse_seconds(const char *text, int64_t *out_ms)
{
    char *end = NULL;
    double s = strtod(text, &end);

    if (end == text || *end != '\0' || !(s >= 0 && s < 1e9))
        return false;
    *out_ms = (int64_t)(s * 1000);
    return true;
}

static bool set_store(struct options *opt, char **args)
{
    if (strcmp(args[0], "memory") == 0) {
        opt->store = STORE_MEMORY;
    } else if (strcmp(args[0], "null") == 0) {
        opt->store = STORE_NULL;
    } else {
        opt->store = STORE_DIR;
        opt->store_dir = args[0];
    }
    return true;
}

static bool set_digest(struct options *opt, char **args)
{
    opt->digest_off = strcmp(args[0], "off") == 0;
    return opt->digest_off || strcmp(args[0], "on") == 0;
}

static bool set_tls(struct options *opt, char **args)
{
    opt->tls_cert = args[0];
    opt->tls_key = args[1];
    return true;
}

static bool set_wire(struct options *opt, char **args)
{
    opt->wire = strcmp(args[0], "v2.1") == 0 ? WIRE_V21 : WIRE_V3;
    return opt->wire == WIRE_V21 || strcmp(args[0], "v3") == 0;
}

static bool set_choice(int *out, const char *const *values, const char *value)
{
    for (int i = 0; value != NULL && values[i] != NULL; i++) {
        if (strcmp(values[i], value) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool set_quirk_row(struct quirks *quirks, const struct quirk_row *row, const char *value)
{
    static const char *const off_on[] = {"off", "on", NULL};
    char *at = (char *)quirks + row->offset;

    switch (row->kind) {
    case QUIRK_SWITCH:
        return set_choice((int *)(void *)at, off_on, value == NULL ? "on" : value);
    case QUIRK_CHOICE:
        return set_choice((int *)(void *)at, row->values, value);
    case QUIRK_NUMBER:
        return value != NULL && parse_number(value, (int64_t *)(void *)at);
    case QUIRK_SECONDS:
        return value != NULL && parse_seconds(value, (int64_t *)(void *)at);
    case QUIRK_TEXT:
        if (value == NULL)
            return false;
        *(const char **)(void *)at = value;
        return true;
    }
    return false;
}

static bool set_quirk(struct options *opt, char **args)
{
    size_t len = strcspn(args[0], "=");
    const char *value = args[0][len] == '=' ? args[0] + len + 1 : NULL;

    for (size_t i = 0; i < LENGTH(quirk_rows); i++) {
        if (strlen(quirk_rows[i].name) == len && memcmp(quirk_rows[i].name, args[0], len) == 0)
            return set_quirk_row(&opt->quirk, &quirk_rows[i], value);
    }
    return false;
}

static void print_quirk(const struct quirk_row *row)
{
    char left[96];
    int n = snprintf(left, sizeof left, "%s", row->name);

    if (row->kind == QUIRK_CHOICE) {
        for (int i = 0; row->values[i] != NULL && n < (int)sizeof left; i++)
            n += snprintf(left + n, sizeof left - (size_t)n, "%c%s", i == 0 ? '=' : '|',
                          row->values[i]);
    } else if (row->kind != QUIRK_SWITCH) {
        static const char *const meta[] = {"", "", "=N", "=SECONDS", "=NAME"};
        snprintf(left + n, sizeof left - (size_t)n, "%s", meta[row->kind]);
    }
    printf("  %-30s %s\n", left, row->help);
}

static void print_help(void)
{
    puts("usage: pxm-sim [flags]\n"
         "A stand-in for a PXM tenant and its S3. The client secret is `sim-secret`.\n");
    for (size_t i = 0; i < LENGTH(flag_rows); i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", flag_rows[i].name,
                 flag_rows[i].args == NULL ? "" : flag_rows[i].args);
        printf("  %-30s %s\n", left, flag_rows[i].help);
    }
    puts("  --help, --help-faults          this; the fault rules\n\nquirks (the first choice is "
         "the default):");
    for (size_t i = 0; i < LENGTH(quirk_rows); i++)
        print_quirk(&quirk_rows[i]);
    puts("\ncontrol: GET /_sim/state[?files=0|offset=N&limit=N], /_sim/violations, "
         "/_sim/requests?since=N,\n  /_sim/object?id=ID; POST /_sim/preload, /_sim/revoke, "
         "/_sim/faults, /_sim/damage?id=ID&how=delete|shorten|unlink,\n  "
         "/_sim/listen?off=MS[&side=api|s3];\n  DELETE /_sim/faults, "
         "/_sim/violations");
}

static bool apply_flag(struct options *opt, const struct flag_row *row, char **args)
{
    char *at = (char *)opt + row->offset;

    switch (row->kind) {
    case FLAG_TEXT:
        *(const char **)(void *)at = args[0];
        return true;
    case FLAG_NUMBER:
        return parse_number(args[0], (int64_t *)(void *)at);
    case FLAG_SIZE:
        return parse_size(args[0], (int64_t *)(void *)at);
    case FLAG_SWITCH:
        *(bool *)(void *)at = true;
        return true;
    case FLAG_SPECIAL:
        return row->special(opt, args);
    }
    return false;
}

static const struct flag_row *find_flag(const char *name)
{
    for (size_t i = 0; i < LENGTH(flag_rows); i++) {
        if (strcmp(flag_rows[i].name, name) == 0)
            return &flag_rows[i];
    }
    return NULL;
}

static void set_defaults(struct options *opt)
{
    *opt = (struct options){
        .listen = "127.0.0.1:0",
        .rate = 1000,
        .multipart_threshold = 16 << 20,
        .part_size = 8 << 20,
        .url_ttl_s = 3600,
        .seed = 1,
        .threads = 2,
        .quirk = {.conflict_action_field = "conflict_action",
                  .conflict_id_field = "conflict_file_id",
                  .session_ttl_s = 86400},
    };
}

static bool is_consistent(const struct options *opt)
{
    if (opt->part_size == 0 || opt->threads == 0 || opt->threads > 64)
        fputs("pxm-sim: --part-size and --threads must be at least 1 (and threads 64)\n", stderr);
    else if ((opt->s3_endpoint == NULL) != (opt->s3_bucket == NULL))
        fputs("pxm-sim: --s3-endpoint and --s3-bucket go together\n", stderr);
    else
        return true;
    return false;
}

enum options_outcome options_parse(int argc, char **argv, struct options *opt)
{
    set_defaults(opt);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return OPTIONS_DONE;
        }
        const struct flag_row *row = find_flag(argv[i]);
        if (row == NULL) {
            fprintf(stderr, "pxm-sim: unknown flag %s (see --help)\n", argv[i]);
            return OPTIONS_USAGE;
        }
        int n_args = row->args == NULL ? 0 : row->special == set_tls ? 2 : 1;
        if (i + n_args >= argc) {
            fprintf(stderr, "pxm-sim: %s needs %s\n", row->name, row->args);
            return OPTIONS_USAGE;
        }
        if (!apply_flag(opt, row, argv + i + 1)) {
            fprintf(stderr, "pxm-sim: %s: bad value '%s'\n", row->name, argv[i + 1]);
            return OPTIONS_USAGE;
        }
        i += n_args;
    }
    return is_consistent(opt) ? OPTIONS_RUN : OPTIONS_USAGE;
}
