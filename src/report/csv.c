/* csv.c - see csv.h. Called by rows.c. */
#include "report/csv.h"

#include <string.h>
#include <utf8proc.h>

#include "report/text.h"

void csv_prepare(struct csv *csv)
{
    buf_init(&csv->buf, TEXT_MAX_BYTES);
    csv->started = 0;
}

void csv_release(struct csv *csv)
{
    buf_release(&csv->buf);
}

void csv_begin(struct csv *csv)
{
    buf_reset(&csv->buf);
    csv->started = 0;
}

static void separate(struct csv *csv)
{
    if (csv->started)
        buf_puts(&csv->buf, ",");
    csv->started = 1;
}

/* Bytes of the character at str, 0 where it is none that may stand in a row. */
static size_t field_char(const char *str, size_t left)
{
    utf8proc_int32_t code;
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)str, (utf8proc_ssize_t)left, &code);
    return len <= 0 || code < 0x20 || code == 0x7f ? 0 : (size_t)len;
}

static void put_text(struct csv *csv, const char *value)
{
    size_t left = strlen(value);
    int at_begin = 1;
    while (left) {
        size_t len = field_char(value, left);
        if (text_begins_formula(value, &at_begin))
            buf_puts(&csv->buf, "'");
        if (!len)
            buf_puts(&csv->buf, (unsigned char)*value < 0x80 ? " " : "?");
        else if (*value == '"')
            buf_puts(&csv->buf, "\"\"");
        else
            buf_append(&csv->buf, value, len);
        len = len ? len : 1;
        value += len;
        left -= len;
    }
}

void csv_str(struct csv *csv, const char *value)
{
    separate(csv);
    if (!value || !*value)
        return;
    size_t len = strlen(value);
    int quote = strpbrk(value, ",\"\r\n") != NULL || strchr("=+-@\t ", *value) != NULL ||
                value[len - 1] == ' ';
    if (quote)
        buf_puts(&csv->buf, "\"");
    put_text(csv, value);
    if (quote)
        buf_puts(&csv->buf, "\"");
}

void csv_int(struct csv *csv, int64_t value)
{
    separate(csv);
    buf_printf(&csv->buf, "%lld", (long long)value);
}

int csv_end(struct csv *csv, struct err *err)
{
    buf_puts(&csv->buf, "\n");
    if (csv->buf.truncated)
        return err_set(err, ERR_NOMEM, "a CSV row grew too long");
    return 0;
}
