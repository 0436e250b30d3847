/*
 * schema.h - the journal's tables, and whether a file is a journal of ours. Called while a
 * journal is opened, on the opening thread, before the writer starts.
 */
#ifndef JOURNAL_SCHEMA_H
#define JOURNAL_SCHEMA_H

#include "journal/sql.h"

#define SCHEMA_APPLICATION_ID 0x50584c4a /* "PXLJ" */
#define SCHEMA_VERSION        2

/*
 * Checks that the open connection is on a journal of this version; an empty database is made one
 * when `create` is set. -ERR_JOURNAL says what else it is.
 */
int schema_check(struct sql *sql, int create, struct err *err) WARN_UNUSED;
/* The settings of the one writing connection. */
int schema_tune_writer(struct sql *sql, struct err *err) WARN_UNUSED;
/* Reads every page; -ERR_JOURNAL with the first damage found. */
int schema_quick_check(struct sql *sql, struct err *err) WARN_UNUSED;

#endif
