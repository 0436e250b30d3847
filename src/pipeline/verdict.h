/*
 * verdict.h - what a look-up by name says about a confirm. Pure functions; any thread.
 */
#ifndef PIPELINE_VERDICT_H
#define PIPELINE_VERDICT_H

#include "wire/wire.h"

enum verdict {
    VERDICT_APPLIED,    /* the file is there: confirmed */
    VERDICT_ABSENT,     /* it is not there, and the index has had its time: confirm again */
    VERDICT_NOT_YET,    /* not seen; a lagging index may still show it */
    VERDICT_SUPERSEDED, /* somebody else's file took the name: begin anew */
    VERDICT_UNKNOWN,    /* cannot be told from here */
};

struct verdict_about {
    const char *name;
    int64_t size_bytes;
    const char *conflict_id; /* the file that was to be replaced; NULL: a new one */
    int is_version;
    int is_uncounted;     /* of a file of ours: one version more does no harm */
    int is_resumed;       /* the intent is an earlier run's */
    int64_t former_bytes; /* of a resumed one: what the file had before; -1: not known */
    int64_t intent_ms;    /* the server's time: when the first confirm was about to be sent */
    /* The same; of a resumed one by the later of two clocks, as either may have been set since. */
    int64_t sure_ms;
    int64_t
        confirm_ms;   /* the latest that a confirm can have been: the index has its time from it */
    int64_t slack_ms; /* how far that may be off */
    int64_t now_ms;   /* the server's time */
    int64_t patience_ms;
};

/* A lost confirm: was it applied? *out_id is set with APPLIED (points into files). */
enum verdict verdict_resolve(const struct verdict_about *about, const struct wire_files *files,
                             const char **out_id);
/*
 * A canary: the file found under that name is still the one with conflict_id, and its size is
 * the new one (protocol page, Conflicts). APPLIED, NOT_YET, or UNKNOWN: it is not so.
 */
enum verdict verdict_canary(const struct verdict_about *about, const struct wire_files *files);
/* The id of the one file that is ours, NULL where none or several fit. */
const char *verdict_identify(const struct verdict_about *about, const struct wire_files *files);

#endif
