/*
 * help.h - every text about verbs, options and exit codes, made from their tables. Main thread.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/settings.h"

/* VERB_COUNT: the overview; otherwise one verb with its options and examples. */
void help_text(FILE *out, enum verb verb);
/* The same for machines and documents; FORMAT_UNSET is the overview. */
void help_format(FILE *out, enum output_format format);

#endif
