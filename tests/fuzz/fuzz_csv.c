/*
 * fuzz_csv.c - any bytes as the fields of a report's row. The input's fields end with NUL. What is
 * written is one line from which RFC 4180 reads as many fields again, plain ones byte for byte,
 * and none of them a formula.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "report/csv.h"
#include "report/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One field from *at on, unquoted into out; *at is behind its comma or line end. */
static void read_field(const char **at, char *out)
{
    const char *p = *at;
    if (*p == '"') {
        for (p++; *p != '"' || p[1] == '"'; p++) {
            BUG_ON(!*p);
            p += *p == '"';
            *out++ = *p;
        }
        p++;
    } else {
        while (*p && *p != ',' && *p != '\n') {
            BUG_ON(*p == '"');
            *out++ = *p++;
        }
    }
    *out = '\0';
    BUG_ON(*p != ',' && *p != '\n');
    *at = p + 1;
}

static int is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text == 0x7f)
            return 0;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csv csv;
    struct err err = ERR_INIT;
    char *text = malloc(size + 1);
    char *out = malloc(8 * size + 16);
    BUG_ON(!text || !out);
    memcpy(text, data, size);
    text[size] = '\0';
    csv_prepare(&csv);
    csv_begin(&csv);
    for (const char *field = text; field <= text + size; field += strlen(field) + 1)
        csv_str(&csv, field);
    if (!csv_end(&csv, &err)) {
        const char *at = buf_str(&csv.buf);
        BUG_ON(strlen(at) != csv.buf.len || strchr(at, '\n') != at + csv.buf.len - 1);
        for (const char *field = text; field <= text + size; field += strlen(field) + 1) {
            read_field(&at, out);
            BUG_ON(is_plain(field) && !text_has_formula(field) && strcmp(field, out) != 0);
            BUG_ON(text_has_formula(out));
        }
        BUG_ON(*at);
    }
    csv_release(&csv);
    free(out);
    free(text);
    return 0;
}
