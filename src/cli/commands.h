/*
 * commands.h - the handlers of the verbs: each gets loaded settings and returns the process's
 * exit code. Called once, on the main thread.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/verbs.h"

#define X(sym, name, synopsis, min, max, does, examples) int cmd_##name(struct settings *settings);
VERBS(X)
#undef X

#endif
