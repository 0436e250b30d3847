/* cdn.c - see cdn.h. Called by every report from a journal. */
#include "report/cdn.h"

#include <string.h>

#include "report/record.h"
#include "report/report.h"
#include "report/text.h"

enum part { PART_FILE_ID, PART_FILE_NAME, PART_PATH, PART_VERSION, PART_COUNT };
static const char *const parts[PART_COUNT] = {
    [PART_FILE_ID] = "{file_id}",
    [PART_FILE_NAME] = "{file_name}",
    [PART_PATH] = "{path}",
    [PART_VERSION] = "{version}",
};

/* Which one begins at `at`; PART_COUNT: none. */
static enum part part_at(const char *at)
{
    for (int part = 0; part < PART_COUNT; part++)
        if (!strncmp(at, parts[part], strlen(parts[part])))
            return (enum part)part;
    return PART_COUNT;
}

int report_check_cdn_url(const char *pattern, struct err *err)
{
    int has_part = 0;
    if (strncmp(pattern, "https://", 8) != 0 && strncmp(pattern, "http://", 7) != 0)
        return err_set(err, ERR_USAGE, "it must begin with https://");
    for (const char *at = pattern; *at; at++) {
        enum part part = *at == '{' ? part_at(at) : PART_COUNT;
        if (part != PART_COUNT) {
            has_part = 1;
            at += strlen(parts[part]) - 1;
        } else if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f ||
                   strchr("{}\"'<>\\^`|$;", *at)) {
            return err_set(err, ERR_USAGE,
                           "'%.20s' cannot stand in it; what is filled in is {file_id}, "
                           "{file_name}, {path} and {version}",
                           at);
        }
    }
    return has_part ? 0
                    : err_set(err, ERR_USAGE,
                              "it needs {file_id}, {file_name} or {path}: files would all have "
                              "one URL");
}

static const char *value_of(const struct journal_row *row, enum part part)
{
    switch (part) {
    case PART_FILE_ID:
        return row->file_id;
    case PART_FILE_NAME:
        return row->name;
    case PART_PATH:
        return *row->path ? row->path : text_base_name(row->root);
    case PART_VERSION:
        return row->version;
    case PART_COUNT:
        break;
    }
    return NULL;
}

/* 1 filled in, 0 the row lacks something, or negative. */
static int fill(const struct journal_row *row, const char *pattern, struct buf *out)
{
    for (const char *at = pattern; *at;) {
        enum part part = part_at(at);
        const char *value = part == PART_COUNT ? NULL : value_of(row, part);
        if (part != PART_COUNT && (!value || !*value))
            return 0;
        int rc = value ? text_url(value, part == PART_PATH, out) : buf_append(out, at, 1);
        if (rc)
            return rc;
        at += value ? strlen(parts[part]) : 1;
    }
    return 1;
}

int cdn_url(const struct journal_row *row, const char *pattern, struct buf *out)
{
    const char *result = record_result(row->state);
    buf_reset(out);
    /* A skipped file is in PXM too: another one of its name, which the policy left alone. */
    if (!row->file_id || (strcmp(result, "OK") != 0 && strcmp(result, "skip") != 0))
        return 0;
    if (row->cdn_url)
        return buf_puts(out, row->cdn_url);
    int rc = pattern ? fill(row, pattern, out) : 0;
    if (rc <= 0)
        buf_reset(out);
    return rc < 0 ? rc : 0;
}
