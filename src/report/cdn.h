/*
 * cdn.h - where everybody finds a file: what PXM said, or what a template makes of the row. Pure,
 * any thread.
 */
#ifndef REPORT_CDN_H
#define REPORT_CDN_H

#include "base/buf.h"
#include "journal/journal.h"

/*
 * The public URL of a row's file into *out (emptied first), empty where it has none: it is not in
 * PXM, or nobody said where. pattern: see report_check_cdn_url(), may be NULL. 0 or -ERR_NOMEM.
 */
int cdn_url(const struct journal_row *row, const char *pattern, struct buf *out) WARN_UNUSED;

#endif
