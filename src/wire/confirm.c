/*
 * confirm.c - the body of confirm-upload and the file id of its reply. Called by the steps on the
 * loop thread; no state.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "wire/date.h"
#include "wire/doc.h"
#include "wire/template.h"
#include "wire/wire.h"

static void append_string(const char *text, size_t len, struct buf *out)
{
    /* Failures are gathered in out->truncated and looked at once, at the end. */
    (void)log_append_json_string(out, text, len);
}

static void append_member(const char *key, const char *text, struct buf *out)
{
    buf_puts(out, key);
    append_string(text, strlen(text), out);
}

static void append_etag(enum wire_etag quotes, const char *etag, struct buf *out)
{
    size_t len = strlen(etag);
    if (quotes == WIRE_ETAG_STRIP && len >= 2 && etag[0] == '"' && etag[len - 1] == '"')
        append_string(etag + 1, len - 2, out);
    else
        append_string(etag, len, out);
}

static int append_parts(const struct wire_profile *profile, const struct wire_confirm *confirm,
                        struct buf *out, struct err *err)
{
    append_member(",\"upload_id\":", confirm->upload_id, out);
    buf_puts(out, ",\"multipart\":[");
    int last = 0;
    for (size_t i = 0; i < confirm->part_count; i++) {
        const struct wire_etag_of *part = &confirm->parts[i];
        if (part->part_no <= last || part->part_no > LIMIT_PARTS || !part->etag)
            return err_set(err, ERR_INTERNAL, "part %d has no ETag or is out of order",
                           part->part_no);
        last = part->part_no;
        buf_printf(out, "%s{\"part_number\":%d,\"etag\":", i ? "," : "", part->part_no);
        append_etag(profile->etag_quotes, part->etag, out);
        buf_puts(out, "}");
    }
    buf_puts(out, "]");
    if (!confirm->part_count)
        return err_set(err, ERR_INTERNAL, "a multipart upload without parts");
    return 0;
}

static int append_date(enum wire_date form, const char *key, const char *text, struct buf *out,
                       struct err *err)
{
    int64_t ms = 0;
    char formatted[DATE_TEXT_MAX];
    if (!text)
        return 0;
    if (date_parse(text, &ms))
        return err_set(err, ERR_USAGE, "a publishing date must be YYYY-MM-DD or RFC 3339");
    if (form == WIRE_DATE_DAY)
        date_format_day(ms, formatted);
    else
        date_format_second(ms, formatted);
    append_member(key, formatted, out);
    return 0;
}

static int append_metadata(const struct wire_profile *profile, const struct wire_confirm *confirm,
                           struct buf *out, struct err *err)
{
    buf_printf(out, ",\"metadata\":{\"published\":%s", confirm->published ? "true" : "false");
    int rc =
        append_date(profile->date, ",\"published_start_date\":", confirm->publish_start, out, err);
    if (!rc)
        rc = append_date(profile->date, ",\"published_end_date\":", confirm->publish_end, out, err);
    if (rc)
        return rc;
    /* Without region_ids the file goes to the account's primary region; [] could mean none. */
    for (size_t i = 0; i < confirm->region_count; i++)
        append_member(i ? "," : ",\"region_ids\":[", confirm->region_ids[i], out);
    buf_puts(out, confirm->region_count ? "]}" : "}");
    return 0;
}

int wire_encode_confirm(const struct wire_profile *profile, const struct wire_confirm *confirm,
                        struct buf *out, struct err *err)
{
    int rc = 0;
    append_member("{\"file_path\":", confirm->file_path, out);
    append_member(",\"file_name\":", confirm->file_name, out);
    buf_printf(out, ",\"file_size\":%" PRId64, confirm->size_bytes);
    if (confirm->upload_id)
        rc = append_parts(profile, confirm, out, err);
    if (!rc)
        rc = append_metadata(profile, confirm, out, err);
    if (!rc && confirm->conflict != WIRE_CONFLICT_NONE)
        rc = template_append(confirm->conflict == WIRE_CONFLICT_OVERWRITE
                                 ? profile->conflict_overwrite
                                 : profile->conflict_version,
                             confirm->conflict_file_id, out, err);
    buf_puts(out, "}");
    if (!rc && out->truncated)
        rc = err_set(err, ERR_NOMEM, "the confirm's body is over %zu bytes", out->max);
    return rc;
}

/* The object that has the file's id, and the id. */
static struct json_object *find_file(struct json_object *doc, const char **out_id)
{
    struct json_object *places[] = {doc, doc, doc_object(doc, "file"), doc_object(doc, "data")};
    static const char *const keys[] = {"id", "file_id", "id", "id"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if ((*out_id = doc_id(places[i], keys[i])))
            return places[i];
    return doc;
}

static void read_confirmed(struct json_object *doc, struct wire_confirmed *out)
{
    const char *id;
    struct json_object *file = find_file(doc, &id);
    const char *version = doc_id(file, "version");
    const char *url = doc_text(file, "cdn_url");
    if (!url)
        url = doc_text(doc_object(file, "metadata"), "cdn_url");
    snprintf(out->id, sizeof out->id, "%s", id ? id : "");
    if (version && strlen(version) < sizeof out->version)
        snprintf(out->version, sizeof out->version, "%s", version);
    if (url)
        (void)wire_public_url(url, out->cdn_url);
}

int wire_decode_confirm(const char *body, size_t len, struct wire_confirmed *out, struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_confirmed){0};
    if (!len)
        return 0;
    int rc = doc_parse(body, len, "confirm-upload", &doc, err);
    if (rc) {
        /* The status was a success, so the file may well be there. */
        if (err)
            err->effect = EFFECT_MAYBE;
        return rc;
    }
    read_confirmed(doc, out);
    json_object_put(doc);
    return 0;
}
