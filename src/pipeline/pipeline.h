/*
 * pipeline.h - the face of pipeline/: one job from a folder tree to confirmed files. The only
 * folder that knows the order of the steps. cli starts a job; report watches it through the
 * observer and snapshots below and sees nothing else.
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "journal/journal.h"
#include "scan/scan.h"
#include "wire/wire.h"

struct job;

enum conflict_policy { CONFLICT_SKIP, CONFLICT_OVERWRITE, CONFLICT_VERSION, CONFLICT_FAIL };
enum map_folders { MAP_NONE, MAP_COLLECTIONS, MAP_TREE };
enum job_order { ORDER_MIXED, ORDER_SIZE, ORDER_PATH };
enum verify_etag { VERIFY_AUTO, VERIFY_ALWAYS, VERIFY_OFF };

/* Why an asset that is being worked on does not move this moment; `status` shows them. */
#define WAIT_REASONS(X)                                                \
    X(WORKER, "worker", "reading, typing or digesting the local file") \
    X(SLOT, "slot", "prepared; an upload slot is not near yet")        \
    X(API, "api", "an API request: its turn in the request budget")    \
    X(REPLY, "reply", "an exchange is under way")                      \
    X(PUT, "put", "an S3 transfer slot")                               \
    X(JOURNAL, "journal", "a commit of the journal")                   \
    X(RETRY, "retry", "the pause before another try")                  \
    X(CANARY, "canary", "the proof that the conflict setting works")

enum wait_reason {
#define X(sym, name, text) WAIT_##sym,
    WAIT_REASONS(X)
#undef X
        WAIT_COUNT
};
const char *wait_reason_name(enum wait_reason reason);

/* What limits the run now. */
#define JOB_LIMITS(X)       \
    X(STARTING, "starting") \
    X(API, "api")           \
    X(NETWORK, "network")   \
    X(DISK, "disk")         \
    X(CPU, "cpu")           \
    X(TAIL, "tail")         \
    X(SERVER, "server")

enum job_limit {
#define X(sym, name) JOB_LIMIT_##sym,
    JOB_LIMITS(X)
#undef X
        JOB_LIMIT_COUNT
};
const char *job_limit_name(enum job_limit limit);

struct job_credentials {
    const char *client_id;
    const char *client_secret;
    const char *token; /* a ready token; then id and secret may be NULL */
};

/* All borrowed for the life of the job. */
struct job_options {
    const char *base_url; /* without a trailing slash */
    struct wire_profile wire;
    struct job_credentials credentials;
    const char *token_cache_dir; /* NULL: no cache */

    struct walk_options walk; /* root_count 0: no walk, go on with the journal's rows */
    enum name_policy name_policy;
    const char *manifest;               /* absolute; NULL: none */
    struct manifest_info manifest_info; /* of that file, as manifest_read saw it */

    enum map_folders map_folders;
    const char *parent_category; /* an id: what the folders become lies in it; NULL: at the top */

    enum conflict_policy on_conflict;
    int publish;
    const char *publish_start;  /* NULL: today, where publish is set */
    const char *const *regions; /* ids or names */
    size_t region_count;

    int transfers;        /* S3 PUTs at once; 0: as many as make the bytes faster */
    int part_concurrency; /* parts of one file at once */
    int api_concurrency;
    int api_rate;                /* requests per RATE_WINDOW_MS; 0: no limit */
    int64_t bwlimit_bytes_per_s; /* 0: none */
    int retries;                 /* tries of one step, the first included */
    int64_t contimeout_ms;
    int64_t timeout_ms;         /* without progress */
    int64_t lookup_patience_ms; /* how long a search index may lag behind a confirm */
    int64_t max_duration_ms;    /* 0: none */
    int64_t max_transfer_bytes; /* 0: none */
    int64_t max_errors;         /* 0: none */
    enum job_order order;
    enum verify_etag verify_etag;
    const char *ca_cert; /* NULL: the system's */
    int allow_http;
    uint64_t seed; /* of the jitter */
};

/* ---- what report sees ------------------------------------------------------------------- */

/* A file reached a final state and this is durable. Strings are valid during the call. */
struct file_event {
    int64_t asset_id;
    const char *root;
    const char *path; /* raw bytes */
    const char *name;
    const char *mime_type; /* NULL before it was typed */
    int64_t size_bytes;
    enum asset_state state; /* CONFIRMED, SKIPPED, FAILED ... */
    const char *file_id;    /* NULL where unknown; likewise the next three */
    const char *version;
    const char *cdn_url;
    const char *etag;
    int has_md5;
    unsigned char md5[16];
    int tries;
    int64_t duration_ms;     /* from claim to durable */
    const struct err *error; /* FAILED: why; SKIPPED: NULL */
};

/* Called on the loop thread; must return quickly. */
struct job_observer {
    void *user;
    void (*file)(void *user, const struct file_event *event);
    /* Something a person should know that is no file's end: a retry, a hold, a warning. */
    void (*notice)(void *user, const char *path, const struct err *error, int tries,
                   int64_t wait_ms);
    /* Once a tick; take a snapshot when it is time to draw. */
    void (*tick)(void *user, struct job *job);
};

#define SNAPSHOT_ACTIVE_MAX 64
struct active_file {
    const char *path; /* valid until the next tick */
    const char *step; /* "put", "confirm" ... */
    int64_t size_bytes;
    int64_t sent_bytes;
    int64_t bytes_per_s; /* of late; 0: not known yet */
    int64_t since_ms;    /* since its session was opened; before that, since it was claimed */
};

struct job_snapshot {
    int64_t now_ms; /* clock_now_ms() of this tick */
    int64_t elapsed_ms;
    int64_t sent_bytes;           /* by this run, on the wire to S3, resends included */
    int64_t stored_bytes;         /* by this run, of answered parts */
    int64_t files_done;           /* by this run: confirmed + skipped + failed */
    int64_t requests;             /* API requests of this run */
    int requests_in_window;       /* in the last RATE_WINDOW_MS */
    int request_ages[RATE_AGES];  /* of them, by full seconds */
    int64_t requests_since_books; /* that the books below may not show yet */
    int api_rate;                 /* 0: none */
    int64_t retries;
    int64_t held_ms;        /* how long a 429 still holds everybody back; 0: not held */
    int64_t budget_wait_ms; /* until the budget has room for a request, or that; 0: it has */
    int waiting[WAIT_COUNT];
    int puts_active;
    int put_limit; /* transfers allowed now */
    enum job_limit limit;
    int walking; /* the walk is still going on */
    int draining;
    int64_t limit_ms[JOB_LIMIT_COUNT]; /* how long each has been the limit */
    int64_t goodput_bytes_per_s;       /* smoothed, idle seconds too */
    int64_t capable_bytes_per_s;       /* what the way to S3 carries; 0: not known yet */
    int64_t connection_bytes_per_s;    /* what one transfer gets at best; 0: not known */
    int64_t unsent_bytes;              /* of all files that are known, what S3 did not get yet */
    int active_count;
    struct active_file active[SNAPSHOT_ACTIVE_MAX];
    struct journal_books books; /* durable counts at most a second old */
};
void job_snapshot(struct job *job, struct job_snapshot *out);

/* ---- running ------------------------------------------------------------------------------ */

enum job_stop {
    JOB_RUN,
    JOB_DRAIN,          /* start nothing new; finish or park what runs */
    JOB_DRAIN_DEADLINE, /* likewise, and abort what is left after DRAIN_DEADLINE_MS */
    JOB_ABORT,          /* abort transfers now; what is known is still committed */
};

/* Why job_run came back. */
enum job_end {
    JOB_COMPLETE,     /* nothing pending any more */
    JOB_END_STOPPED,  /* by job_stop */
    JOB_END_DURATION, /* --max-duration */
    JOB_END_TRANSFER, /* --max-transfer */
    JOB_END_ERRORS,   /* --max-errors */
    JOB_END_OUTAGE,   /* a temporary condition did not end */
    JOB_END_REFUSED,  /* credentials or permission: nothing was possible */
    JOB_END_CANARY,   /* the conflict setting does not do what it says */
    JOB_END_JOURNAL,  /* the journal cannot be written any more */
};

/* How long the exchanges of one step took that went well, in this run. */
struct step_time {
    const char *step; /* a literal */
    int64_t count;
    int64_t p50_us;
    int64_t p95_us;
    int64_t p99_us;
    int64_t most_us;
};
#define STEP_TIMES_MAX 4

struct job_result {
    enum job_end end;
    int64_t confirmed_now; /* files that this run confirmed */
    struct err error;      /* why, unless COMPLETE or STOPPED */
    struct journal_books books;
    struct job_snapshot last;
    int time_count;
    struct step_time times[STEP_TIMES_MAX]; /* request, put (each part), confirm */
};

/* Makes a job over an open journal (opened with job_wake as its wake, see job_journal_wake). */
int job_new(const struct job_options *options, const struct job_observer *observer,
            struct job **out, struct err *err) WARN_UNUSED;
void job_free(struct job *job);
/* What to hand to journal_open as wake; user is the job. Any thread. */
void job_wake(void *job);
/*
 * Runs to the end on this thread, with threads of its own for the walk, the workers and the
 * journal. 0 whenever a result could be formed (see result->end); negative for set-up failures.
 */
int job_run(struct job *job, struct journal *journal, struct job_result *result,
            struct err *err) WARN_UNUSED;
/* From any thread; a stronger stop replaces a weaker one. */
void job_stop(struct job *job, enum job_stop stop);

/*
 * Fetches a new token and caches it, whatever is cached already (pxload auth). Blocking.
 */
int job_authorize(const struct job_options *options, struct err *err) WARN_UNUSED;

/*
 * What a manifest's columns call the tenant's attributes: the label or, where that is not plain or
 * another's too, the id. Strings and array are malloc'ed. Asks for a token and the list, without
 * retries. Blocking, at most timeout_ms a call.
 */
int job_attribute_names(const struct job_options *options, char ***out_names, size_t *out_count,
                        struct err *err) WARN_UNUSED;

/* ---- probing (pxload doctor) -------------------------------------------------------------- */

/* What request-upload is told: large enough that a tenant shows its parts. Nothing is sent. */
#define PROBE_UPLOAD_BYTES (100ll * 1024 * 1024)
#define PROBE_UPLOAD_NAME  "pxload-doctor.bin"

/* One request, sent once, without retries. */
struct probe_call {
    int was_sent;
    struct err error; /* code ERR_NONE: it went well */
    int64_t took_ms;
};

struct probe_result {
    struct probe_call token;   /* not sent where there is only a ready token */
    struct probe_call regions; /* the region list, the GET that does least; needs a token */
    struct probe_call upload;  /* request-upload of PROBE_UPLOAD_NAME, never confirmed */
    int skew_known;
    int64_t skew_ms;      /* the server's Date less our clock; to the second */
    int64_t token_life_s; /* 0: not said */
    size_t region_count;
    char rate_limit[64]; /* X-RateLimit-Limit; empty: the server sent none */
    int is_conflict;     /* PXM has a file of the probe's name */
    int is_multipart;
    size_t part_count;  /* 0: no upload instructions (a conflict) */
    int64_t part_bytes; /* of the largest part */
    int64_t url_life_s; /* -1: the URL does not say */
};
/*
 * Asks the tenant at most three things. The token is fetched anew where there are id and secret,
 * and not cached. 0 whenever the calls could be made, however they ended. Blocking, at most
 * timeout_ms a call.
 */
int job_probe(const struct job_options *options, struct probe_result *out,
              struct err *err) WARN_UNUSED;

/* ---- verifying (pxload verify, --wait-processed) ------------------------------------------- */

/* X(symbol, name, advice) */
#define VERIFY_FINDINGS(X)                                                                      \
    X(MISSING, "missing", "pxload verify --repair queues it, pxload resume sends it again")     \
    X(DIFFERENT, "different_size",                                                              \
      "pxload verify --repair queues it, pxload resume sends it as a new version")              \
    X(DOUBLED, "doubled", "look at both files in PXM and delete the one that is not wanted")    \
    X(RENAMED, "renamed", "somebody renamed it in PXM; rename it back if that was a mistake")   \
    X(UNLINKED, "unlinked", "pxload verify --repair queues its links, pxload resume sets them") \
    X(UNPUBLISHED, "unpublished", "publish it in PXM; it was uploaded to be published")         \
    X(CONVERTING, "converting", "PXM is still working on it; verify again later")

enum verify_finding_kind {
#define X(sym, name, advice) VERIFY_##sym,
    VERIFY_FINDINGS(X)
#undef X
        VERIFY_FINDING_COUNT
};
const char *verify_finding_name(enum verify_finding_kind kind);
const char *verify_finding_advice(enum verify_finding_kind kind);

/* Strings are valid during the call. */
struct verify_finding {
    enum verify_finding_kind kind;
    const char *root;
    const char *path; /* raw bytes */
    const char *name; /* that pxload gave it */
    const char *file_id;
    const char *other_id; /* DOUBLED: of the other file; RENAMED: the name now; or NULL */
    int64_t local_bytes;
    int64_t pxm_bytes; /* -1: unknown */
};

struct verify_result {
    int64_t expected; /* files that PXM should have, by the books */
    int64_t planned;  /* likewise, counted at the end */
    int64_t checked;
    int64_t found[VERIFY_FINDING_COUNT];
    int64_t repaired;
    int64_t pages;
    int64_t requests;
};
struct verify_options {
    int repair;                /* queue what can be made right by sending or linking it again */
    int publish;               /* the files are to be published, but where a manifest says other */
    int64_t wait_processed_ms; /* how long to wait until nothing is converting; 0: not at all */
    void *user;
    /* A finding; NULL: they are counted alone. With wait_processed_ms it may come again. */
    void (*found)(void *user, const struct verify_finding *finding);
    int (*is_stopped)(void *user); /* polled; NULL: never */
    /* Several times a second: how far it is; the job is for job_snapshot. NULL: nobody looks. */
    void (*tick)(void *user, struct job *job, const struct verify_result *so_far);
};

/*
 * Compares what PXM has with the journal, which is open for writing; the job is new and is only
 * freed after this. By list pages, and one request for each file that they do not show. Blocking.
 * 0, -ERR_STOPPED, or what kept it from the answer.
 */
int job_verify(struct job *job, struct journal *journal, const struct verify_options *options,
               struct verify_result *result, struct err *err) WARN_UNUSED;

/*
 * fn with the id of each collection that a LINKED file was linked to: its folder's, then the
 * manifest's. 0, or fn's return. Any thread.
 */
int job_each_collection(const struct journal_row *row, int (*fn)(const char *id, void *user),
                        void *user) WARN_UNUSED;

/*
 * The walk alone: fills the journal and returns (plan, --dry-run). Blocking.
 */
int job_walk(const struct job_options *options, struct journal *journal,
             struct err *err) WARN_UNUSED;

#endif
