/* help_docs.h - help for documents and shells; help.h chooses among them. Main thread. */
#ifndef CLI_HELP_DOCS_H
#define CLI_HELP_DOCS_H

#include <stdio.h>

/* Tables of verbs, options by group, and exit codes; README.md embeds it. */
void help_markdown(FILE *out);
/* pxload(1). */
void help_man(FILE *out);
/* Completion scripts. */
void help_bash(FILE *out);
void help_zsh(FILE *out);
void help_fish(FILE *out);

#endif
