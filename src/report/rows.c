/*
 * rows.c - report --format csv|ndjson, see report.h. One row is in memory at a time.
 *
 * CSV: gsutil's manifest columns first, so that scripts made for it can read it. What they hold:
 *   Source            the absolute path; Destination the name in PXM
 *   Start, End        when the file entered the job, and its final state
 *   Md5               hexadecimal, of the whole file, where it was computed
 *   UploadId          empty: an upload session does not outlive its file
 *   Bytes Transferred the size where the file is in PXM by this job, else 0
 *   Result            OK, skip, error, pending
 *   Description       the error, or why it was left out
 *   Version           PXM's number of the file's content, where its reply said one
 *   CdnUrl            what PXM's reply said, else what the template makes of the row
 *   Collection        once it is linked: the ids of the collections that it was linked to, its
 *                     folder's first and then the manifest's, ';' between them
 *   Digest            see record_digest()
 *   Duration          milliseconds of the run that ended the file, from its turn to its end
 *   OriginalName      the last component of the path
 *   Encoding          "percent" where the names cannot stand in a cell as they are: they are no
 *                     plain UTF-8, or a spreadsheet would take one for a formula. Odd bytes, such
 *                     beginnings and '%' of Source, Destination and OriginalName are then %XX,
 *                     which can be undone exactly; else "utf-8"
 *   ManifestLine      the manifest's row that is for the file; empty: none is
 * File names are strangers' words, and this file is opened in spreadsheets: so no cell can be a
 * formula, see text_begins_formula(). Fields are quoted by RFC 4180; every row is one line.
 *
 * Behind the files come the issues of the walk (State "issue") and one row for each reason of
 * exclusion (State "excluded", Result skip, the number of files in the Description), and the
 * manifest's rows that are for no file (State "manifest_row", Source its path or name).
 */
#include "report/report.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "report/cdn.h"
#include "report/csv.h"
#include "report/json.h"
#include "report/record.h"
#include "report/text.h"

static const char header[] =
    "Source,Destination,Start,End,Md5,UploadId,Source Size,Bytes Transferred,Result,Description,"
    "FileId,Version,CdnUrl,Collection,Digest,State,MimeType,ErrorClass,HttpStatus,RequestId,Advice,"
    "Etag,Attempts,Duration,Wave,OriginalName,Encoding,ManifestLine\n";

static const char gone_text[] = "not in the source any more, or left out by the filters";

/* What one export carries from row to row. */
struct export
{
    FILE *out;
    const char *cdn_pattern;
    struct journal_books books;
    struct csv csv;
    struct json json;
    struct buf source;
    struct buf form;
    struct buf url;
    struct err *err;
};

/* A file that the last whole walk did not find again. */
static int is_gone(const struct export *export, const struct journal_row *row)
{
    return export->books.walk_complete && row->wave < export->books.wave;
}

static int is_uploaded(enum asset_state state)
{
    return strcmp(record_result(state), "OK") == 0;
}

/* What a file met on its way to PXM is no news once it is there. */
static struct journal_row without_past_errors(const struct journal_row *row)
{
    struct journal_row shown = *row;
    if (!is_uploaded(row->state))
        return shown;
    shown.error = ERR_NONE;
    shown.error_text = NULL;
    shown.http_status = 0;
    shown.request_id = NULL;
    return shown;
}

/* ---- CSV ---------------------------------------------------------------------------------------
 */

static int csv_write(struct export *export)
{
    int rc = csv_end(&export->csv, export->err);
    if (rc)
        return rc;
    const struct buf *row = &export->csv.buf;
    if (fwrite(row->data, 1, row->len, export->out) != row->len)
        return err_set_errno(export->err, ERR_IO, errno, "cannot write the report");
    return 0;
}

static void csv_when(struct csv *csv, int64_t wall_ms)
{
    char when[CLOCK_TEXT_MAX];
    csv_str(csv, wall_ms > 0 ? clock_format(wall_ms, when) : NULL);
}

static int is_plain_cell(const char *raw)
{
    return text_is_plain(raw) && !text_has_formula(raw);
}

/* A name as it is where that is plain, else percent-escaped. */
static int csv_name(struct export *export, const char *raw, int plain)
{
    if (plain) {
        csv_str(&export->csv, raw);
        return 0;
    }
    buf_reset(&export->form);
    int rc = text_escape_cell(raw, &export->form);
    if (!rc)
        csv_str(&export->csv, buf_str(&export->form));
    return rc;
}

static void csv_manifest(struct csv *csv, const struct journal_row *row, int gone)
{
    char hex[33];
    int is_ok = is_uploaded(row->state);
    csv_when(csv, row->added_ms);
    csv_when(csv, row->done_ms);
    csv_str(csv, row->has_md5 ? text_hex(row->md5, hex) : NULL);
    csv_str(csv, NULL);
    csv_int(csv, row->stamp.size_bytes);
    csv_int(csv, is_ok ? row->stamp.size_bytes : 0);
    csv_str(csv, gone && !is_ok ? "skip" : record_result(row->state));
    if (gone && !row->error_text) {
        csv_str(csv, gone_text);
        return;
    }
    char text[ERR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", row->error_text ? row->error_text : "");
    log_redact(text);
    csv_str(csv, text);
}

static int join_id(const char *id, void *user)
{
    struct buf *ids = user;
    int rc = ids->len ? buf_puts(ids, ";") : 0;
    return rc ? rc : buf_puts(ids, id);
}

static int json_id(const char *id, void *user)
{
    json_item(user, id);
    return 0;
}

/* A number that is missing is no 0. */
static void csv_int_or_blank(struct csv *csv, int is_known, int64_t value)
{
    if (is_known)
        csv_int(csv, value);
    else
        csv_str(csv, NULL);
}

static void csv_details(struct export *export, const struct journal_row *row)
{
    struct csv *csv = &export->csv;
    char digest[RECORD_DIGEST_MAX];
    csv_str(csv, row->file_id);
    csv_str(csv, row->version);
    csv_str(csv, buf_str(&export->url));
    csv_str(csv, buf_str(&export->form));
    csv_str(csv, record_digest(row->has_md5 ? row->md5 : NULL, row->etag, digest));
    csv_str(csv, asset_state_name(row->state));
    csv_str(csv, row->mime_type);
    csv_str(csv, row->error == ERR_NONE ? NULL : err_name(row->error));
    csv_int_or_blank(csv, row->http_status != 0, row->http_status);
    csv_str(csv, row->request_id);
    csv_str(csv, row->error == ERR_NONE ? NULL : err_advice(row->error));
    csv_str(csv, row->etag);
    csv_int(csv, row->tries);
    csv_int_or_blank(csv, row->done_ms > 0, row->took_ms);
    csv_int(csv, row->wave);
}

static int csv_row(const struct journal_row *stored, void *user)
{
    struct export *export = user;
    struct journal_row shown = without_past_errors(stored);
    const struct journal_row *row = &shown;
    int rc = text_source(row->root, row->path, &export->source);
    if (rc)
        return rc;
    const char *source = buf_str(&export->source);
    int plain = is_plain_cell(source) && is_plain_cell(text_base_name(source)) &&
                (!row->name || is_plain_cell(row->name));
    rc = cdn_url(row, export->cdn_pattern, &export->url);
    if (rc)
        return rc;
    csv_begin(&export->csv);
    rc = csv_name(export, source, plain);
    if (!rc && row->name)
        rc = csv_name(export, row->name, plain);
    else
        csv_str(&export->csv, NULL);
    if (rc)
        return rc;
    csv_manifest(&export->csv, row, is_gone(export, row));
    buf_reset(&export->form);
    rc = job_each_collection(row, join_id, &export->form);
    if (rc)
        return rc;
    csv_details(export, row);
    rc = csv_name(export, text_base_name(source), plain);
    if (rc)
        return rc;
    csv_str(&export->csv, plain ? "utf-8" : "percent");
    if (row->manifest_line)
        csv_int(&export->csv, row->manifest_line);
    else
        csv_str(&export->csv, NULL);
    return csv_write(export);
}

static void csv_blanks(struct csv *csv, int count)
{
    while (count-- > 0)
        csv_str(csv, NULL);
}

static int csv_issue(const char *path, enum err_code code, const char *text, void *user)
{
    struct export *export = user;
    struct csv *csv = &export->csv;
    int plain = is_plain_cell(path);
    csv_begin(csv);
    int rc = csv_name(export, path, plain);
    if (rc)
        return rc;
    csv_blanks(csv, 7);
    csv_str(csv, "error");
    csv_str(csv, text);
    csv_blanks(csv, 5);
    csv_str(csv, "issue");
    csv_str(csv, NULL);
    csv_str(csv, err_name(code));
    csv_blanks(csv, 2);
    csv_str(csv, err_advice(code));
    csv_blanks(csv, 3);
    csv_int(csv, export->books.wave);
    csv_str(csv, NULL);
    csv_str(csv, plain ? "utf-8" : "percent");
    csv_str(csv, NULL);
    return csv_write(export);
}

static int csv_excluded(const char *reason, int64_t files, int64_t bytes, void *user)
{
    struct export *export = user;
    struct csv *csv = &export->csv;
    char text[128];
    snprintf(text, sizeof text, "excluded: %s, %lld files", reason, (long long)files);
    csv_begin(csv);
    csv_blanks(csv, 6);
    csv_int(csv, bytes);
    csv_int(csv, 0);
    csv_str(csv, "skip");
    csv_str(csv, text);
    csv_blanks(csv, 5);
    csv_str(csv, "excluded");
    csv_blanks(csv, 8);
    csv_int(csv, export->books.wave);
    csv_str(csv, NULL);
    csv_str(csv, "utf-8");
    csv_str(csv, NULL);
    return csv_write(export);
}

static const char *unused_text(const char *error, int by_name)
{
    if (error)
        return error;
    return by_name ? "the manifest's row is for no file here: none has this name"
                   : "the manifest's row is for no file here: none has this path";
}

static int csv_unused(int64_t line, const char *key, int by_name, const char *error, void *user)
{
    struct export *export = user;
    struct csv *csv = &export->csv;
    int plain = is_plain_cell(key ? key : "");
    csv_begin(csv);
    int rc = csv_name(export, key ? key : "", plain);
    if (rc)
        return rc;
    csv_blanks(csv, 7);
    csv_str(csv, error ? "error" : "skip");
    csv_str(csv, unused_text(error, by_name));
    csv_blanks(csv, 5);
    csv_str(csv, "manifest_row");
    csv_str(csv, NULL);
    csv_str(csv, error ? err_name(ERR_MANIFEST) : NULL);
    csv_blanks(csv, 2);
    csv_str(csv, error ? err_advice(ERR_MANIFEST) : NULL);
    csv_blanks(csv, 3);
    csv_int(csv, export->books.wave);
    csv_str(csv, NULL);
    csv_str(csv, plain ? "utf-8" : "percent");
    csv_int(csv, line);
    return csv_write(export);
}

/* ---- NDJSON
 * ---------------------------------------------------------------------------------------- */

static int json_row(const struct journal_row *row, void *user)
{
    struct export *export = user;
    struct json *json = &export->json;
    struct record record;
    char when[CLOCK_TEXT_MAX];
    int gone = is_gone(export, row);
    int is_linked = row->state == ASSET_LINKED || row->state == ASSET_VERIFIED;
    struct journal_row shown = without_past_errors(row);
    record_of_row(&shown, &record);
    int rc = cdn_url(row, export->cdn_pattern, &export->url);
    if (rc)
        return rc;
    record.cdn_url = export->url.len ? buf_str(&export->url) : NULL;
    json_begin(json, "file", row->done_ms > 0 ? row->done_ms : row->added_ms);
    json_str(json, "level", row->state == ASSET_FAILED ? "error" : "info");
    rc = record_json(&record, json, &export->source);
    if (rc)
        return rc;
    json_str(json, "collection", is_linked ? row->collection_id : NULL);
    json_open_list(json, "collections");
    rc = job_each_collection(row, json_id, json);
    json_close_list(json);
    if (rc)
        return rc;
    json_str(json, "result", gone && !is_uploaded(row->state) ? "skip" : record_result(row->state));
    if (row->added_ms > 0)
        json_str(json, "added", clock_format(row->added_ms, when));
    json_int(json, "wave", row->wave);
    if (row->manifest_line)
        json_int(json, "manifest_line", row->manifest_line);
    if (gone)
        json_flag(json, "gone", 1);
    return json_write(json, export->out, export->err);
}

static int json_issue(const char *path, enum err_code code, const char *text, void *user)
{
    struct export *export = user;
    struct json *json = &export->json;
    json_begin(json, "error", clock_wall_ms());
    json_str(json, "level", "warning");
    int rc = record_json_source(path, NULL, json, &export->source);
    if (rc)
        return rc;
    json_str(json, "state", "issue");
    json_str(json, "error", text);
    json_str(json, "error_class", err_name(code));
    json_str(json, "advice", err_advice(code));
    return json_write(json, export->out, export->err);
}

static int json_excluded(const char *reason, int64_t files, int64_t bytes, void *user)
{
    struct export *export = user;
    struct json *json = &export->json;
    json_begin(json, "excluded", clock_wall_ms());
    json_str(json, "result", "skip");
    json_str(json, "reason", reason);
    json_int(json, "files", files);
    json_int(json, "size", bytes);
    return json_write(json, export->out, export->err);
}

static int json_unused(int64_t line, const char *key, int by_name, const char *error, void *user)
{
    struct export *export = user;
    struct json *json = &export->json;
    json_begin(json, "manifest_row", clock_wall_ms());
    json_str(json, "level", error ? "error" : "warning");
    json_int(json, "line", line);
    json_str(json, by_name ? "name" : "path", key);
    json_str(json, "error", unused_text(error, by_name));
    json_str(json, "error_class", error ? err_name(ERR_MANIFEST) : NULL);
    return json_write(json, export->out, export->err);
}

/* ---- both
 * -------------------------------------------------------------------------------------------- */

/* The callbacks of a format. */
struct writer {
    const char *head;
    int (*row)(const struct journal_row *row, void *user);
    int (*issue)(const char *path, enum err_code code, const char *text, void *user);
    int (*excluded)(const char *reason, int64_t files, int64_t bytes, void *user);
    int (*unused)(int64_t line, const char *key, int by_name, const char *error, void *user);
};
static const struct writer writers[] = {
    [ROWS_CSV] = {header, csv_row, csv_issue, csv_excluded, csv_unused},
    [ROWS_NDJSON] = {"", json_row, json_issue, json_excluded, json_unused},
};

int rows_print(struct journal *journal, const struct rows_options *options, FILE *out,
               struct err *err)
{
    const struct writer *writer = &writers[options->format];
    struct export export = {.out = out, .cdn_pattern = options->cdn_url, .err = err};
    csv_prepare(&export.csv);
    json_init(&export.json);
    buf_init(&export.source, TEXT_MAX_BYTES);
    buf_init(&export.form, TEXT_MAX_BYTES);
    buf_init(&export.url, TEXT_MAX_BYTES);
    fputs(writer->head, out);
    int rc = journal_read_books(journal, &export.books, err);
    if (!rc)
        rc = journal_each_row(journal, writer->row, &export, err);
    if (!rc)
        rc = journal_each_issue(journal, writer->issue, &export, err);
    if (!rc)
        rc = journal_each_excluded(journal, writer->excluded, &export, err);
    if (!rc)
        rc = journal_each_unused(journal, writer->unused, &export, err);
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for a row of the report");
    buf_release(&export.url);
    buf_release(&export.form);
    buf_release(&export.source);
    json_release(&export.json);
    csv_release(&export.csv);
    return rc ? rc : text_flush(out, err);
}
