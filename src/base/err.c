/*
 * err.c - error codes, their names and advice. Called by all, on any thread; no state.
 */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum lasts { PERMANENT, TEMPORARY };

static const struct {
    const char *name;
    enum lasts lasts;
    const char *advice;
} codes[] = {{"none", PERMANENT, ""},
#define X(sym, name, lasts, advice) {name, lasts, advice},
             ERR_CODES(X)
#undef X
};
_Static_assert(sizeof codes / sizeof *codes == ERR_COUNT, "one row a code");

void err_clear(struct err *err)
{
    *err = (struct err)ERR_INIT;
}

static void set_text(struct err *err, enum err_code code, const char *fmt, va_list ap)
{
    err_clear(err);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, fmt, ap);
}

void err_fill(struct err *err, enum err_code code, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        set_text(err, code, fmt, ap);
        va_end(ap);
    }
}

void err_fill_errno(struct err *err, enum err_code code, int os_errno, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        set_text(err, code, fmt, ap);
        va_end(ap);
        err->os_errno = os_errno;
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", strerrordesc_np(os_errno));
    }
}

const char *err_name(enum err_code code)
{
    BUG_ON(code >= ERR_COUNT);
    return codes[code].name;
}

const char *err_advice(enum err_code code)
{
    BUG_ON(code >= ERR_COUNT);
    return codes[code].advice;
}

int err_is_temporary(enum err_code code)
{
    BUG_ON(code >= ERR_COUNT);
    return codes[code].lasts == TEMPORARY;
}

enum err_code err_by_name(const char *name)
{
    for (int code = 1; code < ERR_COUNT; code++)
        if (!strcmp(codes[code].name, name))
            return (enum err_code)code;
    return ERR_NONE;
}

_Noreturn void err_bug(const char *file, int line, const char *what)
{
    fprintf(stderr, "pxload: BUG at %s:%d: %s\n", file, line, what);
    abort();
}
