/*
 * settings.c - see settings.h. Main thread.
 *
 * Invariant: origins[o] is the origin of the value in the field of o, and no call replaces a
 * value by one of a weaker origin. So flags, environment, journal and config may come in any
 * order, which lets --profile be read before the file that it selects in.
 */
#include "cli/settings.h"
#include "base/nearest.h"
#include "cli/args.h"
#include "cli/config.h"
#include "cli/value.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_TEXT_MAX (1024 * 1024)
#define WHERE_MAX      512

static void *field_of(struct settings *settings, const struct option_row *row)
{
    return (char *)settings + row->offset;
}

static const void *const_field_of(const struct settings *settings, const struct option_row *row)
{
    return (const char *)settings + row->offset;
}

static int is_string(const struct option_row *row)
{
    return row->kind == KIND_STRING || row->kind == KIND_FILE || row->kind == KIND_DATE;
}

static int is_64_bit(const struct option_row *row)
{
    return row->kind == KIND_SIZE || row->kind == KIND_RATE || row->kind == KIND_DURATION ||
           row->kind == KIND_AGE;
}

const char *settings_origin_name(enum origin origin)
{
    static const char *const names[] = {"built-in", "profile", "environment", "journal", "flag"};
    _Static_assert(sizeof names / sizeof *names == ORIGIN_FLAG + 1, "one name an origin");
    BUG_ON(origin > ORIGIN_FLAG);
    return names[origin];
}

/* ---- storing one value ------------------------------------------------------------------------
 */

static void store_number(struct settings *settings, const struct option_row *row, int64_t number)
{
    if (is_64_bit(row)) {
        *(int64_t *)field_of(settings, row) = number;
    } else if (row->kind == KIND_ENUM) {
        *(unsigned *)field_of(settings, row) = (unsigned)number;
    } else {
        BUG_ON(number < INT32_MIN || number > INT32_MAX);
        *(int *)field_of(settings, row) = (int)number;
    }
}

static int store_string(char **slot, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        return -ERR_NOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

static int store_item(struct settings *settings, enum option_id option, const char *text,
                      enum origin origin)
{
    struct string_list *list = field_of(settings, option_row(option));
    struct string_list old = *list;
    int replaces = origin > settings->origins[option];
    if (replaces)
        *list = (struct string_list){0};
    int rc = string_list_add(list, text);
    if (rc)
        *list = old;
    else if (replaces)
        string_list_release(&old);
    return rc;
}

static int store(struct settings *settings, enum option_id option, const char *text, int64_t number,
                 enum origin origin)
{
    const struct option_row *row = option_row(option);
    int rc = 0;
    if (row->kind == KIND_LIST) {
        rc = store_item(settings, option, text, origin);
    } else if (is_string(row)) {
        rc = store_string(field_of(settings, row), text);
    } else {
        store_number(settings, row, number);
    }
    if (!rc && row->kind != KIND_LIST)
        rc = store_string(&settings->texts[option], origin == ORIGIN_BUILTIN ? NULL : text);
    if (!rc)
        settings->origins[option] = origin;
    return rc;
}

static int store_builtin(struct settings *settings, enum option_id option, struct err *err)
{
    const struct option_row *row = option_row(option);
    int64_t number = 0;
    settings->origins[option] = ORIGIN_BUILTIN;
    if (row->kind == KIND_LIST) {
        string_list_release(field_of(settings, row));
        return 0;
    }
    if (row->fallback && value_parse(row, row->fallback, &number, err))
        BUG_ON("a built-in value that its own parser refuses");
    if (store(settings, option, row->fallback, number, ORIGIN_BUILTIN))
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    return 0;
}

int settings_set(struct settings *settings, enum option_id option, const char *text,
                 enum origin origin, const char *where, struct err *err)
{
    const struct option_row *row = option_row(option);
    struct err detail = ERR_INIT;
    int64_t number = 1;
    int is_counted = row->kind == KIND_COUNT && !text;
    char count_text[16];
    BUG_ON(!text && option_takes_value(row));
    if (text && value_parse(row, text, &number, &detail))
        return err_set(err, origin == ORIGIN_FLAG ? ERR_USAGE : ERR_CONFIG, "%s: %s", where,
                       detail.text);
    if (origin < settings->origins[option])
        return 0;
    if (is_counted && origin == settings->origins[option])
        number += *(int *)field_of(settings, row);
    if (is_counted)
        snprintf(count_text, sizeof count_text, "%d", (int)number);
    if (!text)
        text = is_counted ? count_text : "true";
    if (store(settings, option, text, number, origin))
        return err_set(err, ERR_NOMEM, "%s: no memory for it", where);
    return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

int settings_init(struct settings *settings, struct err *err)
{
    *settings = (struct settings){.verb = VERB_COUNT};
    int rc = 0;
    for (int option = 0; option < OPT_COUNT && !rc; option++)
        rc = store_builtin(settings, (enum option_id)option, err);
    return rc;
}

static void release_profile(struct settings *settings)
{
    struct profile_credentials *credentials = &settings->profile_credentials;
    if (credentials->client_secret)
        explicit_bzero(credentials->client_secret, strlen(credentials->client_secret));
    free(credentials->client_id);
    free(credentials->client_secret);
    free(credentials->client_secret_file);
    free(credentials->client_secret_command);
    *credentials = (struct profile_credentials){0};
    for (size_t i = 0; i < settings->override_count; i++) {
        free(settings->overrides[i].field);
        free(settings->overrides[i].value);
    }
    free(settings->overrides);
    settings->overrides = NULL;
    settings->override_count = 0;
}

void settings_release(struct settings *settings)
{
    for (int option = 0; option < OPT_COUNT; option++) {
        const struct option_row *row = option_row((enum option_id)option);
        if (row->kind == KIND_LIST)
            string_list_release(field_of(settings, row));
        else if (is_string(row))
            (void)store_string(field_of(settings, row), NULL);
        free(settings->texts[option]);
        settings->texts[option] = NULL;
    }
    release_profile(settings);
    string_list_release(&settings->warnings);
    free(settings->config_file);
    free(settings->args);
    settings->config_file = NULL;
    settings->args = NULL;
    settings->arg_count = 0;
}

int settings_drop_profile(struct settings *settings, struct err *err)
{
    int rc = 0;
    for (int option = 0; option < OPT_COUNT && !rc; option++)
        if (settings->origins[option] == ORIGIN_PROFILE)
            rc = store_builtin(settings, (enum option_id)option, err);
    release_profile(settings);
    return rc;
}

int settings_drop_foreign(struct settings *settings, struct err *err)
{
    int rc = 0;
    for (int option = 0; option < OPT_COUNT && !rc; option++)
        if (!option_fits((enum option_id)option, settings->verb))
            rc = store_builtin(settings, (enum option_id)option, err);
    return rc;
}

void settings_drop_target(struct settings *settings)
{
    release_profile(settings);
}

/* ---- environment ------------------------------------------------------------------------------
 */

/* One value, or for a list each item of its CSV. */
static int set_joined(struct settings *settings, enum option_id option, const char *text,
                      enum origin origin, const char *where, struct err *err)
{
    if (option_row(option)->kind != KIND_LIST)
        return settings_set(settings, option, text, origin, where, err);
    struct string_list items = {0};
    int rc = string_list_from_csv(&items, text);
    if (rc)
        err_set(err, ERR_NOMEM, "%s: no memory for it", where);
    for (size_t i = 0; i < items.count && !rc; i++)
        rc = settings_set(settings, option, items.items[i], origin, where, err);
    string_list_release(&items);
    return rc;
}

/* A variable that means nothing is most likely a slip; but others may share the prefix. */
static int warn_of_unknown(struct settings *settings, const char *variable)
{
    char name[OPTION_ENV_MAX];
    char names[OPT_COUNT][OPTION_ENV_MAX];
    size_t len = strcspn(variable, "=");
    struct nearest nearest;
    snprintf(name, sizeof name, "%.*s", (int)len, variable);
    nearest_init(&nearest, name);
    for (int i = 0; i < OPT_COUNT; i++) {
        option_env_name(option_row((enum option_id)i), names[i]);
        if (!strcmp(names[i], name))
            return 0;
        nearest_offer(&nearest, names[i]);
    }
    char text[WHERE_MAX];
    const char *like = nearest_result(&nearest);
    snprintf(text, sizeof text, "the environment variable %s is unknown and ignored%s%s%s", name,
             like ? "; did you mean " : "", like ? like : "", like ? "?" : "");
    return string_list_add(&settings->warnings, text);
}

int settings_load_env(struct settings *settings, struct err *err)
{
    int rc = 0;
    for (int i = 0; i < OPT_COUNT && !rc; i++) {
        char name[OPTION_ENV_MAX];
        const char *text = getenv(option_env_name(option_row((enum option_id)i), name));
        if (text && *text)
            rc = set_joined(settings, (enum option_id)i, text, ORIGIN_ENV, name, err);
    }
    for (char **variable = environ; variable && *variable && !rc; variable++)
        if (!strncmp(*variable, "PXLOAD_", 7) && warn_of_unknown(settings, *variable))
            rc = err_set(err, ERR_NOMEM, "no memory for the settings");
    return rc;
}

/* ---- what depends on more than one option -----------------------------------------------------
 */

static int finish_log_level(struct settings *settings, struct err *err)
{
    int level = (int)settings->origins[OPT_log_level];
    int verbose = settings->verbose ? (int)settings->origins[OPT_verbose] : -1;
    int quiet = settings->quiet ? (int)settings->origins[OPT_quiet] : -1;
    if (verbose >= 0 && verbose == quiet)
        return err_set(err, ERR_USAGE, "-v and -q contradict each other; give one of them");
    int stronger = verbose > quiet ? verbose : quiet;
    if (stronger < level || stronger < 0)
        return 0;
    if (stronger == level)
        return err_set(err, ERR_USAGE, "%s and --log-level say the same; give one of them",
                       quiet > verbose ? "-q" : "-v");
    if (quiet > verbose)
        settings->log_level = LOG_ERROR;
    else
        settings->log_level = settings->verbose > 1 ? LOG_DEBUG : LOG_INFO;
    return 0;
}

static int finish_base_url(struct settings *settings, struct err *err)
{
    char *url = settings->base_url;
    struct wire_url_rules rules = {.allow_http = settings->allow_http};
    struct err detail = ERR_INIT;
    for (size_t len = strlen(url); len && url[len - 1] == '/'; len--)
        url[len - 1] = '\0';
    int rc = wire_check_url(url, &rules, &detail);
    if (!rc && strpbrk(url, "?#"))
        rc = err_set(&detail, ERR_BAD_REPLY, "it must end before any '?' or '#'");
    if (rc)
        return err_set(err, ERR_CONFIG,
                       "--base-url (from: %s) cannot be used: %s; write https://HOST (http is for "
                       "this machine alone, or with --allow-http)",
                       settings_origin_name(settings->origins[OPT_base_url]), detail.text);
    return 0;
}

static int finish_cdn_url(struct settings *settings, struct err *err)
{
    struct err detail = ERR_INIT;
    if (settings->cdn_url && *settings->cdn_url && report_check_cdn_url(settings->cdn_url, &detail))
        return err_set(err, ERR_USAGE, "--cdn-url (from: %s) cannot be used: %s",
                       settings_origin_name(settings->origins[OPT_cdn_url]), detail.text);
    return 0;
}

/* --format means other things to other verbs; a value meant for another one is no error. */
static int finish_format(struct settings *settings, struct err *err)
{
    const struct option_row *row = option_row(OPT_format);
    for (const struct option_choice *at = row->choices; at->name; at++) {
        if (at->value != settings->format || at->verbs >> settings->verb & 1)
            continue;
        if (settings->origins[OPT_format] < ORIGIN_FLAG || settings->wants_help) {
            settings->format = FORMAT_UNSET;
            return 0;
        }
        char all[128];
        value_list_choices(row, settings->verb, all, sizeof all);
        return err_set(err, ERR_USAGE, "--format: '%s' is not for pxload %s; it takes %s", at->name,
                       verb_row(settings->verb)->name, all);
    }
    return 0;
}

int settings_finish(struct settings *settings, struct err *err)
{
    int rc = finish_log_level(settings, err);
    if (!rc)
        rc = finish_base_url(settings, err);
    if (!rc)
        rc = finish_cdn_url(settings, err);
    if (!rc && settings->verb < VERB_COUNT)
        rc = finish_format(settings, err);
    if (!rc && settings->publish_start && !settings->publish)
        rc = err_set(err, ERR_USAGE, "--publish-start has no effect without --publish; add it");
    if (!rc && settings->max_size_bytes >= 0 && settings->min_size_bytes > settings->max_size_bytes)
        rc = err_set(err, ERR_USAGE, "--min-size is above --max-size: no file could be taken");
    if (!rc && settings->max_age_ms >= 0 && settings->min_age_ms > settings->max_age_ms)
        rc = err_set(err, ERR_USAGE, "--min-age is above --max-age: no file could be taken");
    return rc;
}

int settings_load(struct settings *settings, int argc, char **argv, struct err *err)
{
    int rc = settings_init(settings, err);
    if (!rc)
        rc = args_parse(settings, argc, argv, err);
    if (rc || settings->wants_help || settings->wants_version || settings->verb == VERB_HELP)
        return rc ? rc : finish_format(settings, err);
    rc = settings_load_env(settings, err);
    if (!rc)
        rc = config_load(settings, err);
    return rc ? rc : settings_finish(settings, err);
}

/* ---- showing and keeping values -----------------------------------------------------------------
 */

int settings_value_text(const struct settings *settings, enum option_id option, struct buf *out)
{
    const struct option_row *row = option_row(option);
    const void *field = const_field_of(settings, row);
    if (row->kind == KIND_LIST)
        return string_list_to_csv(field, out);
    if (row->kind == KIND_FLAG)
        return buf_puts(out, *(const int *)field ? "true" : "false");
    if (row->kind == KIND_COUNT)
        return buf_printf(out, "%d", *(const int *)field);
    /* The enum's own value: -v changes the log level, the URL loses its trailing slash. */
    if (row->kind == KIND_ENUM)
        return buf_puts(out, value_choice_name(row, *(const unsigned *)field));
    if (is_string(row))
        return buf_puts(out, *(char *const *)field ? *(char *const *)field : "");
    const char *text = settings->texts[option] ? settings->texts[option] : row->fallback;
    return buf_puts(out, text ? text : "");
}

int settings_each_job_value(const struct settings *settings,
                            int (*fn)(const char *key, const char *value, void *user), void *user)
{
    struct buf text;
    int rc = 0;
    buf_init(&text, VALUE_TEXT_MAX);
    for (int i = 0; i < OPT_COUNT && !rc; i++) {
        if (!option_row((enum option_id)i)->is_job)
            continue;
        buf_reset(&text);
        rc = settings_value_text(settings, (enum option_id)i, &text);
        if (!rc)
            rc = fn(option_row((enum option_id)i)->name, buf_str(&text), user);
    }
    for (size_t i = 0; i < settings->override_count && !rc; i++) {
        buf_reset(&text);
        rc = buf_printf(&text, "wire.%s", settings->overrides[i].field);
        if (!rc)
            rc = fn(buf_str(&text), settings->overrides[i].value, user);
    }
    buf_release(&text);
    return rc;
}

int settings_set_job_value(struct settings *settings, const char *key, const char *value,
                           struct err *err)
{
    if (!strncmp(key, "wire.", 5))
        return settings_add_override(settings, key + 5, value, err);
    enum option_id option = option_by_name(key, strlen(key));
    if (option == OPT_COUNT || !option_row(option)->is_job || !*value)
        return 0;
    char where[WHERE_MAX];
    snprintf(where, sizeof where, "the journal's setting %s", key);
    return set_joined(settings, option, value, ORIGIN_JOURNAL, where, err);
}

/* ---- the wire profile
 * ----------------------------------------------------------------------------- */

int settings_wire_profile(const struct settings *settings, struct wire_profile *out,
                          struct err *err)
{
    int rc = wire_profile_init(out, settings->wire, err);
    for (size_t i = 0; i < settings->override_count && !rc; i++)
        rc = wire_profile_set(out, settings->overrides[i].field, settings->overrides[i].value, err);
    if (!rc && settings->origins[OPT_etag_quotes] > ORIGIN_BUILTIN)
        out->etag_quotes = settings->etag_quotes;
    return rc;
}

static struct wire_override *find_override(struct settings *settings, const char *field)
{
    for (size_t i = 0; i < settings->override_count; i++)
        if (!strcmp(settings->overrides[i].field, field))
            return &settings->overrides[i];
    return NULL;
}

int settings_add_override(struct settings *settings, const char *field, const char *value,
                          struct err *err)
{
    struct wire_profile probe;
    int rc = wire_profile_init(&probe, settings->wire, err);
    if (!rc)
        rc = wire_profile_set(&probe, field, value, err);
    if (rc)
        return rc;
    struct wire_override *known = find_override(settings, field);
    if (known)
        return store_string(&known->value, value)
                   ? err_set(err, ERR_NOMEM, "no memory for the settings")
                   : 0;
    struct wire_override row = {.field = strdup(field), .value = strdup(value)};
    struct wire_override *rows =
        reallocarray(settings->overrides, settings->override_count + 1, sizeof *rows);
    if (rows)
        settings->overrides = rows;
    if (!rows || !row.field || !row.value) {
        free(row.field);
        free(row.value);
        return err_set(err, ERR_NOMEM, "no memory for the settings");
    }
    rows[settings->override_count++] = row;
    return 0;
}
