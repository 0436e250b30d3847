/*
 * args.c - see args.h. Options may stand anywhere, so the verb is known only after some of them;
 * whether each fits the verb is checked at the end.
 */
#include "cli/args.h"
#include "base/nearest.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIASES_MAX   8
#define NAME_TEXT_MAX 64

/* What getopt_long returns for long options: above every letter. */
enum { CODE_OPTION = 1000, CODE_ALIAS = 2000 };

struct parser {
    struct settings *settings;
    struct err *err;
    int argc;
    char **argv;
    struct option_spec *spec;
    char seen[OPT_COUNT]; /* given on the command line */
};

struct option_spec {
    struct option longs[OPT_COUNT + ALIASES_MAX + 3];
    char letters[2 + 3 * OPT_COUNT + 4];
};

static void add_long(struct option_spec *spec, size_t *count, const char *name, int has_arg,
                     int code)
{
    BUG_ON(*count + 1 >= sizeof spec->longs / sizeof *spec->longs);
    spec->longs[(*count)++] = (struct option){.name = name, .has_arg = has_arg, .val = code};
}

static char *put_letter(char *at, int letter, int takes_value)
{
    *at++ = (char)letter;
    if (takes_value)
        *at++ = ':';
    *at = '\0';
    return at;
}

static void make_spec(struct option_spec *spec)
{
    size_t count = 0;
    *spec = (struct option_spec){0};
    /* '-': arguments come in order, whatever POSIXLY_CORRECT says; ':': own messages. */
    char *letter = stpcpy(spec->letters, "-:hV");
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = option_row((enum option_id)i);
        int takes_value = option_takes_value(row);
        add_long(spec, &count, row->name, takes_value ? required_argument : optional_argument,
                 CODE_OPTION + i);
        if (row->letter)
            letter = put_letter(letter, row->letter, takes_value);
    }
    const struct option_alias *alias;
    for (size_t i = 0; (alias = option_alias(i)); i++)
        add_long(spec, &count, alias->name,
                 option_alias_takes_value(alias) ? required_argument : no_argument,
                 CODE_ALIAS + (int)i);
    add_long(spec, &count, "help", no_argument, 'h');
    add_long(spec, &count, "version", no_argument, 'V');
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static int looks_like_credential(const char *name)
{
    static const char *const words[] = {"token", "secret", "password", "client-id", "client_id"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(name, words[i]))
            return 1;
    return 0;
}

/* token is "--name" or "--name=value"; the value may be a secret and is not repeated. */
static int fail_unknown(const struct parser *parser, const char *token)
{
    char name[NAME_TEXT_MAX];
    struct nearest nearest;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(token + 2, "="), token + 2);
    if (looks_like_credential(name))
        return err_set(parser->err, ERR_USAGE,
                       "--%s: credentials are no options, everybody could read them in the "
                       "process list; set PXM_CLIENT_ID and PXM_CLIENT_SECRET, or PXM_TOKEN",
                       name);
    nearest_init(&nearest, name);
    for (const struct option *at = parser->spec->longs; at->name; at++) {
        nearest_offer(&nearest, at->name);
        /* A beginning is no nearer by letters, but most likely what was meant. */
        if (*name && !strncmp(at->name, name, strlen(name)))
            nearest = (struct nearest){.word = name, .best = at->name};
    }
    const char *like = nearest_result(&nearest);
    if (like)
        return err_set(parser->err, ERR_USAGE, "unknown option --%s; did you mean --%s?", name,
                       like);
    return err_set(parser->err, ERR_USAGE, "unknown option --%s; pxload --help lists them", name);
}

/* Names the long form behind a code of getopt_long. */
static const char *name_of_code(const struct parser *parser, int code)
{
    for (const struct option *at = parser->spec->longs; at->name; at++)
        if (at->val == code)
            return at->name;
    for (int i = 0; i < OPT_COUNT; i++)
        if (option_row((enum option_id)i)->letter == code)
            return option_row((enum option_id)i)->name;
    return "";
}

static int fail_usage(const struct parser *parser, int code)
{
    const char *token = parser->argv[optind - 1];
    const char *name = optopt ? name_of_code(parser, optopt) : "";
    if (code == ':')
        return err_set(parser->err, ERR_USAGE, "--%s needs a value", name);
    if (optopt >= CODE_OPTION || (optopt && *name))
        return err_set(parser->err, ERR_USAGE, "--%s takes no value", name);
    if (optopt)
        return err_set(parser->err, ERR_USAGE, "unknown option -%c; pxload --help lists them",
                       optopt >= ' ' && optopt < 0x7f ? optopt : '?');
    return fail_unknown(parser, token);
}

/* ---- parsing ------------------------------------------------------------------------------------
 */

static int add_arg(struct parser *parser, char *arg)
{
    struct settings *settings = parser->settings;
    if (settings->verb == VERB_COUNT) {
        settings->verb = verb_by_name(arg);
        if (settings->verb != VERB_COUNT)
            return 0;
        const char *like = verb_nearest(arg);
        if (like)
            return err_set(parser->err, ERR_USAGE, "unknown verb '%.80s'; did you mean '%s'?", arg,
                           like);
        return err_set(parser->err, ERR_USAGE,
                       "unknown verb '%.80s'; pxload --help lists them (to upload: pxload upload "
                       "PATH...)",
                       arg);
    }
    settings->args[settings->arg_count++] = arg;
    return 0;
}

static int set_flag(struct parser *parser, enum option_id option, const char *text,
                    const char *name)
{
    char where[NAME_TEXT_MAX];
    snprintf(where, sizeof where, "--%s", name);
    parser->seen[option] = 1;
    return settings_set(parser->settings, option, text, ORIGIN_FLAG, where, parser->err);
}

/* getopt_long takes unique beginnings; a later option could change what they mean. */
static int is_abbreviated(const struct parser *parser, const char *name)
{
    int is_separate = optarg && optarg == parser->argv[optind - 1];
    const char *token = parser->argv[optind - (is_separate ? 2 : 1)];
    return strcspn(token + 2, "=") != strlen(name);
}

static int take_long(struct parser *parser, int code)
{
    const char *name = name_of_code(parser, code);
    if (is_abbreviated(parser, name))
        return fail_unknown(parser,
                            parser->argv[optind - (optarg == parser->argv[optind - 1] ? 2 : 1)]);
    if (code < CODE_ALIAS)
        return set_flag(parser, (enum option_id)(code - CODE_OPTION), optarg, name);
    const struct option_alias *alias = option_alias((size_t)(code - CODE_ALIAS));
    return set_flag(parser, alias->option, option_alias_takes_value(alias) ? optarg : alias->value,
                    name);
}

static int take(struct parser *parser, int code)
{
    if (code == 1)
        return add_arg(parser, optarg);
    if (code == '?' || code == ':')
        return fail_usage(parser, code);
    if (code >= CODE_OPTION)
        return take_long(parser, code);
    if (code == 'h') {
        parser->settings->wants_help = 1;
        return 0;
    }
    if (code == 'V') {
        parser->settings->wants_version = 1;
        return 0;
    }
    const char *name = name_of_code(parser, code);
    return set_flag(parser, option_by_name(name, strlen(name)), optarg, name);
}

/* ---- checks at the end
 * --------------------------------------------------------------------------- */

static void list_verbs(unsigned verbs, char *out, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < VERB_COUNT && used < size; i++)
        if (verbs >> i & 1)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
                                     verb_row((enum verb)i)->name);
}

static int check_options(const struct parser *parser)
{
    const struct settings *settings = parser->settings;
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = option_row((enum option_id)i);
        if (!parser->seen[i] || option_fits((enum option_id)i, settings->verb))
            continue;
        char verbs[200];
        int goes_on = settings->verb == VERB_RESUME || settings->verb == VERB_RETRY;
        list_verbs(row->verbs, verbs, sizeof verbs);
        return err_set(parser->err, ERR_USAGE, "--%s is not for pxload %s but for: %s%s", row->name,
                       verb_row(settings->verb)->name, verbs,
                       row->is_job && goes_on ? "; a job keeps the value that it was begun with"
                                              : "");
    }
    return 0;
}

static int check_args(const struct parser *parser)
{
    const struct settings *settings = parser->settings;
    const struct verb_row *row = verb_row(settings->verb);
    if (settings->arg_count < (size_t)row->min_args)
        return err_set(parser->err, ERR_USAGE, "pxload %s needs %s; see pxload %s --help",
                       row->name, row->synopsis, row->name);
    if (settings->arg_count > (size_t)row->max_args)
        return err_set(parser->err, ERR_USAGE, "pxload %s takes %s; '%.80s' is too much", row->name,
                       row->max_args ? row->synopsis : "no arguments",
                       settings->args[row->max_args]);
    return 0;
}

static int check_all(const struct parser *parser)
{
    struct settings *settings = parser->settings;
    if (settings->wants_help || settings->wants_version)
        return 0;
    if (settings->verb == VERB_COUNT)
        return err_set(parser->err, ERR_USAGE,
                       "what shall be done? pxload VERB, for example: pxload plan PATH; pxload "
                       "--help lists the verbs");
    int rc = check_options(parser);
    return rc ? rc : check_args(parser);
}

int args_parse(struct settings *settings, int argc, char **argv, struct err *err)
{
    struct option_spec spec;
    struct parser parser = {
        .settings = settings, .err = err, .argc = argc, .argv = argv, .spec = &spec};
    make_spec(&spec);
    free(settings->args);
    settings->arg_count = 0;
    settings->args = calloc((size_t)argc + 1, sizeof *settings->args);
    if (!settings->args)
        return err_set(err, ERR_NOMEM, "no memory for the arguments");
    settings->wants_help = argc < 2;
    /* 0 and not 1: glibc then forgets what an earlier parse left behind. */
    optind = 0;
    opterr = 0;
    int rc = 0;
    int code;
    while (!rc && (code = getopt_long(argc, argv, spec.letters, spec.longs, NULL)) != -1)
        rc = take(&parser, code);
    for (; !rc && optind < argc; optind++)
        rc = add_arg(&parser, argv[optind]);
    return rc ? rc : check_all(&parser);
}
