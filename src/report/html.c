/*
 * html.c - report --format html, see report.h: the page from top to bottom. What it shows was
 * gathered before the first byte is written. Its markup is in html/page.html.
 */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "report/assets.h"
#include "report/chart.h"
#include "report/gather.h"
#include "report/html_tables.h"
#include "report/text.h"

#define BAR_WIDTH 1000 /* of the viewBox */

struct html {
    const struct html_options *options;
    const char *journal;
    struct gather gather;
    struct page page;
};

/* ---- the top ----------------------------------------------------------------------------------
 */

static int put_head(struct html *html, struct err *err)
{
    struct page *page = &html->page;
    char style[PAGE_HASH_MAX];
    char script[PAGE_HASH_MAX];
    if (page_hash(asset_style, style) || page_hash(asset_script, script))
        return err_set(err, ERR_INTERNAL, "OpenSSL has no SHA-256");
    PAGE(page, "head", PAGE_STRING("style_hash", style), PAGE_STRING("script_hash", script),
         PAGE_STRING("version", PXLOAD_VERSION), PAGE_RAW_NAME("title", html->options->title));
    page_write(page, "<style>", 7);
    page_asset(page, asset_style);
    page_write(page, "</style>\n", 9);
    return 0;
}

static void put_about(struct html *html)
{
    const struct html_options *options = html->options;
    struct page *page = &html->page;
    int64_t begun =
        html->gather.timeline.stretch_count ? html->gather.timeline.stretches[0].from_ms : 0;
    PAGE(page, "header", PAGE_RAW_NAME("title", options->title));
    for (size_t i = 0; i < options->root_count; i++)
        PAGE(page, "about", PAGE_STRING("name", "From"), PAGE_RAW_NAME("value", options->roots[i]));
    if (options->destination)
        PAGE(page, "about", PAGE_STRING("name", "To"),
             PAGE_RAW_NAME("value", options->destination));
    if (begun)
        PAGE(page, "about", PAGE_STRING("name", "Begun (UTC)"), PAGE_VALUE("value", TIME, begun));
    PAGE(page, "about", PAGE_STRING("name", "Walks over the folders"),
         PAGE_VALUE("value", COUNT, html->gather.tally.books.wave));
    PAGE(page, "about", PAGE_STRING("name", "This report (UTC)"),
         PAGE_VALUE("value", TIME, options->now_wall_ms));
    page_put(page, "header-end");
}

static void put_verdict(struct html *html, const char *tone, const char *word, const char *text)
{
    PAGE(&html->page, "result", PAGE_STRING("tone", tone), PAGE_STRING("word", word),
         PAGE_STRING("text", text));
}

/* The one thing that a reader wants to know first. */
static void put_result(struct html *html)
{
    const struct journal_books *books = &html->gather.tally.books;
    const struct books_sum *files = &html->gather.totals.files;
    char why[BOOKS_WHY_MAX];
    char text[BOOKS_WHY_MAX + 128];
    int complete = books->walk_complete && !files->queued && !html->options->running;
    if (!books_balance(books, &html->gather.tally.count, complete, why)) {
        snprintf(text, sizeof text, "The journal contradicts itself: %s.", why);
        put_verdict(html, "alarm", "The books do not balance", text);
    } else if (html->options->running) {
        put_verdict(html, "busy", "Running",
                    "A run works on this job now; this is how it stood when the report was made.");
    } else if (!complete) {
        put_verdict(html, "warn", "Not finished",
                    books->walk_complete ? "Files are waiting; no run works on them now."
                                         : "The walk over the folders has not come to its end, so "
                                           "there may be more files.");
    } else if (!files->planned) {
        put_verdict(html, "warn", "Nothing to do", "The walk found no file.");
    } else if (files->failed) {
        put_verdict(html, "warn", "Finished, with failures",
                    "Every planned file is accounted for; those that failed are listed below, "
                    "with what to do about each.");
    } else if (books->issues) {
        put_verdict(html, "warn", "Finished, but not all could be read",
                    "Some folders or files could not be looked into; they are listed below.");
    } else {
        put_verdict(html, "good", "Complete",
                    "Every planned file is accounted for: in PXM, or left out by the rules.");
    }
}

static int put_todo(struct html *html)
{
    const struct books_sum *files = &html->gather.totals.files;
    if (html->options->running || (!files->queued && !files->failed))
        return 0;
    struct buf command;
    buf_init(&command, TEXT_MAX_BYTES);
    int rc = buf_puts(&command, files->queued ? "pxload resume " : "pxload retry ");
    if (!rc)
        rc = text_shell(html->journal, &command);
    if (!rc)
        PAGE(&html->page, "todo",
             PAGE_STRING("what", files->queued ? "To go on:" : "To try the failed files again:"),
             PAGE_RAW_NAME("command", buf_str(&command)));
    buf_release(&command);
    return rc;
}

static void put_tiles(struct html *html)
{
    const struct gather *gather = &html->gather;
    const struct books_sum *files = &gather->totals.files;
    const struct books_sum *bytes = &gather->totals.bytes;
    const struct timeline *timeline = &gather->timeline;
    const int64_t *sums = timeline->sums;
    int64_t wanted = files->planned - files->excluded - files->skipped;
    int64_t ended = sums[HISTORY_CONFIRMED] + sums[HISTORY_SKIPPED] + sums[HISTORY_FAILED];
    int64_t ran_ms = sums[HISTORY_RUN_MS] ? sums[HISTORY_RUN_MS] : 1;
    char percent[16];
    char periods[48];
    snprintf(percent, sizeof percent, "%d%%", text_percent(files->confirmed, wanted));
    snprintf(periods, sizeof periods, "in %d period%s", timeline->stretch_count,
             timeline->stretch_count == 1 ? "" : "s");
    PAGE(&html->page, "tiles", PAGE_VALUE("done", COUNT, files->confirmed),
         PAGE_VALUE("wanted", COUNT, wanted), PAGE_STRING("done_percent", percent),
         PAGE_VALUE("done_bytes", SIZE, bytes->confirmed),
         PAGE_VALUE("wanted_bytes", SIZE, bytes->planned - bytes->excluded - bytes->skipped),
         PAGE_VALUE("failed", COUNT, files->failed),
         PAGE_STRING("failed_tone", files->failed ? "bad" : ""),
         PAGE_STRING("failed_note", files->failed ? "see what to do below" : "no file"),
         PAGE_VALUE("ran", DURATION, sums[HISTORY_RUN_MS] / 1000 * 1000),
         PAGE_STRING("ran_note", periods),
         PAGE_VALUE("pace", COUNT, text_scale(ended, 60000, ran_ms)),
         PAGE_VALUE("speed", SIZE, text_scale(sums[HISTORY_SENT_BYTES], 1000, ran_ms)),
         PAGE_VALUE("requests", COUNT, sums[HISTORY_REQUESTS]),
         PAGE_VALUE("requests_each", TENTHS,
                    ended ? text_scale(sums[HISTORY_REQUESTS], 10, ended) : 0),
         PAGE_VALUE("retries", COUNT, sums[HISTORY_RETRIES]));
}

/* ---- the books --------------------------------------------------------------------------------
 */

struct book {
    const char *kind;
    const char *name;
    const char *text;
    int64_t files;
    int64_t bytes;
};

/* Thousandths; a part that is there at all is to be seen. */
static int64_t share_of(int64_t part, int64_t all)
{
    int64_t share = all ? text_scale(part, BAR_WIDTH, all) : 0;
    return part && !share ? 1 : share;
}

static void put_bar(struct html *html, const struct book books[5], int64_t planned)
{
    char waiting[48] = "";
    int64_t widths[5];
    int64_t left = BAR_WIDTH;
    for (int i = 4; i >= 1; i--) {
        widths[i] = share_of(books[i].files, planned);
        left -= widths[i];
    }
    /* The first takes what is left, so that the bar is full. */
    widths[0] = books[0].files ? left : 0;
    int64_t x = widths[0];
    if (books[4].files)
        snprintf(waiting, sizeof waiting, " + %lld waiting", (long long)books[4].files);
    PAGE(&html->page, "books", PAGE_VALUE("planned", COUNT, planned),
         PAGE_VALUE("done", COUNT, books[0].files), PAGE_VALUE("skipped", COUNT, books[1].files),
         PAGE_VALUE("failed", COUNT, books[2].files), PAGE_VALUE("excluded", COUNT, books[3].files),
         PAGE_STRING("waiting", waiting), PAGE_VALUE("done_w", NUMBER, widths[0]),
         PAGE_VALUE("skipped_x", NUMBER, x), PAGE_VALUE("skipped_w", NUMBER, widths[1]),
         PAGE_VALUE("failed_x", NUMBER, x += widths[1]), PAGE_VALUE("failed_w", NUMBER, widths[2]),
         PAGE_VALUE("excluded_x", NUMBER, x += widths[2]),
         PAGE_VALUE("excluded_w", NUMBER, widths[3]),
         PAGE_VALUE("queued_x", NUMBER, x += widths[3]), PAGE_VALUE("queued_w", NUMBER, widths[4]));
}

static void put_book(struct html *html, const struct book *book, int64_t planned)
{
    char share[32];
    int64_t tenths = planned ? text_scale(book->files, 1000, planned) : 0;
    snprintf(share, sizeof share, "%lld.%lld%%", (long long)(tenths / 10),
             (long long)(tenths % 10));
    PAGE(&html->page, "book", PAGE_STRING("kind", book->kind), PAGE_STRING("name", book->name),
         PAGE_VALUE("files", COUNT, book->files), PAGE_STRING("share", share),
         PAGE_VALUE("bytes", SIZE, book->bytes), PAGE_STRING("text", book->text));
}

static void put_excluded(struct html *html)
{
    const struct tally *tally = &html->gather.tally;
    if (!tally->reason_count)
        return;
    page_put(&html->page, "excluded");
    for (size_t i = 0; i < tally->reason_count; i++)
        PAGE(&html->page, "excluded-row", PAGE_STRING("reason", tally->reasons[i].name),
             PAGE_VALUE("files", COUNT, tally->reasons[i].files),
             PAGE_VALUE("bytes", SIZE, tally->reasons[i].bytes));
    page_put(&html->page, "table-end");
}

static void put_books(struct html *html)
{
    const struct books_sum *files = &html->gather.totals.files;
    const struct books_sum *bytes = &html->gather.totals.bytes;
    const struct book books[5] = {
        {"done", "In PXM", "uploaded and confirmed by PXM", files->confirmed, bytes->confirmed},
        {"skipped", "Skipped", "PXM had a file of that name, and the job was told to leave it",
         files->skipped, bytes->skipped},
        {"failed", "Failed", "not in PXM by this job; see why below", files->failed, bytes->failed},
        {"excluded", "Excluded", "left out by the rules, or never a file to upload",
         files->excluded, bytes->excluded},
        {"queued", "Waiting", "still to be uploaded", files->queued, bytes->queued},
    };
    put_bar(html, books, files->planned);
    for (int i = 0; i < 5; i++)
        if (i < 4 || books[i].files)
            put_book(html, &books[i], files->planned);
    PAGE(&html->page, "books-end", PAGE_VALUE("files", COUNT, files->planned),
         PAGE_VALUE("bytes", SIZE, bytes->planned));
    put_excluded(html);
    page_put(&html->page, "section-end");
}

/* ---- over time --------------------------------------------------------------------------------
 */

static int put_chart(struct html *html, const char *title, const char *note,
                     const struct chart *chart)
{
    struct buf svg;
    buf_init(&svg, CHART_MAX_BYTES);
    int rc = chart ? chart_values(&html->gather.timeline, chart, &svg)
                   : chart_limits(&html->gather.timeline, &svg);
    if (!rc) {
        PAGE(&html->page, "chart", PAGE_STRING("title", title), PAGE_STRING("note", note));
        page_write(&html->page, svg.data, svg.len);
        page_put(&html->page, "chart-end");
    }
    buf_release(&svg);
    return rc;
}

static void put_legend(struct html *html)
{
    const int64_t *sums = html->gather.timeline.sums;
    page_put(&html->page, "legend");
    for (int n = 0; n < CHART_LIMITS; n++) {
        char class_no[8];
        char share[8];
        snprintf(class_no, sizeof class_no, "%d", n);
        snprintf(share, sizeof share, "%d%%",
                 sums[HISTORY_RUN_MS]
                     ? text_percent(sums[chart_limit_measure(n)], sums[HISTORY_RUN_MS])
                     : 0);
        PAGE(&html->page, "legend-item", PAGE_STRING("n", class_no),
             PAGE_STRING("name", chart_limit_name(n)), PAGE_STRING("share", share));
    }
    page_put(&html->page, "legend-end");
}

static void put_stretches(struct html *html)
{
    const struct timeline *timeline = &html->gather.timeline;
    page_put(&html->page, "stretches");
    for (int n = 0; n < timeline->stretch_count; n++) {
        const struct stretch *stretch = &timeline->stretches[n];
        const int64_t *sums = stretch->sums;
        PAGE(&html->page, "stretch", PAGE_VALUE("from", TIME, stretch->from_ms),
             PAGE_VALUE("to", TIME, stretch->to_ms),
             PAGE_VALUE("ran", DURATION, sums[HISTORY_RUN_MS] / 1000 * 1000),
             PAGE_VALUE("done", COUNT, sums[HISTORY_CONFIRMED]),
             PAGE_VALUE("skipped", COUNT, sums[HISTORY_SKIPPED]),
             PAGE_VALUE("failed", COUNT, sums[HISTORY_FAILED]),
             PAGE_VALUE("sent", SIZE, sums[HISTORY_SENT_BYTES]),
             PAGE_VALUE("requests", COUNT, sums[HISTORY_REQUESTS]),
             PAGE_VALUE("retries", COUNT, sums[HISTORY_RETRIES]));
    }
    page_put(&html->page, "table-end");
}

static int put_time(struct html *html)
{
    static const struct chart files = {"Files per minute over time", " files per minute",
                                       CHART_COUNT, timeline_files, NULL};
    static const struct chart bytes = {"Data rate to S3 over time", " per second", CHART_BYTES,
                                       timeline_bytes, NULL};
    int has_budget = timeline_has_budget(&html->gather.timeline);
    struct chart requests = {"API requests over time, and the budget", " requests in 60 s",
                             CHART_COUNT, timeline_requests, has_budget ? timeline_budget : NULL};
    page_put(&html->page, "time");
    if (!html->gather.timeline.stretch_count) {
        page_put(&html->page, "time-none");
        page_put(&html->page, "section-end");
        return 0;
    }
    int rc = put_chart(html, "Files per minute", "that came to their end", &files);
    if (!rc)
        rc = put_chart(html, "Data to S3 per second", "resends included", &bytes);
    if (!rc)
        rc = put_chart(html, "API requests in 60 seconds",
                       has_budget ? "dashed: the budget that the job was given"
                                  : "the job was given no budget",
                       &requests);
    if (!rc)
        rc = put_chart(html, "What limited the run", "share of the time at work", NULL);
    if (rc)
        return rc;
    put_legend(html);
    put_stretches(html);
    page_put(&html->page, "section-end");
    return 0;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

static void put_settings(struct html *html)
{
    page_put(&html->page, "settings");
    for (size_t i = 0; i < html->options->setting_count; i++)
        PAGE(&html->page, "setting", PAGE_STRING("name", html->options->settings[i].name),
             PAGE_RAW_NAME("value", html->options->settings[i].value));
    page_put(&html->page, "table-end");
    page_put(&html->page, "section-end");
}

static void put_foot(struct html *html)
{
    struct page *page = &html->page;
    PAGE(page, "foot", PAGE_VALUE("now", TIME, html->options->now_wall_ms),
         PAGE_STRING("version", PXLOAD_VERSION), PAGE_RAW_NAME("journal", html->journal));
    page_write(page, "<script>", 8);
    page_asset(page, asset_script);
    page_write(page, "</script>\n", 10);
    page_put(page, "end");
}

static int put_page(struct html *html, struct journal *journal, struct err *err)
{
    int rc = put_head(html, err);
    if (rc)
        return rc;
    put_about(html);
    put_result(html);
    put_tiles(html);
    rc = put_todo(html);
    if (rc)
        return rc;
    put_books(html);
    rc = put_time(html);
    if (!rc)
        rc = html_failures(&html->gather, journal, &html->page, err);
    if (!rc)
        rc = html_groups(&html->gather, &html->page);
    if (rc)
        return rc;
    put_settings(html);
    put_foot(html);
    return html->page.rc;
}

int html_print(struct journal *journal, const struct html_options *options, FILE *out,
               struct err *err)
{
    struct html *html = calloc(1, sizeof *html); /* the gather is large */
    if (!html)
        return err_set(err, ERR_NOMEM, "no memory for the report");
    html->options = options;
    html->journal = journal_path(journal);
    page_init(&html->page, out);
    int rc = gather_read(&html->gather, journal, &html->page, options->root_count != 1, err);
    if (!rc)
        rc = put_page(html, journal, err);
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for the report");
    gather_release(&html->gather);
    page_release(&html->page);
    free(html);
    int flushed = text_flush(out, rc && rc != -ERR_IO ? NULL : err);
    return rc ? rc : flushed;
}
