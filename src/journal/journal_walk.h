/*
 * journal_walk.h - the part of journal/'s face for the walker's thread: waves, what they found, and
 * what a manifest says of it. The others include journal.h, which includes this.
 */
#ifndef JOURNAL_JOURNAL_WALK_H
#define JOURNAL_JOURNAL_WALK_H

#include "base/err.h"
#include "base/stamp.h"

struct journal;

/* ---- the walker's side (blocking) ------------------------------------------------------ */

/*
 * A walk is a numbered wave. begin returns its number and forgets the tallies and issues of the
 * one before; finish marks it complete. Assets that a finished wave did not see are gone: they
 * are left out of the books and never claimed, and their names are free: finish queues the first
 * file (in row order) that was held back for such a name.
 */
int journal_walk_begin(struct journal *journal, int64_t *out_wave, struct err *err) WARN_UNUSED;
int journal_walk_finish(struct journal *journal, struct err *err) WARN_UNUSED;

struct journal_found {
    int64_t root_id;
    const char *path; /* relative to the root, raw bytes, NUL-terminated; "" is the root itself */
    const char *name; /* the name for PXM, NFC UTF-8; NULL where unusable (then failure is set) */
    /* The name to use instead where another path owns `name` (name policy unique); or NULL. */
    const char *other_name;
    struct file_stamp stamp;
    enum err_code failure; /* ERR_NONE, or the class it failed with during the walk */
    const char *failure_text;
    /*
     * The file's wish: what it is to get in PXM beside its bytes, as JSON arrays; NULL: nothing.
     * Collections are ids, ["ID",...], that it is linked to beside those it is in already.
     * Attributes are [{"id":"ID","type":"update","value":...},...], replaced by id. They are
     * written as they stand by one PUT once the file is confirmed.
     */
    const char *wish_collections;
    const char *wish_attributes;
    /* The folder whose collection it belongs in; 0: none. */
    int64_t folder_id;
    const struct journal_manifest_row *manifest; /* the row that is for it; NULL: none */
};
/*
 * Adds a batch in walk order. It returns when the rows can be claimed and counted; they become
 * durable a moment later, many batches with one sync (a walk that is cut off is done again; so
 * with excluded files and issues). Per row:
 *   - a new path whose name nobody owns (or whose other_name nobody owns): DISCOVERED;
 *   - a new path whose names are owned: FAILED name_collision, text naming the owner's
 *     path; the owner is kept in the row (owner_id);
 *   - with failure set: FAILED with it; so (name_invalid) where its folder would be the same
 *     collection as another one;
 *   - a known path, same size and mtime: seen again, keeps its state (a FAILED row whose class
 *     is temporary is queued again as DISCOVERED; so is one that failed in the walk, or by
 *     name_collision, and can have a name now: its owner is gone, or other_name is free);
 *   - a pending one with the same size and mtime but another inode, device or ctime: its parts
 *     are of another tuple, so it is DISCOVERED again without session, unless a confirm was sent;
 *   - a known path, other size or mtime: DISCOVERED again with the new tuple; session, parts and
 *     result are dropped;
 *   - a known path with another wish or folder than before: if PXM has the file already (CONFIRMED,
 * LINKED, VERIFIED, or FAILED after the confirm), it is CONFIRMED again and waits for its link; if
 * its wish is gone, it stays as it is;
 *   - a path that this wave has seen already: left alone.
 * A row that failed in the walk, or by name_collision, owns no name; all others own theirs.
 */
int journal_add_found(struct journal *journal, const struct journal_found *rows, size_t count,
                      struct err *err) WARN_UNUSED;
/*
 * The same in two halves, so that the walk goes on meanwhile: rows and all that they point to stay
 * until the second returned. Adding that was started must be ended.
 */
struct journal_adding;
int journal_start_adding(struct journal *journal, const struct journal_found *rows, size_t count,
                         struct journal_adding **out, struct err *err) WARN_UNUSED;
int journal_end_adding(struct journal *journal, struct journal_adding *adding,
                       struct err *err) WARN_UNUSED;

/* ---- manifests (blocking) ----------------------------------------------------------------- */

/*
 * What a manifest says of one file, in the tenant's ids. Written as a whole before a walk, found
 * again during it, and kept for the next.
 */
struct journal_manifest_row {
    int64_t line;
    const char *key;           /* a path (relative or absolute) or a name, NFC; NULL: it has none */
    int by_name;               /* the key is a name */
    const char *error;         /* NULL, or why it cannot be followed: its file fails with that */
    const char *file_name;     /* for PXM; NULL: the file's own */
    int published;             /* 1, 0, or -1: as the job has it; so is NULL in the next three */
    const char *publish_start; /* dates as a confirm takes them */
    const char *publish_end;
    const char *region_ids;  /* one a line */
    const char *collections; /* as wish_collections and wish_attributes */
    const char *attributes;
};
/* Forgets all rows. */
int journal_manifest_clear(struct journal *journal, struct err *err) WARN_UNUSED;
/* Adds rows; two with one key both get an error. */
int journal_manifest_add(struct journal *journal, const struct journal_manifest_row *rows,
                         size_t count, struct err *err) WARN_UNUSED;

struct journal_manifest_query {
    const char *path;     /* relative, NFC; NULL: it is no UTF-8, and so for the next two */
    const char *abs_path; /* NULL: do not ask */
    const char *name;
    /* out, with JOURNAL_MANIFEST_READ */
    int64_t files;                   /* that the row is for, by the counts so far */
    struct journal_manifest_row row; /* line 0: there is none */
    char *memory;                    /* its texts; the caller frees it */
};
enum journal_manifest_how {
    JOURNAL_MANIFEST_COUNT = 1 << 0, /* the current walk has seen a file of the row */
    JOURNAL_MANIFEST_READ = 1 << 1,
};
/* The row of each file: by its path, else its absolute path, else its name. */
int journal_manifest_find(struct journal *journal, struct journal_manifest_query *queries,
                          size_t count, unsigned how, struct err *err) WARN_UNUSED;

/* Files left out, by reason ("junk", "filter", "symlink", "special", "size", "age"). */
int journal_add_excluded(struct journal *journal, const char *reason, int64_t files, int64_t bytes,
                         struct err *err) WARN_UNUSED;
/* Something the walk could not look into (an unreadable folder): counted, named in reports. */
int journal_add_issue(struct journal *journal, const char *path, enum err_code code,
                      const char *text, struct err *err) WARN_UNUSED;

#endif
