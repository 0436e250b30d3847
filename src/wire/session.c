/*
 * session.c - the reply to request-upload. Called by the step REQUESTED on the loop thread; no
 * state. Invariants: a session that is returned satisfies the comments of struct wire_session;
 * no error text holds a URL.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/doc.h"
#include "wire/plan.h"
#include "wire/wire.h"

/* Percent-encoded, three bytes for one, it still fits into the path of a look-up. */
#define FILE_NAME_MAX (LIMIT_URL_BYTES / 4)

struct decoder {
    struct json_object *data; /* upload_data, or the whole reply */
    const struct wire_upload *upload;
    const struct wire_url_rules *rules;
    struct wire_session *out;
    struct err *err;
};

static int copy(struct decoder *decoder, const char *text, char **out)
{
    *out = strdup(text);
    return *out ? 0 : err_set(decoder->err, ERR_NOMEM, "request-upload: out of memory");
}

/* A conflict may be told at the top, inside upload_data, or in both places. */
static int read_conflict(struct decoder *decoder, struct json_object *object)
{
    struct wire_session *out = decoder->out;
    const char *id = doc_id(object, "conflict_file_id");
    int said = 0;
    enum doc_found found = doc_bool(object, "is_conflict", &said);
    /* Taken for "no conflict", a value nobody understands would end in a silent duplicate. */
    if (found == DOC_WRONG)
        return err_set(decoder->err, ERR_BAD_REPLY, "is_conflict is neither true nor false");
    out->is_conflict |= found == DOC_FOUND ? said : id != NULL;
    if (id && !out->conflict_file_id)
        return copy(decoder, id, &out->conflict_file_id);
    return 0;
}

static int has_instructions(struct json_object *data)
{
    struct json_object *parts = doc_get(data, "parts");
    int no_parts =
        !parts || (json_object_is_type(parts, json_type_array) && !json_object_array_length(parts));
    return doc_get(data, "upload_url") || !no_parts;
}

static int read_url(struct decoder *decoder, struct json_object *object, struct wire_part *part)
{
    const char *url = doc_text(object, "upload_url");
    struct err why = ERR_INIT;
    if (!url)
        return err_set(decoder->err, ERR_BAD_REPLY, "part %d has no upload_url", part->part_no);
    if (wire_check_url(url, decoder->rules, &why))
        return err_set(decoder->err, ERR_BAD_REPLY, "the upload_url of part %d: %s", part->part_no,
                       why.text);
    return copy(decoder, url, &part->url);
}

/* part holds the one before it in part[-1], unless idx is 0. */
static int read_part(struct decoder *decoder, struct json_object *object, size_t idx,
                     struct plan_range *range)
{
    struct wire_part *part = &decoder->out->parts[idx];
    int64_t part_no = 0;
    int64_t last = idx ? part[-1].part_no : 0;
    if (doc_int(object, "part_number", &part_no) != DOC_FOUND)
        return err_set(decoder->err, ERR_BAD_REPLY, "part_number is missing or no number");
    if (part_no <= last || part_no > LIMIT_PARTS)
        return err_set(decoder->err, ERR_BAD_REPLY,
                       "a part_number is not between %lld and %d, or parts are out of order",
                       (long long)last + 1, LIMIT_PARTS);
    part->part_no = (int)part_no;
    enum doc_found start = doc_int(object, "start_byte", &range->start);
    enum doc_found end = doc_int(object, "end_byte", &range->end);
    if (start == DOC_WRONG || start != end)
        return err_set(decoder->err, ERR_BAD_REPLY,
                       "part %d: start_byte and end_byte must both be numbers", part->part_no);
    range->given = start == DOC_FOUND;
    return read_url(decoder, object, part);
}

static int read_parts(struct decoder *decoder, struct json_object *array)
{
    struct wire_session *out = decoder->out;
    size_t count = json_object_array_length(array);
    if (!count || count > LIMIT_PARTS)
        return err_set(decoder->err, ERR_BAD_REPLY, "%zu parts, not 1 to %d", count, LIMIT_PARTS);
    out->parts = calloc(count, sizeof *out->parts);
    struct plan_range *ranges = calloc(count, sizeof *ranges);
    int rc = 0;
    if (!out->parts || !ranges)
        rc = err_set(decoder->err, ERR_NOMEM, "request-upload: out of memory");
    else
        out->part_count = count;
    for (size_t i = 0; i < count && !rc; i++)
        rc = read_part(decoder, json_object_array_get_idx(array, i), i, &ranges[i]);
    if (!rc)
        rc = plan_parts(decoder->upload->size_bytes, ranges, out->parts, count, decoder->err);
    free(ranges);
    return rc;
}

static int read_multipart(struct decoder *decoder)
{
    const char *upload_id = doc_id(decoder->data, "upload_id");
    struct json_object *parts = doc_get(decoder->data, "parts");
    decoder->out->multipart = 1;
    if (!upload_id)
        return err_set(decoder->err, ERR_BAD_REPLY,
                       "a multipart upload without a usable upload_id");
    if (!json_object_is_type(parts, json_type_array))
        return err_set(decoder->err, ERR_BAD_REPLY, "a multipart upload without parts");
    int rc = copy(decoder, upload_id, &decoder->out->upload_id);
    return rc ? rc : read_parts(decoder, parts);
}

static int read_single(struct decoder *decoder)
{
    struct wire_session *out = decoder->out;
    out->parts = calloc(1, sizeof *out->parts);
    if (!out->parts)
        return err_set(decoder->err, ERR_NOMEM, "request-upload: out of memory");
    out->part_count = 1;
    out->parts[0].part_no = 1;
    out->parts[0].len = decoder->upload->size_bytes;
    return read_url(decoder, decoder->data, &out->parts[0]);
}

static int read_names(struct decoder *decoder, int needed)
{
    const char *path = doc_text(decoder->data, "file_path");
    const char *name = doc_text(decoder->data, "file_name");
    if (!path && needed)
        return err_set(decoder->err, ERR_BAD_REPLY, "there is no file_path");
    if (path && strlen(path) > LIMIT_URL_BYTES)
        return err_set(decoder->err, ERR_BAD_REPLY, "file_path is over %d bytes", LIMIT_URL_BYTES);
    if (name && strlen(name) > FILE_NAME_MAX)
        return err_set(decoder->err, ERR_BAD_REPLY, "file_name is over %d bytes", FILE_NAME_MAX);
    int rc = copy(decoder, path ? path : "", &decoder->out->file_path);
    return rc ? rc
              : copy(decoder, name ? name : decoder->upload->file_name, &decoder->out->file_name);
}

static int read_session(struct decoder *decoder, struct json_object *doc)
{
    struct json_object *data = doc_get(doc, "upload_data");
    if (data && !json_object_is_type(data, json_type_object))
        return err_set(decoder->err, ERR_BAD_REPLY, "upload_data is no object");
    decoder->data = data ? data : doc;
    int rc = read_conflict(decoder, doc);
    if (!rc && data)
        rc = read_conflict(decoder, data);
    if (rc)
        return rc;
    int instructions = has_instructions(decoder->data);
    rc = read_names(decoder, instructions || !decoder->out->is_conflict);
    if (rc || (decoder->out->is_conflict && !instructions))
        return rc;
    const char *type = doc_text(decoder->data, "upload_type");
    if (type && !strcmp(type, "multipart"))
        return read_multipart(decoder);
    if (type && (!strcmp(type, "single") || !strcmp(type, "standard")))
        return read_single(decoder);
    return err_set(decoder->err, ERR_BAD_REPLY,
                   "the upload_type is missing, or none of single, standard, multipart");
}

int wire_decode_session(const char *body, size_t len, const struct wire_upload *upload,
                        const struct wire_url_rules *rules, struct wire_session *out,
                        struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_session){0};
    int rc = doc_parse_object(body, len, "request-upload", &doc, err);
    if (rc)
        return rc;
    struct decoder decoder = {.upload = upload, .rules = rules, .out = out, .err = err};
    rc = read_session(&decoder, doc);
    json_object_put(doc);
    if (rc)
        wire_session_release(out);
    return rc;
}

void wire_session_release(struct wire_session *session)
{
    for (size_t i = 0; i < session->part_count; i++)
        free(session->parts[i].url);
    free(session->parts);
    free(session->file_path);
    free(session->file_name);
    free(session->upload_id);
    free(session->conflict_file_id);
    *session = (struct wire_session){0};
}
