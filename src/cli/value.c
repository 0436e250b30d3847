/* value.c - see value.h. */
#include "cli/value.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"

#define CHOICES_TEXT_MAX 400

static int parse_flag(const char *text, int64_t *out, struct err *err)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(text, words[i])) {
            *out = (int64_t)(i & 1);
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "'%.80s' is neither true nor false", text);
}

static int parse_int(const char *text, int64_t *out, struct err *err)
{
    size_t digits = strspn(text, "0123456789");
    if (!digits || text[digits] || digits > 18)
        return err_set(err, ERR_USAGE, "'%.80s' is no whole number", text);
    *out = strtoll(text, NULL, 10);
    return 0;
}

/* A date or an instant in UTC as ms since 1970; -1 where it is none. */
static int64_t parse_date(const char *text)
{
    const char *format = strlen(text) == 10 ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ";
    struct tm tm = {0};
    const char *end = strptime(text, format, &tm);
    if (!end || *end || (strlen(text) != 10 && strlen(text) != 20))
        return -1;
    /* strptime takes February 30th; timegm moves it to March, which shows it. */
    struct tm moved = tm;
    time_t seconds = timegm(&moved);
    return seconds < 0 || moved.tm_mday != tm.tm_mday ? -1 : (int64_t)seconds * 1000;
}

static int check_date(const char *text, struct err *err)
{
    if (parse_date(text) >= 0)
        return 0;
    return err_set(err, ERR_USAGE, "'%.80s' is no date; write 2026-01-31 or 2026-01-31T09:00:00Z",
                   text);
}

static int parse_age(const char *text, int64_t *out, struct err *err)
{
    int64_t date_ms = parse_date(text);
    if (date_ms < 0)
        return units_parse_duration(text, out, err);
    int64_t age_ms = clock_wall_ms() - date_ms;
    *out = age_ms > 0 ? age_ms : 0;
    return 0;
}

void value_list_choices(const struct option_row *row, enum verb verb, char *out, size_t size)
{
    size_t used = 0;
    *out = '\0';
    for (const struct option_choice *at = row->choices; at && at->name; at++) {
        if (at->verbs && verb != VERB_COUNT && !(at->verbs >> verb & 1))
            continue;
        int len = snprintf(out + used, size - used, "%s%s", used ? ", " : "", at->name);
        if (len < 0 || (size_t)len >= size - used)
            return;
        used += (size_t)len;
    }
}

const char *value_choice_name(const struct option_row *row, unsigned value)
{
    for (const struct option_choice *at = row->choices; at && at->name; at++)
        if (at->value == value)
            return at->name;
    return "";
}

static int parse_choice(const struct option_row *row, const char *text, int64_t *out,
                        struct err *err)
{
    struct nearest nearest;
    nearest_init(&nearest, text);
    for (const struct option_choice *at = row->choices; at->name; at++) {
        if (!strcmp(at->name, text)) {
            *out = at->value;
            return 0;
        }
        nearest_offer(&nearest, at->name);
    }
    const char *like = nearest_result(&nearest);
    if (like)
        return err_set(err, ERR_USAGE, "'%.80s' is unknown; did you mean '%s'?", text, like);
    char all[CHOICES_TEXT_MAX];
    value_list_choices(row, VERB_COUNT, all, sizeof all);
    return err_set(err, ERR_USAGE, "'%.40s' is none of %s", text, all);
}

static int check_range(const struct option_row *row, const char *text, int64_t number,
                       struct err *err)
{
    if (number >= row->min && (!row->max || number <= row->max))
        return 0;
    char word[32] = "";
    if (row->word)
        snprintf(word, sizeof word, " (or '%s')", row->word);
    if (number < row->min)
        return err_set(err, ERR_USAGE, "'%.80s' is too small; at least %lld%s", text,
                       (long long)row->min, word);
    return err_set(err, ERR_USAGE, "'%.80s' is too large; at most %lld%s", text,
                   (long long)row->max, word);
}

static int parse_number(const struct option_row *row, const char *text, int64_t *out,
                        struct err *err)
{
    int64_t number = 0;
    int rc = 0;
    if (row->word && !strcmp(text, row->word)) {
        *out = row->word_value;
        return 0;
    }
    if (row->kind == KIND_SIZE || row->kind == KIND_RATE)
        rc = units_parse_size(text, &number, err);
    else if (row->kind == KIND_DURATION)
        rc = units_parse_duration(text, &number, err);
    else if (row->kind == KIND_AGE)
        rc = parse_age(text, &number, err);
    else
        rc = parse_int(text, &number, err);
    if (!rc)
        rc = check_range(row, text, number, err);
    if (!rc)
        *out = number;
    return rc;
}

int value_parse(const struct option_row *row, const char *text, int64_t *out_number,
                struct err *err)
{
    if (!*text)
        return err_set(err, ERR_USAGE, "the value is empty");
    int64_t ignored;
    switch (row->kind) {
    case KIND_FLAG:
        return parse_flag(text, out_number, err);
    case KIND_COUNT:
    case KIND_INT:
    case KIND_SIZE:
    case KIND_RATE:
    case KIND_DURATION:
    case KIND_AGE:
        return parse_number(row, text, out_number, err);
    case KIND_ENUM:
        return parse_choice(row, text, out_number, err);
    case KIND_STRING:
        return row->choices ? parse_choice(row, text, &ignored, err) : 0;
    case KIND_DATE:
        return check_date(text, err);
    case KIND_FILE:
    case KIND_LIST:
        return 0;
    }
    BUG_ON(1);
}
