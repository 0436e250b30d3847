/*
 * csv.h - fields and rows of RFC 4180, but with LF line ends and always one line a row.
 */
#ifndef REPORT_CSV_H
#define REPORT_CSV_H

#include "base/buf.h"

struct csv {
    struct buf buf;
    int started; /* the row has a field already */
};

/* No csv_init: that is libcsv's, which another layer of the same program calls. */
void csv_prepare(struct csv *csv);
void csv_release(struct csv *csv);
/* Empties it for a new row. */
void csv_begin(struct csv *csv);
/*
 * NULL is an empty field. Control characters become blanks and bytes that are no UTF-8 '?':
 * callers escape what has to stay exact (text_escape_cell). What a spreadsheet could take for a
 * formula gets an apostrophe in front: names and servers' texts are strangers' words.
 */
void csv_str(struct csv *csv, const char *value);
void csv_int(struct csv *csv, int64_t value);
/* Ends the row; the line with its LF is csv->buf. -ERR_NOMEM where a field did not fit. */
int csv_end(struct csv *csv, struct err *err) WARN_UNUSED;

#endif
