/* gather.c - see gather.h. Called by html.c. */
#include "report/gather.h"

#include <string.h>

#include "report/text.h"

const char *gather_path(struct gather *gather, const char *root, const char *path)
{
    if (!gather->full_paths)
        return *path ? path : text_base_name(root);
    return text_source(root, path, &gather->source) ? NULL : buf_str(&gather->source);
}

static int on_row(const struct journal_row *row, void *user)
{
    struct gather *gather = user;
    if (!tally_is_current(&gather->tally, row))
        return 0;
    types_add(&gather->types, row);
    int rc = subtotals_add(&gather->folders, row);
    if (!rc)
        rc = ranking_add(&gather->largest, row->stamp.size_bytes, row);
    if (!rc && outcome_of(row->state) == OUTCOME_DONE)
        rc = ranking_add(&gather->slowest, row->took_ms, row);
    if (rc || row->state != ASSET_FAILED)
        return rc;
    const char *path = gather_path(gather, row->root, row->path);
    return path ? failures_add(&gather->failures, gather->page, row, path) : -ERR_NOMEM;
}

int gather_read(struct gather *gather, struct journal *journal, struct page *page, int full_paths,
                struct err *err)
{
    *gather = (struct gather){.page = page, .full_paths = full_paths};
    struct journal_books books;
    buf_init(&gather->source, TEXT_MAX_BYTES);
    int rc = journal_read_books(journal, &books, err);
    if (rc)
        return rc;
    failures_init(&gather->failures, &books);
    rc = subtotals_init(&gather->folders);
    if (!rc)
        rc = tally_read(&gather->tally, journal, on_row, gather, err);
    if (!rc)
        rc = timeline_read(&gather->timeline, journal, err);
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for the report");
    if (rc)
        return rc;
    books_totals(&gather->tally.books, &gather->totals);
    subtotals_finish(&gather->folders);
    types_sort(&gather->types);
    return 0;
}

void gather_release(struct gather *gather)
{
    tally_release(&gather->tally);
    failures_release(&gather->failures);
    subtotals_release(&gather->folders);
    ranking_release(&gather->largest);
    ranking_release(&gather->slowest);
    buf_release(&gather->source);
}
