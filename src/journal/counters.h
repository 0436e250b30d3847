/*
 * counters.h - the counters of the books, and the few numbers beside them that a journal keeps
 * (wave, clean flag). The writer changes them in memory and writes what changed in the same
 * transaction as the rows; a reader loads them. So the books cost the same at any size.
 * Also the map between error classes and their numbers in this file.
 */
#ifndef JOURNAL_COUNTERS_H
#define JOURNAL_COUNTERS_H

#include "journal/journal.h"
#include "journal/sql.h"

enum counters_number {
    COUNTERS_CLEAN,         /* 1: the last writer closed the journal */
    COUNTERS_WAVE,          /* the current walk's number, 0 before the first */
    COUNTERS_WALK_COMPLETE, /* 1: the current walk was finished */
    COUNTERS_FINISHED_WAVE, /* the last walk that was finished */
    COUNTERS_UNSEEN,        /* rows that the current wave has not seen */
    COUNTERS_ISSUES,
    COUNTERS_HISTORY_MS,      /* how long a moment of the history is; 0: none yet */
    COUNTERS_UNLINKED,        /* confirmed rows of the current wave that wait for their links */
    COUNTERS_TO_LINK,         /* pending rows of it that are to be linked in the end */
    COUNTERS_CATEGORIES,      /* its folders that are not known in PXM yet, as categories */
    COUNTERS_COLLECTIONS,     /* and as collections */
    COUNTERS_MANIFEST_ROWS,   /* rows of the manifest */
    COUNTERS_MANIFEST_UNUSED, /* those that no file of the current walk used */
    COUNTERS_MANIFEST_FILES,  /* rows of the current wave that the manifest speaks of */
    COUNTERS_NUMBER_COUNT,
};

struct counters_cell {
    int64_t files;
    int64_t bytes;
    int dirty;
};

struct counters {
    int64_t numbers[COUNTERS_NUMBER_COUNT];
    int number_dirty[COUNTERS_NUMBER_COUNT];
    /* Of the current wave; the error class is 0 but for FAILED. */
    struct counters_cell cells[ASSET_STATE_COUNT][ERR_COUNT];
    int dirty; /* some cell is */
    int64_t excluded_files;
    int64_t excluded_bytes;
    int64_t class_ids[ERR_COUNT]; /* of an enum err_code, in this file; 0: none yet */
};

int counters_load(struct counters *counters, struct sql *sql, struct err *err) WARN_UNUSED;
/* Gives every error class that lacks one a number in this file. */
int counters_add_classes(struct counters *counters, struct sql *sql, struct err *err) WARN_UNUSED;
/* Writes what changed since the last time. */
int counters_save(struct counters *counters, struct sql *sql, struct err *err) WARN_UNUSED;
void counters_set(struct counters *counters, enum counters_number number, int64_t value);
void counters_add(struct counters *counters, enum counters_number number, int64_t change);
/* Counts files (+1, -1) of the current wave into a cell. */
void counters_count(struct counters *counters, enum asset_state state, enum err_code code,
                    int64_t files, int64_t bytes);
/* A new walk: every row is unseen, the counters start over. */
int counters_begin_wave(struct counters *counters, struct sql *sql, struct err *err) WARN_UNUSED;
int64_t counters_class_of(const struct counters *counters, enum err_code code);
/* ERR_INTERNAL for a class that this program does not know. */
enum err_code counters_code_of(const struct counters *counters, int64_t class_id);
/* All of the books but largest_pending_bytes. */
void counters_fill_books(const struct counters *counters, struct journal_books *out);

#endif
