/*
 * manifest.c - see manifest.h: each row of the file becomes what the confirm and the link of its
 * file need, in the tenant's ids, or the reason why it cannot be followed.
 */
#include "pipeline/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_ROWS  256
#define DIGEST_META "manifest.digest"
#define LISTS_BYTES (4 * LIMIT_MANIFEST_ROW_BYTES)

struct loader {
    const struct job_options *options;
    const struct catalog *catalog; /* NULL: a plan */
    struct journal *journal;
    const int *stop;
    struct err *err;
    int64_t bad_rows;

    struct journal_manifest_row rows[BATCH_ROWS]; /* their texts are owned */
    size_t count;

    /* the row being read */
    int64_t line;
    struct buf error; /* empty: the row is fine */
    struct buf region_ids;
    struct buf collections;
    struct buf attributes;
    const char *publish_start;
    const char *publish_end;
    int published;
    struct buf split; /* a cell's text, cut into items */
    const char **items;
    size_t item_count;
};

/* ---- cells --------------------------------------------------------------------------------- */

static void fail_cell(struct loader *loader, const struct manifest_cell *cell, const char *why)
{
    if (loader->error.len)
        return;
    buf_printf(&loader->error, "manifest line %lld, column %s%s%.80s: %.300s",
               (long long)loader->line, manifest_column_name(cell->column),
               cell->attribute ? ":" : "", cell->attribute ? cell->attribute : "", why);
}

static char *trim(char *text)
{
    text += strspn(text, " \t\r\n");
    size_t len = strlen(text);
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    text[len] = '\0';
    return text;
}

/* The items of a list: an array's own, or a text's between semicolons. */
static int split(struct loader *loader, const struct manifest_cell *cell)
{
    loader->item_count = 0;
    if (cell->is_array) {
        memcpy(loader->items, cell->items, cell->item_count * sizeof *cell->items);
        loader->item_count = cell->item_count;
        return 0;
    }
    buf_reset(&loader->split);
    if (buf_puts(&loader->split, cell->items[0]))
        return -ERR_NOMEM;
    for (char *rest = loader->split.data, *item; (item = strsep(&rest, ";"));) {
        item = trim(item);
        if (!*item)
            continue;
        if (loader->item_count == LIMIT_MANIFEST_ITEMS) {
            fail_cell(loader, cell, "the list has too many values");
            break;
        }
        loader->items[loader->item_count++] = item;
    }
    return 0;
}

/* The one text of a cell that takes no list; NULL and the row fails where it is one. */
static const char *one_text(struct loader *loader, const struct manifest_cell *cell)
{
    if (cell->item_count == 1)
        return cell->items[0];
    fail_cell(loader, cell, "it takes one value, not a list");
    return NULL;
}

/* The id of a name or id; in a plan the text itself, as nobody can be asked. */
static const char *find_id(struct loader *loader, const struct manifest_cell *cell,
                           enum catalog_kind kind, const char *text)
{
    if (!loader->catalog)
        return text;
    struct buf why;
    buf_init(&why, ERR_TEXT_MAX);
    const struct catalog_entry *entry = catalog_find(loader->catalog, kind, text, &why);
    if (!entry)
        fail_cell(loader, cell, buf_str(&why));
    buf_release(&why);
    return entry ? entry->id : NULL;
}

static int take_collections(struct loader *loader, const struct manifest_cell *cell)
{
    int rc = split(loader, cell);
    for (size_t i = 0; !rc && i < loader->item_count; i++) {
        const char *id = find_id(loader, cell, CATALOG_COLLECTIONS, loader->items[i]);
        if (!id)
            break;
        rc = wire_add_id(id, &loader->collections);
    }
    return rc;
}

static int take_regions(struct loader *loader, const struct manifest_cell *cell)
{
    int rc = split(loader, cell);
    for (size_t i = 0; !rc && i < loader->item_count; i++) {
        const char *id = find_id(loader, cell, CATALOG_REGIONS, loader->items[i]);
        if (!id)
            break;
        rc = buf_printf(&loader->region_ids, "%s%s", i ? "\n" : "", id);
    }
    return rc;
}

static void take_published(struct loader *loader, const struct manifest_cell *cell)
{
    const char *text = one_text(loader, cell);
    char why[160];
    if (!text)
        return;
    loader->published = wire_boolean(text);
    if (loader->published >= 0)
        return;
    snprintf(why, sizeof why, "'%.80s' is neither true nor false; write true or false", text);
    fail_cell(loader, cell, why);
}

static const char *take_date(struct loader *loader, const struct manifest_cell *cell)
{
    const char *text = one_text(loader, cell);
    char why[160];
    int64_t ms;
    if (!text || !wire_parse_date(text, &ms))
        return text;
    snprintf(why, sizeof why, "'%.80s' is no date; write 2026-01-31 or 2026-01-31T09:00:00Z", text);
    fail_cell(loader, cell, why);
    return NULL;
}

/* An attribute that the tenant lacks is a whole column in CSV: then nothing is begun. */
static int refuse_attribute(struct loader *loader, const struct manifest_cell *cell,
                            const char *why)
{
    if (loader->options->manifest_info.is_json) {
        fail_cell(loader, cell, why);
        return 0;
    }
    return err_set(loader->err, ERR_MANIFEST, "manifest, column attribute:%.80s: %.350s",
                   cell->attribute, why);
}

static int add_attribute(struct loader *loader, const struct manifest_cell *cell,
                         const struct wire_attribute *attribute)
{
    struct err why = ERR_INIT;
    const char *const *items = cell->items;
    size_t count = cell->item_count;
    int rc = 0;
    if (attribute->type == WIRE_TYPE_LIST) {
        rc = split(loader, cell);
        items = loader->items;
        count = loader->item_count;
    }
    if (!rc)
        rc = wire_add_attribute(attribute, items, count, &loader->attributes, &why);
    if (rc == -ERR_USAGE) {
        fail_cell(loader, cell, why.text);
        rc = 0;
    }
    return rc;
}

static int take_attribute(struct loader *loader, const struct manifest_cell *cell)
{
    char name[LIMIT_MANIFEST_LABEL];
    snprintf(name, sizeof name, "%s", cell->attribute);
    if (!loader->catalog) {
        /* Without the tenant its type is anybody's guess: what is there says enough. */
        struct wire_attribute guess = {.id = name, .label = name, .type = WIRE_TYPE_LIST};
        return add_attribute(loader, cell, &guess);
    }
    struct buf why;
    int rc;
    buf_init(&why, ERR_TEXT_MAX);
    const struct catalog_entry *entry =
        catalog_find(loader->catalog, CATALOG_ATTRIBUTES, name, &why);
    if (entry)
        rc = add_attribute(loader, cell, entry->attribute);
    else
        rc = refuse_attribute(loader, cell, buf_str(&why));
    buf_release(&why);
    return rc;
}

static int take_cell(struct loader *loader, const struct manifest_cell *cell)
{
    switch (cell->column) {
    case MANIFEST_COLLECTIONS:
        return take_collections(loader, cell);
    case MANIFEST_REGIONS:
        return take_regions(loader, cell);
    case MANIFEST_PUBLISHED:
        take_published(loader, cell);
        return 0;
    case MANIFEST_PUBLISH_START:
        loader->publish_start = take_date(loader, cell);
        return 0;
    case MANIFEST_PUBLISH_END:
        loader->publish_end = take_date(loader, cell);
        return 0;
    case MANIFEST_ATTRIBUTE:
        return take_attribute(loader, cell);
    case MANIFEST_COLUMN_COUNT:
        break;
    }
    BUG_ON(1);
}

/* What no single cell can tell. */
static void check_publishing(struct loader *loader)
{
    int published = loader->published < 0 ? loader->options->publish : loader->published;
    const char *start = loader->publish_start;
    const char *end = loader->publish_end;
    int64_t start_ms = 0;
    int64_t end_ms = 0;
    if (loader->error.len || (!start && !end))
        return;
    if (!published)
        buf_printf(&loader->error,
                   "manifest line %lld, column %s: it has no effect on a file that is not "
                   "published; write true into column published",
                   (long long)loader->line,
                   manifest_column_name(start ? MANIFEST_PUBLISH_START : MANIFEST_PUBLISH_END));
    else if (start && end && !wire_parse_date(start, &start_ms) && !wire_parse_date(end, &end_ms) &&
             end_ms < start_ms)
        buf_printf(&loader->error,
                   "manifest line %lld, column publish_end: %.40s is before publish_start %.40s",
                   (long long)loader->line, end, start);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void free_row(struct journal_manifest_row *row)
{
    const char *const texts[] = {row->key,           row->file_name,   row->error,
                                 row->publish_start, row->publish_end, row->region_ids,
                                 row->collections,   row->attributes};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free((void *)(uintptr_t)texts[i]);
}

static int flush(struct loader *loader)
{
    int rc = 0;
    if (loader->count)
        rc = journal_manifest_add(loader->journal, loader->rows, loader->count, loader->err);
    for (size_t i = 0; i < loader->count; i++)
        free_row(&loader->rows[i]);
    loader->count = 0;
    return rc;
}

/* A copy of what is not empty; *rc tells when there was no memory. */
static char *keep(const char *text, int *rc)
{
    if (!text || !*text)
        return NULL;
    char *copy = strdup(text);
    *rc = copy ? *rc : -ERR_NOMEM;
    return copy;
}

/* Into the batch; of a bad row only whose it is and what is wrong with it. */
static int add_row(struct loader *loader, const struct manifest_row *row)
{
    struct journal_manifest_row *out = &loader->rows[loader->count++];
    int is_bad = loader->error.len > 0;
    int rc = 0;
    *out = (struct journal_manifest_row){
        .line = row->line,
        .by_name = row->name != NULL,
        .published = -1,
        .key = keep(row->path ? row->path : row->name, &rc),
        .error = keep(buf_str(&loader->error), &rc),
    };
    loader->bad_rows += is_bad;
    if (!is_bad) {
        out->file_name = keep(row->file_name, &rc);
        out->published = loader->published;
        out->publish_start = keep(loader->publish_start, &rc);
        out->publish_end = keep(loader->publish_end, &rc);
        out->region_ids = keep(buf_str(&loader->region_ids), &rc);
        out->collections = keep(buf_str(&loader->collections), &rc);
        out->attributes = keep(buf_str(&loader->attributes), &rc);
    }
    if (rc)
        return err_set(loader->err, ERR_NOMEM, "no memory for the manifest");
    return loader->count < BATCH_ROWS ? 0 : flush(loader);
}

static int on_row(const struct manifest_row *row, void *user)
{
    struct loader *loader = user;
    int rc = 0;
    loader->line = row->line;
    loader->published = -1;
    loader->publish_start = loader->publish_end = NULL;
    buf_reset(&loader->error);
    buf_reset(&loader->region_ids);
    buf_reset(&loader->collections);
    buf_reset(&loader->attributes);
    if (__atomic_load_n(loader->stop, __ATOMIC_RELAXED))
        return err_set(loader->err, ERR_STOPPED, "stopped while the manifest was read");
    if (row->error && buf_puts(&loader->error, row->error->text))
        rc = -ERR_NOMEM;
    for (size_t i = 0; !rc && !loader->error.len && i < row->cell_count; i++)
        rc = take_cell(loader, &row->cells[i]);
    check_publishing(loader);
    if (rc == -ERR_NOMEM)
        return err_set(loader->err, ERR_NOMEM, "no memory for line %lld of the manifest",
                       (long long)row->line);
    return rc ? rc : add_row(loader, row);
}

/* ---- the whole ----------------------------------------------------------------------------- */

int manifest_is_loaded(struct journal *journal, const struct manifest_info *info, struct err *err)
{
    char *kept = NULL;
    int rc = journal_get_meta(journal, DIGEST_META, &kept, err);
    int same = kept && !strcmp(kept, info->digest);
    free(kept);
    return rc ? rc : same;
}

int manifest_forget(struct journal *journal, struct err *err)
{
    struct journal_books books;
    int rc = journal_read_books(journal, &books, err);
    if (rc || !books.manifest_rows)
        return rc;
    rc = journal_set_meta(journal, DIGEST_META, "", err);
    return rc ? rc : journal_manifest_clear(journal, err);
}

static int load(struct loader *loader)
{
    struct err *err = loader->err;
    struct manifest_info seen;
    /* Until the last row is in, the journal has none. */
    int rc = journal_set_meta(loader->journal, DIGEST_META, "", err);
    if (!rc)
        rc = journal_manifest_clear(loader->journal, err);
    if (!rc)
        rc = manifest_read(loader->options->manifest, on_row, loader, &seen, err);
    if (!rc)
        rc = flush(loader);
    if (!rc && strcmp(seen.digest, loader->options->manifest_info.digest) != 0)
        rc = err_set(err, ERR_MANIFEST, "manifest %s: it changed while it was read; run again",
                     loader->options->manifest);
    /* With a bad row it is read again next time: what PXM lacked may be there by then. */
    if (!rc && !loader->bad_rows)
        rc = journal_set_meta(loader->journal, DIGEST_META, seen.digest, err);
    return rc;
}

int manifest_load(const struct job_options *options, const struct catalog *catalog,
                  struct journal *journal, const int *stop, struct err *err)
{
    struct loader *loader = calloc(1, sizeof *loader);
    const char **items = calloc(LIMIT_MANIFEST_ITEMS, sizeof *items);
    if (!loader || !items) {
        free(loader);
        free(items);
        return err_set(err, ERR_NOMEM, "no memory for the manifest");
    }
    loader->options = options;
    loader->catalog = catalog;
    loader->journal = journal;
    loader->stop = stop;
    loader->err = err;
    loader->items = items;
    buf_init(&loader->error, ERR_TEXT_MAX);
    buf_init(&loader->split, LISTS_BYTES);
    buf_init(&loader->region_ids, LISTS_BYTES);
    buf_init(&loader->collections, LISTS_BYTES);
    buf_init(&loader->attributes, LISTS_BYTES);
    int rc = load(loader);
    for (size_t i = 0; i < loader->count; i++)
        free_row(&loader->rows[i]);
    buf_release(&loader->error);
    buf_release(&loader->split);
    buf_release(&loader->region_ids);
    buf_release(&loader->collections);
    buf_release(&loader->attributes);
    free(items);
    free(loader);
    return rc;
}
