/*
 * folders.h - making the folders of the tree in PXM while files are being sent. Loop thread.
 *
 *   IDLE --files wait, the walk is over--> LISTING --> READY: the journal hands out tasks
 *                                             +------> BROKEN: it cannot be listed; tasks fail
 *
 * A task is created (POST). When its reply is lost, or an earlier run's was, it is in doubt and is
 * looked up by listing again; the journal decides whether it is to be made once more.
 */
#ifndef PIPELINE_FOLDERS_H
#define PIPELINE_FOLDERS_H

#include "net/net.h"
#include "pipeline/pipeline.h"

#include <sys/queue.h>

#define FOLDER_CALLS 4  /* folders being made at once */
#define FOLDER_TASKS 16 /* those, and what waits or is in doubt */

enum folders_stage { FOLDERS_OFF, FOLDERS_IDLE, FOLDERS_LISTING, FOLDERS_READY, FOLDERS_BROKEN };

/* A request about folders: one slot for the listing, the others for what is made. */
struct folder_call {
    struct exchange *exchange; /* NULL: never used yet */
    struct folder_job *made;   /* NULL: the listing's, or free */
    int busy;                  /* its exchange is under way */
    int tries;
    int token_refused;
    uint64_t token_generation;
    int64_t due_ms;           /* not before */
    int64_t failing_since_ms; /* the first of these tries */
};

/* A task of the journal and what is known of it. */
struct folder_job {
    TAILQ_ENTRY(folder_job) link;
    struct folder_task *task;
    int64_t due_ms;             /* in doubt: look again then */
    int is_looked_up;           /* by the listing under way */
    char found[LIMIT_ID_BYTES]; /* by it; empty */
};
TAILQ_HEAD(folder_job_list, folder_job);

/* The pages of one list. */
struct folder_listing {
    int active;
    int is_whole; /* the first one, into the journal; otherwise for what is in doubt */
    enum folder_kind kind;
    char parent[LIMIT_ID_BYTES]; /* of those right below it alone; empty: all */
    int64_t began_ms;            /* wall */
    int64_t offset;
    int limit;
    size_t most_rows; /* of the pages before */
    int pages;
    int restarts;
    struct wire_folders before; /* the page before, to see that there is anything new */
};

struct folders {
    enum folders_stage stage;
    struct folder_call list_call;
    struct folder_call calls[FOLDER_CALLS];
    struct folder_listing listing;
    struct folder_job_list to_make;
    struct folder_job_list doubts; /* may have been made */
    int held;                      /* tasks in memory */
    int wanted;                    /* files wait for a folder, as far as is known */
    uint64_t wanted_seq;           /* the batch that said so last */
    int asked;                     /* tasks are asked for, in the batch asked_seq */
    uint64_t asked_seq;
    uint64_t fact_seq; /* the last batch with a fact of ours */
    int64_t due_ms;    /* to ask again */
    int limit;         /* rows of a page, as far as the server takes it */
    struct err error;  /* BROKEN: why */
};

struct job;
/* Tells the journal how folders are mapped; before a walk. */
int folders_map(const struct job_options *options, struct journal *journal,
                struct err *err) WARN_UNUSED;
void folders_init(struct job *job);
/* A file was confirmed whose folder is not there yet. */
void folders_need(struct job *job);
/* 1 while more is to come of it, or a file may be waiting for it. */
int folders_are_busy(const struct job *job);
/* 1 while an answer is awaited. */
int folders_have_calls(const struct job *job);
/* 1 where a request could go out now. */
int folders_want_call(const struct job *job);
/* Starts what can start now. */
void folders_start(struct job *job);
/* 1 where the finished exchange was one of its own. */
int folders_done(struct job *job, struct exchange *exchange);
/* Asks the journal for tasks; takes them from a batch that came back. */
void folders_ask(struct job *job);
void folders_take(struct job *job, struct journal_batch *batch);
/* How long until something of it is due; INT64_MAX. */
int64_t folders_wait_ms(const struct job *job);
/* Draining: what has not gone out is given back. */
void folders_park(struct job *job);
void folders_abort(struct job *job);
void folders_release(struct job *job);

/* folder_list.c: the listing's own part. */
void folder_list_begin(struct job *job, enum folder_kind kind, const char *parent, int is_whole);
void folder_list_start(struct job *job);
void folder_list_done(struct job *job);
void folder_list_release(struct folder_listing *listing);

/* What both use. */
/* Sends a request of a slot with the token; what cannot even begin is *err. */
int folder_call_send(struct job *job, struct folder_call *call, enum exchange_method method,
                     const char *path, const struct buf *body, struct err *err) WARN_UNUSED;
/* The class of its end; ERR_NONE: a 2xx. */
void folder_call_outcome(struct job *job, struct folder_call *call, struct err *out);
/*
 * Sees to what no list or folder is to blame for: 1 where the call is tried again (it has its due
 * time) or the job ends, 0 where the error is the caller's to decide.
 */
int folder_call_retry(struct job *job, struct folder_call *call, const struct err *error);
void folders_fact(struct job *job, const struct journal_folder_fact *fact);
void folders_doubt_settled(struct job *job, struct folder_job *doubt);

#endif
