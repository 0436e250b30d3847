/* glob_regex.c - see glob_regex.h. Called by glob_new on the thread that builds a filter. */
#include "scan/glob_regex.h"

#include <string.h>

/* Reading state: where we are, and whether inside {a,b}. */
struct translation {
    const char *at;
    int in_braces;
    struct buf *out;
};

int glob_regex_needed(const char *pattern)
{
    for (const char *at = pattern; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (at[0] == '{' && at[1] == '{')
            return 1;
    }
    return 0;
}

static int put_literal(struct buf *out, char c)
{
    if (strchr(".[]()*+?{}|^$\\", c))
        return buf_printf(out, "\\%c", c);
    return buf_append(out, &c, 1);
}

/* [..] is nearly the same in both; only ! and escapes differ. */
static int put_class(struct translation *t, struct err *err)
{
    const char *start = t->at++;
    int failed = buf_puts(t->out, "[");
    if (*t->at == '!' || *t->at == '^') {
        failed |= buf_puts(t->out, "^/"); /* a negated class must not take a slash */
        t->at++;
    }
    const char *first = t->at;
    while (*t->at && (*t->at != ']' || t->at == first)) {
        if (t->at[0] == '\\')
            return err_set(err, ERR_USAGE, "no \\ inside [] of a pattern with {{}}: \"%s\"", start);
        size_t len = 1;
        const char *named = strncmp(t->at, "[:", 2) == 0 ? strstr(t->at, ":]") : NULL;
        if (named)
            len = (size_t)(named + 2 - t->at);
        failed |= buf_append(t->out, t->at, len);
        t->at += len;
    }
    if (*t->at != ']')
        return err_set(err, ERR_USAGE, "a [ without its ]: \"%s\"", start);
    t->at++;
    return failed | buf_puts(t->out, "]");
}

static int put_regex(struct translation *t, struct err *err)
{
    const char *start = t->at + 2;
    const char *end = strstr(start, "}}");
    if (!end)
        return err_set(err, ERR_USAGE, "a {{ without its }}: \"%s\"", t->at);
    while (end[2] == '}') /* "{{a{2}}}": the expression keeps its own brace */
        end++;
    t->at = end + 2;
    int failed = buf_puts(t->out, "(");
    failed |= buf_append(t->out, start, (size_t)(end - start));
    return failed | buf_puts(t->out, ")");
}

static int put_stars(struct translation *t)
{
    int two = t->at[1] == '*';
    t->at += two ? 2 : 1;
    return buf_puts(t->out, two ? ".*" : "[^/]*");
}

static int put_brace(struct translation *t, struct err *err)
{
    char c = *t->at++;
    if (c == ',')
        return buf_puts(t->out, "|");
    if (t->in_braces == (c == '{'))
        return err_set(err, ERR_USAGE, "braces cannot nest and must pair");
    t->in_braces = c == '{';
    return buf_puts(t->out, c == '{' ? "(" : ")");
}

static int put_next(struct translation *t, struct err *err)
{
    char c = *t->at;
    if (c == '{' && t->at[1] == '{')
        return put_regex(t, err);
    if (c == '{' || c == '}' || (c == ',' && t->in_braces))
        return put_brace(t, err);
    if (c == '[')
        return put_class(t, err);
    if (c == '*')
        return put_stars(t);
    t->at++;
    if (c == '?')
        return buf_puts(t->out, "[^/]");
    if (c == '\\' && *t->at)
        c = *t->at++;
    return put_literal(t->out, c);
}

int glob_regex_translate(const char *pattern, struct buf *out, struct err *err)
{
    struct translation t = {.at = pattern, .out = out};
    int rc = buf_puts(out, *pattern == '/' ? "^(" : "(^|/)(");
    t.at += *pattern == '/';
    while (*t.at) {
        int put = put_next(&t, err);
        if (put == -ERR_USAGE)
            return put;
        rc |= put;
    }
    if (t.in_braces)
        return err_set(err, ERR_USAGE, "a { without its }: \"%s\"", pattern);
    rc |= buf_puts(out, ")$");
    return rc ? err_set(err, ERR_NOMEM, "the pattern \"%s\" is too long", pattern) : 0;
}
