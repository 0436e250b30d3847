/*
 * err.h - the one way a fallible function fails.
 *
 * A fallible function returns 0 or a negative `enum err_code` and fills the caller's
 * `struct err` where the failure is detected; nobody overwrites it on the way up.
 * The code is also the class that the remedy table, `retry --only` and the reports use:
 * one axis, so that a class can never contradict its code.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define WARN_UNUSED       __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/*
 * X(symbol, name, lasts, advice)
 *   name    what reports, --json and `retry --only` call it; never renamed
 *   lasts   TEMPORARY: running again later can help without anybody changing anything
 *           PERMANENT: somebody has to change something first
 *   advice  the remedy, one sentence, shown beside every failure
 */
#define ERR_CODES(X)                                                                              \
    X(USAGE, "usage", PERMANENT, "see pxload --help")                                             \
    X(CONFIG, "config", PERMANENT, "correct the setting; pxload env shows where each comes from") \
    X(NOMEM, "out_of_memory", TEMPORARY, "free memory or lower --transfers")                      \
    X(IO, "local_io", TEMPORARY, "check the local disk: space, permissions, health")              \
    X(SOURCE_UNREADABLE, "source_unreadable", PERMANENT,                                          \
      "make the file readable for this user and run again")                                       \
    X(SOURCE_VANISHED, "source_vanished", PERMANENT,                                              \
      "the file was there at the walk; run again to walk anew")                                   \
    X(SOURCE_CHANGED, "source_changed", TEMPORARY,                                                \
      "the file was written to while it was sent; run again when it rests")                       \
    X(NAME_INVALID, "name_invalid", PERMANENT, "rename the file: PXM takes UTF-8 names alone")    \
    X(NAME_COLLISION, "name_collision", PERMANENT,                                                \
      "rename one of the two, or use --name-policy unique")                                       \
    X(MANIFEST, "manifest", PERMANENT,                                                            \
      "correct the manifest's line that the message names, and run the same command again")       \
    X(NETWORK, "network", TEMPORARY, "check the network, proxy and firewall; run again")          \
    X(TIMEOUT, "timeout", TEMPORARY, "the other side did not answer in time; run again")          \
    X(TLS, "tls", PERMANENT, "check the certificate chain; --ca-cert names an own CA")            \
    X(AUTH, "auth", PERMANENT, "check PXM_CLIENT_ID and PXM_CLIENT_SECRET, or the token")         \
    X(PERMISSION, "permission", PERMANENT,                                                        \
      "the credentials may not do this; ask a PXM administrator")                                 \
    X(BAD_REQUEST, "bad_request", PERMANENT, "the server refused the request; see its message")   \
    X(NOT_FOUND, "not_found", PERMANENT, "check --base-url and --wire")                           \
    X(CONFLICT, "conflict", PERMANENT,                                                            \
      "a file of this name exists in PXM; choose --on-conflict skip, overwrite or version")       \
    X(CONFLICT_UNSENDABLE, "conflict_unsendable", PERMANENT,                                      \
      "PXM gave no upload instructions beside the conflict; use --on-conflict skip")              \
    X(RATE_LIMITED, "rate_limited", TEMPORARY,                                                    \
      "somebody else uses this account's requests; lower --api-rate")                             \
    X(SERVER, "server", TEMPORARY, "the server failed; run again later")                          \
    X(THROTTLED, "throttled", TEMPORARY, "S3 asked for less; lower --transfers")                  \
    X(URL_EXPIRED, "url_expired", TEMPORARY,                                                      \
      "the upload URL ran out before the bytes were sent; lower --transfers, check the clock")    \
    X(TRANSFER_BROKEN, "transfer_broken", TEMPORARY, "the transfer broke on its way; run again")  \
    X(SESSION_LOST, "session_lost", TEMPORARY, "S3 no longer knows this upload; run again")       \
    X(S3_REFUSED, "s3_refused", PERMANENT,                                                        \
      "S3 refused the upload; see its message (a proxy that changes requests is a usual cause)")  \
    X(ETAG_MISMATCH, "etag_mismatch", TEMPORARY,                                                  \
      "S3 stored other bytes than were sent; run again, suspect memory or a proxy")               \
    X(BAD_REPLY, "bad_reply", PERMANENT,                                                          \
      "the reply breaks the protocol; check --base-url and --wire, or ask PXM support")           \
    X(CANARY, "canary", PERMANENT,                                                                \
      "this tenant takes another conflict field; set conflict_overwrite or conflict_version in "  \
      "the profile")                                                                              \
    X(OUTCOME_UNKNOWN, "outcome_unknown", PERMANENT,                                              \
      "PXM did not say whether the file was confirmed; pxload verify, then pxload retry")         \
    X(JOURNAL, "journal", PERMANENT, "see the message; the journal may be another job's")         \
    X(JOURNAL_BUSY, "journal_busy", TEMPORARY, "another pxload works on this journal")            \
    X(STOPPED, "stopped", TEMPORARY, "run the same command again to go on")                       \
    X(INTERNAL, "internal", PERMANENT, "please report this with the log")

enum err_code {
    ERR_NONE,
#define X(sym, name, lasts, advice) ERR_##sym,
    ERR_CODES(X)
#undef X
        ERR_COUNT
};

/* What is known about the other side after a failed exchange. */
enum err_effect {
    EFFECT_NONE,  /* surely not applied: no byte of it reached the server, or it refused */
    EFFECT_MAYBE, /* sent, no answer: it may have been applied */
};

#define ERR_TEXT_MAX       512
#define ERR_REQUEST_ID_MAX 96

struct err {
    enum err_code code;
    enum err_effect effect;
    int http_status;        /* 0: no HTTP reply */
    int os_errno;           /* 0: not from the system */
    int64_t retry_after_ms; /* -1: the server named no time */
    char text[ERR_TEXT_MAX];
    char request_id[ERR_REQUEST_ID_MAX]; /* the server's, for its support; may be empty */
};

/* Empties *err. Every struct err starts with this or ERR_INIT. */
void err_clear(struct err *err);
#define ERR_INIT             \
    {                        \
        .retry_after_ms = -1 \
    }

/*
 * err_set(err, code, fmt, ...) fills *err (NULL is allowed) with a code and a text and has the
 * value -code; err_set_errno(err, code, os_errno, fmt, ...) adds ": " and the system's text.
 * Macros, so that whoever reads the code, an analyser too, sees that the value is not 0.
 */
#define err_set(err, code, ...) (err_fill(err, code, __VA_ARGS__), err_negative(code))
#define err_set_errno(err, code, os_errno, ...) \
    (err_fill_errno(err, code, os_errno, __VA_ARGS__), err_negative(code))
static inline int err_negative(enum err_code code)
{
    return -(int)code;
}
void err_fill(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
void err_fill_errno(struct err *err, enum err_code code, int os_errno, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The stable name, never NULL. */
const char *err_name(enum err_code code);
/* The remedy, never NULL. */
const char *err_advice(enum err_code code);
/* True where running again later can help by itself. */
int err_is_temporary(enum err_code code);
/* The code of a name, ERR_NONE where there is none such. */
enum err_code err_by_name(const char *name);

/*
 * For a programmer's error: says where and aborts, in release builds too. The journal makes an
 * abort safe.
 */
#define BUG_ON(cond)                            \
    do {                                        \
        if (__builtin_expect(!!(cond), 0))      \
            err_bug(__FILE__, __LINE__, #cond); \
    } while (0)
_Noreturn void err_bug(const char *file, int line, const char *what);

#endif
