/* manifest_columns.c - the names of a manifest's columns, and what to say about a wrong one. */
#include "base/nearest.h"
#include "scan/manifest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define ATTRIBUTE_PREFIX "attribute:"

static const struct {
    const char *name;
    int field;
} columns[] = {
    /* The first of a field is its proper name; the others are PXM's own and slips of number. */
    {"path", FIELD_PATH},
    {"name", FIELD_NAME},
    {"file_name", FIELD_FILE_NAME},
    {"target_file_name", FIELD_FILE_NAME},
    {"collections", MANIFEST_COLLECTIONS},
    {"collection", MANIFEST_COLLECTIONS},
    {"regions", MANIFEST_REGIONS},
    {"region", MANIFEST_REGIONS},
    {"published", MANIFEST_PUBLISHED},
    {"publish", MANIFEST_PUBLISHED},
    {"publish_start", MANIFEST_PUBLISH_START},
    {"published_start_date", MANIFEST_PUBLISH_START},
    {"publish_end", MANIFEST_PUBLISH_END},
    {"published_end_date", MANIFEST_PUBLISH_END},
};
#define COLUMNS (sizeof columns / sizeof *columns)

const char *manifest_field_name(int field)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].field == field)
            return columns[i].name;
    return "attribute";
}

const char *manifest_column_name(enum manifest_column column)
{
    return manifest_field_name((int)column);
}

/* In lower case with '_' between the words; what is too long is no name of ours anyway. */
static void fold(const char *text, char out[LIMIT_MANIFEST_LABEL])
{
    size_t len = 0;
    for (; *text && len < LIMIT_MANIFEST_LABEL - 1; text++, len++) {
        char c = (char)tolower((unsigned char)*text);
        out[len] = (char)(c == '-' || c == ' ' ? '_' : c);
    }
    out[len] = '\0';
}

static int say_unknown(const char *text, const char *folded, struct buf *why)
{
    struct nearest nearest;
    struct buf shown;
    buf_init(&shown, 4 * LIMIT_MANIFEST_LABEL);
    if (name_printable(text, &shown))
        buf_reset(&shown);
    nearest_init(&nearest, folded);
    for (size_t i = 0; i < COLUMNS; i++)
        nearest_offer(&nearest, columns[i].name);
    const char *like = nearest_result(&nearest);
    if (like)
        buf_printf(why, "unknown column '%.80s'; did you mean '%s'?", buf_str(&shown), like);
    else
        buf_printf(why,
                   "unknown column '%.80s'; an attribute's is written attribute:%.80s, the others "
                   "are path, name, file_name, collections, regions, published, publish_start, "
                   "publish_end",
                   buf_str(&shown), buf_str(&shown));
    buf_release(&shown);
    return -1;
}

int manifest_field_of(const char *text, const char **out_label, struct buf *why)
{
    char folded[LIMIT_MANIFEST_LABEL];
    *out_label = NULL;
    text += strspn(text, " \t");
    if (strlen(text) >= LIMIT_MANIFEST_LABEL) {
        buf_printf(why, "a column's name has over %d bytes", LIMIT_MANIFEST_LABEL - 1);
        return -1;
    }
    if (!strncasecmp(text, ATTRIBUTE_PREFIX, strlen(ATTRIBUTE_PREFIX))) {
        const char *label = text + strlen(ATTRIBUTE_PREFIX);
        label += strspn(label, " \t");
        if (!*label) {
            buf_puts(why, "column 'attribute:' names no attribute; write attribute:LABEL");
            return -1;
        }
        *out_label = label;
        return MANIFEST_ATTRIBUTE;
    }
    fold(text, folded);
    for (size_t i = 0; i < COLUMNS; i++)
        if (!strcmp(columns[i].name, folded))
            return columns[i].field;
    return say_unknown(text, folded, why);
}
