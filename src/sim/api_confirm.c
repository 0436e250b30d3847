/*
 * POST .../file/confirm-upload: judges what the client says against what was stored,
 * and makes, overwrites or versions the file. API thread; a job thread where a real S3
 * server has to complete the upload first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/api.h"
#include "sim/audit.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/s3_remote.h"
#include "sim/upload.h"
#include "sim/when.h"

enum conflict { CONFLICT_NONE, CONFLICT_OVERWRITE, CONFLICT_VERSION };

/* A confirm as it was understood; strings belong to the parsed body. */
struct confirm {
    const char *path;
    const char *name;
    int64_t size;
    json_object *parts;
    bool published;
    const char *start_date;
    const char *end_date;
    uint8_t region_mask;
    enum conflict conflict;
    const char *conflict_id;
};

/* Every refusal is a breach too: a client that keeps to the page gets none. */
#define REFUSE(x, audit, code, ...) \
    (audit_add(audit, (x)->where, __VA_ARGS__), api_error(x, 400, code, __VA_ARGS__), false)

static bool check_date(struct exch *x, json_object *metadata, const char *key, const char **out)
{
    json_object *value = api_member(metadata, key);
    bool want_time = options_current()->wire == WIRE_V21;
    bool has_time = false;
    int64_t ms = 0;

    *out = NULL;
    if (value == NULL)
        return true;
    *out = api_string(metadata, key);
    if (*out == NULL || !when_parse_date(*out, &ms, &has_time) || has_time != want_time)
        return REFUSE(x, AUDIT_CONFIRM_METADATA, "BadRequest", "%s must be %s: %s", key,
                      want_time ? "YYYY-MM-DDTHH:MM:SSZ" : "YYYY-MM-DD",
                      json_object_to_json_string(value));
    return true;
}

static bool check_regions(struct exch *x, json_object *ids, uint8_t *out_mask)
{
    *out_mask = 1;
    if (ids == NULL)
        return true;
    if (!json_object_is_type(ids, json_type_array) || json_object_array_length(ids) == 0)
        return REFUSE(x, AUDIT_CONFIRM_METADATA, "BadRequest", "region_ids must be an array");
    *out_mask = 0;
    for (size_t i = 0; i < json_object_array_length(ids); i++) {
        json_object *id = json_object_array_get_idx(ids, i);
        int index = json_object_is_type(id, json_type_string)
                        ? tenant_region_index(json_object_get_string(id))
                        : -1;
        if (index < 0)
            return REFUSE(x, AUDIT_CONFIRM_METADATA, "BadRequest", "unknown region %s",
                          json_object_to_json_string(id));
        *out_mask = (uint8_t)(*out_mask | 1u << index);
    }
    return true;
}

static bool check_metadata(struct exch *x, json_object *body, struct confirm *c)
{
    json_object *metadata = api_member(body, "metadata");

    c->region_mask = 1;
    if (metadata == NULL)
        return true;
    if (!json_object_is_type(metadata, json_type_object))
        return REFUSE(x, AUDIT_CONFIRM_METADATA, "BadRequest", "metadata must be an object");
    json_object *published = api_member(metadata, "published");
    if (published != NULL && !json_object_is_type(published, json_type_boolean))
        return REFUSE(x, AUDIT_CONFIRM_METADATA, "BadRequest", "published must be a boolean");
    c->published = published != NULL && json_object_get_boolean(published);
    return check_date(x, metadata, "published_start_date", &c->start_date) &&
           check_date(x, metadata, "published_end_date", &c->end_date) &&
           check_regions(x, api_member(metadata, "region_ids"), &c->region_mask);
}

static bool check_conflict(struct exch *x, json_object *body, struct confirm *c)
{
    const struct quirks *q = &options_current()->quirk;
    const char *action = api_string(body, q->conflict_action_field);

    if (action == NULL || q->ignore_conflict_fields)
        return true;
    c->conflict_id = api_string(body, q->conflict_id_field);
    if (strcmp(action, "overwrite") == 0)
        c->conflict = CONFLICT_OVERWRITE;
    else if (strcmp(action, "version") == 0)
        c->conflict = CONFLICT_VERSION;
    else
        return REFUSE(x, AUDIT_CONFIRM_CONFLICT, "BadRequest", "unknown action %s", action);
    struct file *f = c->conflict_id == NULL ? NULL : tenant_by_id_text(c->conflict_id);
    if (f == NULL || strcmp(f->name, c->name) != 0)
        return REFUSE(x, AUDIT_CONFIRM_CONFLICT, "BadRequest", "%s is no file named %s",
                      c->conflict_id == NULL ? "(no id)" : c->conflict_id, c->name);
    return true;
}

static bool check_etag(struct exch *x, const char *given, const struct part *part, unsigned number)
{
    enum etag_rule rule = (enum etag_rule)options_current()->quirk.etag_quotes;
    char plain[DIGEST_HEX_BYTES];
    char quoted[DIGEST_HEX_BYTES + 2];
    bool good = false;

    digest_hex(part->etag, sizeof part->etag, plain);
    snprintf(quoted, sizeof quoted, "\"%s\"", plain);
    if (given != NULL && rule != ETAG_STRIP)
        good = strcmp(given, quoted) == 0;
    if (given != NULL && rule != ETAG_KEEP)
        good = good || strcmp(given, plain) == 0;
    if (!good)
        return REFUSE(x, AUDIT_CONFIRM_ETAG, "InvalidPart", "part %u: ETag %s, not %s", number,
                      given == NULL ? "-" : given, rule == ETAG_STRIP ? plain : quoted);
    return true;
}

static bool check_part(struct exch *x, const struct session *s, json_object *entry, unsigned number)
{
    const struct part *part = &s->parts[number - 1];
    json_object *given = api_member(entry, "part_number");

    if (!json_object_is_type(given, json_type_int) || json_object_get_int64(given) != number)
        return REFUSE(x, AUDIT_CONFIRM_PARTS, "InvalidPartOrder", "part_number %s where %u belongs",
                      json_object_to_json_string(given), number);
    if (options_current()->s3_endpoint != NULL)
        return true; /* the real server judges the ETags */
    if (!part->stored)
        return REFUSE(x, AUDIT_CONFIRM_NOT_STORED, "InvalidPart", "part %u of %s is not stored",
                      number, s->name);
    if (part->stored_bytes != part->end - part->start)
        return REFUSE(x, AUDIT_CONFIRM_SIZE, "InvalidPart", "part %u of %s has %llu bytes", number,
                      s->name, (unsigned long long)part->stored_bytes);
    return check_etag(x, api_string(entry, "etag"), part, number);
}

static bool check_parts(struct exch *x, const struct session *s, json_object *body,
                        struct confirm *c)
{
    const char *id = api_string(body, "upload_id");
    char upload_id[40];

    session_upload_id(s, upload_id);
    if (id == NULL || strcmp(id, s->remote_id != NULL ? s->remote_id : upload_id) != 0)
        return REFUSE(x, AUDIT_CONFIRM_UPLOAD_ID, "NoSuchUpload", "upload_id %s",
                      id == NULL ? "-" : id);
    c->parts = api_member(body, "multipart");
    if (!json_object_is_type(c->parts, json_type_array) ||
        json_object_array_length(c->parts) != s->n_parts)
        return REFUSE(x, AUDIT_CONFIRM_PARTS, "InvalidPart", "multipart must list %u parts",
                      s->n_parts);
    for (uint32_t i = 0; i < s->n_parts; i++) {
        if (!check_part(x, s, json_object_array_get_idx(c->parts, i), i + 1))
            return false;
    }
    return true;
}

static bool check_stored(struct exch *x, const struct session *s, json_object *body,
                         struct confirm *c)
{
    const struct part *only = &s->parts[0];

    if (strcmp(c->name, s->name) != 0)
        return REFUSE(x, AUDIT_CONFIRM_NAME, "BadRequest", "file_name %s, requested as %s", c->name,
                      s->name);
    if (c->size != (int64_t)s->size)
        return REFUSE(x, AUDIT_CONFIRM_SIZE, "BadRequest", "file_size %lld, requested as %llu",
                      (long long)c->size, (unsigned long long)s->size);
    if (when_now_ms() > s->until_ms)
        return REFUSE(x, AUDIT_CONFIRM_EXPIRED, "SessionExpired", "%s was requested too long ago",
                      s->name);
    if (s->multipart)
        return check_parts(x, s, body, c);
    if (options_current()->s3_endpoint != NULL)
        return true;
    if (!only->stored)
        return REFUSE(x, AUDIT_CONFIRM_NOT_STORED, "BadRequest", "%s is not stored", s->name);
    if (only->stored_bytes != s->size)
        return REFUSE(x, AUDIT_CONFIRM_SIZE, "BadRequest", "%s: %llu bytes stored, %llu requested",
                      s->name, (unsigned long long)only->stored_bytes, (unsigned long long)s->size);
    return true;
}

static bool check_fields(struct exch *x, json_object *body, struct confirm *c)
{
    json_object *size = api_member(body, "file_size");

    c->path = api_string(body, "file_path");
    c->name = api_string(body, "file_name");
    if (c->path == NULL || c->name == NULL)
        return REFUSE(x, AUDIT_CONFIRM_NAME, "BadRequest", "file_path and file_name are required");
    if (!json_object_is_type(size, json_type_int))
        return REFUSE(x, AUDIT_CONFIRM_SIZE, "BadRequest", "file_size must be an integer");
    c->size = json_object_get_int64(size);
    return check_metadata(x, body, c) && check_conflict(x, body, c);
}

static void add_details(struct text *t, const struct file *f, const char *id)
{
    struct text path = {0};

    if (!options_current()->quirk.confirm_details)
        return;
    text_uri(&path, f->name, false);
    text_addf(t, ",\"version\":%u,\"metadata\":{\"cdn_url\":\"https://cdn.sim.example/%s/%s\"}",
              f->extra == NULL ? 1 : f->extra->n_older + 1, id, path.data);
    text_release(&path);
}

static void reply_file(struct exch *x, const struct file *f)
{
    const struct quirks *q = &options_current()->quirk;
    char id[IDENT_UUID_TEXT];
    struct text details = {0};
    struct text t = {0};

    ident_uuid_text(f->id, id);
    add_details(&details, f, id);
    const char *more = details.data == NULL ? "" : details.data;
    switch ((enum id_place)q->confirm_reply) {
    case ID_TOP:
        text_addf(&t, "{\"id\":\"%s\"%s,", id, more);
        break;
    case ID_FILE_ID:
        text_addf(&t, "{\"file_id\":\"%s\"%s,", id, more);
        break;
    case ID_IN_FILE:
        text_addf(&t, "{\"file\":{\"id\":\"%s\"%s},", id, more);
        break;
    case ID_IN_DATA:
        text_addf(&t, "{\"data\":{\"id\":\"%s\"%s},", id, more);
        break;
    case ID_NONE:
        text_puts(&t, "{");
        break;
    }
    text_puts(&t, "\"status\":\"success\"}");
    text_release(&details);
    api_reply(x, q->confirm_201 ? 201 : 200, &t);
}

/* The record's content out of the session's parts, whose blobs it takes over. */
static void take_content(struct session *s, struct new_file *nf, uint8_t md5[DIGEST_MD5_BYTES])
{
    const struct options *opt = options_current();
    struct blob *blobs = mem_new(s->n_parts, sizeof *blobs);

    for (uint32_t i = 0; i < s->n_parts; i++) {
        blobs[i] = s->parts[i].blob;
        s->parts[i].blob = (struct blob){0};
    }
    nf->content = opt->s3_endpoint == NULL ? content_new(s->seq, blobs, s->n_parts) : NULL;
    free(blobs);
    if (opt->digest_off || opt->s3_endpoint != NULL)
        return;
    if (!s->multipart) {
        memcpy(md5, s->parts[0].etag, DIGEST_MD5_BYTES);
        nf->md5 = md5;
    } else if (s->whole != NULL && s->whole_next == s->n_parts) {
        digest_end(s->whole, md5);
        digest_free(s->whole);
        s->whole = NULL;
        nf->md5 = md5;
    }
}

static void set_date(char **slot, const char *date)
{
    free(*slot);
    *slot = date == NULL ? NULL : mem_copy(date, strlen(date));
}

static struct file *keep(struct exch *x, struct session *s, const struct confirm *c)
{
    uint8_t md5[DIGEST_MD5_BYTES];
    struct new_file nf = {.name = s->name,
                          .mime = s->mime,
                          .size = s->size,
                          .seq = s->seq,
                          .region_mask = c->region_mask,
                          .published = c->published};
    struct file *f = NULL;

    take_content(s, &nf, md5);
    if (c->conflict != CONFLICT_NONE) {
        f = tenant_by_id_text(c->conflict_id);
        tenant_replace(f, &nf, c->conflict == CONFLICT_VERSION);
    } else {
        if (tenant_by_name(s->name) != NULL && !options_current()->quirk.ignore_conflict_fields)
            audit_add(AUDIT_DUPLICATE_MADE, x->where, "%s exists already", s->name);
        f = tenant_add(&nf);
    }
    if (c->start_date != NULL || c->end_date != NULL) {
        set_date(&tenant_extra(f)->start_date, c->start_date);
        set_date(&tenant_extra(f)->end_date, c->end_date);
    }
    session_confirm(s, f);
    return f;
}

/* A naive API has forgotten the session's end and makes the record again. */
static void confirm_again(struct exch *x, const struct file *f)
{
    struct new_file nf = {.name = f->name,
                          .mime = f->mime,
                          .size = f->size,
                          .seq = f->seq,
                          .md5 = f->has_md5 ? f->md5 : NULL,
                          .content = content_hold(f->content),
                          .region_mask = f->region_mask,
                          .published = f->published};

    audit_add(AUDIT_CONFIRM_TWICE, x->where, "%s was confirmed before", f->name);
    if (options_current()->quirk.confirm_twice_409) {
        content_drop(nf.content, false);
        api_error(x, 409, "Conflict", "This upload was confirmed before.");
        return;
    }
    reply_file(x, tenant_add(&nf));
}

/* What the job that completes an upload at the real S3 server needs. */
struct remote_confirm {
    struct session *session;
    struct confirm confirm;
    json_object *body;
};

static struct text complete_xml(json_object *parts)
{
    struct text t = {0};

    text_puts(&t, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        const char *etag = api_string(json_object_array_get_idx(parts, i), "etag");
        text_addf(&t, "<Part><PartNumber>%zu</PartNumber><ETag>", i + 1);
        for (; etag != NULL && *etag != '\0'; etag++) {
            if (*etag == '"')
                text_puts(&t, "&quot;");
            else if (*etag == '<' || *etag == '&')
                text_addf(&t, "&#%d;", *etag);
            else
                text_add(&t, etag, 1);
        }
        text_puts(&t, "</ETag></Part>");
    }
    text_puts(&t, "</CompleteMultipartUpload>");
    return t;
}

static void confirm_remote(struct exch *x)
{
    struct remote_confirm *r = x->job_arg;
    struct session *s = r->session;
    struct text path = {0};
    struct text why = {0};
    int status = 200;

    upload_url_path(s, &path);
    if (s->multipart) {
        struct text xml = complete_xml(r->confirm.parts);
        status = s3_remote_complete(path.data, s->remote_id, &xml, &why);
        text_release(&xml);
    }
    int64_t size = status == 200 ? s3_remote_size(path.data, &why) : -1;
    tenant_lock();
    struct session *still = NULL;
    struct file *f = NULL;
    if (session_find(r->confirm.path, &still, &f) == SESSION_CONFIRMED) {
        confirm_again(x, f); /* a second confirm overtook this one */
    } else if (size == (int64_t)s->size) {
        reply_file(x, keep(x, s, &r->confirm));
    } else {
        text_addf(&why, " (status %d, size %lld)", status, (long long)size);
        audit_add(size < 0 ? AUDIT_CONFIRM_NOT_STORED : AUDIT_CONFIRM_SIZE, x->where, "%s",
                  why.data);
        api_error(x, 400, "StorageError", "%s", why.data);
    }
    session_drop(s);
    tenant_unlock();
    text_release(&path);
    text_release(&why);
    json_object_put(r->body);
    free(r);
}

void api_confirm_upload(struct exch *x, const char *arg, json_object *body)
{
    struct confirm c = {0};
    struct session *s = NULL;
    struct file *f = NULL;

    (void)arg;
    tenant_lock();
    if (!check_fields(x, body, &c))
        goto done;
    switch (session_find(c.path, &s, &f)) {
    case SESSION_UNKNOWN:
        audit_add(AUDIT_CONFIRM_UNKNOWN, x->where, "file_path %s", c.path);
        api_error(x, 404, "NotFound", "No such upload: %s", c.path);
        break;
    case SESSION_CONFIRMED:
        confirm_again(x, f);
        break;
    case SESSION_OPEN:
        if (!check_stored(x, s, body, &c))
            break;
        if (options_current()->s3_endpoint != NULL) {
            struct remote_confirm *r = mem_new(1, sizeof *r);
            *r = (struct remote_confirm){s, c, json_object_get(body)};
            session_hold(s);
            x->job_arg = r;
            x->job = confirm_remote;
        } else {
            reply_file(x, keep(x, s, &c));
        }
        break;
    }
done:
    tenant_unlock();
}
