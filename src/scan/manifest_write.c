/*
 * manifest_write.c - a manifest to fill in, see scan.h. Unlike a report's, its cells are exact: a
 * path that is read back must be the same.
 */
#include <string.h>

#include "scan/manifest.h"

/* What the template has, in its order; attributes come behind. */
static const int columns[] = {
    FIELD_PATH,       FIELD_NAME,         FIELD_FILE_NAME,        MANIFEST_COLLECTIONS,
    MANIFEST_REGIONS, MANIFEST_PUBLISHED, MANIFEST_PUBLISH_START, MANIFEST_PUBLISH_END,
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* Excel and its kin take a CSV for UTF-8 only with this in front. */
#define BOM "\xef\xbb\xbf"

static void put_quoted(FILE *out, const char *prefix, const char *text)
{
    size_t len = strlen(text);
    int quotes =
        strpbrk(text, ",;\t\"\r\n") != NULL || (len && (*text == ' ' || text[len - 1] == ' '));
    if (quotes)
        putc('"', out);
    fputs(prefix, out);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    if (quotes)
        putc('"', out);
}

void manifest_write_header(FILE *out, const char *const *attributes, size_t count)
{
    fputs(BOM, out);
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(out, "%s%s", i ? "," : "", manifest_field_name(columns[i]));
    for (size_t i = 0; i < count; i++) {
        putc(',', out);
        put_quoted(out, "attribute:", attributes[i]);
    }
    putc('\n', out);
}

/* A cell that a spreadsheet would take for a formula. */
static int is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

void manifest_write_row(FILE *out, const char *path, const char *name, size_t attribute_count)
{
    /* "./" in front changes no path, but no formula begins so. The path is enough of a key. */
    if (path)
        put_quoted(out, is_formula(path) ? "./" : "", path);
    putc(',', out);
    if (!path || !is_formula(name))
        put_quoted(out, "", name);
    for (size_t i = 2; i < COLUMNS + attribute_count; i++)
        putc(',', out);
    putc('\n', out);
}
