/*
 * settings.h - everything a user can set, typed, with where each value came from. Owned by the
 * main thread; commands read the fields and keep nothing longer than the struct.
 *
 * Order of the fields, defaults and meaning: options.def. Strings are owned by the struct.
 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "base/buf.h"
#include "base/log.h"
#include "cli/options.h"
#include "cli/string_list.h"
#include "pipeline/pipeline.h"

enum output_format {
    FORMAT_UNSET,
    FORMAT_CSV,
    FORMAT_NDJSON,
    FORMAT_HTML,
    FORMAT_NGINX_MAP,
    FORMAT_CSV_MAP,
    FORMAT_MAN,
    FORMAT_MARKDOWN,
    FORMAT_BASH,
    FORMAT_ZSH,
    FORMAT_FISH,
};

/* Where a value came from, the weakest first: a value is replaced by one at least as strong. */
enum origin { ORIGIN_BUILTIN, ORIGIN_PROFILE, ORIGIN_ENV, ORIGIN_JOURNAL, ORIGIN_FLAG };

/* A field of the wire profile that the config file sets; see wire_profile_set(). */
struct wire_override {
    char *field;
    char *value;
};

/* The profile's credentials; credentials_load() makes something of them. */
struct profile_credentials {
    char *client_id;
    char *client_secret; /* wiped on release */
    char *client_secret_file;
    char *client_secret_command;
};

struct settings {
    /* PXM */
    char *base_url; /* without trailing slashes */
    char *wire;     /* "v3", "v2.1" */
    char *profile;
    char *ca_cert; /* NULL: the system's */
    char *cdn_url; /* report_check_cdn_url(); NULL: none */
    int allow_http;
    enum wire_etag etag_quotes;

    /* the job */
    char *journal; /* NULL: paths_journal() */
    int dry_run;
    int repair;
    enum conflict_policy on_conflict;
    enum name_policy name_policy;
    int publish;
    char *publish_start; /* NULL: none */
    struct string_list regions;
    char *manifest; /* NULL: none; task_init makes it absolute */
    enum map_folders map_folders;
    char *parent_category;

    /* which files */
    struct string_list includes;
    struct string_list excludes;
    struct string_list filter_from;
    struct string_list files_from;
    int64_t min_size_bytes; /* -1: none, and so the next three */
    int64_t max_size_bytes;
    int64_t min_age_ms;
    int64_t max_age_ms;
    int max_depth; /* -1: none */
    int copy_links;

    /* speed */
    int transfers; /* 0: auto */
    int part_concurrency;
    int api_concurrency;
    int api_rate_per_min;        /* requests per 60 s; 0: no limit */
    int64_t bwlimit_bytes_per_s; /* 0: none */
    enum job_order order_by;

    /* limits and checks */
    int retries; /* tries, the first included */
    int64_t contimeout_ms;
    int64_t timeout_ms;
    int64_t lookup_patience_ms;
    int64_t wait_processed_ms;  /* 0: none */
    int64_t max_duration_ms;    /* 0: none */
    int64_t max_transfer_bytes; /* 0: none */
    int max_errors;             /* 0: none */
    enum verify_etag verify_etag;

    /* output */
    int progress;
    int64_t stats_ms; /* 0: none */
    int json;
    char *metrics_file; /* NULL: none */
    char *log_file;
    enum log_level log_level; /* with -v and -q worked in */
    enum log_format log_format;
    int verbose;
    int quiet;

    /* single verbs */
    enum err_code only;        /* retry; ERR_NONE: all */
    enum output_format format; /* report, help */
    int bench_files;           /* bench */
    int64_t bench_size_bytes;
    int into_tenant;
    char *output;      /* report, manifest; "-": stdout */
    char *map_prefix;  /* report */
    int template_only; /* manifest: says what it does anyway */

    /* what is no option */
    enum verb verb;
    char **args; /* what stands behind the verb; borrowed from argv */
    size_t arg_count;
    int wants_help;    /* --help, -h, or no verb at all: see help.h */
    int wants_version; /* --version, -V */
    char *config_file; /* where it is looked for; may not exist */
    int config_found;
    struct profile_credentials profile_credentials;
    struct wire_override *overrides;
    size_t override_count;
    /* Texts for log_warning() once the log is open: unknown PXLOAD_ variables. */
    struct string_list warnings;
    enum origin origins[OPT_COUNT];
    char *texts[OPT_COUNT]; /* the value as it was written; NULL for lists and built-in values */
};

/* All built-in values. 0 or -ERR_NOMEM; release it in any case. */
int settings_init(struct settings *settings, struct err *err) WARN_UNUSED;
/* Frees all, wipes secrets. May be called twice. */
void settings_release(struct settings *settings);

/*
 * Parses one value, unless a stronger origin has set the option; then it is checked all the
 * same. Lists: the first value of a stronger origin replaces the list, further ones append.
 * text NULL: a flag without a value. where names the place for messages ("--transfers",
 * "PXLOAD_TRANSFERS", "FILE:LINE: transfers"). 0, -ERR_USAGE (from a flag), -ERR_CONFIG or
 * -ERR_NOMEM; on failure nothing changes.
 */
int settings_set(struct settings *settings, enum option_id option, const char *text,
                 enum origin origin, const char *where, struct err *err) WARN_UNUSED;

/* settings_set() for every PXLOAD_ variable that is set and not empty. Lists are CSV. */
int settings_load_env(struct settings *settings, struct err *err) WARN_UNUSED;

/*
 * What depends on more than one option: -v and -q against --log-level, the base URL's shape,
 * --format against the verb. Call after everything was loaded; may be called again.
 */
int settings_finish(struct settings *settings, struct err *err) WARN_UNUSED;

/*
 * All of it: init, command line, environment, config file, finish. Where help or the version
 * is wanted, environment and config are left alone, so that a broken one cannot hide the help.
 * 0, -ERR_USAGE or -ERR_CONFIG (exit code 2 both); release it in any case.
 */
int settings_load(struct settings *settings, int argc, char **argv, struct err *err) WARN_UNUSED;

/* The effective value as text, lists as CSV, "" where unset; appended to out. */
int settings_value_text(const struct settings *settings, enum option_id option,
                        struct buf *out) WARN_UNUSED;
const char *settings_origin_name(enum origin origin);

/* ---- a job's settings in its journal -------------------------------------------------------- */

/*
 * Calls fn once for each option that makes a job what it is (`is_job`), with its value as text,
 * built-in values too, so that a later default cannot change a job; and for each wire override
 * as "wire.FIELD". fn's first non-zero return ends it and is returned.
 */
int settings_each_job_value(const struct settings *settings,
                            int (*fn)(const char *key, const char *value, void *user), void *user);
/*
 * Takes back what settings_each_job_value gave, on resume: values from the journal outrank
 * environment and profile. Keys of no option are ignored: a newer pxload may have written them.
 * Where the profile's name may have changed by this, call config_load() again, and
 * settings_finish() in any case.
 */
int settings_set_job_value(struct settings *settings, const char *key, const char *value,
                           struct err *err) WARN_UNUSED;

/* The wire profile that --wire, the profile's overrides and --etag-quotes come to. */
int settings_wire_profile(const struct settings *settings, struct wire_profile *out,
                          struct err *err) WARN_UNUSED;
/* Keeps an override, replacing one of the same field; checked against --wire's profile. */
int settings_add_override(struct settings *settings, const char *field, const char *value,
                          struct err *err) WARN_UNUSED;
/* Back to the built-in value wherever the config file decided; drops its credentials. */
int settings_drop_profile(struct settings *settings, struct err *err) WARN_UNUSED;
/* Likewise for options that are not the verb's own, whoever set them. */
int settings_drop_foreign(struct settings *settings, struct err *err) WARN_UNUSED;
/* Drops the profile's credentials and wire overrides: they are for another target. */
void settings_drop_target(struct settings *settings);

#endif
