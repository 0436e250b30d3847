/*
 * manifest_csv.c - the CSV side of manifest.c, on libcsv. Its parser gets the bytes line by line,
 * as it keeps no count of them itself.
 */
#include "scan/manifest.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "scan/nfc.h"

#define BLANKS " \t\r\n"

/* A header's column. */
struct column {
    int field;
    char *label; /* of an attribute; owned */
};

struct manifest_csv {
    struct csv_parser parser;
    int has_parser;
    int at_start;           /* of a record: no byte of it was read */
    int ended_by_cr;        /* an LF now belongs to the CR before it */
    int skip_line;          /* the line "sep=;" */
    struct column *columns; /* NULL until the header is read */
    size_t column_count;
    struct buf text; /* the record's values, each with its NUL */
    size_t starts[LIMIT_MANIFEST_COLUMNS];
    size_t count;  /* of values in the record */
    size_t beyond; /* values without room that are not empty */
};

/* Blanks are a part of a value, as RFC 4180 has it: a file's name may begin with one. */
static int is_never_space(unsigned char c)
{
    (void)c;
    return 0;
}

/* A field may not grow past what a row may have: quotes that never end would take all memory. */
static void *grow(void *data, size_t size)
{
    return size > LIMIT_MANIFEST_ROW_BYTES ? NULL : realloc(data, size);
}

/* ---- records ------------------------------------------------------------------------------- */

static char *value_of(const struct manifest_csv *csv, size_t i)
{
    return csv->text.data + csv->starts[i];
}

static char *trim(char *text)
{
    text += strspn(text, BLANKS);
    size_t len = strlen(text);
    while (len && strchr(BLANKS, text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

static void on_field(void *data, size_t len, void *user)
{
    struct manifest_reader *reader = user;
    struct manifest_csv *csv = reader->csv;
    if (reader->rc)
        return;
    const char *text = data ? data : "";
    if (!nfc_is_utf8(text, len)) {
        manifest_break(reader, reader->row_line,
                       "value %zu is no UTF-8 (Latin-1 or Windows-1252?); save the file as UTF-8 "
                       "(in Excel: CSV UTF-8)",
                       csv->count + 1);
        return;
    }
    if (csv->count == LIMIT_MANIFEST_COLUMNS) {
        csv->beyond += len > 0;
        return;
    }
    csv->starts[csv->count++] = csv->text.len;
    if (buf_append(&csv->text, text, len) || buf_append(&csv->text, "", 1))
        manifest_break(reader, reader->row_line, "the row has over %d bytes; is a quote missing?",
                       LIMIT_MANIFEST_ROW_BYTES);
}

static int add_column(struct manifest_reader *reader, size_t i)
{
    struct manifest_csv *csv = reader->csv;
    struct column *column = &csv->columns[i];
    const char *label = NULL;
    struct buf why;
    const char *name = trim(value_of(csv, i));
    if (!*name) {
        column->field = FIELD_NONE;
        return 0;
    }
    buf_init(&why, ERR_TEXT_MAX);
    column->field = manifest_field_of(name, &label, &why);
    if (column->field < 0)
        manifest_break(reader, reader->row_line, "%s", buf_str(&why));
    buf_release(&why);
    if (reader->rc)
        return reader->rc;
    if (label && !(column->label = strdup(label)))
        return manifest_no_memory(reader);
    for (size_t k = 0; k < i; k++) {
        const struct column *other = &csv->columns[k];
        int is_same = other->field == column->field &&
                      (!label || (other->label && !strcmp(other->label, label)));
        if (is_same)
            return manifest_break(reader, reader->row_line, "column %s%s%.80s stands twice",
                                  manifest_field_name(column->field), label ? ":" : "",
                                  label ? label : "");
    }
    return 0;
}

static void take_header(struct manifest_reader *reader)
{
    struct manifest_csv *csv = reader->csv;
    int has_key = 0;
    csv->columns = calloc(csv->count + 1, sizeof *csv->columns);
    if (!csv->columns) {
        manifest_no_memory(reader);
        return;
    }
    if (csv->beyond)
        manifest_break(reader, reader->row_line, "it has over %d columns", LIMIT_MANIFEST_COLUMNS);
    for (size_t i = 0; !reader->rc && i < csv->count; i++) {
        csv->column_count = i + 1;
        if (!add_column(reader, i))
            has_key |= csv->columns[i].field == FIELD_PATH || csv->columns[i].field == FIELD_NAME;
    }
    if (!reader->rc && !has_key)
        manifest_break(reader, reader->row_line,
                       "no column says which file a row is for; the header needs path or name");
}

static void take_row(struct manifest_reader *reader)
{
    struct manifest_csv *csv = reader->csv;
    manifest_row_begin(reader);
    for (size_t i = 0; i < csv->count; i++) {
        int has_column = i < csv->column_count;
        int field = has_column ? csv->columns[i].field : FIELD_NONE;
        char *text = value_of(csv, i);
        /* A file's name is exact; around all else blanks are slips of the hand. */
        int is_name = field == FIELD_PATH || field == FIELD_NAME || field == FIELD_FILE_NAME;
        manifest_row_text(reader, field, has_column ? csv->columns[i].label : NULL,
                          is_name ? text : trim(text));
    }
    if (csv->beyond)
        manifest_row_fail(reader, "it has over %d values", LIMIT_MANIFEST_COLUMNS);
    manifest_row_end(reader);
}

/* ",,," behind the last row, as spreadsheets write it. */
static int is_empty(const struct manifest_csv *csv)
{
    for (size_t i = 0; i < csv->text.len; i++)
        if (csv->text.data[i] && !strchr(BLANKS, csv->text.data[i]))
            return 0;
    return !csv->beyond;
}

static void on_record(int end, void *user)
{
    struct manifest_reader *reader = user;
    struct manifest_csv *csv = reader->csv;
    (void)end;
    if (!reader->rc && !is_empty(csv)) {
        if (csv->columns)
            take_row(reader);
        else
            take_header(reader);
    }
    buf_reset(&csv->text);
    csv->count = 0;
    csv->beyond = 0;
    csv->at_start = 1;
}

/* ---- the delimiter ------------------------------------------------------------------------- */

/* "sep=;", Excel's own first line. */
static int read_sep_line(const char *head, size_t len, char *out)
{
    if (len < 6 || strncmp(head, "sep=", 4) != 0 || !strchr("\r\n", head[5]))
        return 0;
    *out = head[4];
    return 1;
}

/* The one of , ; and tab that stands most often in the header outside of quotes. */
static char sniff(const char *head, size_t len)
{
    static const char candidates[3] = {',', ';', '\t'};
    size_t counts[3] = {0};
    int quoted = 0;
    int has_text = 0;
    for (size_t i = 0; i < len; i++) {
        const char *candidate = memchr(candidates, head[i], sizeof candidates);
        quoted ^= head[i] == '"';
        if (!quoted && strchr("\r\n", head[i]) && has_text)
            break;
        has_text |= !strchr("\r\n", head[i]);
        if (!quoted && candidate)
            counts[candidate - candidates]++;
    }
    int best = 0;
    for (int i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

int manifest_csv_begin(struct manifest_reader *reader, const char *head, size_t len)
{
    struct manifest_csv *csv = calloc(1, sizeof *csv);
    char delimiter;
    if (!csv)
        return manifest_no_memory(reader);
    reader->csv = csv;
    buf_init(&csv->text, LIMIT_MANIFEST_ROW_BYTES);
    csv->at_start = 1;
    if (csv_init(&csv->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL))
        return manifest_no_memory(reader);
    csv->has_parser = 1;
    csv->skip_line = read_sep_line(head, len, &delimiter);
    if (!csv->skip_line)
        delimiter = sniff(head, len);
    if (!strchr(",;\t", delimiter))
        return manifest_break(reader, 1,
                              "sep=%c: the delimiter may be a comma, a semicolon or a "
                              "tab",
                              delimiter < ' ' || delimiter > '~' ? '?' : delimiter);
    csv_set_delim(&csv->parser, (unsigned char)delimiter);
    csv_set_realloc_func(&csv->parser, grow);
    csv_set_space_func(&csv->parser, is_never_space);
    return 0;
}

/* ---- feeding ------------------------------------------------------------------------------- */

static void say_why(struct manifest_reader *reader)
{
    switch (csv_error(&reader->csv->parser)) {
    case CSV_EPARSE:
        manifest_break(reader, reader->line,
                       "a quote stands inside a value, or text behind its closing quote; put the "
                       "whole value into quotes, no blank before them, and write each quote in it "
                       "twice");
        break;
    case CSV_ENOMEM:
        manifest_break(reader, reader->row_line, "a value has over %d bytes; is a quote missing?",
                       LIMIT_MANIFEST_ROW_BYTES);
        break;
    default:
        manifest_no_memory(reader);
    }
}

static int is_blank(const char *piece, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(BLANKS, piece[i]))
            return 0;
    return 1;
}

/* A piece of one line, with its end if it has one. */
static void feed_piece(struct manifest_reader *reader, const char *piece, size_t len)
{
    struct manifest_csv *csv = reader->csv;
    if (csv->skip_line || !len)
        return;
    if (csv->at_start && !is_blank(piece, len)) {
        reader->row_line = reader->line;
        csv->at_start = 0;
    }
    if (csv_parse(&csv->parser, piece, len, on_field, on_record, reader) != len)
        say_why(reader);
}

void manifest_csv_feed(struct manifest_reader *reader, const char *chunk, size_t len)
{
    struct manifest_csv *csv = reader->csv;
    size_t at = 0;
    for (size_t i = 0; i < len && !reader->rc; i++) {
        int is_lf_of_crlf = csv->ended_by_cr && chunk[i] == '\n';
        csv->ended_by_cr = chunk[i] == '\r';
        if (chunk[i] != '\r' && (chunk[i] != '\n' || is_lf_of_crlf))
            continue;
        feed_piece(reader, chunk + at, i + 1 - at);
        at = i + 1;
        reader->line++;
        csv->skip_line = 0;
    }
    if (!reader->rc)
        feed_piece(reader, chunk + at, len - at);
}

void manifest_csv_end(struct manifest_reader *reader)
{
    struct manifest_csv *csv = reader->csv;
    if (csv_fini(&csv->parser, on_field, on_record, reader) && !reader->rc)
        manifest_break(reader, reader->row_line, "the quotes of this row do not end");
    if (!reader->rc && !csv->columns)
        manifest_break(reader, 0, "it is empty; the first line must name the columns");
}

void manifest_csv_release(struct manifest_reader *reader)
{
    struct manifest_csv *csv = reader->csv;
    if (!csv)
        return;
    if (csv->has_parser)
        csv_free(&csv->parser);
    for (size_t i = 0; i < csv->column_count; i++)
        free(csv->columns[i].label);
    free(csv->columns);
    buf_release(&csv->text);
    free(csv);
    reader->csv = NULL;
}
