/*
 * help.c - see help.h; also `pxload help`. Formats for shells and documents: help_docs.c.
 */
#include "cli/help.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/help_docs.h"
#include "cli/value.h"

#include <string.h>

#define TEXT_COLUMNS 79
#define HELP_COLUMN  30

/* Writes text from column `at` on, wrapped at words, further lines indented to `indent`. */
static void put_wrapped(FILE *out, const char *text, size_t at, size_t indent)
{
    while (*text) {
        size_t word = strcspn(text, " ");
        if (at > indent && at + 1 + word > TEXT_COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        fwrite(text, 1, word, out);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static void put_option(FILE *out, const struct option_row *row, enum verb verb)
{
    char left[80];
    char help[800];
    char choices[300];
    if (row->letter)
        snprintf(left, sizeof left, "  -%c, --%s", row->letter, row->name);
    else
        snprintf(left, sizeof left, "      --%s", row->name);
    size_t used = strlen(left);
    if (row->arg)
        snprintf(left + used, sizeof left - used, " %s", row->arg);
    value_list_choices(row, verb, choices, sizeof choices);
    used = (size_t)snprintf(help, sizeof help, "%s", row->help);
    /* The classes are many and stand in `pxload status`. */
    if (*choices && strlen(choices) < 100)
        used += (size_t)snprintf(help + used, sizeof help - used, " (%s)", choices);
    if (row->kind == KIND_LIST)
        used += (size_t)snprintf(help + used, sizeof help - used, " (repeatable)");
    if (row->fallback && strcmp(row->fallback, "off"))
        snprintf(help + used, sizeof help - used, " [%s]", row->fallback);
    size_t at = strlen(left);
    fputs(left, out);
    if (at + 2 > HELP_COLUMN)
        fprintf(out, "\n%*s", HELP_COLUMN, "");
    else
        fprintf(out, "%*s", (int)(HELP_COLUMN - at), "");
    put_wrapped(out, help, HELP_COLUMN, HELP_COLUMN);
}

static void put_options(FILE *out, enum verb verb)
{
    for (int group = 0; group < GROUP_COUNT; group++) {
        int is_first = 1;
        for (int i = 0; i < OPT_COUNT; i++) {
            const struct option_row *row = option_row((enum option_id)i);
            int fits = verb == VERB_COUNT || option_fits((enum option_id)i, verb);
            if ((int)row->group != group || !fits)
                continue;
            if (is_first)
                fprintf(out, "\n%s:\n", option_group_title((enum option_group)group));
            is_first = 0;
            put_option(out, row, verb);
        }
    }
    fputs("\n  -h, --help                  show help; with a verb, the verb's\n", out);
    if (verb == VERB_COUNT)
        fputs("  -V, --version               show the version\n", out);
}

static void put_examples(FILE *out, const char *examples)
{
    fputs("\nExamples:\n", out);
    while (*examples) {
        size_t len = strcspn(examples, "\n");
        fprintf(out, "  %.*s\n", (int)len, examples);
        examples += len + (examples[len] == '\n');
    }
}

static void put_overview(FILE *out)
{
    const struct exit_row *row;
    fputs("pxload - bulk uploader into PXM\n\nUsage: pxload VERB [OPTION]... [ARG]...\n\nVerbs:\n",
          out);
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *verb = verb_row((enum verb)i);
        char left[40];
        snprintf(left, sizeof left, "  %s %s", verb->name, verb->synopsis);
        fprintf(out, "%-21s", left);
        put_wrapped(out, verb->does, 21, 21);
    }
    put_options(out, VERB_COUNT);
    fputs("\nEvery option is also PXLOAD_<NAME> in the environment (PXLOAD_API_RATE=500) and\n"
          "a key in the config file; a flag outranks the environment, and that the file.\n"
          "pxload env shows what is in force. Sizes K, M, G, T are binary; times are 90,\n"
          "20s or 1h30m. Credentials: PXM_CLIENT_ID and PXM_CLIENT_SECRET, or PXM_TOKEN,\n"
          "or the config file.\n\nExit codes:\n",
          out);
    for (size_t i = 0; (row = exit_row(i)); i++) {
        fprintf(out, "  %3d  ", (int)row->code);
        put_wrapped(out, row->meaning, 7, 7);
    }
    fputs("\npxload VERB --help shows a verb's options and examples.\n", out);
}

void help_text(FILE *out, enum verb verb)
{
    if (verb == VERB_COUNT) {
        put_overview(out);
        return;
    }
    const struct verb_row *row = verb_row(verb);
    fprintf(out, "Usage: pxload %s [OPTION]...%s%s\n\n", row->name, *row->synopsis ? " " : "",
            row->synopsis);
    put_wrapped(out, row->does, 0, 0);
    put_examples(out, row->examples);
    put_options(out, verb);
    fputs("\npxload help shows the exit codes and how options are set otherwise.\n", out);
}

void help_format(FILE *out, enum output_format format)
{
    switch (format) {
    case FORMAT_MAN:
        help_man(out);
        return;
    case FORMAT_MARKDOWN:
        help_markdown(out);
        return;
    case FORMAT_BASH:
        help_bash(out);
        return;
    case FORMAT_ZSH:
        help_zsh(out);
        return;
    case FORMAT_FISH:
        help_fish(out);
        return;
    case FORMAT_UNSET:
    case FORMAT_CSV:
    case FORMAT_NDJSON:
    case FORMAT_HTML:
    case FORMAT_NGINX_MAP:
    case FORMAT_CSV_MAP:
        help_text(out, VERB_COUNT);
    }
}

/* Also for --help: then the verb is the one that help is wanted for. */
int cmd_help(struct settings *settings)
{
    enum verb verb = settings->verb == VERB_HELP ? VERB_COUNT : settings->verb;
    if (settings->verb == VERB_HELP && settings->arg_count) {
        verb = verb_by_name(settings->args[0]);
        if (verb == VERB_COUNT) {
            const char *like = verb_nearest(settings->args[0]);
            fprintf(stderr, "pxload: unknown verb '%.80s'%s%s%s\n", settings->args[0],
                    like ? "; did you mean '" : "", like ? like : "", like ? "'?" : "");
            return EXIT_IS_USAGE;
        }
    }
    if (settings->format != FORMAT_UNSET)
        help_format(stdout, settings->format);
    else
        help_text(stdout, verb);
    return fflush(stdout) ? EXIT_IS_FATAL : EXIT_IS_OK;
}
