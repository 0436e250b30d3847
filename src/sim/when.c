/* Clocks and date formats; see when.h. */
#include "sim/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t when_now_ms(void)
{
    return read_clock_us(CLOCK_REALTIME) / 1000;
}

int64_t when_mono_ms(void)
{
    return when_mono_us() / 1000;
}

int64_t when_mono_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

static struct tm split(int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    return tm;
}

void when_iso(int64_t ms, char out[WHEN_BYTES])
{
    struct tm tm = split(ms);

    strftime(out, WHEN_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void when_amz(int64_t ms, char out[WHEN_BYTES])
{
    struct tm tm = split(ms);

    strftime(out, WHEN_BYTES, "%Y%m%dT%H%M%SZ", &tm);
}

void when_http(int64_t ms, char out[WHEN_BYTES])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm = split(ms);

    snprintf(out, WHEN_BYTES, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday % 7],
             tm.tm_mday % 100, months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000,
             tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
}

/* strptime() takes "2026-1-2" and blanks too, so the shape is checked first. */
static bool has_shape(const char *str, const char *shape)
{
    size_t i = 0;

    for (; shape[i] != '\0'; i++) {
        bool digit = str[i] >= '0' && str[i] <= '9';
        if (shape[i] == '9' ? !digit : str[i] != shape[i])
            return false;
    }
    return str[i] == '\0';
}

static bool parse(const char *str, const char *shape, const char *fmt, int64_t *out_ms)
{
    struct tm tm;

    memset(&tm, 0, sizeof tm);
    if (!has_shape(str, shape))
        return false;
    const char *end = strptime(str, fmt, &tm);
    if (end == NULL || *end != '\0')
        return false;
    *out_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

bool when_parse_amz(const char *str, int64_t *out_ms)
{
    return parse(str, "99999999T999999Z", "%Y%m%dT%H%M%SZ", out_ms);
}

bool when_parse_date(const char *str, int64_t *out_ms, bool *out_has_time)
{
    *out_has_time = false;
    if (parse(str, "9999-99-99", "%Y-%m-%d", out_ms))
        return true;
    *out_has_time = true;
    return parse(str, "9999-99-99T99:99:99Z", "%Y-%m-%dT%H:%M:%SZ", out_ms);
}
