/*
 * date.c - dates to and from milliseconds, see date.h. Called by confirm.c, files.c and
 * classify.c, on any thread; no state.
 */
#include "wire/date.h"

#include <string.h>
#include <time.h>

/* Reads exactly count digits. Returns 1 and moves *at, or 0. */
static int digits(const char **at, int count, int *out)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return 0;
        number = number * 10 + (c - '0');
    }
    *at += count;
    *out = number;
    return 1;
}

static int literal(const char **at, char want)
{
    if (**at != want)
        return 0;
    (*at)++;
    return 1;
}

/* tm holds the real year and the month from 1. 0 or -ERR_USAGE. */
static int to_ms(struct tm tm, int64_t *out_ms)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1)
        return -ERR_USAGE;
    int leap = (tm.tm_year % 4 == 0 && tm.tm_year % 100 != 0) || tm.tm_year % 400 == 0;
    int last = days[tm.tm_mon - 1] + (leap && tm.tm_mon == 2);
    /* 60 is a leap second; timegm makes it the next minute's first. */
    if (tm.tm_mday > last || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return -ERR_USAGE;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out_ms = (int64_t)timegm(&tm) * 1000;
    return 0;
}

/* HH:MM[:SS[.fraction]]. Returns 1, or 0. */
static int read_time(const char **at, struct tm *tm, int *out_ms)
{
    if (!digits(at, 2, &tm->tm_hour) || !literal(at, ':') || !digits(at, 2, &tm->tm_min))
        return 0;
    if (!literal(at, ':'))
        return 1;
    if (!digits(at, 2, &tm->tm_sec))
        return 0;
    if (!literal(at, '.'))
        return 1;
    if (!strspn(*at, "0123456789"))
        return 0;
    int scale = 100;
    for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
        *out_ms += (**at - '0') * scale;
    return 1;
}

/* Z, +HH:MM, +HHMM or nothing. Returns 1, or 0. */
static int read_zone(const char **at, int *out_minutes)
{
    if (!**at || literal(at, 'Z') || literal(at, 'z'))
        return 1;
    int sign = **at == '-' ? -1 : 1;
    if (!literal(at, '+') && !literal(at, '-'))
        return 0;
    int hours = 0;
    int minutes = 0;
    if (!digits(at, 2, &hours))
        return 0;
    literal(at, ':');
    if (!digits(at, 2, &minutes) || hours > 23 || minutes > 59)
        return 0;
    *out_minutes = sign * (hours * 60 + minutes);
    return 1;
}

int date_parse(const char *text, int64_t *out_ms)
{
    struct tm tm = {0};
    int fraction_ms = 0;
    int zone_minutes = 0;
    const char *at = text;
    if (!digits(&at, 4, &tm.tm_year) || !literal(&at, '-') || !digits(&at, 2, &tm.tm_mon) ||
        !literal(&at, '-') || !digits(&at, 2, &tm.tm_mday))
        return -ERR_USAGE;
    if (*at) {
        if (!literal(&at, 'T') && !literal(&at, 't') && !literal(&at, ' '))
            return -ERR_USAGE;
        if (!read_time(&at, &tm, &fraction_ms) || !read_zone(&at, &zone_minutes) || *at)
            return -ERR_USAGE;
    }
    int64_t ms = 0;
    if (to_ms(tm, &ms))
        return -ERR_USAGE;
    ms += fraction_ms - (int64_t)zone_minutes * 60000;
    if (ms < 0 || ms > INT64_C(253402300799999)) /* the zone moved it out of 1970..9999 */
        return -ERR_USAGE;
    *out_ms = ms;
    return 0;
}

static int month_of(const char **at)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++) {
        if (strncmp(*at, names + 3 * i, 3) != 0)
            continue;
        *at += 3;
        return i + 1;
    }
    return 0;
}

int date_parse_http(const char *text, int64_t *out_ms)
{
    struct tm tm = {0};
    /* The day's name says nothing that the date does not. */
    const char *at = strchr(text, ',');
    if (!at || at - text != 3)
        return -ERR_USAGE;
    at++;
    if (!literal(&at, ' ') || !digits(&at, 2, &tm.tm_mday) || !literal(&at, ' '))
        return -ERR_USAGE;
    tm.tm_mon = month_of(&at);
    if (!tm.tm_mon || !literal(&at, ' ') || !digits(&at, 4, &tm.tm_year) || !literal(&at, ' '))
        return -ERR_USAGE;
    if (!digits(&at, 2, &tm.tm_hour) || !literal(&at, ':') || !digits(&at, 2, &tm.tm_min) ||
        !literal(&at, ':') || !digits(&at, 2, &tm.tm_sec) || strcmp(at, " GMT") != 0)
        return -ERR_USAGE;
    return to_ms(tm, out_ms);
}

static struct tm to_tm(int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    return tm;
}

void date_format_day(int64_t ms, char *out)
{
    struct tm tm = to_tm(ms);
    strftime(out, DATE_TEXT_MAX, "%Y-%m-%d", &tm);
}

void date_format_second(int64_t ms, char *out)
{
    struct tm tm = to_tm(ms);
    strftime(out, DATE_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
