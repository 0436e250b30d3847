/*
 * value.h - the text of one option's value -> its typed value, checked. No state, any thread.
 */
#ifndef CLI_VALUE_H
#define CLI_VALUE_H

#include "base/err.h"
#include "cli/options.h"

/*
 * For flags, counts, numbers, sizes, times and enums: *out_number. For strings, files, dates and
 * lists' items the text itself is the value and *out_number stays. 0 or -ERR_USAGE, with what
 * is wrong and what would be right.
 */
int value_parse(const struct option_row *row, const char *text, int64_t *out_number,
                struct err *err) WARN_UNUSED;

/* "skip, overwrite, version" of those that the verb takes; VERB_COUNT: all. Into out. */
void value_list_choices(const struct option_row *row, enum verb verb, char *out, size_t size);
/* The name of an enum's value, "" where it has none. */
const char *value_choice_name(const struct option_row *row, unsigned value);

#endif
