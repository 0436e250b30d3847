/*
 * line.c - see line.h. Called by view.c and progress.c.
 *
 * Widths are utf8proc's, rounded up wherever terminals differ: a line that ends a column early
 * is harmless, one that wraps breaks the block's cursor arithmetic.
 */
#include "report/line.h"

#include <limits.h>
#include <string.h>
#include <utf8proc.h>

#define ELLIPSIS       ".."
#define ELLIPSIS_WIDTH 2

/* One character as it will be shown: bytes of the input, or a stand-in. */
struct glyph {
    const char *bytes;
    size_t len;
    size_t consumed;
    int width;
};

static int is_format(utf8proc_int32_t code)
{
    utf8proc_category_t category = utf8proc_category(code);
    /* U+FE0F asks for the wide emoji form of a narrow character; without it widths are known. */
    return category == UTF8PROC_CATEGORY_CF || (code >= 0xfe00 && code <= 0xfe0f);
}

static int width_of(utf8proc_int32_t code)
{
    /* Hangul vowels and finals join in some terminals only: count them. */
    if (code >= 0x1160 && code <= 0x11ff)
        return 1;
    return utf8proc_charwidth(code);
}

static struct glyph next_glyph(const char *at, size_t left, int ascii)
{
    utf8proc_int32_t code = -1;
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)at, (utf8proc_ssize_t)left, &code);
    struct glyph stand_in = {"?", 1, len > 0 ? (size_t)len : 1, 1};
    if (len <= 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
        return stand_in;
    if (is_format(code) || code == 0x2028 || code == 0x2029)
        return (struct glyph){"", 0, (size_t)len, 0};
    if (ascii && code >= 0x80)
        return stand_in;
    utf8proc_category_t category = utf8proc_category(code);
    if (category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO)
        return stand_in;
    return (struct glyph){at, (size_t)len, (size_t)len, width_of(code)};
}

int line_width(const char *text, size_t len, int ascii)
{
    int width = 0;
    while (len && width < INT_MAX - 2) {
        struct glyph glyph = next_glyph(text, len, ascii);
        width += glyph.width;
        text += glyph.consumed;
        len -= glyph.consumed;
    }
    return width;
}

/* Appends what of text fits into columns; stops at the first glyph that doesn't. */
static int append_glyphs(const char *text, int columns, int ascii, struct buf *out)
{
    size_t left = strlen(text);
    while (left) {
        struct glyph glyph = next_glyph(text, left, ascii);
        if (glyph.width > columns)
            return 0;
        int rc = buf_append(out, glyph.bytes, glyph.len);
        if (rc)
            return rc;
        columns -= glyph.width;
        text += glyph.consumed;
        left -= glyph.consumed;
    }
    return 0;
}

/* Skips glyphs until what is left takes at most columns. */
static const char *skip_to_fit(const char *text, int width, int columns, int ascii)
{
    size_t left = strlen(text);
    while (left) {
        struct glyph glyph = next_glyph(text, left, ascii);
        /* A combining mark that lost its base would join the ellipsis. */
        if (width <= columns && (glyph.width || !glyph.len))
            break;
        width -= glyph.width;
        text += glyph.consumed;
        left -= glyph.consumed;
    }
    return text;
}

int line_fit(const char *text, int columns, enum line_cut cut, int ascii, struct buf *out)
{
    int width = line_width(text, strlen(text), ascii);
    if (width <= columns)
        return append_glyphs(text, columns, ascii, out);
    if (columns <= ELLIPSIS_WIDTH)
        return append_glyphs(ELLIPSIS, columns, ascii, out);
    columns -= ELLIPSIS_WIDTH;
    if (cut == LINE_CUT_START) {
        int rc = buf_puts(out, ELLIPSIS);
        return rc ? rc
                  : append_glyphs(skip_to_fit(text, width, columns, ascii), columns, ascii, out);
    }
    int rc = append_glyphs(text, columns, ascii, out);
    return rc ? rc : buf_puts(out, ELLIPSIS);
}
