/*
 * report.h - the face of report/: what a person or a script sees of a job. Watches a run through
 * the pipeline's observer and snapshots, reads the journal through its reading calls, decides
 * nothing. stdout gets results alone, stderr logs and progress.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdio.h>

#include "pipeline/pipeline.h"

/* ---- watching a run --------------------------------------------------------------------- */

enum progress_mode {
    PROGRESS_AUTO,  /* a block on a terminal, lines elsewhere; with json no lines */
    PROGRESS_BLOCK, /* a block where stderr is a terminal that can do it, else lines */
    PROGRESS_LINES,
    PROGRESS_NONE,
};

#define REPORTER_STATS_MS 60000

struct reporter_options {
    int json; /* one object a line on out: status, file, error, summary */
    enum progress_mode progress;
    int64_t stats_ms;         /* between two lines or status objects; 0: REPORTER_STATS_MS */
    int quiet;                /* no progress of either kind */
    int color;                /* allowed by the caller; NO_COLOR in the environment still forbids */
    int title;                /* percent and ETA in the terminal's title */
    const char *metrics_file; /* Prometheus' text format, replaced at each stats_ms; NULL: none */
    const char *metrics_job;  /* its label for this job */
    FILE *out;                /* NULL: stdout */
    FILE *err;                /* NULL: stderr */
};

struct reporter;

/*
 * Takes over the log's stderr lines (log_set_sink) where it draws a block, until finish.
 * 0 or -ERR_NOMEM. One reporter a run.
 */
int reporter_new(const struct reporter_options *options, struct reporter **out,
                 struct err *err) WARN_UNUSED;
/* Finishes it where that was not done. NULL is allowed. */
void reporter_free(struct reporter *reporter);
/* What to hand to job_new; valid until reporter_free. Its calls come on the loop thread. */
const struct job_observer *reporter_observer(struct reporter *reporter);
/* Removes the block, gives the log its stderr back, flushes out. Before summary_print. */
void reporter_finish(struct reporter *reporter);
/* One line about the run to stderr now, whatever the progress mode. Loop thread. */
void reporter_status_line(struct reporter *reporter, const struct job_snapshot *snapshot);
/* The run is over: the last numbers into the metrics file, where there is one. */
void reporter_end_metrics(struct reporter *reporter, const struct job_result *result);
/* Asks for that line at the next tick; async-signal-safe, for SIGUSR1. */
void reporter_ask_status(struct reporter *reporter);

/* ---- the books --------------------------------------------------------------------------- */

/*
 * planned = confirmed + skipped + failed + excluded + queued; queued is what an interrupted run
 * left in the journal and 0 after a complete one. Confirmed counts what came after it (linked,
 * verified) too.
 */
struct books_sum {
    int64_t planned;
    int64_t confirmed;
    int64_t skipped;
    int64_t failed;
    int64_t excluded;
    int64_t queued;
};
struct books_totals {
    struct books_sum files;
    struct books_sum bytes;
};
void books_totals(const struct journal_books *books, struct books_totals *out);

/* The same numbers counted row by row, apart from the journal's own tallies. */
struct books_count {
    int64_t files[ASSET_STATE_COUNT];
    int64_t failed_by_code[ERR_COUNT];
    int64_t excluded_files;
    int64_t excluded_bytes;
};

#define BOOKS_WHY_MAX 256
/*
 * 1 where the books balance, else 0 and the first contradiction in out_why. counted: NULL checks
 * the books against themselves alone. complete: the run says that nothing is pending any more.
 */
int books_balance(const struct journal_books *books, const struct books_count *counted,
                  int complete, char out_why[BOOKS_WHY_MAX]);

/* ---- the end of a run ---------------------------------------------------------------------- */

struct summary;
/*
 * Reads all rows once: counts, and example paths by failure class. complete as above (the run
 * ended JOB_COMPLETE). The journal must not change meanwhile. 0, -ERR_NOMEM, -ERR_JOURNAL.
 */
int summary_new(struct journal *journal, int complete, struct summary **out,
                struct err *err) WARN_UNUSED;
void summary_free(struct summary *summary);
/* Whether the books balance; *out_why (may be NULL) is "" or says why not, the summary's. The
 * caller turns a 0 into an exit code other than 0. */
int summary_balanced(const struct summary *summary, const char **out_why);
const struct journal_books *summary_books(const struct summary *summary);

struct summary_options {
    const struct job_result *result; /* NULL: nothing ran, the journal's books alone */
    int exit_code;
    const char *journal; /* its path */
    int json;            /* one summary object instead of the text */
    int quiet;           /* no text where exit_code is 0; json is printed all the same */
};
/* 0 or -ERR_IO. Call after reporter_finish. */
int summary_print(const struct summary *summary, const struct summary_options *options, FILE *out,
                  struct err *err) WARN_UNUSED;

/* ---- reports from a journal, at any time ------------------------------------------------------
 */

/*
 * Whether files' public URLs can be made by this pattern: https, and in it any of {file_id},
 * {file_name} (as PXM has it), {path} (below the job's PATH) and {version}, each filled in
 * percent-encoded. 0 or -ERR_USAGE, the text being the reason alone.
 */
int report_check_cdn_url(const char *pattern, struct err *err) WARN_UNUSED;

enum rows_format { ROWS_CSV, ROWS_NDJSON };
struct rows_options {
    enum rows_format format;
    const char *cdn_url; /* the pattern for files whose URL PXM did not say; NULL: none */
};
/*
 * Every row, then issues, then what was excluded by reason; streaming, memory does not grow with
 * the rows. The columns are described in rows.c. 0, -ERR_IO, -ERR_NOMEM, -ERR_JOURNAL.
 */
int rows_print(struct journal *journal, const struct rows_options *options, FILE *out,
               struct err *err) WARN_UNUSED;

struct map_options {
    int is_nginx;        /* the inside of nginx's map block; else CSV with percent-encoded paths */
    const char *prefix;  /* what stands before the path below the job's PATH in an old address */
    const char *cdn_url; /* the pattern for files whose URL PXM did not say; NULL: none */
};
struct map_result {
    int64_t mapped;
    int64_t left_out; /* files without a public URL: not in PXM, or nobody said where */
    int64_t doubled;  /* in nginx's: old addresses that stood there already */
    int64_t too_long; /* likewise, for its configuration */
};
/*
 * Where each old path is now. *out_result is written in every case. 0, -ERR_USAGE (no file has a
 * URL; a prefix that nginx cannot meet), -ERR_IO, -ERR_NOMEM, -ERR_JOURNAL.
 */
int map_print(struct journal *journal, const struct map_options *options,
              struct map_result *out_result, FILE *out, struct err *err) WARN_UNUSED;

struct html_setting {
    char *name; /* of an option */
    char *value;
};
struct html_options {
    int running; /* another process works on the journal now */
    int64_t now_wall_ms;
    const char *title;        /* what the job is called */
    const char *destination;  /* where PXM is; NULL: not known */
    const char *const *roots; /* the job's PATHs */
    size_t root_count;
    const struct html_setting *settings; /* what the job was told */
    size_t setting_count;
};
/*
 * One HTML page for people, complete in itself: less than 10 MB whatever the rows, as details are
 * bounded and what goes beyond is summed up. 0, -ERR_IO, -ERR_NOMEM, -ERR_JOURNAL.
 */
int html_print(struct journal *journal, const struct html_options *options, FILE *out,
               struct err *err) WARN_UNUSED;

/* ---- what a verification found ----------------------------------------------------------------
 */

struct verify_report {
    FILE *out;
    int json;         /* a file object a finding, then a summary object */
    int quiet;        /* no progress */
    int64_t stats_ms; /* between lines where stderr is no terminal */
    /* its own */
    struct progress *progress;
    int64_t next_ms;
};
/* Progress on stderr, and the log above it, from here to verify_report_done. 0 or -ERR_NOMEM. */
int verify_report_begin(struct verify_report *report, struct err *err) WARN_UNUSED;
void verify_report_done(struct verify_report *report);
/* For struct verify_options; user is a struct verify_report. */
void verify_report_found(void *user, const struct verify_finding *finding);
void verify_report_tick(void *user, struct job *job, const struct verify_result *so_far);
/* For struct job_observer: a try that failed and what follows. */
void verify_report_notice(void *user, const char *path, const struct err *error, int tries,
                          int64_t wait_ms);
/* 0 or -ERR_IO, also for what was printed before. */
int verify_report_end(const struct verify_report *report, const struct verify_result *result,
                      const char *journal, int exit_code, struct err *err) WARN_UNUSED;

struct status_options {
    int running; /* another process works on the journal now (its lock is taken) */
    int json;
    int64_t now_wall_ms; /* clock_wall_ms() */
};
/* Counts by state and class, rate and ETA. 0, -ERR_IO, -ERR_NOMEM, -ERR_JOURNAL. */
int status_print(struct journal *journal, const struct status_options *options, FILE *out,
                 struct err *err) WARN_UNUSED;

/* ---- bench ------------------------------------------------------------------------------- */

struct bench_options {
    const char *target;          /* a tenant's URL; NULL: a pxm-sim on this machine */
    int64_t size_bytes;          /* of each file */
    int files;                   /* that were to be sent */
    int transfers;               /* as they were asked for; 0: auto */
    int64_t bwlimit_bytes_per_s; /* likewise; 0: none */
    int cores;                   /* of this machine; 0: not known */
    int64_t cpu_ms;              /* that pxload used, and the pxm-sim on this machine */
    int64_t sim_cpu_ms;
    int json; /* one bench object instead of the text */
};
/* The throughput of a run, what limited it and what to change. 0, -ERR_IO, -ERR_NOMEM. */
int bench_print(const struct job_result *result, const struct bench_options *options, FILE *out,
                struct err *err) WARN_UNUSED;
/* The limit that held longest, the start left aside unless there was nothing else. */
enum job_limit bench_limit(const int64_t limit_ms[JOB_LIMIT_COUNT]);

struct watch_options {
    int64_t stats_ms; /* between two lines where stderr is no terminal; 0: REPORTER_STATS_MS */
    int quiet;        /* only wait */
};
/*
 * Shows the run that works on a journal, a block on a terminal and lines elsewhere, until it ends;
 * returns at once where none does. 0, -ERR_NOMEM, -ERR_JOURNAL.
 */
int watch_print(const char *path, const struct watch_options *options, struct err *err) WARN_UNUSED;

/* ---- plan ---------------------------------------------------------------------------------------
 */

/* What is read at most to tell true duplicates from other files of one name. */
#define PLAN_COMPARE_BYTES (16ll << 30)

struct plan_options {
    int api_rate; /* requests per RATE_WINDOW_MS; 0: none */
    int transfers;
    int64_t bwlimit_bytes_per_s; /* 0: not known; the plan then shows some usual bandwidths */
    enum conflict_policy on_conflict;
    enum map_folders map_folders;
    int has_regions;       /* --region is given: one request to list them */
    int has_parent;        /* --parent-category is given: one request to look it up */
    int manifest_lists;    /* of the tenant's attributes, collections, regions: what it names */
    int copy_links;        /* as the walk had it, for opening files to compare */
    int64_t compare_bytes; /* 0: PLAN_COMPARE_BYTES; negative: compare nothing */
    int json;              /* collisions as error objects, then one summary object */
};
/*
 * After job_walk: what an upload of this journal's pending files needs, and what stands in its
 * way. Reads colliding files of equal size. 0, -ERR_IO, -ERR_NOMEM, -ERR_JOURNAL.
 */
int plan_print(struct journal *journal, const struct plan_options *options, FILE *out,
               struct err *err) WARN_UNUSED;

#endif
