/*
 * outcome.h - how files came out, in numbers: one of a group (a folder, a type). Pure.
 */
#ifndef REPORT_OUTCOME_H
#define REPORT_OUTCOME_H

#include "journal/journal.h"

enum outcome_kind { OUTCOME_DONE, OUTCOME_SKIPPED, OUTCOME_FAILED, OUTCOME_QUEUED, OUTCOME_KINDS };
enum outcome_kind outcome_of(enum asset_state state);

struct outcome {
    int64_t files[OUTCOME_KINDS];
    int64_t bytes[OUTCOME_KINDS];
};
void outcome_count(struct outcome *outcome, const struct journal_row *row);
void outcome_add(struct outcome *into, const struct outcome *more);
int64_t outcome_files(const struct outcome *outcome);
int64_t outcome_bytes(const struct outcome *outcome);

#endif
