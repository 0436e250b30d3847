/*
 * page.h - writes an HTML page out of the fragments of html/page.html. A fragment stands between
 * "<!-- begin NAME -->" and "<!-- end NAME -->"; {{key}} in it is replaced by a value, which is
 * always escaped, so no value can be markup, whoever chose it. One owner, one thread.
 */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stdio.h>

#include "base/buf.h"

struct page {
    FILE *out;
    struct buf text;  /* the fragment being filled */
    struct buf value; /* a name being made printable */
    int rc;           /* the first failure; everything after it is left out */
};

enum page_kind {
    PAGE_TEXT,     /* as it is */
    PAGE_NAME,     /* raw bytes of a file name, made printable */
    PAGE_COUNT,    /* 1,234,567 */
    PAGE_TENTHS,   /* 1,234.5 of 12345 */
    PAGE_SIZE,     /* 1.5 GiB */
    PAGE_DURATION, /* 1h02m03s */
    PAGE_TIME,     /* 2026-01-31 12:00:00; "-" of 0 */
    PAGE_NUMBER,   /* 1234567 */
};
struct page_value {
    const char *key; /* NULL ends a list */
    enum page_kind kind;
    const char *text;
    int64_t number;
};
#define PAGE_STRING(key, text)        ((struct page_value){key, PAGE_TEXT, text, 0})
#define PAGE_RAW_NAME(key, text)      ((struct page_value){key, PAGE_NAME, text, 0})
#define PAGE_VALUE(key, kind, number) ((struct page_value){key, PAGE_##kind, NULL, number})

void page_init(struct page *page, FILE *out);
void page_release(struct page *page);
/* Writes a fragment with its values. */
void page_fill(struct page *page, const char *fragment, const struct page_value *values);
#define PAGE(page, fragment, ...) \
    page_fill(page, fragment, (const struct page_value[]){__VA_ARGS__, {0}})
/* A fragment without values. */
void page_put(struct page *page, const char *fragment);
/* The same into a buffer, which stays as it was where it is too small: 0 or -ERR_NOMEM. */
int page_fill_into(struct page *page, const char *fragment, const struct page_value *values,
                   struct buf *out) WARN_UNUSED;
/* Writes what is HTML already. */
void page_write(struct page *page, const char *html, size_t len);
/* Writes an inline style or script, an asset. */
void page_asset(struct page *page, const char *asset);
/* How a Content-Security-Policy names it: 'sha256-...'. 0 or -ERR_INTERNAL. */
#define PAGE_HASH_MAX 64
int page_hash(const char *asset, char out[PAGE_HASH_MAX]) WARN_UNUSED;

#endif
