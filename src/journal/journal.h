/*
 * journal.h - the face of journal/: the job's durable rows. It is the queue, the record and
 * the resume state at once. Knows rows, not HTTP; no SQLite type crosses this face, so that a
 * second backend can stand behind it.
 *
 * One journal = one SQLite file (mode 0600, WAL, synchronous=FULL) + FILE.lock. One thread
 * inside owns the one writing connection. Two kinds of calls:
 *   - batches, asynchronous: the loop fills a batch of facts and claims and submits it; the
 *     writer commits everything that waits in one transaction and hands the batch back through
 *     journal_next_done() after waking the loop. A batch that came back without error IS durable.
 *   - blocking calls for the walker's thread and for set-up, marked (blocking) below: they go
 *     through the same writer, in order with the batches.
 * The first failure of the writer is final: what was not committed is lost, and every batch and
 * blocking call after it fails with the same error. The journal stays consistent.
 * Readers (status, report) open READ: a read-only connection that never checkpoints.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/err.h"
#include "base/limits.h"
#include "base/stamp.h"
#include "journal/journal_walk.h"

/*
 * Durable states, facts in the past tense. X(symbol, name). The numbers are stored: append only.
 * Up to STORED an asset is pending, and so is a CONFIRMED one that wants links or attributes:
 * that is done when it is LINKED. One whose links failed is FAILED and keeps its file id; what
 * queues it again makes it CONFIRMED, so that its bytes are never sent twice. The transitions stand
 * in pipeline/asset.c.
 */
#define ASSET_STATES(X)         \
    X(DISCOVERED, "discovered") \
    X(PREPARED, "prepared")     \
    X(REQUESTED, "requested")   \
    X(STORED, "stored")         \
    X(CONFIRMED, "confirmed")   \
    X(LINKED, "linked")         \
    X(VERIFIED, "verified")     \
    X(SKIPPED, "skipped")       \
    X(FAILED, "failed")

enum asset_state {
#define X(sym, name) ASSET_##sym,
    ASSET_STATES(X)
#undef X
        ASSET_STATE_COUNT
};
const char *asset_state_name(enum asset_state state);

/* ---- open and close ------------------------------------------------------------------- */

enum journal_mode {
    JOURNAL_CREATE, /* make it, or open it where it is a pxload journal already */
    JOURNAL_OPEN,   /* must exist */
    JOURNAL_READ,   /* beside a running job; only the calls of "reading" are allowed */
};

/*
 * 0; -ERR_JOURNAL: no journal of ours, newer than this program, damaged, on a network file
 * system; -ERR_JOURNAL_BUSY: another process holds it (its number is in the text); -ERR_IO: disk.
 * Damage is looked for page by page (quick_check) in journals up to 64 MB, and in larger ones
 * after a run that did not close its journal; otherwise it shows when a page is used.
 * wake(user) is called on the writer's thread after batches are done, one call for a group of
 * them; it must not call into the journal (NULL for READ).
 */
int journal_open(const char *path, enum journal_mode mode, void (*wake)(void *user), void *user,
                 struct journal **out, struct err *err) WARN_UNUSED;
/*
 * Commits what was submitted, stops the writer, checkpoints, closes. NULL is allowed. Done batches
 * that nobody took are freed.
 */
void journal_close(struct journal *journal);
const char *journal_path(const struct journal *journal);
/* Another journal as this one is now, also while a run works on it. What stands at `to` is lost. */
int journal_copy(const char *path, const char *to, struct err *err) WARN_UNUSED;
/* True when the last run did not close it (kill, power cut): its last moments may be missing. */
int journal_was_killed(const struct journal *journal);

/* ---- the job (blocking) ---------------------------------------------------------------- */

/*
 * Options of the job, kept for resume: plain key and value; *out_value is malloc'ed, or NULL where
 * the key was never set. journal_get_meta works in READ mode too.
 */
int journal_set_meta(struct journal *journal, const char *key, const char *value,
                     struct err *err) WARN_UNUSED;
int journal_get_meta(struct journal *journal, const char *key, char **out_value,
                     struct err *err) WARN_UNUSED;
/* The absolute root folder or file of a number; roots keep their numbers for ever. */
int journal_root_id(struct journal *journal, const char *abs_path, int64_t *out_root_id,
                    struct err *err) WARN_UNUSED;

/* ---- the job's history -------------------------------------------------------------------- */

/*
 * What the journal remembers of each moment in which a run worked: sums, so that moments can be
 * put together. X(symbol, column); the columns are stored, append only.
 *   run_ms      how long a run worked
 *   confirmed, skipped, failed   files that came to their end
 *   sent_bytes  to S3, resends included
 *   requests    to the API
 *   rate_ms     the request budget of RATE_WINDOW_MS, times how long; 0 without one
 *   puts_ms     transfers under way, times how long
 *   by_*_ms     how long what limited the run: the request budget, the network, this machine (its
 *               disk or CPU), the last files alone, the server (a hold after a 429, retries)
 */
#define HISTORY_MEASURES(X)         \
    X(RUN_MS, run_ms)               \
    X(CONFIRMED, confirmed)         \
    X(SKIPPED, skipped)             \
    X(FAILED, failed)               \
    X(SENT_BYTES, sent_bytes)       \
    X(REQUESTS, requests)           \
    X(RETRIES, retries)             \
    X(RATE_MS, rate_ms)             \
    X(PUTS_MS, puts_ms)             \
    X(BY_API_MS, by_api_ms)         \
    X(BY_NETWORK_MS, by_network_ms) \
    X(BY_LOCAL_MS, by_local_ms)     \
    X(BY_TAIL_MS, by_tail_ms)       \
    X(BY_SERVER_MS, by_server_ms)

enum history_measure {
#define X(sym, column) HISTORY_##sym,
    HISTORY_MEASURES(X)
#undef X
        HISTORY_MEASURE_COUNT
};

struct journal_moment {
    int64_t from_ms; /* wall */
    int64_t to_ms;
    int64_t sums[HISTORY_MEASURE_COUNT];
};

/* ---- folders: what the tree's are in PXM -------------------------------------------------- */

/* A category holds folders, a collection holds files. Stored: append only. */
enum folder_kind { FOLDER_CATEGORY, FOLDER_COLLECTION };

struct journal_mapping {
    /*
     * 1: every folder that leads to others is a category; one with files is a collection, in the
     * category of its own where it has one, else in the one above. 0: collections alone, all in
     * one place.
     */
    int has_categories;
    const char *top_id; /* the category that all of it lies in; NULL: none */
};
/*
 * (blocking) What holds from now on; NULL: folders are left alone. Before a walk, and before a job
 * goes on without one. Another mapping than the last has folders of its own: the files of the next
 * walk are linked to those, too. What failed is tried again.
 */
int journal_map_folders(struct journal *journal, const struct journal_mapping *mapping,
                        struct err *err) WARN_UNUSED;
struct journal_folder {
    int64_t parent_id;       /* 0: a root */
    const char *name;        /* for PXM; equal names in one parent are one folder */
    const char *other_title; /* without categories: its name where another folder has that one */
};
/* (blocking) The number of a folder; a new one is known from then on, and made when files wait. */
int journal_folder_id(struct journal *journal, const struct journal_folder *folder, int64_t *out_id,
                      struct err *err) WARN_UNUSED;

enum folder_action {
    FOLDER_MAKE,    /* its intent is durable: create it */
    FOLDER_LOOK_UP, /* it may have been created at intent_ms: look it up */
    FOLDER_TWINS,   /* nothing to do: PXM has several of that name there, the first is used */
};
struct folder_task {
    int64_t folder_id;
    enum folder_kind kind;
    enum folder_action action;
    char *name;
    char *parent; /* an id; NULL: the top */
    char *path;   /* for messages; the folder's own */
    int64_t intent_ms;
};
void folder_task_free(struct folder_task *task);

/* What became of a task. All empty: it surely was not created, and may be handed out again. */
struct journal_folder_fact {
    int64_t folder_id;
    enum folder_kind kind;
    const char *remote_id;   /* it is there */
    const struct err *error; /* it surely is not, and cannot be: its files' links fail with this */
    int64_t looked_ms;       /* a look-up that began then did not find it; 0: none */
};

/* ---- batches: facts and claims (loop thread) -------------------------------------------- */

/*
 * Facts of one asset that become durable together. Only the members that a field names are read;
 * strings are copied by journal_batch_fact. An asset that becomes CONFIRMED, LINKED, VERIFIED or
 * SKIPPED loses session, parts, intent and the error kept beside it (but not one that comes in
 * the same fact); FAILED keeps them for a retry. A fact of an id that the journal does not know
 * fails the batch.
 */
enum fact_fields {
    FACT_STATE = 1 << 0,    /* state */
    FACT_PREPARED = 1 << 1, /* mime_type, stamp */
    FACT_SESSION = 1 << 2, /* file_path, file_name, upload_id, conflict_id; replaces any session and
                              its intent, drops its parts unless keep_parts */
    FACT_PART = 1 << 3,    /* part_no, part_start, part_len, etag, md5 */
    FACT_INTENT = 1 << 4,  /* intent_*: confirm will be sent after this is durable */
    FACT_NO_INTENT = 1 << 5,  /* the confirm surely was not applied */
    FACT_NO_SESSION = 1 << 6, /* forget session, parts and intent */
    FACT_FILE = 1 << 7, /* file_id, version, cdn_url, md5 (whole file, when has_md5), etag; done_ms,
                           took_ms */
    FACT_ERROR = 1 << 8, /* error: class, status, request id, text; kept beside the state */
    FACT_TRIES = 1 << 9, /* tries, the count so far */
    FACT_LOST = 1 << 10, /* alone: PXM has lost the file or its bytes, so it is DISCOVERED again */
    FACT_CHANGED = 1 << 11, /* beside state DISCOVERED, of a CONFIRMED one: the local file is
                               another by now, what PXM has becomes its former one */
};

struct journal_fact {
    int64_t asset_id;
    unsigned fields; /* enum fact_fields */
    enum asset_state state;
    const char *mime_type;
    struct file_stamp stamp;
    const char *file_path;
    const char *file_name;
    const char *upload_id;   /* NULL: single PUT */
    const char *conflict_id; /* NULL: no conflict */
    int keep_parts;
    int part_no;
    int64_t part_start;
    int64_t part_len;
    const char *etag;
    int has_md5;
    unsigned char md5[16];
    int64_t intent_ms;        /* our wall clock */
    int64_t intent_server_ms; /* the server's, by its Date; 0: not known */
    const char *file_id;
    const char *version; /* PXM's; NULL: not said */
    const char *cdn_url; /* NULL: not said */
    int was_new;         /* read with state CONFIRMED: nobody can have linked the file yet */
    int64_t done_ms; /* wall time of a final state: read with FACT_FILE, and with a final state */
    int64_t took_ms; /* likewise: how long the run that ended it had worked on it; of what PXM has,
                        added */
    const struct err *error;
    int tries;
};

enum claim_lane {
    CLAIM_BY_PATH,       /* row order: the walk's order */
    CLAIM_LARGEST,       /* by size, largest first; sizes within 1.6 % may go in row order */
    CLAIM_SMALL_BY_PATH, /* row order, size < boundary */
    CLAIM_LARGE_LARGEST, /* size >= boundary, largest first */
    CLAIM_LINKS,         /* CONFIRMED rows that wait for their links, in row order */
};

struct journal_part {
    int part_no;
    int64_t start;
    int64_t len;
    char *etag;
    int has_md5;
    unsigned char md5[16];
};

/* A pending asset as it stands in the journal; one malloc'ed object, free with claim_free. */
struct claim {
    int64_t asset_id;
    char *root; /* absolute */
    char *path; /* relative, raw */
    char *name; /* for PXM */
    struct file_stamp stamp;
    enum asset_state state;
    int tries;
    int64_t wave;
    /* the session, where there is one */
    char *file_path; /* NULL: no session */
    char *file_name;
    char *upload_id;
    char *conflict_id;
    int64_t intent_ms; /* 0: no intent; otherwise a confirm may have been sent */
    int64_t intent_server_ms;
    struct journal_part *parts;
    size_t part_count;
    char *mime_type; /* NULL before PREPARED */
    int is_changed;  /* the file is another now than the one with the intent */
    /* what the manifest says for its confirm, as in journal_manifest_row */
    int published;
    char *publish_start;
    char *publish_end;
    char *region_ids;
    /* the file that this job made in PXM before the local one changed; NULL: none */
    char *former_id;
    int64_t former_bytes;
    int has_former_md5;
    unsigned char former_md5[16];
    /* what it is to get beside its bytes; all empty unless wants_link */
    int wants_link;
    char *wish_collections; /* as in journal_found */
    char *wish_attributes;
    int64_t folder_id;            /* 0: none */
    char *folder_collection;      /* NULL: not made yet */
    enum err_code folder_failure; /* why it cannot be made; ERR_NONE */
    char *folder_failure_text;
    /* of a CONFIRMED one: what PXM gave */
    char *file_id; /* NULL: unknown */
    char *etag;
    int has_md5;
    unsigned char md5[16];
    int was_new;
    int64_t done_ms; /* when it was confirmed */
};
void claim_free(struct claim *claim);

struct journal_batch;
/* NULL on lack of memory. A batch is filled by one thread, submitted once, freed by its owner. */
struct journal_batch *journal_batch_new(void);
void journal_batch_free(struct journal_batch *batch); /* claims inside are freed too */
/* Appends. 0 or -ERR_NOMEM. */
int journal_batch_fact(struct journal_batch *batch, const struct journal_fact *fact) WARN_UNUSED;
/*
 * The API requests whose start times (wall) the pacer wants to survive a restart; the journal
 * keeps those of the last RATE_WINDOW_MS.
 */
int journal_batch_requests(struct journal_batch *batch, const int64_t *at_ms,
                           size_t count) WARN_UNUSED;
/*
 * Adds a moment to the job's history; at most one a batch. The history never has more than
 * LIMIT_HISTORY_ROWS moments: where there are more, neighbours become one.
 */
void journal_batch_moment(struct journal_batch *batch, const struct journal_moment *moment);
/*
 * Asks for at most `max` pending assets of a lane (CLAIM_LINKS: CONFIRMED ones, the others: those
 * that are not) that were not claimed before by this process and are seen in the current wave.
 * boundary_bytes is for the lanes that say so. At most one claim a lane and batch.
 */
int journal_batch_claim(struct journal_batch *batch, enum claim_lane lane, size_t max,
                        int64_t boundary_bytes) WARN_UNUSED;
/*
 * Asks for at most `max` folders that files wait for, none of them handed out before by this
 * process and not answered by a fact. None before a listing was begun. An intent is sure to have
 * come to nothing once a look-up that began patience_ms after it did not find the folder.
 */
struct journal_folder_ask {
    size_t max;
    int64_t now_ms; /* wall */
    int64_t patience_ms;
    int tries_max; /* creations of one folder in this run */
};
void journal_batch_folders(struct journal_batch *batch, const struct journal_folder_ask *ask);
int journal_batch_folder_fact(struct journal_batch *batch,
                              const struct journal_folder_fact *fact) WARN_UNUSED;
/* A listing of what PXM has began (wall ms): the one before it is forgotten. */
void journal_batch_list(struct journal_batch *batch, int64_t began_ms);
/* One of its rows; parent NULL: at the top. Only what bears a folder's name is kept. */
int journal_batch_listed(struct journal_batch *batch, enum folder_kind kind, const char *parent,
                         const char *name, const char *id) WARN_UNUSED;
/*
 * Gives a claim back: the asset may be claimed again, by this batch too (one that waits for its
 * folder: once that is there). A claim ends by itself
 * when its asset leaves the pending states.
 */
int journal_batch_unclaim(struct journal_batch *batch, int64_t asset_id) WARN_UNUSED;
void journal_batch_set_user(struct journal_batch *batch, void *user);
void *journal_batch_user(const struct journal_batch *batch);
int journal_batch_is_empty(const struct journal_batch *batch);

/* Hands the batch to the writer; it comes back through journal_next_done. Never waits. */
void journal_submit(struct journal *journal, struct journal_batch *batch);
/* (blocking) Returns when all that was submitted before is done. */
int journal_flush(struct journal *journal, struct err *err) WARN_UNUSED;
/*
 * The next committed batch in order of submission, or NULL. *out_err says how it ended: on
 * failure nothing of it is durable and every later batch fails likewise (stop the run).
 */
struct journal_batch *journal_next_done(struct journal *journal, struct err *out_err);
/* The claims that came back in a done batch, for a lane; the caller owns each that it takes. */
struct claim *journal_batch_take_claim(struct journal_batch *batch, enum claim_lane lane);
/* The folders that came back in a done batch; the caller owns each that it takes. */
struct folder_task *journal_batch_take_folder(struct journal_batch *batch);
/* True when files waited for a folder, at the time of the commit. */
int journal_batch_folders_held(const struct journal_batch *batch);
/*
 * True when the lane had no more rows than were returned, at the time of the commit. While a walk
 * runs rows may come after it: a lane is at its end when it is dry and the walk was over
 * before the batch was submitted.
 */
int journal_batch_lane_dry(const struct journal_batch *batch, enum claim_lane lane);

/* (blocking) start times of the last window, ascending, malloc'ed; wall ms. */
int journal_recent_requests(struct journal *journal, int64_t now_wall_ms, int64_t **out_at_ms,
                            size_t *out_count, struct err *err) WARN_UNUSED;

/*
 * (blocking) The asset of the current wave that owns a name, or the one of a number, with all
 * fields of a claim (those of the wish and of the result too), but not claimed. 1 with *out
 * (claim_free), 0 where there is none, or negative.
 */
int journal_look_up_name(struct journal *journal, const char *name, struct claim **out,
                         struct err *err) WARN_UNUSED;
int journal_look_up(struct journal *journal, int64_t asset_id, struct claim **out,
                    struct err *err) WARN_UNUSED;

/*
 * (blocking) FAILED rows of a class (ERR_NONE: all of them) become DISCOVERED (CONFIRMED where
 * only the link failed), error and tries forgotten, session and parts kept. Those that own no name
 * and can have none stay FAILED. Where a link was refused, its folder is looked up anew: somebody
 * may have deleted it.
 */
int journal_requeue_failed(struct journal *journal, enum err_code only, int64_t *out_count,
                           struct err *err) WARN_UNUSED;

/* ---- reading (any mode; in READ mode any one thread) ------------------------------------- */

struct journal_books {
    int64_t files[ASSET_STATE_COUNT]; /* of the current wave */
    int64_t bytes[ASSET_STATE_COUNT];
    int64_t excluded_files;
    int64_t excluded_bytes;
    int64_t failed_by_code[ERR_COUNT];
    int64_t unlinked_files; /* of files[CONFIRMED]: still waiting for their links */
    int64_t to_link_files;  /* those, and the files to be sent that are to be linked after that */
    int64_t categories;     /* of this wave's folders: not known in PXM yet */
    int64_t collections;
    int64_t issues;          /* what the walk could not look into */
    int64_t gone_files;      /* known from an earlier wave, not seen in this one; 0 during a walk */
    int64_t manifest_rows;   /* of the manifest; 0: there is none */
    int64_t manifest_unused; /* those that no file used; 0 during a walk */
    int64_t manifest_files;  /* of the current wave, that a row is for */
    int64_t largest_pending_bytes; /* the size of one of the largest: within 1.6 % */
    int walk_complete;
    int64_t wave;
};
/*
 * Cheap at any size (counters). In the writing modes from memory, with the rows of the walk that
 * are about to be committed; never waits for the disk.
 */
int journal_read_books(struct journal *journal, struct journal_books *out,
                       struct err *err) WARN_UNUSED;

/* One row of a report; strings are valid during the callback alone. */
struct journal_row {
    int64_t asset_id;
    const char *root;
    const char *path;
    const char *name;      /* NULL: PXM can take none that is like it (name_invalid) */
    const char *mime_type; /* NULL: not typed yet */
    struct file_stamp stamp;
    enum asset_state state;
    int64_t wave;                 /* the last walk that saw it */
    int64_t added_ms;             /* wall */
    int64_t done_ms;              /* wall; 0: not done */
    int64_t took_ms;              /* of the run that ended it; 0: not done */
    const char *file_id;          /* NULL */
    const char *version;          /* NULL */
    const char *cdn_url;          /* NULL */
    const char *collection_id;    /* of its folder, linked yet or not; NULL: none */
    const char *wish_collections; /* of the manifest, likewise; as in journal_found */
    int64_t manifest_line;        /* of the row that speaks of it; 0: none */
    int has_md5;
    unsigned char md5[16];
    const char *etag; /* NULL */
    enum err_code error;
    int http_status;
    const char *error_text; /* NULL */
    const char *request_id; /* NULL */
    int64_t owner_id;       /* name_collision: who owns the name; 0 */
    int tries;
};
/*
 * Rows in id order, from a snapshot; a non-zero return of fn ends it and is returned. fn must not
 * call into the same journal. In the writing modes (blocking): what was submitted before is in it.
 */
int journal_each_row(struct journal *journal, int (*fn)(const struct journal_row *row, void *user),
                     void *user, struct err *err) WARN_UNUSED;
int journal_each_excluded(struct journal *journal,
                          int (*fn)(const char *reason, int64_t files, int64_t bytes, void *user),
                          void *user, struct err *err) WARN_UNUSED;
int journal_each_issue(struct journal *journal,
                       int (*fn)(const char *path, enum err_code code, const char *text,
                                 void *user),
                       void *user, struct err *err) WARN_UNUSED;
/* Rows of the manifest that no file of the current walk used, in order. */
int journal_each_unused(struct journal *journal,
                        int (*fn)(int64_t line, const char *key, int by_name, const char *error,
                                  void *user),
                        void *user, struct err *err) WARN_UNUSED;
/* The history, oldest first; all moments are equally long, and those without a run are left out. */
int journal_each_moment(struct journal *journal,
                        int (*fn)(const struct journal_moment *moment, void *user), void *user,
                        struct err *err) WARN_UNUSED;
/*
 * In READ mode: what is read from here to the end is one moment of the journal, whatever a run
 * adds meanwhile. The end is a must.
 */
int journal_read_begin(struct journal *journal, struct err *err) WARN_UNUSED;
void journal_read_end(struct journal *journal);
/* Every statement's text, for the test that proves an index under each; NULL past the last. */
const char *journal_statement(size_t n);

/*
 * The name of the network file system that `folder` lies on ("NFS") into out, where a journal is
 * refused; empty for a local one. 0 or -ERR_JOURNAL. Any thread.
 */
int journal_network_of(const char *folder, char out[64], struct err *err) WARN_UNUSED;
/* True while a process holds the journal for writing. */
int journal_is_running(const char *path);
/* "SQLite/3.40.1": what this layer runs on. */
const char *journal_version(void);

#endif
