/*
 * progress.h - the terminal side: a block of lines that is redrawn in place while other lines
 * scroll above it, or plain lines alone. Any thread may print a line; a lock is inside.
 */
#ifndef REPORT_PROGRESS_H
#define REPORT_PROGRESS_H

#include <pthread.h>

#include "base/buf.h"
#include "base/log.h"
#include "report/view.h"

struct progress {
    int fd;
    int block; /* a block may be drawn */
    int color;
    int ascii;
    pthread_mutex_t lock;
    struct buf shown;  /* the block's lines as they stand on the terminal; empty: none */
    struct buf latest; /* the block's lines as they were drawn last */
    struct buf frame;  /* what one write(2) sends */
    int64_t painted_ms;
    int titled;
};

/* block: whether one is wanted; the terminal may still be unable to. */
void progress_init(struct progress *progress, int fd, int block, int color);
/* Removes the block first. */
void progress_release(struct progress *progress);
/* The terminal's size now. */
void progress_size(const struct progress *progress, struct view_size *out);
/* Draws lines (each with its newline) in the place of those before. */
void progress_draw(struct progress *progress, const char *lines);
/* Prints a line, above the block where there is one. */
void progress_print(struct progress *progress, const char *line);
void progress_title(struct progress *progress, const char *title);
/* Erases the block for good. */
void progress_end(struct progress *progress);
/* A log_sink_fn; user is the struct progress. */
void progress_log(void *user, enum log_level level, const char *line);

#endif
