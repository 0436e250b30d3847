/* failures.c - see failures.h. Called by gather.c. */
#include "report/failures.h"

#include "base/log.h"
#include "report/text.h"

void failures_init(struct failures *failures, const struct journal_books *books)
{
    int64_t all = 0;
    for (int code = 0; code < ERR_COUNT; code++)
        all += books->failed_by_code[code];
    for (int code = 0; code < ERR_COUNT; code++) {
        int64_t share =
            all ? text_scale(FAILURES_BYTES, books->failed_by_code[code], all) : FAILURES_BYTES;
        buf_init(&failures->rows[code],
                 (size_t)(share < FAILURES_MIN_BYTES ? FAILURES_MIN_BYTES : share));
        failures->listed[code] = failures->count[code] = 0;
    }
    buf_init(&failures->row, TEXT_MAX_BYTES * 4);
    buf_init(&failures->text, TEXT_MAX_BYTES);
}

void failures_release(struct failures *failures)
{
    for (int code = 0; code < ERR_COUNT; code++)
        buf_release(&failures->rows[code]);
    buf_release(&failures->row);
    buf_release(&failures->text);
}

/* "HTTP 400: the text (request id)", without secrets. */
static int put_text(const struct journal_row *row, struct buf *out)
{
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", row->error_text ? row->error_text : "");
    log_redact(text);
    buf_reset(out);
    int rc = buf_puts(out, text);
    if (!rc && row->http_status)
        rc = buf_printf(out, "%sHTTP %d", *text ? "; " : "", row->http_status);
    if (!rc && row->request_id)
        rc = buf_printf(out, "; request %s", row->request_id);
    return rc;
}

int failures_add(struct failures *failures, struct page *page, const struct journal_row *row,
                 const char *path)
{
    struct buf *rows = &failures->rows[row->error];
    failures->count[row->error]++;
    if (rows->truncated)
        return 0;
    int rc = put_text(row, &failures->text);
    if (rc)
        return rc;
    const struct page_value values[] = {
        PAGE_RAW_NAME("path", path),
        PAGE_VALUE("bytes", SIZE, row->stamp.size_bytes),
        PAGE_VALUE("bytes_n", NUMBER, row->stamp.size_bytes),
        PAGE_RAW_NAME("text", buf_str(&failures->text)),
        {0},
    };
    buf_reset(&failures->row);
    rc = page_fill_into(page, "failure", values, &failures->row);
    if (rc)
        return rc;
    /* The first that does not fit ends the list, so that it has no holes. */
    if (!buf_append(rows, failures->row.data, failures->row.len))
        failures->listed[row->error]++;
    return 0;
}
