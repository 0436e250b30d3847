/* html_tables.c - see html_tables.h. Called by html.c. */
#include "report/html_tables.h"

#include <stdlib.h>
#include <string.h>

#include "report/text.h"

#define OPEN_MAX    50   /* a class with more failures is shown folded */
#define ISSUES_MAX  1000 /* rows; there are more in the CSV */
#define FOLDERS_ROW 600  /* rows, about */

/* ---- failures ---------------------------------------------------------------------------------
 */

static void put_class(struct gather *gather, enum err_code code, struct page *page)
{
    const struct failures *failures = &gather->failures;
    int64_t count = failures->count[code];
    int64_t listed = failures->listed[code];
    PAGE(page, "failure-class", PAGE_STRING("class", err_name(code)),
         PAGE_VALUE("count", COUNT, count), PAGE_STRING("advice", err_advice(code)),
         PAGE_STRING("open", count <= OPEN_MAX ? " open" : ""), PAGE_VALUE("shown", COUNT, listed));
    page_write(page, buf_str(&failures->rows[code]), failures->rows[code].len);
    page_put(page, "failure-class-end");
    if (listed < count)
        PAGE(page, "failure-more", PAGE_VALUE("more", COUNT, count - listed));
    page_put(page, "article-end");
}

/* Most failures first. */
static void put_classes(struct gather *gather, struct page *page)
{
    int done[ERR_COUNT] = {0};
    for (;;) {
        int most = -1;
        for (int code = 0; code < ERR_COUNT; code++)
            if (!done[code] && gather->failures.count[code] &&
                (most < 0 || gather->failures.count[code] > gather->failures.count[most]))
                most = code;
        if (most < 0)
            return;
        done[most] = 1;
        put_class(gather, (enum err_code)most, page);
    }
}

struct issues {
    struct page *page;
    int64_t listed;
};

static int put_issue(const char *path, enum err_code code, const char *text, void *user)
{
    struct issues *issues = user;
    if (issues->listed++ < ISSUES_MAX)
        PAGE(issues->page, "issue", PAGE_RAW_NAME("path", path),
             PAGE_RAW_NAME("text", text ? text : err_name(code)));
    return 0;
}

int html_failures(struct gather *gather, struct journal *journal, struct page *page,
                  struct err *err)
{
    int64_t failed = gather->totals.files.failed;
    struct issues issues = {.page = page};
    PAGE(page, "failures", PAGE_VALUE("count", COUNT, failed));
    if (!failed)
        page_put(page, "failures-none");
    put_classes(gather, page);
    int rc = 0;
    if (gather->tally.books.issues) {
        PAGE(page, "issues", PAGE_VALUE("count", COUNT, gather->tally.books.issues));
        rc = journal_each_issue(journal, put_issue, &issues, err);
        page_put(page, "table-end");
        if (issues.listed > ISSUES_MAX)
            PAGE(page, "issue-more", PAGE_VALUE("more", COUNT, issues.listed - ISSUES_MAX));
        page_put(page, "article-end");
    }
    page_put(page, "section-end");
    return rc;
}

/* ---- groups -----------------------------------------------------------------------------------
 */

static void put_group(struct page *page, const char *above, const char *name,
                      const struct outcome *outcome)
{
    const int64_t *files = outcome->files;
    PAGE(page, "group", PAGE_RAW_NAME("above", above), PAGE_RAW_NAME("name", name),
         PAGE_VALUE("files", COUNT, outcome_files(outcome)),
         PAGE_VALUE("files_n", NUMBER, outcome_files(outcome)),
         PAGE_VALUE("done", COUNT, files[OUTCOME_DONE]),
         PAGE_VALUE("done_n", NUMBER, files[OUTCOME_DONE]),
         PAGE_VALUE("skipped", COUNT, files[OUTCOME_SKIPPED]),
         PAGE_VALUE("skipped_n", NUMBER, files[OUTCOME_SKIPPED]),
         PAGE_STRING("tone", files[OUTCOME_FAILED] ? "bad" : "none"),
         PAGE_VALUE("failed", COUNT, files[OUTCOME_FAILED]),
         PAGE_VALUE("failed_n", NUMBER, files[OUTCOME_FAILED]),
         PAGE_VALUE("queued", COUNT, files[OUTCOME_QUEUED]),
         PAGE_VALUE("queued_n", NUMBER, files[OUTCOME_QUEUED]),
         PAGE_VALUE("bytes", SIZE, outcome_bytes(outcome)),
         PAGE_VALUE("bytes_n", NUMBER, outcome_bytes(outcome)));
}

static int put_folder(const struct subtotals *folders, int i, struct buf *path, struct page *page)
{
    const struct folder *item = &folders->items[i];
    buf_reset(path);
    if (item->parent < 0) {
        put_group(page, "", item->name, &item->all);
        return 0;
    }
    int rc = subtotals_path(folders, item->parent, path);
    if (rc)
        return rc;
    put_group(page, buf_str(path), item->name ? item->name : "(all other folders)", &item->all);
    return 0;
}

/* The largest folders right below the roots, where there are too many for one table. */
static int put_largest_folders(const struct subtotals *folders, struct buf *path, struct page *page)
{
    struct outcome others = {0};
    int64_t left = 0;
    int64_t least = INT64_MAX;
    int64_t shown = 0;
    int rc = 0;
    /* The size from which on they fit: by halving, as there is no need for an order. */
    for (int64_t low = 0, high = INT64_MAX; low < high;) {
        int64_t middle = low + (high - low) / 2;
        int64_t count = 0;
        for (int i = 0; i < folders->count; i++)
            count +=
                folders->items[i].depth == 1 && outcome_bytes(&folders->items[i].all) >= middle;
        if (count <= FOLDERS_ROW)
            high = least = middle;
        else
            low = middle + 1;
    }
    for (int i = 0; i < folders->count && !rc; i++) {
        const struct folder *item = &folders->items[i];
        if (item->depth == 0 ||
            (item->depth == 1 && outcome_bytes(&item->all) >= least && shown++ < FOLDERS_ROW)) {
            rc = put_folder(folders, i, path, page);
        } else if (item->depth == 1) {
            left++;
            outcome_add(&others, &item->all);
        }
    }
    char name[64];
    snprintf(name, sizeof name, "(%lld smaller folders)", (long long)left);
    put_group(page, "", name, &others);
    return rc;
}

static int put_folders(const struct gather *gather, struct page *page)
{
    const struct subtotals *folders = &gather->folders;
    int depth = subtotals_depth_of(folders, FOLDERS_ROW);
    int64_t wide = 0;
    for (int i = 0; i < folders->count; i++)
        wide += folders->items[i].depth <= 1;
    char note[160] = "Each folder with all that is below it.";
    if (folders->max_depth <= folders->deepest || depth < folders->deepest)
        snprintf(note, sizeof note,
                 "Each folder with all that is below it; those below level %d count in the ones "
                 "above.",
                 depth);
    PAGE(page, "groups", PAGE_STRING("id", "folders"), PAGE_STRING("what", "folders"),
         PAGE_STRING("title", "By folder"), PAGE_STRING("column", "Folder"),
         PAGE_STRING("note", note));
    struct buf path;
    buf_init(&path, TEXT_MAX_BYTES);
    int rc = 0;
    if (wide > FOLDERS_ROW + LIMIT_ROOTS)
        rc = put_largest_folders(folders, &path, page);
    else
        for (int i = -1; !rc && (i = subtotals_next(folders, i, depth)) >= 0;)
            rc = put_folder(folders, i, &path, page);
    buf_release(&path);
    page_put(page, "table-end");
    page_put(page, "section-end");
    return rc;
}

static void put_types(const struct gather *gather, struct page *page)
{
    const struct types *types = &gather->types;
    PAGE(page, "groups", PAGE_STRING("id", "types"), PAGE_STRING("what", "types"),
         PAGE_STRING("title", "By type"), PAGE_STRING("column", "MIME type"),
         PAGE_STRING("note", "Most bytes first. A file is given its type when it is read."));
    for (size_t i = 0; i < types->count; i++)
        put_group(page, "", *types->items[i].name ? types->items[i].name : "(not read yet)",
                  &types->items[i].outcome);
    if (outcome_files(&types->others))
        put_group(page, "", "(all others)", &types->others);
    page_put(page, "table-end");
    page_put(page, "section-end");
}

static int put_ranking(struct gather *gather, const struct ranking *ranking, struct page *page)
{
    for (size_t i = 0; i < ranking->count; i++) {
        const struct ranked *item = &ranking->items[i];
        const char *path = gather_path(gather, item->root, item->path);
        if (!path)
            return -ERR_NOMEM;
        int is_done = outcome_of(item->state) == OUTCOME_DONE;
        int64_t took_ms = item->took_ms > 0 ? item->took_ms : 1;
        int64_t speed = is_done ? text_scale(item->size_bytes, 1000, took_ms) : 0;
        PAGE(page, "ranked-row", PAGE_RAW_NAME("path", path),
             PAGE_VALUE("bytes", SIZE, item->size_bytes),
             PAGE_VALUE("bytes_n", NUMBER, item->size_bytes),
             is_done ? PAGE_VALUE("took", DURATION, took_ms) : PAGE_STRING("took", "-"),
             PAGE_VALUE("took_n", NUMBER, is_done ? took_ms : 0),
             is_done ? PAGE_VALUE("speed", SIZE, speed) : PAGE_STRING("speed", "-"),
             PAGE_VALUE("speed_n", NUMBER, speed),
             PAGE_STRING("state", asset_state_name(item->state)));
    }
    page_put(page, "table-end");
    page_put(page, "section-end");
    return 0;
}

int html_groups(struct gather *gather, struct page *page)
{
    int rc = put_folders(gather, page);
    if (rc)
        return rc;
    put_types(gather, page);
    PAGE(page, "ranked", PAGE_STRING("id", "largest"), PAGE_STRING("what", "the largest files"),
         PAGE_STRING("title", "Largest files"), PAGE_STRING("note", "Of all files, done or not."));
    rc = put_ranking(gather, &gather->largest, page);
    if (rc)
        return rc;
    PAGE(page, "ranked", PAGE_STRING("id", "slowest"), PAGE_STRING("what", "the slowest files"),
         PAGE_STRING("title", "Slowest files"),
         PAGE_STRING("note", "Of those in PXM, by the time from a file's turn to its "
                             "confirmation, all waiting included."));
    return put_ranking(gather, &gather->slowest, page);
}
