/* verbs.c - see verbs.h. */
#include "cli/verbs.h"
#include "base/nearest.h"
#include "cli/commands.h"

#include <string.h>

#include "base/err.h"

static const struct verb_row rows[] = {
#define X(sym, name, synopsis, min, max, does, examples) \
    {#name, synopsis, min, max, does, examples, cmd_##name},
    VERBS(X)
#undef X
};
_Static_assert(sizeof rows / sizeof *rows == VERB_COUNT, "one row a verb");

const struct verb_row *verb_row(enum verb verb)
{
    BUG_ON(verb >= VERB_COUNT);
    return &rows[verb];
}

enum verb verb_by_name(const char *name)
{
    for (int i = 0; i < VERB_COUNT; i++)
        if (!strcmp(rows[i].name, name))
            return (enum verb)i;
    return VERB_COUNT;
}

const char *verb_nearest(const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (int i = 0; i < VERB_COUNT; i++)
        nearest_offer(&nearest, rows[i].name);
    return nearest_result(&nearest);
}
