/*
 * manifest_pack.c - a row's cells as bytes: for each cell its column ('a' and on), '[' for an array
 * or '=' for one text, an attribute's label, the items, an end mark. Texts end with a NUL and hold
 * none; the mark is a byte that no UTF-8 has.
 */
#include <stdlib.h>
#include <string.h>

#include "scan/scan.h"

#define END_MARK '\xff'

static int pack_text(const char *text, struct buf *out)
{
    return buf_append(out, text, strlen(text) + 1);
}

static int pack_cell(const struct manifest_cell *cell, struct buf *out)
{
    const char head[2] = {(char)('a' + (int)cell->column), cell->is_array ? '[' : '='};
    const char end = END_MARK;
    int rc = buf_append(out, head, sizeof head);
    if (!rc && cell->column == MANIFEST_ATTRIBUTE)
        rc = pack_text(cell->attribute, out);
    for (size_t i = 0; !rc && i < cell->item_count; i++)
        rc = pack_text(cell->items[i], out);
    return rc ? rc : buf_append(out, &end, 1);
}

int manifest_pack(const struct manifest_row *row, struct buf *out)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < row->cell_count; i++)
        rc = pack_cell(&row->cells[i], out);
    return rc ? -ERR_NOMEM : 0;
}

/* The text at *at, which moves behind it; NULL where there is no whole one. */
static const char *take_text(const char **at, const char *end)
{
    const char *text = *at;
    const char *nul = memchr(text, '\0', (size_t)(end - text));
    if (!nul)
        return NULL;
    *at = nul + 1;
    return text;
}

/* Reads one cell. 0, or -1: that is none. */
static int take_cell(const char **at, const char *end, const char **items,
                     struct manifest_cell *cell)
{
    if (end - *at < 2)
        return -1;
    int column = (*at)[0] - 'a';
    char kind = (*at)[1];
    if (column < 0 || column >= MANIFEST_COLUMN_COUNT || (kind != '[' && kind != '='))
        return -1;
    *cell = (struct manifest_cell){
        .column = (enum manifest_column)column, .is_array = kind == '[', .items = items};
    *at += 2;
    if (column == MANIFEST_ATTRIBUTE && !(cell->attribute = take_text(at, end)))
        return -1;
    while (*at < end && **at != END_MARK) {
        if (cell->item_count == LIMIT_MANIFEST_ITEMS)
            return -1;
        if (!(items[cell->item_count++] = take_text(at, end)))
            return -1;
    }
    if (*at == end || (kind == '=' && cell->item_count != 1))
        return -1;
    (*at)++;
    return 0;
}

int manifest_unpack(const void *packed, size_t len,
                    int (*fn)(const struct manifest_cell *cell, void *user), void *user,
                    struct err *err)
{
    const char *at = packed;
    const char *end = at + len;
    const char **items = calloc(LIMIT_MANIFEST_ITEMS, sizeof *items);
    int rc = items ? 0 : err_set(err, ERR_NOMEM, "no memory for a row of the manifest");
    while (!rc && at < end) {
        struct manifest_cell cell;
        if (take_cell(&at, end, items, &cell))
            rc = err_set(err, ERR_INTERNAL, "a row of the manifest is damaged in the journal");
        else
            rc = fn(&cell, user);
    }
    free(items);
    return rc;
}
