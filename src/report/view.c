/* view.c - see view.h. Called by observer.c on the loop thread. */
#include "report/view.h"

#include <string.h>

#include "base/units.h"
#include "report/line.h"
#include "report/text.h"

#define LINE_MAX_BYTES (64 * 1024)
#define NAME_COLUMNS   10 /* what a name keeps in a narrow terminal, before its numbers go */
#define COLUMNS_MIN    8
#define SAID_WAIT_MS   1000 /* less is the usual pace of a spent budget */

void view_sums(const struct job_snapshot *snapshot, struct view_sums *out)
{
    books_totals(&snapshot->books, &out->totals);
    eta_of_snapshot(snapshot, &out->eta);
    const struct books_sum *files = &out->totals.files;
    const struct books_sum *bytes = &out->totals.bytes;
    out->files_done = files->confirmed + files->skipped + files->failed;
    out->files_total = out->files_done + files->queued;
    out->bytes_total = bytes->confirmed + bytes->queued;
    out->bytes_done = bytes->confirmed;
    for (int i = 0; i < snapshot->active_count; i++) {
        const struct active_file *file = &snapshot->active[i];
        /* After a resend more was sent than the file has. */
        out->bytes_done +=
            file->sent_bytes < file->size_bytes ? file->sent_bytes : file->size_bytes;
    }
    if (out->bytes_done > out->bytes_total)
        out->bytes_done = out->bytes_total;
}

static const char *eta_text(const struct view_sums *sums, char out[UNITS_TEXT_MAX])
{
    return sums->eta.ms < 0 ? "-" : units_format_duration(sums->eta.ms / 1000 * 1000, out);
}

#define SHARE_MAX 8
/* Of nothing there is no share: 100% before the walk found a file would be a lie. */
static const char *share(int64_t done, int64_t total, char out[SHARE_MAX])
{
    if (total <= 0)
        return "-";
    snprintf(out, SHARE_MAX, "%d%%", text_percent(done, total));
    return out;
}

static int put_bytes(const struct job_snapshot *snapshot, const struct view_sums *sums,
                     struct buf *out)
{
    char done[UNITS_TEXT_MAX];
    char total[UNITS_TEXT_MAX];
    char speed[UNITS_TEXT_MAX];
    char part[SHARE_MAX];
    return buf_printf(out, "%s / %s, %s, %s/s", units_format_size(sums->bytes_done, done),
                      units_format_size(sums->bytes_total, total),
                      share(sums->bytes_done, sums->bytes_total, part),
                      units_format_size(snapshot->goodput_bytes_per_s, speed));
}

static const char *duration_up(int64_t ms, char out[UNITS_TEXT_MAX])
{
    return units_format_duration((ms + 999) / 1000 * 1000, out);
}

int view_budget(const struct job_snapshot *snapshot, struct buf *out)
{
    int rc;
    if (snapshot->api_rate > 0)
        rc = buf_printf(out, "%d/%d in %ds", snapshot->requests_in_window, snapshot->api_rate,
                        RATE_WINDOW_MS / 1000);
    else /* then nobody counts them */
        rc = buf_puts(out, "no limit");
    char wait[UNITS_TEXT_MAX];
    if (!rc && snapshot->held_ms > 0)
        rc = buf_printf(out, ", held back for %s", duration_up(snapshot->held_ms, wait));
    else if (!rc && snapshot->budget_wait_ms >= SAID_WAIT_MS)
        rc = buf_printf(out, ", next in %s", duration_up(snapshot->budget_wait_ms, wait));
    return rc;
}

/* 1 where there is anything to say of links. */
static int has_links(const struct job_snapshot *snapshot)
{
    return snapshot->books.to_link_files > 0;
}

/* "12 files to link, 3 categories and 4 collections to make" */
static int put_links(const struct job_snapshot *snapshot, struct buf *out)
{
    const struct journal_books *books = &snapshot->books;
    int rc = buf_printf(out, "%lld files to link", (long long)books->to_link_files);
    if (!rc && books->categories + books->collections)
        rc = buf_printf(out, ", %lld categories and %lld collections to make",
                        (long long)books->categories, (long long)books->collections);
    return rc;
}

int view_line(const struct job_snapshot *snapshot, const struct view_sums *sums, struct buf *out)
{
    char eta[UNITS_TEXT_MAX];
    int rc = put_bytes(snapshot, sums, out);
    if (!rc)
        rc = buf_printf(out, ", ETA %s", eta_text(sums, eta));
    if (!rc)
        rc =
            buf_printf(out, ", files %lld/%lld, failed %lld, skipped %lld, api ",
                       (long long)sums->files_done, (long long)sums->files_total,
                       (long long)sums->totals.files.failed, (long long)sums->totals.files.skipped);
    if (!rc)
        rc = view_budget(snapshot, out);
    if (!rc)
        rc = buf_printf(out, ", limit %s", job_limit_name(snapshot->limit));
    if (!rc && has_links(snapshot))
        rc = buf_puts(out, ", ");
    if (!rc && has_links(snapshot))
        rc = put_links(snapshot, out);
    if (!rc && snapshot->walking)
        rc = buf_puts(out, ", still walking");
    if (!rc && snapshot->draining)
        rc = buf_puts(out, ", draining");
    return rc;
}

int view_title(const struct view_sums *sums, struct buf *out)
{
    char eta[UNITS_TEXT_MAX];
    char part[SHARE_MAX];
    const char *done = sums->bytes_total > 0 ? share(sums->bytes_done, sums->bytes_total, part)
                                             : share(sums->files_done, sums->files_total, part);
    return buf_printf(out, "pxload %s ETA %s", done, eta_text(sums, eta));
}

/* ---- the block ----------------------------------------------------------------------------- */

/* Appends a line cut to the terminal's width. */
static int put_line(const struct buf *line, const struct view_size *size, struct buf *out)
{
    int columns = size->columns > COLUMNS_MIN ? size->columns - 1 : COLUMNS_MIN;
    int rc = line_fit(buf_str(line), columns, LINE_CUT_END, size->ascii, out);
    return rc ? rc : buf_puts(out, "\n");
}

static int line_files(const struct job_snapshot *snapshot, const struct view_sums *sums,
                      struct buf *line)
{
    const struct books_sum *files = &sums->totals.files;
    char part[SHARE_MAX];
    int rc = buf_printf(line, "Files:        %lld / %lld, %s, failed %lld, skipped %lld",
                        (long long)sums->files_done, (long long)sums->files_total,
                        share(sums->files_done, sums->files_total, part), (long long)files->failed,
                        (long long)files->skipped);
    if (!rc && files->excluded)
        rc = buf_printf(line, ", excluded %lld", (long long)files->excluded);
    if (!rc && snapshot->walking)
        rc = buf_puts(line, ", still walking");
    return rc;
}

static int line_budget(const struct job_snapshot *snapshot, const struct view_sums *sums,
                       struct buf *line)
{
    (void)sums;
    int rc = buf_puts(line, "Requests:     api ");
    if (!rc)
        rc = view_budget(snapshot, line);
    if (!rc)
        rc = buf_printf(line, ", %lld in all, limit: %s", (long long)snapshot->requests,
                        job_limit_name(snapshot->limit));
    return rc;
}

static int line_elapsed(const struct job_snapshot *snapshot, const struct view_sums *sums,
                        struct buf *line)
{
    char eta[UNITS_TEXT_MAX];
    char elapsed[UNITS_TEXT_MAX];
    int rc = buf_printf(line, "Elapsed:      %s, ETA %s, transfers %d",
                        units_format_duration(snapshot->elapsed_ms / 1000 * 1000, elapsed),
                        eta_text(sums, eta), snapshot->puts_active);
    if (!rc && snapshot->put_limit) /* which a journal does not know */
        rc = buf_printf(line, "/%d", snapshot->put_limit);
    if (!rc && snapshot->retries)
        rc = buf_printf(line, ", retries %lld", (long long)snapshot->retries);
    if (!rc && snapshot->draining)
        rc = buf_puts(line, ", draining");
    const char *before = ", waiting for ";
    for (int reason = 0; reason < WAIT_COUNT && !rc; reason++) {
        if (!snapshot->waiting[reason])
            continue;
        rc = buf_printf(line, "%s%s %d", before, wait_reason_name((enum wait_reason)reason),
                        snapshot->waiting[reason]);
        before = ", ";
    }
    return rc;
}

static int line_bytes(const struct job_snapshot *snapshot, const struct view_sums *sums,
                      struct buf *line)
{
    int rc = buf_puts(line, "Transferred:  ");
    return rc ? rc : put_bytes(snapshot, sums, line);
}

/* Left out where nothing is to be linked. */
static int line_links(const struct job_snapshot *snapshot, const struct view_sums *sums,
                      struct buf *line)
{
    (void)sums;
    if (!has_links(snapshot))
        return 0;
    int rc = buf_puts(line, "Linking:      ");
    return rc ? rc : put_links(snapshot, line);
}

typedef int head_line(const struct job_snapshot *snapshot, const struct view_sums *sums,
                      struct buf *line);
static head_line *const head_lines[] = {line_bytes, line_files, line_links, line_budget,
                                        line_elapsed};

/* What stands behind the name of an active file. */
static int active_tail(const struct active_file *file, struct buf *tail)
{
    char size[TEXT_SIZE_MAX];
    char pace[TEXT_SIZE_MAX];
    text_size(file->size_bytes, size);
    if (strcmp(file->step, "put") != 0)
        return buf_printf(tail, ": %s /%s", file->step, size);
    int64_t bytes_per_s =
        file->since_ms > 0 ? text_scale(file->sent_bytes, 1000, file->since_ms) : 0;
    return buf_printf(tail, ": %2d%% /%s, %s/s", text_percent(file->sent_bytes, file->size_bytes),
                      size, text_size(bytes_per_s, pace));
}

int view_active(const struct active_file *file, int columns, int ascii, struct buf *out)
{
    static const char bullet[] = " * ";
    struct buf name;
    struct buf tail;
    struct buf line;
    buf_init(&name, TEXT_MAX_BYTES);
    buf_init(&tail, LINE_MAX_BYTES);
    buf_init(&line, LINE_MAX_BYTES);
    int rc = name_printable(file->path, &name);
    if (!rc)
        rc = active_tail(file, &tail);
    if (!rc)
        rc = buf_puts(&line, bullet);
    int room = columns - (int)(sizeof bullet - 1) - line_width(buf_str(&tail), tail.len, ascii);
    if (room < NAME_COLUMNS)
        room = NAME_COLUMNS;
    if (!rc)
        rc = line_fit(buf_str(&name), room, LINE_CUT_START, ascii, &line);
    if (!rc)
        rc = buf_puts(&line, buf_str(&tail));
    if (!rc)
        rc = line_fit(buf_str(&line), columns, LINE_CUT_END, ascii, out);
    buf_release(&line);
    buf_release(&tail);
    buf_release(&name);
    return rc;
}

static int put_active(const struct job_snapshot *snapshot, const struct view_size *size, int rows,
                      struct buf *out)
{
    int columns = size->columns > COLUMNS_MIN ? size->columns - 1 : COLUMNS_MIN;
    int count = snapshot->active_count;
    /* Where not all fit, the last row says how many are missing. */
    int shown = count <= rows ? count : rows - 1;
    int rc = 0;
    for (int i = 0; i < shown && !rc; i++) {
        rc = view_active(&snapshot->active[i], columns, size->ascii, out);
        if (!rc)
            rc = buf_puts(out, "\n");
    }
    if (rc || shown >= count || rows < 1)
        return rc;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    rc = buf_printf(&line, " * and %d more", count - shown);
    if (!rc)
        rc = put_line(&line, size, out);
    buf_release(&line);
    return rc;
}

int view_block(const struct job_snapshot *snapshot, const struct view_sums *sums,
               const struct view_size *size, struct buf *out)
{
    int rows = size->rows > 1 ? size->rows - 1 : 1;
    int rc = 0;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    for (size_t n = 0; n < sizeof head_lines / sizeof *head_lines && rows && !rc; n++) {
        buf_reset(&line);
        rc = head_lines[n](snapshot, sums, &line);
        if (rc || !line.len)
            continue;
        rc = put_line(&line, size, out);
        rows--;
    }
    buf_release(&line);
    return rc ? rc : put_active(snapshot, size, rows, out);
}
