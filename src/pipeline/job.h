/*
 * job.h - inside pipeline/: the running job. Loop thread only, but for what says otherwise.
 */
#ifndef PIPELINE_JOB_H
#define PIPELINE_JOB_H

#include "pipeline/asset.h"
#include "pipeline/catalog.h"
#include "pipeline/climb.h"
#include "pipeline/folders.h"
#include "pipeline/meter.h"
#include "pipeline/remedy.h"
#include "pipeline/worker.h"

/* One PUT under way: a part of an asset on an exchange. Pooled. */
struct transfer {
    TAILQ_ENTRY(transfer) link;
    struct asset *asset;
    struct part *part;
    struct exchange *exchange;
    struct window window; /* what is mapped of the source now */
    int window_open;
    int64_t window_bytes; /* the most that is mapped at once */
};
TAILQ_HEAD(transfer_list, transfer);

/*
 * What must be known before the first call about a file: a token, the regions' ids, the place, and
 * what a manifest speaks of.
 */
enum gate_state { GATE_CLOSED, GATE_TOKEN, GATE_REGIONS, GATE_PARENT, GATE_LISTS, GATE_OPEN };

struct gate {
    enum gate_state state;
    struct exchange *exchange;
    int busy; /* its exchange is under way */
    int tries;
    int64_t failing_since_ms; /* the first of these tries */
    int64_t due_ms;
    char *token;
    uint64_t generation;   /* counts tokens */
    int generation_proven; /* a call with this token succeeded */
    char **region_ids;
    size_t region_count;
    int regions_known;
    int parent_known;       /* --parent-category is a category */
    struct catalog catalog; /* which lists are wanted is said before the loop starts */
};

enum canary_state { CANARY_UNTRIED, CANARY_RUNNING, CANARY_PROVEN, CANARY_BROKEN };

/* A claim lane of the journal and how far it is. */
struct lane {
    enum claim_lane id;
    int used;  /* by this job's order */
    int asked; /* a claim is under way, in the batch asked_seq */
    uint64_t asked_seq;
    int closed;           /* the walk is complete and it has no more rows */
    int held;             /* assets in memory that came from it */
    int asked_while_open; /* rows may have been added behind the claim under way */
    int64_t due_ms;       /* dry for now: ask again then */
};
#define LANES 3 /* [0] walk order or small files, [1] large files, [2] files to be linked alone */

/* The walker's thread. */
struct intake;

/* The two sides that can be down, each apart from the other. */
enum peer { PEER_API, PEER_S3, PEER_COUNT };
struct health {
    int64_t last_success_ms;
    int exhausted_in_a_row; /* files given up, without any success between */
};

/* What goes into the journal's history, see history.c. */
struct history {
    int is_begun;
    int64_t taken[HISTORY_MEASURE_COUNT]; /* by the moments before */
    uint64_t taken_seq;                   /* the batch that has the last moment */
};

struct job {
    const struct job_options *options;
    struct job_observer observer;
    struct journal *journal;
    struct net *net;
    struct pacer *pacer;
    struct workers *workers;
    struct intake *intake;
    struct rng rng;
    struct retry_budget retry_budget;
    struct gate gate;
    enum canary_state canary[3]; /* by enum wire_conflict */
    struct asset *canary_asset[3];
    int canaries_unread; /* confirmed, and could not be read back */

    int64_t now_ms;
    int64_t wall_ms;
    int64_t started_ms;
    /* The API's clock less now_ms, by its last Date header; before one, our wall clock's. */
    int64_t server_ahead_ms;
    int server_clock_known;
    int stop;               /* enum job_stop, set from any thread */
    enum job_stop stopping; /* as the loop knows it */
    int64_t drain_since_ms;
    int ended; /* `end` is decided: drain and return */
    enum job_end end;
    struct err end_error;

    struct asset_list waiting[WAIT_COUNT];
    int waiting_count[WAIT_COUNT];
    struct lane lanes[LANES];
    struct folders folders;
    int assets;        /* in memory */
    int large_sending; /* large assets with an open session */
    int open_sessions; /* from the start of a request until every part is stored */
    int64_t snapshot_bytes;

    struct exchange *spare_api[LIMIT_SPARE_EXCHANGES];
    int spare_api_count;
    struct transfer_list spare_transfers;
    int api_active;
    int puts_active;
    struct climb climb; /* how many of those may run */

    struct journal_batch *batch; /* being filled */
    uint64_t batch_seq;          /* its number */
    uint64_t durable_seq;        /* the last one that is durable */
    int64_t submitted_ms;        /* when the last batch went */
    int commits_out;
    int64_t *request_times; /* wall; begun and not submitted yet */
    int request_times_count;
    int requests_in[LIMIT_COMMITS + 2]; /* by the number of the batch that they are in */
    int requests_unsaved;               /* likewise, or in a batch that is not durable */

    /* outages, see remedy.c */
    struct health health[PEER_COUNT];
    int holds_in_a_row;
    int files_called; /* API calls about files that were answered with success */
    int refused_in_a_row;
    int64_t fresh_until_ms; /* after a suspend: no old connections */

    /* this run */
    int64_t stored_bytes;
    int64_t files_done;
    int64_t files_failed;
    int64_t failed_durable; /* and said */
    int64_t files_confirmed;
    int64_t requests;
    int64_t retries;
    struct meter meter;
    int64_t unsent_bytes; /* of files that came to be sent, less those that came not to be */
    struct journal_books books;
    int64_t books_at_ms;
    int64_t requests_then; /* when the books were read, and so the next */
    int64_t unsent_then;
    struct history history;
};

/* drain.c: how a run comes to its end before its work does. */
/* Decides how the job ends; the first decision stays. What runs is drained. */
void job_end(struct job *job, enum job_end end, const struct err *error);
/* Nothing new begins any more. */
int job_is_draining(const struct job *job);
/* Likewise, and a file that is under way is parked between two exchanges, not finished. */
int job_is_parking(const struct job *job);
void drain_tick(struct job *job);

/* job.c */
void job_notice(struct job *job, const struct asset *asset, const struct err *error, int tries,
                int64_t wait_ms);
/* The time of this tick; says where the machine slept. */
void job_read_clocks(struct job *job);
/* The requests of an earlier run's last minute into the budget. */
int job_restore_pacer(struct job *job, struct err *err) WARN_UNUSED;
/* An answer that shows that this side lives. */
void job_note_success(struct job *job, enum peer peer);
/* The server's clock now, as far as it is known. A wall clock of ours that is set changes it not.
 */
static inline int64_t job_server_ms(const struct job *job)
{
    return job->now_ms + job->server_ahead_ms;
}

/* call.c: API requests about one asset. */
/* 1 where an API request may start now. `reserve` keeps that many for others. */
int call_may_start(const struct job *job);
/* Starts one; ends in steps[asset->step].done. authorization is added. */
void call_start(struct job *job, struct asset *asset, enum exchange_method method, const char *path,
                const struct buf *body);
/*
 * How an exchange ended: its transport error, or what classify makes of the reply. Redacted.
 * signed_url: S3's, which may have expired; else NULL.
 */
typedef int classify_fn(const struct wire_reply *reply, struct err *err);
int call_outcome(struct job *job, const struct exchange *exchange, classify_fn *classify,
                 const char *signed_url, struct err *out);
/* Its transport error, or the class of its status; ERR_NONE: a 2xx. */
void call_classify(struct job *job, struct asset *asset, struct err *out);
/*
 * 1 where a 404 is PXM's word, which is JSON. One in other words may be a proxy's: to take that
 * for "not there" could double a file, or send all of them again.
 */
int call_is_not_found(const struct err *error, const struct exchange_reply *reply);
void call_release(struct job *job, struct asset *asset);
/* Counts an API request against the budget and remembers it for the journal. */
void call_count(struct job *job);
/* All API requests go through here, the gate's too. */
int call_send(struct job *job, struct exchange *exchange, enum exchange_method method,
              const char *path, const char *authorization, const struct buf *body,
              struct err *err) WARN_UNUSED;

/* gate.c */
void gate_tick(struct job *job);
void gate_done(struct job *job);
void gate_token_refused(struct job *job, uint64_t generation);
void gate_release(struct job *job);
/* "Basic ..." of id and secret into out, which its owner wipes. Any thread. */
int gate_basic_authorization(const struct job_credentials *credentials, struct buf *out);

/* lanes.c: claims from the journal and who may begin. */
void lanes_init(struct job *job);
/* How many assets may be in memory at once. */
int lanes_most_assets(const struct job *job);
void lanes_ask(struct job *job);
void lanes_take(struct job *job, struct journal_batch *batch);
int lanes_all_closed(const struct job *job);
/* Likewise, but for the lane of files to be linked. */
int lanes_all_sent(const struct job *job);
/* There may be files to be linked that were not before. */
void lanes_poke_links(struct job *job);
/* 1 where this prepared asset may begin its request: a slot is free or soon will be. */
int lanes_admit(const struct job *job, const struct asset *asset);

/* commit.c: the batch being filled and what waits for its durability. */
int commit_init(struct job *job, struct err *err) WARN_UNUSED;
/* The journal cannot be written any more: that ends the job, whatever else was about to. */
void commit_lost(struct job *job, const struct err *error);
void commit_fact(struct job *job, const struct journal_fact *fact);
/* The asset goes on when everything appended until now is durable. */
void commit_wait(struct job *job, struct asset *asset);
void commit_submit(struct job *job);
/* Until the batch that is being filled may go; 0 where there is nothing in it. */
int64_t commit_wait_ms(const struct job *job);
void commit_collect(struct job *job);
/* Submits what is in the batch and waits for nothing: nothing can be appended any more. */
void commit_last(struct job *job);
void commit_release(struct job *job);

/* history.c */
void history_tick(struct job *job);
/* The last moment of the run, into the batch being filled. */
void history_end(struct job *job);

/* put.c */
/* Parts of one asset answered but not digested yet, beyond those that are being sent. */
#define PUT_DIGESTS_BEHIND 2
void put_done(struct job *job, struct transfer *transfer);
void put_cancel(struct job *job, struct asset *asset);
void put_release(struct job *job);

/* confirm.c */
/* What is done about a conflict with the file of that id. */
enum conflict_policy request_policy(const struct job *job, const struct asset *asset,
                                    const char *conflict_id);
enum wire_conflict confirm_kind(const struct job *job, const struct asset *asset);
/* Where the asset is a canary, it ends without a verdict: the next of its kind becomes one. */
void confirm_canary_lost(struct job *job, const struct asset *asset);
/* Takes session and stored parts of an earlier run from the claim. */
int confirm_restore(struct asset *asset, struct err *err) WARN_UNUSED;

/* link.c */
int link_is_wanted(const struct asset *asset);
/* What a file is to be linked to; borrows from the claim and the id. */
void link_describe(const struct claim *claim, const char *file_id, struct wire_link *out);
/* Likewise, after its id was looked for. */
void link_identified(struct job *job, struct asset *asset);
/* Goes on with a CONFIRMED asset. */
void link_enter(struct job *job, struct asset *asset);
void link_release(struct asset *asset);

/* intake.c */
int intake_start(struct job *job, struct err *err) WARN_UNUSED;
int intake_is_walking(const struct job *job);
/* True while a walker waits for what its manifest speaks of. */
int intake_wants_catalog(const struct job *job);
/* The gate's catalog is whole: a walker that waits for it goes on. */
void intake_give_catalog(struct job *job);
/* How the walk ended; call when it is not walking. */
int intake_result(const struct job *job, struct err *err) WARN_UNUSED;
/* Asks it to end soon; intake_stop waits for that and forgets it. */
void intake_ask_stop(struct job *job);
void intake_stop(struct job *job);

#endif
