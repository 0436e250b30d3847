/*
 * units.c - see units.h. Integer arithmetic throughout: a size limit of 2^60 must not be off by
 * what a double cannot hold. No state, any thread.
 */
#include "base/units.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Digits kept behind the point; more are read and dropped, they are below a byte or ms. */
#define FRACTION_DIGITS 9

/* A decimal number, exact: (whole * scale + fraction) / scale. */
struct decimal {
    int64_t whole;
    int64_t fraction;
    int64_t scale;
};

/* Reads one number and returns what follows it, or NULL where there is none or it is too big. */
static const char *read_decimal(const char *text, struct decimal *out)
{
    *out = (struct decimal){.scale = 1};
    const char *at = text;
    for (; isdigit((unsigned char)*at); at++) {
        if (__builtin_mul_overflow(out->whole, 10, &out->whole) ||
            __builtin_add_overflow(out->whole, *at - '0', &out->whole))
            return NULL;
    }
    if (at == text)
        return NULL;
    if (*at != '.')
        return at;
    const char *point = at++;
    for (; isdigit((unsigned char)*at); at++) {
        if (at - point > FRACTION_DIGITS)
            continue;
        out->fraction = out->fraction * 10 + (*at - '0');
        out->scale *= 10;
    }
    return at == point + 1 ? NULL : at;
}

/* number * unit added to *sum; -1 where that does not fit. */
static int add_scaled(const struct decimal *number, int64_t unit, int64_t *sum)
{
    int64_t value;
    if (__builtin_mul_overflow(number->whole, unit, &value))
        return -1;
    int64_t rest = (int64_t)((__int128)number->fraction * unit / number->scale);
    if (__builtin_add_overflow(value, rest, &value))
        return -1;
    return __builtin_add_overflow(*sum, value, sum) ? -1 : 0;
}

/* The multiple that a size's suffix names, 0 where it names none. */
static int64_t size_unit(const char *suffix)
{
    static const char letters[] = "KMGTP";
    if (!*suffix || !strcasecmp(suffix, "B"))
        return 1;
    const char *letter = strchr(letters, toupper((unsigned char)*suffix));
    const char *rest = suffix + 1;
    if (!letter ||
        (*rest && strcasecmp(rest, "B") && strcasecmp(rest, "i") && strcasecmp(rest, "iB")))
        return 0;
    return INT64_C(1) << (10 * (letter - letters + 1));
}

int units_parse_size(const char *text, int64_t *out_bytes, struct err *err)
{
    struct decimal number;
    const char *suffix = read_decimal(text, &number);
    int64_t unit = suffix ? size_unit(suffix) : 0;
    int64_t bytes = 0;
    if (!unit || add_scaled(&number, unit, &bytes))
        return err_set(err, ERR_USAGE,
                       "'%.80s' is no size; write bytes or a binary multiple: 4096, 64K, 1.5M, 2G",
                       text);
    *out_bytes = bytes;
    return 0;
}

static const struct {
    const char *name;
    int64_t ms;
} duration_units[] = {
    {"ms", 1},          {"s", 1000},          {"m", 60 * 1000},
    {"h", 3600 * 1000}, {"d", 24 * 3600000L}, {"w", 7 * 24 * 3600000L},
};

/* The milliseconds of the unit at the start of text; *out_rest is what follows it. 0: none. */
static int64_t duration_unit(const char *text, const char **out_rest)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");
    *out_rest = text + len;
    for (size_t i = 0; i < sizeof duration_units / sizeof *duration_units; i++)
        if (strlen(duration_units[i].name) == len && !memcmp(duration_units[i].name, text, len))
            return duration_units[i].ms;
    return 0;
}

int units_parse_duration(const char *text, int64_t *out_ms, struct err *err)
{
    int64_t ms = 0;
    const char *at = text;
    int ok = *text != '\0';
    while (ok && *at) {
        struct decimal number;
        const char *suffix = read_decimal(at, &number);
        int64_t unit = 0;
        if (suffix && !*suffix && at == text) {
            unit = 1000;
            at = suffix;
        } else if (suffix) {
            unit = duration_unit(suffix, &at);
        }
        ok = unit && !add_scaled(&number, unit, &ms);
    }
    if (!ok)
        return err_set(err, ERR_USAGE,
                       "'%.80s' is no duration; write seconds or units: 90, 250ms, 20s, 1h30m, 2d",
                       text);
    *out_ms = ms;
    return 0;
}

const char *units_format_size(int64_t bytes, char *out)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(out, UNITS_TEXT_MAX, "%lld B", (long long)bytes);
        return out;
    }
    size_t unit = 1;
    double value = (double)bytes / 1024;
    /* 1023.95 would print as 1024.0 of the smaller unit. */
    while (value >= 1023.95 && unit + 1 < sizeof names / sizeof *names) {
        value /= 1024;
        unit++;
    }
    snprintf(out, UNITS_TEXT_MAX, "%.1f %s", value, names[unit]);
    return out;
}

const char *units_format_duration(int64_t ms, char *out)
{
    if (ms > 0 && ms < 1000) {
        snprintf(out, UNITS_TEXT_MAX, "%lldms", (long long)ms);
        return out;
    }
    long long seconds = ms < 0 ? 0 : ms / 1000;
    long long days = seconds / 86400;
    int h = (int)(seconds / 3600 % 24);
    int m = (int)(seconds / 60 % 60);
    int s = (int)(seconds % 60);
    if (days)
        snprintf(out, UNITS_TEXT_MAX, "%lldd%02dh%02dm%02ds", days, h, m, s);
    else if (h)
        snprintf(out, UNITS_TEXT_MAX, "%dh%02dm%02ds", h, m, s);
    else if (m)
        snprintf(out, UNITS_TEXT_MAX, "%dm%02ds", m, s);
    else
        snprintf(out, UNITS_TEXT_MAX, "%ds", s);
    return out;
}
