/* help_docs.c - see help_docs.h. The texts of the tables are ASCII without tabs and newlines. */
#include "cli/help_docs.h"
#include "cli/exit.h"
#include "cli/options.h"
#include "cli/value.h"

#include <string.h>

#define CHOICES_TEXT_MAX 700

/* Writes text with `escape` before each byte of `special`. */
static void put_escaped(FILE *out, const char *text, const char *special, const char *escape)
{
    for (; *text; text++)
        fprintf(out, "%s%c", strchr(special, *text) ? escape : "", *text);
}

/* ---- markdown ---------------------------------------------------------------------------------
 */

static void markdown_option(FILE *out, const struct option_row *row)
{
    char choices[CHOICES_TEXT_MAX];
    fputs("| `", out);
    if (row->letter)
        fprintf(out, "-%c, ", row->letter);
    fprintf(out, "--%s%s", row->name, row->arg ? " " : "");
    put_escaped(out, row->arg ? row->arg : "", "|", "\\");
    fputs("` | ", out);
    put_escaped(out, row->help, "|<*", "\\");
    value_list_choices(row, VERB_COUNT, choices, sizeof choices);
    if (*choices)
        fprintf(out, " (%s)", choices);
    if (row->kind == KIND_LIST)
        fputs("; repeatable", out);
    fprintf(out, " | %s%s%s |\n", row->fallback ? "`" : "", row->fallback ? row->fallback : "",
            row->fallback ? "`" : "");
}

void help_markdown(FILE *out)
{
    const struct exit_row *code;
    fputs("### Verbs\n\n| verb | does |\n|---|---|\n", out);
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = verb_row((enum verb)i);
        fprintf(out, "| `pxload %s%s", row->name, *row->synopsis ? " " : "");
        put_escaped(out, row->synopsis, "|", "\\");
        fprintf(out, "` | %s |\n", row->does);
    }
    for (int group = 0; group < GROUP_COUNT; group++) {
        fprintf(out, "\n### %s\n\n| option | meaning | default |\n|---|---|---|\n",
                option_group_title((enum option_group)group));
        for (int i = 0; i < OPT_COUNT; i++)
            if ((int)option_row((enum option_id)i)->group == group)
                markdown_option(out, option_row((enum option_id)i));
    }
    fputs("\nOther programs' spellings: ", out);
    const struct option_alias *alias;
    for (size_t i = 0; (alias = option_alias(i)); i++)
        fprintf(out, "%s`--%s` is `--%s%s%s`", i ? ", " : "", alias->name,
                option_row(alias->option)->name, alias->value ? " " : "",
                alias->value ? alias->value : "");
    fputs(".\n\n### Exit codes\n\n| code | meaning |\n|---|---|\n", out);
    for (size_t i = 0; (code = exit_row(i)); i++)
        fprintf(out, "| %d | %s |\n", (int)code->code, code->meaning);
}

/* ---- man ----------------------------------------------------------------------------------------
 */

/* A '-' that is no hyphen, a backslash, and a line that would begin with a request. */
static void man_text(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

static void man_option(FILE *out, const struct option_row *row)
{
    char choices[CHOICES_TEXT_MAX];
    fputs(".TP\n\\fB", out);
    if (row->letter)
        fprintf(out, "\\-%c\\fR, \\fB", row->letter);
    fputs("\\-\\-", out);
    man_text(out, row->name);
    fprintf(out, "\\fR%s\\fI", row->arg ? " " : "");
    man_text(out, row->arg ? row->arg : "");
    fputs("\\fR\n", out);
    man_text(out, row->help);
    value_list_choices(row, VERB_COUNT, choices, sizeof choices);
    if (*choices) {
        fputs(" (", out);
        man_text(out, choices);
        fputc(')', out);
    }
    if (row->kind == KIND_LIST)
        fputs(" (repeatable)", out);
    if (row->fallback) {
        fputs(". Default: ", out);
        man_text(out, row->fallback);
    }
    fputc('\n', out);
}

static void man_verbs(FILE *out)
{
    fputs(".SH VERBS\n", out);
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = verb_row((enum verb)i);
        fprintf(out, ".TP\n\\fB%s\\fR \\fI", row->name);
        man_text(out, row->synopsis);
        fputs("\\fR\n", out);
        man_text(out, row->does);
        fputc('\n', out);
    }
}

static void man_examples(FILE *out)
{
    fputs(".SH EXAMPLES\n.nf\n", out);
    for (int i = 0; i < VERB_COUNT; i++) {
        const char *at = verb_row((enum verb)i)->examples;
        for (; *at; at += strcspn(at, "\n") + 1) {
            char line[200];
            snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
            man_text(out, line);
            fputc('\n', out);
        }
    }
    fputs(".fi\n", out);
}

void help_man(FILE *out)
{
    const struct exit_row *code;
    fputs(".TH PXLOAD 1 \"\" \"pxload " PXLOAD_VERSION
          "\"\n.SH NAME\npxload \\- bulk uploader into "
          "PXM\n.SH SYNOPSIS\n\\fBpxload\\fR \\fIVERB\\fR [\\fIOPTION\\fR]... [\\fIARG\\fR]...\n",
          out);
    man_verbs(out);
    fputs(".SH OPTIONS\n", out);
    for (int group = 0; group < GROUP_COUNT; group++) {
        fprintf(out, ".SS %s\n", option_group_title((enum option_group)group));
        for (int i = 0; i < OPT_COUNT; i++)
            if ((int)option_row((enum option_id)i)->group == group)
                man_option(out, option_row((enum option_id)i));
    }
    fputs(".SH ENVIRONMENT\nEvery option is also \\fBPXLOAD_\\fINAME\\fR, for example "
          "\\fBPXLOAD_API_RATE\\fR; lists are comma\\-separated.\nCredentials: "
          "\\fBPXM_CLIENT_ID\\fR and \\fBPXM_CLIENT_SECRET\\fR, or \\fBPXM_TOKEN\\fR.\n"
          ".SH FILES\n.TP\n\\fI$XDG_CONFIG_HOME/pxload/config\\fR\nProfiles: one [section] each, "
          "keys named like the options, and client_id with client_secret_file, "
          "client_secret_command or client_secret.\n.TP\n\\fI$XDG_STATE_HOME/pxload/jobs\\fR\n"
          "Journals.\n.SH EXIT STATUS\n",
          out);
    for (size_t i = 0; (code = exit_row(i)); i++) {
        fprintf(out, ".TP\n\\fB%d\\fR\n", (int)code->code);
        man_text(out, code->meaning);
        fputc('\n', out);
    }
    man_examples(out);
}

/* ---- completions -------------------------------------------------------------------------------
 */

static void put_verbs(FILE *out)
{
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(out, "%s%s", i ? " " : "", verb_row((enum verb)i)->name);
}

static void put_choices(FILE *out, const struct option_row *row)
{
    for (const struct option_choice *at = row->choices; at->name; at++)
        fprintf(out, "%s%s", at == row->choices ? "" : " ", at->name);
}

static void bash_values(FILE *out)
{
    fputs("    case $prev in\n", out);
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = option_row((enum option_id)i);
        if (row->choices) {
            fprintf(out, "    --%s) COMPREPLY=($(compgen -W '", row->name);
            put_choices(out, row);
            fputs("' -- \"$cur\")); return ;;\n", out);
        } else if (row->arg && row->kind != KIND_FILE) {
            fprintf(out, "    --%s) return ;;\n", row->name);
        } else if (row->kind == KIND_FILE) {
            fprintf(out, "    --%s) compopt -o default; return ;;\n", row->name);
        }
    }
    fputs("    esac\n", out);
}

void help_bash(FILE *out)
{
    fputs("# bash completion for pxload: source <(pxload help --format bash)\n"
          "_pxload()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= word\n"
          "    COMPREPLY=()\n",
          out);
    bash_values(out);
    fputs("    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
          "        case $word in -*) ;; *) verb=$word; break ;; esac\n"
          "    done\n"
          "    case $cur in\n"
          "    -*) ;;\n"
          "    *) if [ -z \"$verb\" ]; then COMPREPLY=($(compgen -W '",
          out);
    put_verbs(out);
    fputs(
        "' -- \"$cur\")); elif [ \"$verb\" = jobs ]; then COMPREPLY=($(compgen -W 'list clean' -- "
        "\"$cur\")); else compopt -o default; fi; return ;;\n    esac\n"
        "    local options=\n    case $verb in\n",
        out);
    for (int verb = 0; verb < VERB_COUNT; verb++) {
        fprintf(out, "    %s) options='", verb_row((enum verb)verb)->name);
        for (int i = 0; i < OPT_COUNT; i++)
            if (option_fits((enum option_id)i, (enum verb)verb))
                fprintf(out, "--%s ", option_row((enum option_id)i)->name);
        fputs("' ;;\n", out);
    }
    fputs("    esac\n    COMPREPLY=($(compgen -W \"$options --help --version\" -- \"$cur\"))\n}\n"
          "complete -F _pxload pxload\n",
          out);
}

/* A quote ends the shell's string; brackets and colons the spec's parts. */
static void zsh_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else
            fprintf(out, "%s%c", strchr("[]:", *text) ? "\\" : "", *text);
    }
}

void help_zsh(FILE *out)
{
    fputs("#compdef pxload\n# zsh completion for pxload: source <(pxload help --format zsh)\n"
          "_pxload()\n{\n    _arguments -S \\\n        '1:verb:(",
          out);
    put_verbs(out);
    fputs(")' \\\n        '*:file:_files' \\\n", out);
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = option_row((enum option_id)i);
        fprintf(out, "        '%s--%s%s[", row->kind == KIND_LIST ? "*" : "", row->name,
                row->arg ? "=" : "");
        zsh_text(out, row->help);
        fputc(']', out);
        if (row->choices) {
            fputs(":value:(", out);
            put_choices(out, row);
            fputc(')', out);
        } else if (row->arg) {
            fprintf(out, ":value:%s", row->kind == KIND_FILE ? "_files" : "");
        }
        fputs("' \\\n", out);
    }
    fputs("        '(-)--help[show help]'\n}\ncompdef _pxload pxload\n", out);
}

void help_fish(FILE *out)
{
    fputs("# fish completion for pxload: pxload help --format fish | source\n", out);
    for (int i = 0; i < VERB_COUNT; i++) {
        const struct verb_row *row = verb_row((enum verb)i);
        fprintf(out, "complete -c pxload -n __fish_use_subcommand -a %s -d '", row->name);
        put_escaped(out, row->does, "'\\", "\\");
        fputs("'\n", out);
    }
    for (int i = 0; i < OPT_COUNT; i++) {
        const struct option_row *row = option_row((enum option_id)i);
        fputs("complete -c pxload -n '__fish_seen_subcommand_from", out);
        for (int verb = 0; verb < VERB_COUNT; verb++)
            if (option_fits((enum option_id)i, (enum verb)verb))
                fprintf(out, " %s", verb_row((enum verb)verb)->name);
        fprintf(out, "' -l %s", row->name);
        if (row->letter)
            fprintf(out, " -s %c", row->letter);
        if (row->choices) {
            fputs(" -xa '", out);
            put_choices(out, row);
            fputc('\'', out);
        } else if (row->arg) {
            fputs(row->kind == KIND_FILE ? " -rF" : " -x", out);
        }
        fputs(" -d '", out);
        put_escaped(out, row->help, "'\\", "\\");
        fputs("'\n", out);
    }
}
