/*
 * line.h - makes a text fit a number of terminal columns, so that no line ever wraps and no byte
 * of a file name reaches the terminal as a command. Pure, any thread.
 */
#ifndef REPORT_LINE_H
#define REPORT_LINE_H

#include "base/buf.h"

enum line_cut {
    LINE_CUT_END,   /* "beginning.." */
    LINE_CUT_START, /* "..end": for paths, whose end tells most */
};

/*
 * Appends text cut to at most columns. Control, format and broken characters become '?' or
 * nothing; with ascii set, so does all that is not ASCII (a terminal that is not UTF-8).
 * 0 or -ERR_NOMEM.
 */
int line_fit(const char *text, int columns, enum line_cut cut, int ascii,
             struct buf *out) WARN_UNUSED;
/* Columns that len bytes of text take once they went through line_fit. */
int line_width(const char *text, size_t len, int ascii);

#endif
