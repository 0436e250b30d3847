/*
 * asset.h - one file on its way, from a claim of the journal to its final state.
 *
 *   DISCOVERED --prepare--> PREPARED --request--> REQUESTED --put--> STORED --confirm--> CONFIRMED
 *        ^                     ^  |                  |                 |
 *        |                     |  +--- SKIPPED       +-- new session   +-- (resolve, identify,
 *        +---- source changed -+       FAILED <--- any of them             canary look it up)
 *
 *   CONFIRMED --(read) link--> LINKED, where the file is to get collections or attributes. When
 *   that fails the file is FAILED, but stays in PXM: only the link is tried again.
 *
 * Invariants, asserted by asset_check():
 *   - an asset is in the one list of job->waiting[] that its wait reason names;
 *   - REQUESTED and STORED have a session (file_path) and parts that cover the file;
 *   - STORED: every part is DONE and has an ETag;
 *   - a confirm is under way only with a durable intent;
 *   - a final asset waits for the journal alone.
 */
#ifndef PIPELINE_ASSET_H
#define PIPELINE_ASSET_H

#include "net/net.h"
#include "pipeline/pipeline.h"
#include "pipeline/remedy.h"
#include "pipeline/steps.h"

#include <sys/queue.h>

enum part_status {
    PART_TODO,     /* not begun, or to be sent again */
    PART_SENDING,  /* its PUT is under way */
    PART_ANSWERED, /* stored by S3; its ETag is not compared yet */
    PART_DONE,     /* stored and, where asked for, compared */
};

struct asset;
struct transfer;

struct part {
    int part_no;
    int64_t start;
    int64_t len;
    char *url; /* NULL: restored from the journal, stored already */
    enum part_status status;
    char *etag;
    int comparable; /* set with the answer: the ETag may be an MD5 */
    int has_md5;    /* of the local bytes */
    int digesting;  /* a worker is at it */
    unsigned char md5[16];
    int tries;
    int64_t due_ms;           /* where it is to be sent: not before */
    enum err_code last_error; /* of the try before */
    struct transfer *transfer;
};

struct asset {
    TAILQ_ENTRY(asset) link;
    struct claim *claim; /* owned: root, path, name, what the journal knew */
    enum asset_state state;
    enum step_id step;
    enum wait_reason wait;
    int lane;     /* it was claimed from; an index of job->lanes */
    int is_large; /* runs in the lane of large files */
    int64_t claimed_ms;
    int64_t due_ms;           /* WAIT_RETRY: when */
    uint64_t commit_seq;      /* WAIT_JOURNAL: the batch that must be durable */
    int tries;                /* failed tries of this step */
    int tries_all;            /* of all steps, for the report */
    enum remedy leaving;      /* how STEP_PUT ends once the workers are done with its parts */
    int restarts;             /* times it went back to an earlier state */
    int64_t failing_since_ms; /* the first failure of this step; 0: none */
    struct err error;         /* the last one */

    /* the local file, from prepare on */
    struct source *source; /* NULL where snapshot holds the whole file */
    char *snapshot;
    int has_snapshot_md5;
    unsigned char snapshot_md5[16];
    struct file_stamp stamp;
    char mime_type[MIME_MAX];
    int works_out; /* items at the workers that point here */

    /* the session, from request on */
    char *file_path;
    char *file_name;
    char *upload_id;   /* NULL: single PUT */
    char *conflict_id; /* NULL: no conflict */
    struct part *parts;
    size_t part_count;
    int parts_sending;
    int64_t session_ms; /* when it was opened */
    int session_open;   /* counted in job->open_sessions */
    int64_t sent_then;  /* a second ago, see meter.c */
    int64_t pace_bytes_per_s;
    int pace_samples;
    int keep_parts; /* the journal's parts belong to this session too */

    /* confirm */
    int64_t intent_ms;        /* wall; of the session's first confirm; 0: none */
    int64_t intent_server_ms; /* the same on the server's clock; 0: not known */
    int64_t intent_at_ms;     /* the same on clock_now_ms(); 0: it was an earlier run's */
    int64_t confirm_at_ms;    /* of the latest confirm, likewise */
    int intent_durable;
    uint64_t token_generation; /* of the token in the call under way */
    int token_refused;         /* a 401 was answered once */
    struct exchange *exchange; /* the API call under way; NULL */
    char file_id[LIMIT_ID_BYTES];
    char former_id[LIMIT_ID_BYTES];    /* in place of the claim's; empty: that one counts */
    char version[LIMIT_VERSION_BYTES]; /* empty: not said */
    char *cdn_url;                     /* NULL: not said */

    /* link */
    int was_new;     /* this run's confirm made the file: nobody else has linked it */
    char *link_body; /* of the PUT, merged with what the file has; NULL: not known yet */
    int64_t read_ms; /* when that was read; 0: it was not */
};
TAILQ_HEAD(asset_list, asset);

/* Takes the claim. The new asset waits nowhere yet. NULL on lack of memory. */
struct asset *asset_new(struct job *job, struct claim *claim);
/* Leaves its list and frees it; nothing of it may be under way. */
void asset_free(struct job *job, struct asset *asset);
/* Moves it to the tail (or head) of another list. */
void asset_wait(struct job *job, struct asset *asset, enum wait_reason reason);
void asset_wait_first(struct job *job, struct asset *asset, enum wait_reason reason);
/*
 * The one setter: checks the transition, logs it, appends the fact with what `fields` (enum
 * fact_fields) name of the asset, moves the counters.
 */
void asset_set_state(struct job *job, struct asset *asset, enum asset_state state, unsigned fields);
/* Appends facts without a change of state. */
void asset_save(struct job *job, struct asset *asset, unsigned fields);
/* Appends one stored part's ETag. */
void asset_save_part(struct job *job, struct asset *asset, const struct part *part);
/* Forgets session and parts. */
void asset_drop_session(struct asset *asset);
/* Forgets the open file and its bytes. */
void asset_drop_source(struct job *job, struct asset *asset);
/* Of its parts, what S3 has or libcurl has taken. */
int64_t asset_sent_bytes(const struct asset *asset);
void asset_check(const struct asset *asset);

#endif
