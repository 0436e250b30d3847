/* outcome.c - see outcome.h. Called by subtotals.c, types.c and html.c. */
#include "report/outcome.h"

enum outcome_kind outcome_of(enum asset_state state)
{
    switch (state) {
    case ASSET_CONFIRMED:
    case ASSET_LINKED:
    case ASSET_VERIFIED:
        return OUTCOME_DONE;
    case ASSET_SKIPPED:
        return OUTCOME_SKIPPED;
    case ASSET_FAILED:
        return OUTCOME_FAILED;
    case ASSET_DISCOVERED:
    case ASSET_PREPARED:
    case ASSET_REQUESTED:
    case ASSET_STORED:
    case ASSET_STATE_COUNT:
        break;
    }
    return OUTCOME_QUEUED;
}

void outcome_count(struct outcome *outcome, const struct journal_row *row)
{
    enum outcome_kind kind = outcome_of(row->state);
    outcome->files[kind]++;
    outcome->bytes[kind] += row->stamp.size_bytes;
}

void outcome_add(struct outcome *into, const struct outcome *more)
{
    for (int kind = 0; kind < OUTCOME_KINDS; kind++) {
        into->files[kind] += more->files[kind];
        into->bytes[kind] += more->bytes[kind];
    }
}

static int64_t sum(const int64_t numbers[OUTCOME_KINDS])
{
    int64_t all = 0;
    for (int kind = 0; kind < OUTCOME_KINDS; kind++)
        all += numbers[kind];
    return all;
}

int64_t outcome_files(const struct outcome *outcome)
{
    return sum(outcome->files);
}

int64_t outcome_bytes(const struct outcome *outcome)
{
    return sum(outcome->bytes);
}
