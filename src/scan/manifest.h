/*
 * manifest.h - inside scan/: the row that is being read, and what the two formats share. One
 * reader a file, on its caller's thread.
 */
#ifndef SCAN_MANIFEST_H
#define SCAN_MANIFEST_H

#include "scan/scan.h"

struct csv_parser;

/* What a column or a key of a row means. */
enum manifest_field {
    FIELD_PATH = MANIFEST_COLUMN_COUNT,
    FIELD_NAME,
    FIELD_FILE_NAME,
    FIELD_NONE, /* a header's empty cell: nothing may stand under it */
};

struct manifest_reader {
    const char *file;
    manifest_row_fn *fn;
    void *user;
    struct err *err; /* of the whole */
    int rc;          /* the first failure; nothing is read after it */
    int64_t line;    /* the physical line that is being read */
    int64_t row_line;
    struct manifest_info info;

    /* the row being built */
    struct manifest_row row;
    struct err row_error;
    struct manifest_cell *cells; /* [LIMIT_MANIFEST_COLUMNS] */
    const char **items;          /* [LIMIT_MANIFEST_ITEMS] */
    size_t item_count;
    struct buf path;
    struct buf name;
    struct buf file_name;

    struct manifest_csv *csv;   /* NULL: NDJSON */
    struct manifest_json *json; /* NULL: CSV */
};

/* ---- manifest.c: what both formats do ---- */

/* Fails the whole manifest; the text is put behind "FILE, line N: ". Returns the code. */
int manifest_break(struct manifest_reader *reader, int64_t line, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
int manifest_no_memory(struct manifest_reader *reader);
/* Fails the row; the first text stays, behind "manifest line N: ". */
void manifest_row_fail(struct manifest_reader *reader, const char *fmt, ...) PRINTF_LIKE(2, 3);

void manifest_row_begin(struct manifest_reader *reader);
/* A value of one text, valid until manifest_row_end; "" says nothing. */
void manifest_row_text(struct manifest_reader *reader, int field, const char *label,
                       const char *text);
/* A cell whose items are added after it. */
void manifest_row_array(struct manifest_reader *reader, int field, const char *label);
void manifest_row_item(struct manifest_reader *reader, const char *text);
void manifest_row_end(struct manifest_reader *reader);

/* ---- manifest_columns.c ---- */

/*
 * The field of a header's cell; *out_label is the attribute's label inside text, or NULL. -1 and
 * what to say in why, where the name is unknown.
 */
int manifest_field_of(const char *text, const char **out_label, struct buf *why);
const char *manifest_field_name(int field);

/* ---- the formats: chunks without NUL bytes, behind a BOM ---- */

int manifest_csv_begin(struct manifest_reader *reader, const char *head, size_t len);
void manifest_csv_feed(struct manifest_reader *reader, const char *chunk, size_t len);
void manifest_csv_end(struct manifest_reader *reader);
void manifest_csv_release(struct manifest_reader *reader);

int manifest_json_begin(struct manifest_reader *reader);
void manifest_json_feed(struct manifest_reader *reader, const char *chunk, size_t len);
void manifest_json_end(struct manifest_reader *reader);
void manifest_json_release(struct manifest_reader *reader);

#endif
