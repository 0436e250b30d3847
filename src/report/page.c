/*
 * page.c - see page.h. Called by html.c and what it is made of.
 *
 * A fragment or a key that is missing is a programmer's error, found by the first test that
 * writes a page.
 */
#include "report/page.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "report/assets.h"
#include "report/text.h"
#include "scan/scan.h"

#define FRAGMENT_MAX_BYTES (4 * TEXT_MAX_BYTES)

void page_init(struct page *page, FILE *out)
{
    *page = (struct page){.out = out};
    buf_init(&page->text, FRAGMENT_MAX_BYTES);
    buf_init(&page->value, TEXT_MAX_BYTES);
}

void page_release(struct page *page)
{
    buf_release(&page->text);
    buf_release(&page->value);
}

/* A fragment's text, and its length. */
static const char *find(const char *fragment, size_t *out_len)
{
    char mark[64];
    snprintf(mark, sizeof mark, "<!-- begin %s -->\n", fragment);
    const char *begin = strstr(asset_page, mark);
    BUG_ON(!begin);
    begin += strlen(mark);
    snprintf(mark, sizeof mark, "<!-- end %s -->", fragment);
    const char *end = strstr(begin, mark);
    BUG_ON(!end);
    *out_len = (size_t)(end - begin);
    return begin;
}

static int put_escaped(const char *text, struct buf *out)
{
    int rc = 0;
    while (*text && !rc) {
        size_t run = strcspn(text, "&<>\"'");
        rc = buf_append(out, text, run);
        text += run;
        if (!rc && *text)
            rc = buf_printf(out, "&#%d;", *text++);
    }
    return rc;
}

/* 1234567 as 1,234,567. */
static int put_grouped(int64_t number, struct buf *out)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)(number < 0 ? -number : number));
    int rc = number < 0 ? buf_puts(out, "-") : 0;
    for (int i = 0; i < len && !rc; i++) {
        if (i && (len - i) % 3 == 0)
            rc = buf_puts(out, ",");
        if (!rc)
            rc = buf_append(out, digits + i, 1);
    }
    return rc;
}

/* 2026-01-31 12:00:00 */
static int put_time(int64_t wall_ms, struct buf *out)
{
    char when[CLOCK_TEXT_MAX];
    if (wall_ms <= 0)
        return buf_puts(out, "-");
    clock_format(wall_ms, when);
    return buf_printf(out, "%.10s %.8s", when, when + strlen("YYYY-MM-DDT"));
}

static int put_name(struct page *page, const char *raw, struct buf *out)
{
    buf_reset(&page->value);
    int rc = name_printable(raw, &page->value);
    return rc ? rc : put_escaped(buf_str(&page->value), out);
}

static int put_value(struct page *page, const struct page_value *value, struct buf *out)
{
    char text[UNITS_TEXT_MAX];
    int64_t number = value->number;
    switch (value->kind) {
    case PAGE_TEXT:
        return put_escaped(value->text ? value->text : "", out);
    case PAGE_NAME:
        return put_name(page, value->text ? value->text : "", out);
    case PAGE_COUNT:
        return put_grouped(number, out);
    case PAGE_TENTHS: {
        int rc = put_grouped(number / 10, out);
        return rc ? rc : buf_printf(out, ".%d", (int)(number % 10));
    }
    case PAGE_SIZE:
        return buf_puts(out, units_format_size(number, text));
    case PAGE_DURATION:
        return buf_puts(out, units_format_duration(number, text));
    case PAGE_TIME:
        return put_time(number, out);
    case PAGE_NUMBER:
        return buf_printf(out, "%lld", (long long)number);
    }
    return 0;
}

static const struct page_value *value_of(const struct page_value *values, const char *key,
                                         size_t len)
{
    for (; values && values->key; values++)
        if (!strncmp(values->key, key, len) && !values->key[len])
            return values;
    BUG_ON(1);
    return NULL;
}

static int fill(struct page *page, const char *fragment, const struct page_value *values,
                struct buf *out)
{
    size_t len;
    const char *at = find(fragment, &len);
    const char *end = at + len;
    int rc = 0;
    while (at < end && !rc) {
        const char *open = strstr(at, "{{");
        if (!open || open >= end)
            return buf_append(out, at, (size_t)(end - at));
        const char *close = strstr(open, "}}");
        BUG_ON(!close || close >= end);
        rc = buf_append(out, at, (size_t)(open - at));
        if (!rc)
            rc = put_value(page, value_of(values, open + 2, (size_t)(close - open - 2)), out);
        at = close + 2;
    }
    return rc;
}

void page_fill(struct page *page, const char *fragment, const struct page_value *values)
{
    buf_reset(&page->text);
    if (!page->rc)
        page->rc = fill(page, fragment, values, &page->text);
    page_write(page, buf_str(&page->text), page->text.len);
}

void page_put(struct page *page, const char *fragment)
{
    page_fill(page, fragment, NULL);
}

int page_fill_into(struct page *page, const char *fragment, const struct page_value *values,
                   struct buf *out)
{
    buf_reset(&page->text);
    int rc = fill(page, fragment, values, &page->text);
    return rc ? rc : buf_append(out, buf_str(&page->text), page->text.len);
}

void page_write(struct page *page, const char *html, size_t len)
{
    if (!page->rc && fwrite(html, 1, len, page->out) != len)
        page->rc = -ERR_IO;
}

void page_asset(struct page *page, const char *asset)
{
    page_write(page, asset, strlen(asset));
}

int page_hash(const char *asset, char out[PAGE_HASH_MAX])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char text[48]; /* 32 bytes in base64 */
    unsigned len = 0;
    if (EVP_Digest(asset, strlen(asset), digest, &len, EVP_sha256(), NULL) != 1 || len != 32)
        return -ERR_INTERNAL;
    EVP_EncodeBlock(text, digest, (int)len);
    snprintf(out, PAGE_HASH_MAX, "'sha256-%s'", (const char *)text);
    return 0;
}
