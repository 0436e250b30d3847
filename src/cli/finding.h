/*
 * finding.h - what `pxload doctor` says: one line, or one JSON object, for each check. Main
 * thread.
 */
#ifndef CLI_FINDING_H
#define CLI_FINDING_H

#include "base/err.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct findings {
    int json;
    int counts[FINDING_FAIL + 1];
};

/*
 * Says what a check found, and what to do where it is not well (advice NULL: nothing). `check` is
 * a word that scripts may rely on. Secrets are taken out.
 */
void finding_put(struct findings *findings, enum finding_level level, const char *check,
                 const char *advice, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* A failed call as a finding: its text, and its class's advice unless there is a better one. */
void finding_put_error(struct findings *findings, const char *check, const char *advice,
                       const struct err *error);

#endif
