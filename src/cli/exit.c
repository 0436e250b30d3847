/* exit.c - see exit.h. */
#include "cli/exit.h"

static const struct exit_row rows[] = {
#define X(sym, code, meaning) {EXIT_IS_##sym, meaning},
    EXITS(X)
#undef X
};

const struct exit_row *exit_row(size_t n)
{
    return n < sizeof rows / sizeof *rows ? &rows[n] : NULL;
}

/* No default: a new error code must be given its place here. */
enum exit_code exit_of_error(enum err_code code)
{
    switch (code) {
    case ERR_NONE:
        return EXIT_IS_OK;
    case ERR_USAGE:
    case ERR_CONFIG:
    case ERR_MANIFEST: /* as a whole; a bad row is its file's failure */
        return EXIT_IS_USAGE;
    case ERR_SOURCE_UNREADABLE:
    case ERR_SOURCE_VANISHED:
    case ERR_SOURCE_CHANGED:
        return EXIT_IS_SOURCE;
    case ERR_AUTH:
    case ERR_PERMISSION:
    case ERR_TLS:
    case ERR_IO:
    case ERR_NOMEM:
    case ERR_NOT_FOUND:
        return EXIT_IS_PREFLIGHT;
    case ERR_NETWORK:
    case ERR_TIMEOUT:
    case ERR_RATE_LIMITED:
    case ERR_SERVER:
    case ERR_THROTTLED:
    case ERR_URL_EXPIRED:
    case ERR_TRANSFER_BROKEN:
    case ERR_SESSION_LOST:
    case ERR_ETAG_MISMATCH:
    case ERR_STOPPED:
        return EXIT_IS_TEMPORARY;
    case ERR_CONFLICT:
        return EXIT_IS_CONFLICT;
    case ERR_NAME_INVALID:
    case ERR_NAME_COLLISION:
    case ERR_CONFLICT_UNSENDABLE:
    case ERR_OUTCOME_UNKNOWN:
        return EXIT_IS_SOME_FAILED;
    case ERR_BAD_REQUEST:
    case ERR_S3_REFUSED:
    case ERR_BAD_REPLY:
    case ERR_CANARY:
    case ERR_JOURNAL:
    case ERR_INTERNAL:
        return EXIT_IS_FATAL;
    case ERR_JOURNAL_BUSY:
        return EXIT_IS_BUSY;
    case ERR_COUNT:
        break;
    }
    BUG_ON(1);
}
