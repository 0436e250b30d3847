/* finding.c - see finding.h. */
#include "cli/finding.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FINDING_MAX 1024

static const char *const words[] = {
    [FINDING_OK] = "ok",
    [FINDING_WARN] = "warn",
    [FINDING_FAIL] = "FAIL",
};
static const char *const json_words[] = {
    [FINDING_OK] = "ok",
    [FINDING_WARN] = "warn",
    [FINDING_FAIL] = "fail",
};

static int add_member(struct buf *line, const char *key, const char *value)
{
    int rc = buf_printf(line, ",\"%s\":", key);
    return rc ? rc : log_append_json_string(line, value, strlen(value));
}

static void put_json(enum finding_level level, const char *check, const char *text,
                     const char *advice)
{
    struct buf line;
    char now[CLOCK_TEXT_MAX];
    buf_init(&line, 16 * FINDING_MAX);
    int rc = buf_printf(&line, "{\"message_type\":\"check\",\"time\":\"%s\"",
                        clock_format(clock_wall_ms(), now));
    if (!rc)
        rc = add_member(&line, "check", check);
    if (!rc)
        rc = add_member(&line, "result", json_words[level]);
    if (!rc)
        rc = add_member(&line, "finding", text);
    if (!rc && advice)
        rc = add_member(&line, "advice", advice);
    if (!rc)
        printf("%s}\n", buf_str(&line));
    buf_release(&line);
}

void finding_put(struct findings *findings, enum finding_level level, const char *check,
                 const char *advice, const char *fmt, ...)
{
    char text[FINDING_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    log_redact(text);
    findings->counts[level]++;
    if (findings->json)
        put_json(level, check, text, advice);
    else
        printf("%-4s  %s: %s%s%s\n", words[level], check, text, advice ? " - " : "",
               advice ? advice : "");
    fflush(stdout); /* the next check may take its time */
}

void finding_put_error(struct findings *findings, const char *check, const char *advice,
                       const struct err *error)
{
    finding_put(findings, FINDING_FAIL, check, advice ? advice : err_advice(error->code), "%s",
                error->text);
}
