/*
 * html_tables.h - the page's long tables: failures, folders, types, the largest and slowest files.
 */
#ifndef REPORT_HTML_TABLES_H
#define REPORT_HTML_TABLES_H

#include "report/gather.h"

/* Failures by class, then what the walk could not read. */
int html_failures(struct gather *gather, struct journal *journal, struct page *page,
                  struct err *err) WARN_UNUSED;
int html_groups(struct gather *gather, struct page *page) WARN_UNUSED;

#endif
