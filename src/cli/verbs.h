/*
 * verbs.h - what pxload can be asked to do: one table from which the parser, the help texts, the
 * man page and the completions are made. Constant data, any thread.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include <stddef.h>

struct settings;

/*
 * X(symbol, name, synopsis, least and most positional arguments, what it does, examples)
 * The order is the one that help shows. Examples: one a line.
 */
#define VERBS(X)                                                                                   \
    X(PLAN, plan, "PATH...", 1, ARGS_ANY,                                                          \
      "say what an upload would do, or what is left of one, and how long it takes; uploads "       \
      "nothing",                                                                                   \
      "pxload plan /mnt/dam/export\n"                                                              \
      "pxload plan --exclude '*.psd' --api-rate 500 /mnt/dam/export\n")                            \
    X(UPLOAD, upload, "PATH...", 1, ARGS_ANY,                                                      \
      "upload files and folders; the same command again resumes by itself",                        \
      "pxload upload /mnt/dam/export\n"                                                            \
      "pxload upload --on-conflict version --publish --region EMEA photos/ videos/\n"              \
      "until pxload upload /mnt/dam/export; do sleep 60; done\n")                                  \
    X(RESUME, resume, "JOURNAL", 1, 1, "go on with a job; needs no PATH",                          \
      "pxload resume ~/.local/state/pxload/jobs/export-0123456789abcdef.journal\n"                 \
      "pxload resume --transfers 4 --bwlimit 10M nightly.journal\n")                               \
    X(RETRY, retry, "JOURNAL", 1, 1, "queue the failed files again, then go on with the job",      \
      "pxload retry nightly.journal\n"                                                             \
      "pxload retry --only name_collision nightly.journal\n")                                      \
    X(STATUS, status, "JOURNAL", 1, 1, "counts by state and error class; works beside a run",      \
      "pxload status nightly.journal\n"                                                            \
      "pxload status --json nightly.journal\n")                                                    \
    X(VERIFY, verify, "JOURNAL", 1, 1,                                                             \
      "compare PXM with the journal: missing, doubled, unlinked, still converting",                \
      "pxload verify nightly.journal\n"                                                            \
      "pxload verify --repair nightly.journal; pxload resume nightly.journal\n"                    \
      "pxload verify --wait-processed 2h nightly.journal\n")                                       \
    X(WATCH, watch, "JOURNAL", 1, 1,                                                               \
      "show a running job as its own terminal does, until it ends; then its status",               \
      "pxload watch nightly.journal\n")                                                            \
    X(JOBS, jobs, "list|clean", 1, 1, "list the journals in the state folder, or remove the done", \
      "pxload jobs list\n"                                                                         \
      "pxload jobs clean --dry-run\n")                                                             \
    X(REPORT, report, "JOURNAL", 1, 1,                                                             \
      "old path, file id, CDN URL, checksum, state and reason of every file",                      \
      "pxload report --format csv -o files.csv nightly.journal\n"                                  \
      "pxload report --format html -o report.html nightly.journal\n"                               \
      "pxload report --format nginx-map --map-prefix /media/ -o new.map nightly.journal\n")        \
    X(BENCH, bench, "", 0, 0,                                                                      \
      "measure the throughput with generated data, into a pxm-sim of its own or a tenant",         \
      "pxload bench\n"                                                                             \
      "pxload bench --files 20 --size 1G --part-concurrency 4 --json\n"                            \
      "pxload bench --base-url https://entapi.amplifi.io --into-tenant --files 50\n")              \
    X(MANIFEST, manifest, "PATH...", 1, ARGS_ANY,                                                  \
      "write a manifest to fill in: a row a file, a column for each attribute of the tenant",      \
      "pxload manifest --template /mnt/dam/export -o export.csv\n"                                 \
      "pxload upload --manifest export.csv /mnt/dam/export\n")                                     \
    X(DOCTOR, doctor, "", 0, 0,                                                                    \
      "check credentials, disk, network, clock and the tenant; one line each, with advice",        \
      "pxload doctor\n"                                                                            \
      "pxload doctor --profile staging --json\n")                                                  \
    X(AUTH, auth, "", 0, 0, "fetch a token and keep it for later runs", "pxload auth\n")           \
    X(ENV, env, "", 0, 0, "show the effective settings and where each comes from",                 \
      "pxload env\n"                                                                               \
      "pxload env --profile staging --json\n")                                                     \
    X(VERSION, version, "", 0, 0, "show the versions of pxload and its libraries",                 \
      "pxload version\n")                                                                          \
    X(HELP, help, "[VERB]", 0, 1, "show this help, or a verb's",                                   \
      "pxload help upload\n"                                                                       \
      "pxload help --format man | man -l -\n"                                                      \
      "source <(pxload help --format bash)\n")

#define ARGS_ANY (1 << 30)

enum verb {
#define X(sym, name, synopsis, min, max, does, examples) VERB_##sym,
    VERBS(X)
#undef X
        VERB_COUNT
};

/* An option's verbs are a set of these bits. */
#define VERB_BIT(sym) (1u << VERB_##sym)
#define VERB_ALL      ((1u << VERB_COUNT) - 1)

/* Runs a verb on loaded settings and returns the process's exit code (exit.h). */
typedef int verb_fn(struct settings *settings);

struct verb_row {
    const char *name;
    const char *synopsis;
    int min_args;
    int max_args;
    const char *does;
    const char *examples;
    verb_fn *run;
};

const struct verb_row *verb_row(enum verb verb);
/* VERB_COUNT where there is none of that name. */
enum verb verb_by_name(const char *name);
/* The verb most like a mistyped one, NULL where none is. */
const char *verb_nearest(const char *name);

#endif
