/*
 * place.h - where a journal may live, and the lock file beside it that keeps a second writer out.
 */
#ifndef JOURNAL_PLACE_H
#define JOURNAL_PLACE_H

#include "base/err.h"

struct place {
    char *path;      /* canonical: two spellings of one journal must meet at one lock */
    char *lock_path; /* path + ".lock" */
    int lock_fd;     /* -1: not held */
    int exists;      /* the journal does, and is not empty */
};

/*
 * Finds the file. -ERR_JOURNAL: it does not exist (unless `create`), is no regular file, or lies
 * on a network file system, where SQLite's log can be torn.
 */
int place_find(const char *path, int create, struct place *out, struct err *err) WARN_UNUSED;
/* Takes the lock for this process; -ERR_JOURNAL_BUSY names the one that has it. */
int place_lock(struct place *place, struct err *err) WARN_UNUSED;
/* True while some process holds the lock of the journal at `path`. */
int place_is_locked(const char *path);
/* Makes the empty file with mode 0600, as SQLite would make it readable for others. */
int place_create(const struct place *place, struct err *err) WARN_UNUSED;
/* Gives the lock back, removing its file, and frees. */
void place_release(struct place *place);

/*
 * The name of the network file system that a folder lies on, empty for a local one. 0 or
 * -ERR_JOURNAL: it cannot be looked at.
 */
int place_network_of(const char *folder, char out[64], struct err *err) WARN_UNUSED;
/*
 * The name of a network file system, NULL for a local one: from statfs's f_type, or for FUSE,
 * which may be either, from the type in /proc/self/mountinfo (NULL: not known). Pure.
 */
const char *place_network_name(unsigned long f_type, const char *mount_type);

#endif
