/*
 * text.h - names, sizes and shares as reports spell them. No state, any thread.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"

/* The longest text made from one path: each byte escaped, then quoted once more. */
#define TEXT_MAX_BYTES ((size_t)LIMIT_PATH_BYTES * 16)

/* Raw root/path into *out (emptied first); root alone where path is empty or NULL. */
int text_source(const char *root, const char *path, struct buf *out) WARN_UNUSED;
/* True for valid UTF-8 without control characters: what can stand in a line as it is. */
int text_is_plain(const char *raw);
/* Appends raw with '%', control bytes and bytes that are no UTF-8 as %XX; reversible. */
int text_escape(const char *raw, struct buf *out) WARN_UNUSED;
/*
 * Whether a spreadsheet that opens a CSV file could take the character at `at` for the beginning
 * of a formula: = + - @ and their wide forms where a cell begins, or behind a ';', at which some
 * locales split. Called for each character of a cell in turn; *at_begin is 1 before the first.
 */
int text_begins_formula(const char *at, int *at_begin);
int text_has_formula(const char *cell);
/* text_escape(), and the character that begins a formula as %XX too. */
int text_escape_cell(const char *raw, struct buf *out) WARN_UNUSED;
/* Appends raw as a part of a URL: all but RFC 3986's unreserved bytes as %XX, and '/' if kept. */
int text_url(const char *raw, int keep_slash, struct buf *out) WARN_UNUSED;
/* The last component of a path, inside it. */
const char *text_base_name(const char *path);

#define TEXT_SIZE_MAX 16
/* rclone's short form, "1.2Gi", "17", into out; returns out. */
const char *text_size(int64_t bytes, char out[TEXT_SIZE_MAX]);
/* Whole percent, rounded down, so that 100 means all; 0 of 0 is 100. */
int text_percent(int64_t done, int64_t total);
/* a * b / c without overflow, saturating; c > 0. */
int64_t text_scale(int64_t a, int64_t b, int64_t c);
/* Appends word as a shell takes it, quoted where it has to be. */
int text_shell(const char *word, struct buf *out) WARN_UNUSED;
/* Flushes a report: 0, or -ERR_IO where anything written to it got lost. */
int text_flush(FILE *out, struct err *err) WARN_UNUSED;
/* "0123..." of 16 bytes into out[33]; returns out. */
const char *text_hex(const unsigned char md5[16], char out[33]);

#endif
