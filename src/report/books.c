/*
 * books.c - see report.h. Pure: sums the journal's counts and looks for contradictions.
 * Called by the summary, the plan, the status and the progress.
 */
#include "report/report.h"

#include <string.h>

/* Where each durable state stands in the equation. */
static int64_t *column(struct books_sum *sum, enum asset_state state)
{
    switch (state) {
    case ASSET_DISCOVERED:
    case ASSET_PREPARED:
    case ASSET_REQUESTED:
    case ASSET_STORED:
        return &sum->queued;
    case ASSET_CONFIRMED:
    case ASSET_LINKED:
    case ASSET_VERIFIED:
        return &sum->confirmed;
    case ASSET_SKIPPED:
        return &sum->skipped;
    case ASSET_FAILED:
        return &sum->failed;
    case ASSET_STATE_COUNT:
        break;
    }
    BUG_ON(1);
    return NULL;
}

static void sum_up(const int64_t by_state[ASSET_STATE_COUNT], int64_t excluded,
                   struct books_sum *out)
{
    *out = (struct books_sum){.excluded = excluded, .planned = excluded};
    for (int state = 0; state < ASSET_STATE_COUNT; state++) {
        *column(out, (enum asset_state)state) += by_state[state];
        out->planned += by_state[state];
    }
}

void books_totals(const struct journal_books *books, struct books_totals *out)
{
    sum_up(books->files, books->excluded_files, &out->files);
    sum_up(books->bytes, books->excluded_bytes, &out->bytes);
}

static int refuse(char out_why[BOOKS_WHY_MAX], const char *what, int64_t one, int64_t other)
{
    snprintf(out_why, BOOKS_WHY_MAX, "%s: %lld against %lld", what, (long long)one,
             (long long)other);
    return 0;
}

static int64_t sum_codes(const int64_t by_code[ERR_COUNT])
{
    int64_t sum = 0;
    for (int code = 0; code < ERR_COUNT; code++)
        sum += by_code[code];
    return sum;
}

/* The tallies that the journal keeps against what its rows say. */
static int counted_alike(const struct journal_books *books, const struct books_count *counted,
                         char out_why[BOOKS_WHY_MAX])
{
    char what[96];
    for (int state = 0; state < ASSET_STATE_COUNT; state++) {
        if (books->files[state] == counted->files[state])
            continue;
        snprintf(what, sizeof what, "files in state %s, tally and rows",
                 asset_state_name((enum asset_state)state));
        return refuse(out_why, what, books->files[state], counted->files[state]);
    }
    for (int code = 0; code < ERR_COUNT; code++) {
        if (books->failed_by_code[code] == counted->failed_by_code[code])
            continue;
        snprintf(what, sizeof what, "failures of class %s, tally and rows",
                 err_name((enum err_code)code));
        return refuse(out_why, what, books->failed_by_code[code], counted->failed_by_code[code]);
    }
    if (books->excluded_files != counted->excluded_files)
        return refuse(out_why, "excluded files, in all and by reason", books->excluded_files,
                      counted->excluded_files);
    return 1;
}

int books_balance(const struct journal_books *books, const struct books_count *counted,
                  int complete, char out_why[BOOKS_WHY_MAX])
{
    out_why[0] = '\0';
    for (int state = 0; state < ASSET_STATE_COUNT; state++)
        if (books->files[state] < 0 || books->bytes[state] < 0)
            return refuse(out_why, "a count below zero", books->files[state], 0);
    if (books->excluded_files < 0)
        return refuse(out_why, "a count below zero", books->excluded_files, 0);
    struct books_totals totals;
    books_totals(books, &totals);
    int64_t classes = sum_codes(books->failed_by_code);
    if (classes != totals.files.failed)
        return refuse(out_why, "failed files, in all and by class", totals.files.failed, classes);
    if (complete && totals.files.queued)
        return refuse(out_why, "files still queued after a complete run", totals.files.queued, 0);
    if (complete && books->unlinked_files)
        return refuse(out_why, "files not linked after a complete run", books->unlinked_files, 0);
    if (complete && !books->walk_complete) {
        snprintf(out_why, BOOKS_WHY_MAX, "the run is complete but its walk is not");
        return 0;
    }
    return counted ? counted_alike(books, counted, out_why) : 1;
}
