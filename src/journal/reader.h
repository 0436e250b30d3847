/*
 * reader.h - the read-only connection: status and reports, beside a running writer. It never
 * writes and never checkpoints. One thread at a time.
 */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

#include "journal/journal.h"
#include "journal/sql.h"

/* The path outlives the connection. Closed by sql_close. */
int reader_open(struct sql *sql, const char *path, struct err *err) WARN_UNUSED;
int reader_was_killed(struct sql *sql, int *out, struct err *err) WARN_UNUSED;
int reader_books(struct sql *sql, struct journal_books *out, struct err *err) WARN_UNUSED;
int reader_each_row(struct sql *sql, int (*fn)(const struct journal_row *row, void *user),
                    void *user, struct err *err) WARN_UNUSED;
int reader_each_excluded(struct sql *sql,
                         int (*fn)(const char *reason, int64_t files, int64_t bytes, void *user),
                         void *user, struct err *err) WARN_UNUSED;
int reader_each_issue(struct sql *sql,
                      int (*fn)(const char *path, enum err_code code, const char *text, void *user),
                      void *user, struct err *err) WARN_UNUSED;
int reader_each_unused(struct sql *sql,
                       int (*fn)(int64_t line, const char *key, int by_name, const char *error,
                                 void *user),
                       void *user, struct err *err) WARN_UNUSED;
int reader_each_moment(struct sql *sql, int (*fn)(const struct journal_moment *moment, void *user),
                       void *user, struct err *err) WARN_UNUSED;
/* From here to the end all calls see one moment of the journal. */
int reader_hold(struct sql *sql, struct err *err) WARN_UNUSED;
void reader_let_go(struct sql *sql);
int reader_meta(struct sql *sql, const char *key, char **out_value, struct err *err) WARN_UNUSED;

#endif
