/* options.c - see options.h and options.def. */
#include "cli/options.h"
#include "cli/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- choices ------------------------------------------------------------------------------ */

static const struct option_choice wire_choices[] = {{"v3", 0, 0}, {"v2.1", 1, 0}, {0}};
static const struct option_choice etag_quotes_choices[] = {
    {"keep", WIRE_ETAG_KEEP, 0}, {"strip", WIRE_ETAG_STRIP, 0}, {0}};
static const struct option_choice on_conflict_choices[] = {{"skip", CONFLICT_SKIP, 0},
                                                           {"overwrite", CONFLICT_OVERWRITE, 0},
                                                           {"version", CONFLICT_VERSION, 0},
                                                           {"fail", CONFLICT_FAIL, 0},
                                                           {0}};
static const struct option_choice name_policy_choices[] = {
    {"keep", NAME_KEEP, 0}, {"unique", NAME_UNIQUE, 0}, {"path", NAME_PATH, 0}, {0}};
static const struct option_choice map_folders_choices[] = {
    {"none", MAP_NONE, 0}, {"collections", MAP_COLLECTIONS, 0}, {"tree", MAP_TREE, 0}, {0}};
static const struct option_choice order_by_choices[] = {
    {"mixed", ORDER_MIXED, 0}, {"size", ORDER_SIZE, 0}, {"path", ORDER_PATH, 0}, {0}};
static const struct option_choice verify_etag_choices[] = {
    {"auto", VERIFY_AUTO, 0}, {"always", VERIFY_ALWAYS, 0}, {"off", VERIFY_OFF, 0}, {0}};
static const struct option_choice log_level_choices[] = {
    {"error", LOG_ERROR, 0}, {"warning", LOG_WARNING, 0}, {"notice", LOG_NOTICE, 0},
    {"info", LOG_INFO, 0},   {"debug", LOG_DEBUG, 0},     {0}};
static const struct option_choice log_format_choices[] = {
    {"text", LOG_TEXT, 0}, {"json", LOG_JSON, 0}, {0}};
static const struct option_choice class_choices[] = {
#define X(sym, name, lasts, advice) {name, ERR_##sym, 0},
    ERR_CODES(X)
#undef X
        {0}};
static const struct option_choice format_choices[] = {
    {"csv", FORMAT_CSV, VERB_BIT(REPORT)},
    {"ndjson", FORMAT_NDJSON, VERB_BIT(REPORT)},
    {"html", FORMAT_HTML, VERB_BIT(REPORT)},
    {"nginx-map", FORMAT_NGINX_MAP, VERB_BIT(REPORT)},
    {"csv-map", FORMAT_CSV_MAP, VERB_BIT(REPORT)},
    {"man", FORMAT_MAN, VERB_BIT(HELP)},
    {"markdown", FORMAT_MARKDOWN, VERB_BIT(HELP)},
    {"bash", FORMAT_BASH, VERB_BIT(HELP)},
    {"zsh", FORMAT_ZSH, VERB_BIT(HELP)},
    {"fish", FORMAT_FISH, VERB_BIT(HELP)},
    {0}};

/* ---- which verbs -------------------------------------------------------------------------- */

/* plan takes what upload takes, so that one word turns the one command into the other. */
#define FOR_WALK    (VERB_BIT(PLAN) | VERB_BIT(UPLOAD) | VERB_BIT(ENV))
#define FOR_TREE    (FOR_WALK | VERB_BIT(MANIFEST))
#define FOR_NEW_JOB (FOR_WALK | VERB_BIT(BENCH))
#define FOR_RUN     (FOR_NEW_JOB | VERB_BIT(RESUME) | VERB_BIT(RETRY))
#define FOR_ACCOUNT (VERB_BIT(AUTH) | VERB_BIT(DOCTOR) | VERB_BIT(MANIFEST))
#define FOR_CALLS   (FOR_RUN | VERB_BIT(VERIFY))
#define FOR_API     (FOR_CALLS | FOR_ACCOUNT)

/* ---- the rows ------------------------------------------------------------------------------- */

/* A kind that does not fit its field's type must not compile. */
#define IS_INT(x)      _Generic((x), int : 1, default : 0)
#define IS_INT64(x)    _Generic((x), int64_t : 1, default : 0)
#define IS_UNSIGNED(x) _Generic((x), unsigned : 1, default : 0)
#define IS_STRING(x)   _Generic((x), char * : 1, default : 0)
#define IS_LIST(x)     _Generic((x), struct string_list : 1, default : 0)

#define CHECK_FLAG     IS_INT
#define CHECK_COUNT    IS_INT
#define CHECK_INT      IS_INT
#define CHECK_STRING   IS_STRING
#define CHECK_FILE     IS_STRING
#define CHECK_DATE     IS_STRING
#define CHECK_LIST     IS_LIST
#define CHECK_SIZE     IS_INT64
#define CHECK_RATE     IS_INT64
#define CHECK_DURATION IS_INT64
#define CHECK_AGE      IS_INT64
#define CHECK_ENUM     IS_UNSIGNED

#define OPTION(field, kind, ...) \
    _Static_assert(CHECK_##kind(((struct settings *)0)->field), "kind and field of " #field);
#include "cli/options.def"
#undef OPTION

static const struct option_row rows[] = {
#define OPTION(field, kind_, ...) \
    [OPT_##field] = {.kind = KIND_##kind_, .offset = offsetof(struct settings, field), __VA_ARGS__},
#include "cli/options.def"
#undef OPTION
};
_Static_assert(sizeof rows / sizeof *rows == OPT_COUNT, "one row an option");

static const char *const group_titles[] = {
    [GROUP_PXM] = "PXM",
    [GROUP_JOB] = "The job",
    [GROUP_FILES] = "Which files",
    [GROUP_SPEED] = "Speed",
    [GROUP_LIMITS] = "Limits and checks",
    [GROUP_OUTPUT] = "Output",
    [GROUP_VERB] = "For single verbs",
};
_Static_assert(sizeof group_titles / sizeof *group_titles == GROUP_COUNT, "one title a group");

static const struct option_alias aliases[] = {
    {"ignore-existing", OPT_on_conflict, "skip"},
    {"overwrite", OPT_on_conflict, "overwrite"},
    {"immutable", OPT_on_conflict, "fail"},
    {"dryrun", OPT_dry_run, NULL},
    {"since", OPT_max_age_ms, NULL},
};

const struct option_row *option_row(enum option_id option)
{
    BUG_ON(option >= OPT_COUNT);
    return &rows[option];
}

static int same_name(const char *name, const char *text, size_t len)
{
    if (strlen(name) != len)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (name[i] != (text[i] == '_' ? '-' : text[i]))
            return 0;
    return 1;
}

enum option_id option_by_name(const char *name, size_t len)
{
    for (int i = 0; i < OPT_COUNT; i++)
        if (same_name(rows[i].name, name, len))
            return (enum option_id)i;
    return OPT_COUNT;
}

const char *option_group_title(enum option_group group)
{
    BUG_ON(group >= GROUP_COUNT);
    return group_titles[group];
}

int option_fits(enum option_id option, enum verb verb)
{
    return (option_row(option)->verbs >> verb & 1) != 0;
}

int option_takes_value(const struct option_row *row)
{
    return row->kind != KIND_FLAG && row->kind != KIND_COUNT;
}

const char *option_env_name(const struct option_row *row, char *out)
{
    int len = snprintf(out, OPTION_ENV_MAX, "PXLOAD_%s", row->name);
    BUG_ON(len >= OPTION_ENV_MAX);
    for (char *at = out; *at; at++)
        *at = (char)(*at == '-' ? '_' : toupper((unsigned char)*at));
    return out;
}

int option_alias_takes_value(const struct option_alias *alias)
{
    return !alias->value && option_takes_value(option_row(alias->option));
}

const struct option_alias *option_alias(size_t n)
{
    return n < sizeof aliases / sizeof *aliases ? &aliases[n] : NULL;
}
