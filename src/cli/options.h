/*
 * options.h - the option table's shape and look-ups. Constant data, any thread.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/verbs.h"

enum option_kind {
    KIND_FLAG,     /* int: 0 or 1 */
    KIND_COUNT,    /* int: how often it was given */
    KIND_STRING,   /* char *, one of choices where there are any */
    KIND_FILE,     /* char *, a path */
    KIND_DATE,     /* char *, YYYY-MM-DD or RFC 3339 in UTC */
    KIND_LIST,     /* struct string_list, repeatable */
    KIND_INT,      /* int within min..max */
    KIND_SIZE,     /* int64_t bytes */
    KIND_RATE,     /* int64_t bytes per second */
    KIND_DURATION, /* int64_t ms */
    KIND_AGE,      /* int64_t ms; a duration, or a date as its distance from now */
    KIND_ENUM,     /* an enum: the value of one of choices */
};

enum option_group {
    GROUP_PXM,
    GROUP_JOB,
    GROUP_FILES,
    GROUP_SPEED,
    GROUP_LIMITS,
    GROUP_OUTPUT,
    GROUP_VERB,
    GROUP_COUNT
};

struct option_choice {
    const char *name; /* NULL ends the list */
    unsigned value;
    unsigned verbs; /* 0: every verb that the option is for */
};

struct option_row {
    const char *name; /* long name; the config key, and PXLOAD_<NAME> */
    int letter;       /* 0: none */
    enum option_kind kind;
    size_t offset;        /* in struct settings */
    const char *fallback; /* the built-in value as text; NULL: 0, NULL or empty */
    const char *word;     /* a word that stands for word_value: "off", "auto"; or NULL */
    int64_t word_value;
    int64_t min;
    int64_t max; /* 0: no upper bound */
    const struct option_choice *choices;
    unsigned verbs; /* VERB_BIT()s */
    int is_job;
    int not_in_config;
    const char *arg; /* what its value is called; NULL: takes none */
    enum option_group group;
    const char *help;
};

enum option_id {
#define OPTION(field, kind, ...) OPT_##field,
#include "cli/options.def"
#undef OPTION
    OPT_COUNT
};

const struct option_row *option_row(enum option_id option);
/* OPT_COUNT where there is none. `_` counts as `-`: config files may use either. */
enum option_id option_by_name(const char *name, size_t len);
const char *option_group_title(enum option_group group);
/* True where the option may stand after the verb. */
int option_fits(enum option_id option, enum verb verb);
/* True where a value has to follow: everything but flags and counts. */
int option_takes_value(const struct option_row *row);

#define OPTION_ENV_MAX 64
/* "PXLOAD_API_RATE" into out[OPTION_ENV_MAX]; returns out. */
const char *option_env_name(const struct option_row *row, char *out);

/* --ignore-existing and such: other programs' spellings for an option, or one with a value. */
struct option_alias {
    const char *name;
    enum option_id option;
    const char *value; /* NULL: none, or the one that is given */
};
int option_alias_takes_value(const struct option_alias *alias);
/* The n-th, NULL past the last. */
const struct option_alias *option_alias(size_t n);

#endif
