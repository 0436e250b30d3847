/* tally.c - see tally.h. Called by summary.c, plan.c and status.c, on their caller's thread. */
#include "report/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "report/text.h"

int tally_is_current(const struct tally *tally, const struct journal_row *row)
{
    return row->wave == tally->books.wave;
}

/* The first free place of an example list, or NULL. */
static char **free_place(char *examples[TALLY_EXAMPLES])
{
    for (int i = 0; i < TALLY_EXAMPLES; i++)
        if (!examples[i])
            return &examples[i];
    return NULL;
}

static int keep_failure(struct tally *tally, const struct journal_row *row)
{
    char **place = free_place(tally->failed[row->error]);
    if (!place)
        return 0;
    int rc = text_source(row->root, row->path, &tally->scratch);
    buf_reset(&tally->form);
    if (!rc)
        rc = name_printable(buf_str(&tally->scratch), &tally->form);
    if (rc)
        return rc;
    *place = strdup(buf_str(&tally->form));
    return *place ? 0 : -ERR_NOMEM;
}

/* What the callbacks of one reading share. */
struct reading {
    struct tally *tally;
    tally_row_fn *row_fn;
    void *user;
};

static int on_row(const struct journal_row *row, void *user)
{
    struct reading *reading = user;
    struct tally *tally = reading->tally;
    if (tally_is_current(tally, row)) {
        tally->count.files[row->state]++;
        if (row->state == ASSET_FAILED) {
            tally->count.failed_by_code[row->error]++;
            int rc = keep_failure(tally, row);
            if (rc)
                return rc;
        }
    }
    return reading->row_fn ? reading->row_fn(row, reading->user) : 0;
}

static int on_excluded(const char *reason, int64_t files, int64_t bytes, void *user)
{
    struct tally *tally = user;
    tally->count.excluded_files += files;
    tally->count.excluded_bytes += bytes;
    if (tally->reason_count == TALLY_REASONS)
        return 0;
    struct tally_reason *slot = &tally->reasons[tally->reason_count++];
    *slot = (struct tally_reason){.files = files, .bytes = bytes};
    snprintf(slot->name, sizeof slot->name, "%s", reason);
    return 0;
}

static int on_issue(const char *path, enum err_code code, const char *text, void *user)
{
    (void)code;
    struct tally *tally = user;
    char **place = free_place(tally->issues);
    if (!place)
        return 0;
    buf_reset(&tally->form);
    int rc = name_printable(path, &tally->form);
    if (!rc)
        rc = buf_printf(&tally->form, ": ");
    if (!rc)
        rc = name_printable(text ? text : "", &tally->form);
    if (rc)
        return rc;
    *place = strdup(buf_str(&tally->form));
    return *place ? 0 : -ERR_NOMEM;
}

int tally_read(struct tally *tally, struct journal *journal, tally_row_fn *row_fn, void *user,
               struct err *err)
{
    *tally = (struct tally){0};
    buf_init(&tally->scratch, TEXT_MAX_BYTES);
    buf_init(&tally->form, TEXT_MAX_BYTES);
    struct reading reading = {tally, row_fn, user};
    int rc = journal_read_books(journal, &tally->books, err);
    if (!rc)
        rc = journal_each_row(journal, on_row, &reading, err);
    if (!rc)
        rc = journal_each_excluded(journal, on_excluded, tally, err);
    if (!rc)
        rc = journal_each_issue(journal, on_issue, tally, err);
    if (rc == -ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "no memory for the report");
    return rc;
}

void tally_release(struct tally *tally)
{
    for (int code = 0; code < ERR_COUNT; code++)
        for (int i = 0; i < TALLY_EXAMPLES; i++)
            free(tally->failed[code][i]);
    for (int i = 0; i < TALLY_EXAMPLES; i++)
        free(tally->issues[i]);
    buf_release(&tally->scratch);
    buf_release(&tally->form);
    *tally = (struct tally){0};
}

void tally_print_excluded(const struct tally *tally, FILE *out)
{
    if (!tally->reason_count)
        return;
    fprintf(out, "\nExcluded:\n");
    for (size_t i = 0; i < tally->reason_count; i++) {
        const struct tally_reason *reason = &tally->reasons[i];
        char size[UNITS_TEXT_MAX];
        fprintf(out, "  %-16s %12lld %12s\n", reason->name, (long long)reason->files,
                units_format_size(reason->bytes, size));
    }
}

static void print_more(FILE *out, int64_t count)
{
    if (count > TALLY_EXAMPLES)
        fprintf(out, "    and %lld more\n", (long long)(count - TALLY_EXAMPLES));
}

void tally_print_failures(const struct tally *tally, FILE *out)
{
    int headed = 0;
    for (int code = 0; code < ERR_COUNT; code++) {
        int64_t count = tally->count.failed_by_code[code];
        if (!count)
            continue;
        if (!headed)
            fprintf(out, "\nFailed:\n");
        headed = 1;
        fprintf(out, "  %s: %lld - %s\n", err_name((enum err_code)code), (long long)count,
                err_advice((enum err_code)code));
        for (int i = 0; i < TALLY_EXAMPLES && tally->failed[code][i]; i++)
            fprintf(out, "    %s\n", tally->failed[code][i]);
        print_more(out, count);
    }
}

void tally_print_issues(const struct tally *tally, FILE *out)
{
    if (!tally->books.issues)
        return;
    fprintf(out,
            "\nNot looked into by the walk: %lld - what is in there is not counted; put it right "
            "and run again\n",
            (long long)tally->books.issues);
    for (int i = 0; i < TALLY_EXAMPLES && tally->issues[i]; i++)
        fprintf(out, "    %s\n", tally->issues[i]);
    print_more(out, tally->books.issues);
}

/* Files of this wave that no row of the manifest is for. */
static int64_t files_without_row(const struct journal_books *books)
{
    int64_t files = 0;
    for (int state = 0; state < ASSET_STATE_COUNT; state++)
        files += books->files[state];
    return files - books->manifest_files;
}

void tally_print_manifest(const struct tally *tally, FILE *out)
{
    const struct journal_books *books = &tally->books;
    if (!books->manifest_rows)
        return;
    fprintf(out,
            "Manifest: %lld rows, for %lld files; %lld rows without a file, %lld files "
            "without a row (pxload report names them).\n",
            (long long)books->manifest_rows, (long long)books->manifest_files,
            (long long)books->manifest_unused, (long long)files_without_row(books));
}

void tally_json_manifest(const struct tally *tally, struct json *json)
{
    const struct journal_books *books = &tally->books;
    if (!books->manifest_rows)
        return;
    json_int(json, "manifest_rows", books->manifest_rows);
    json_int(json, "manifest_files", books->manifest_files);
    json_int(json, "rows_without_file", books->manifest_unused);
    json_int(json, "files_without_row", files_without_row(books));
}

void tally_json_failures(const struct tally *tally, struct json *json)
{
    json_open(json, "failed_by_class");
    for (int code = 0; code < ERR_COUNT; code++)
        if (tally->count.failed_by_code[code])
            json_int(json, err_name((enum err_code)code), tally->count.failed_by_code[code]);
    json_close(json);
}
