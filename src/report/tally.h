/*
 * tally.h - what the summary, the plan and the status count over a journal: rows by state and
 * class with a few example paths, exclusions by reason, issues. Bounded, whatever the rows.
 */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include "report/json.h"
#include "report/report.h"

#define TALLY_EXAMPLES 5
#define TALLY_REASONS  32

struct tally_reason {
    char name[32];
    int64_t files;
    int64_t bytes;
};

struct tally {
    struct journal_books books;
    struct books_count count;
    char *failed[ERR_COUNT][TALLY_EXAMPLES]; /* printable paths, NULL past the last */
    char *issues[TALLY_EXAMPLES];            /* "path: text" */
    struct tally_reason reasons[TALLY_REASONS];
    size_t reason_count;
    struct buf scratch;
    struct buf form;
};

/* Sees each row of the journal, those that are gone included. Non-zero ends the count. */
typedef int tally_row_fn(const struct journal_row *row, void *user);

/* Reads books, rows, exclusions and issues; row_fn may be NULL. Release it in any case. */
int tally_read(struct tally *tally, struct journal *journal, tally_row_fn *row_fn, void *user,
               struct err *err) WARN_UNUSED;
void tally_release(struct tally *tally);
/* Whether a row counts: a walk that is newer than the row's did not find the file again. */
int tally_is_current(const struct tally *tally, const struct journal_row *row);

void tally_print_excluded(const struct tally *tally, FILE *out);
void tally_print_failures(const struct tally *tally, FILE *out);
void tally_print_issues(const struct tally *tally, FILE *out);
/* How manifest and files fit together; nothing where there is no manifest. */
void tally_print_manifest(const struct tally *tally, FILE *out);
void tally_json_manifest(const struct tally *tally, struct json *json);
/* failed_by_class{}, the classes that occurred. */
void tally_json_failures(const struct tally *tally, struct json *json);

#endif
