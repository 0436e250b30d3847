/*
 * exit.h - the exit codes and what each promises to a script. One table for help and README.
 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <stddef.h>

#include "base/err.h"

/* X(symbol, code, meaning) */
#define EXITS(X)                                                                             \
    X(OK, 0, "every planned file is confirmed, or skipped by policy, and the books balance") \
    X(SOME_FAILED, 1, "finished, some files failed")                                         \
    X(USAGE, 2, "wrong usage or configuration; nothing was started")                         \
    X(SOURCE, 3, "done, but some source items were unreadable, vanished or changed")         \
    X(PREFLIGHT, 4, "preflight failed: credentials, permission, disk or clock")              \
    X(TEMPORARY, 5, "gave up on a temporary condition; run it again")                        \
    X(CONFLICT, 6, "a file exists already and --on-conflict is fail")                        \
    X(FATAL, 7, "fatal, running again will not help: see the message")                       \
    X(LIMIT, 8, "stopped by --max-transfer or --max-errors")                                 \
    X(DURATION, 10, "stopped by --max-duration")                                             \
    X(BUSY, 11, "the journal is in use by another process")                                  \
    X(SIGINT, 130, "stopped by SIGINT after a clean drain; resumable")                       \
    X(SIGTERM, 143, "stopped by SIGTERM after a clean drain; resumable")

/* EXIT_IS_ keeps clear of the C library's EXIT_SUCCESS and EXIT_FAILURE. */
enum exit_code {
#define X(sym, code, meaning) EXIT_IS_##sym = code,
    EXITS(X)
#undef X
};

struct exit_row {
    enum exit_code code;
    const char *meaning;
};
/* The n-th row in rising order, NULL past the last. */
const struct exit_row *exit_row(size_t n);

/* The exit code where a run could not start, or ended as a whole, with this error. */
enum exit_code exit_of_error(enum err_code code);

#endif
