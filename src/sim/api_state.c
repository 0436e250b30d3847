/*
 * GET /_sim/state and its kin: what tests judge a run by. API thread; digests that
 * still have to be computed, on a job thread.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sim/api.h"
#include "sim/attribute.h"
#include "sim/audit.h"
#include "sim/folder.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/presign.h"
#include "sim/session.h"
#include "sim/stats.h"
#include "sim/upload.h"
#include "sim/when.h"

static void add_digests(struct text *out, struct content *content, const uint8_t *known_md5)
{
    uint8_t md5[DIGEST_MD5_BYTES];
    uint8_t sha256[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_BYTES];

    /* Computed by the job beforehand, or quick enough not to matter. */
    bool read = content_digests(content, md5, sha256);
    const uint8_t *best = read ? md5 : known_md5;
    if (best == NULL) {
        text_puts(out, ",\"md5\":null");
    } else {
        digest_hex(best, DIGEST_MD5_BYTES, hex);
        text_addf(out, ",\"md5\":\"%s\"", hex);
    }
    if (!read) {
        text_puts(out, ",\"sha256\":null");
    } else {
        digest_hex(sha256, DIGEST_SHA256_BYTES, hex);
        text_addf(out, ",\"sha256\":\"%s\"", hex);
    }
}

/* Its key at the real S3 server, for who wants to look there. */
static void add_object(struct text *out, uint64_t seq, const char *name)
{
    struct text path = {0};

    if (options_current()->s3_endpoint == NULL || seq == 0)
        return;
    session_path(seq, name, &path);
    text_puts(out, ",\"object\":");
    text_json(out, path.data[0] == '/' ? path.data + 1 : path.data);
    text_release(&path);
}

static void add_versions(struct text *out, const struct file *f)
{
    const struct file_extra *x = f->extra;
    uint32_t n = x == NULL ? 0 : x->n_older;

    text_addf(out, ",\"versions\":%u", n + 1);
    if (n == 0)
        return;
    text_puts(out, ",\"older\":[");
    for (uint32_t i = 0; i < n; i++) {
        text_addf(out, "%s{\"size\":%llu", i == 0 ? "" : ",", (unsigned long long)x->older[i].size);
        add_digests(out, x->older[i].content, x->older[i].has_md5 ? x->older[i].md5 : NULL);
        add_object(out, x->older[i].seq, f->name);
        text_puts(out, "}");
    }
    text_puts(out, "]");
}

static void add_file(struct text *out, const struct file *f)
{
    char id[IDENT_UUID_TEXT];
    const struct file_extra *x = f->extra;

    ident_uuid_text(f->id, id);
    text_addf(out, "{\"id\":\"%s\",\"name\":", id);
    text_json(out, f->name);
    text_addf(out, ",\"size\":%llu", (unsigned long long)f->size);
    add_digests(out, f->content, f->has_md5 ? f->md5 : NULL);
    add_object(out, f->seq, f->name);
    add_versions(out, f);
    text_puts(out, ",\"mime_type\":");
    text_json(out, f->mime);
    text_addf(out, ",\"published\":%s,\"published_start_date\":", f->published ? "true" : "false");
    text_json(out, x == NULL ? NULL : x->start_date);
    text_puts(out, ",\"published_end_date\":");
    text_json(out, x == NULL ? NULL : x->end_date);
    text_addf(out, ",\"session\":%llu,\"region_ids\":", (unsigned long long)f->seq);
    file_regions_json(out, f);
    text_puts(out, ",\"collections\":[");
    for (uint32_t i = 0; x != NULL && i < x->n_collections; i++) {
        ident_uuid_text(x->collections[i], id);
        text_addf(out, "%s\"%s\"", i == 0 ? "" : ",", id);
    }
    text_puts(out, "],\"attributes\":");
    file_attributes_json(out, f);
    text_puts(out, "}");
}

static void add_duplicates(struct text *out)
{
    const struct tenant *t = tenant_data();
    const char *comma = "";

    text_puts(out, "\"duplicates\":[");
    for (size_t i = 0; t->duplicates > 0 && i < t->n_files; i++) {
        const struct file *f = t->files[i];
        uint32_t n = 1;
        /* Only the first of a name has the others behind it and is in the name table. */
        if (f->next_same == NULL || tenant_by_name(f->name) != f)
            continue;
        for (const struct file *at = f->next_same; at != NULL; at = at->next_same)
            n++;
        text_addf(out, "%s{\"name\":", comma);
        text_json(out, f->name);
        text_addf(out, ",\"count\":%u}", n);
        comma = ",";
    }
    text_puts(out, "]");
}

static void add_totals(struct text *out)
{
    const struct tenant *t = tenant_data();
    uint64_t bytes = 0;
    uint64_t now = 0;
    uint64_t peak = 0;

    for (size_t i = 0; i < t->n_files; i++)
        bytes += t->files[i]->size;
    api_rate(&now, &peak);
    text_addf(out,
              "\"file_count\":%zu,\"file_bytes\":%llu,\"sessions_open\":%llu,"
              "\"bytes_received\":%llu,\"peak_requests_60s\":%llu,\"requests_60s\":%llu,"
              "\"violation_count\":%llu,\"counts\":",
              t->n_files, (unsigned long long)bytes,
              (unsigned long long)session_count_open(when_now_ms()),
              (unsigned long long)stats_bytes_received(), (unsigned long long)peak,
              (unsigned long long)now, (unsigned long long)audit_count());
    stats_counts_json(out);
    text_puts(out, ",\"violations\":");
    audit_json(out);
    text_puts(out, ",");
}

/* The rows of ?offset and ?limit, all by default, none for ?files=0. */
static void window(const struct exch *x, size_t n, size_t *out_first, size_t *out_end)
{
    int64_t offset = api_query_number(x, "offset", 0);
    int64_t limit = api_query_number(x, "limit", INT64_MAX);

    *out_first = offset < 0 || (uint64_t)offset > n ? n : (size_t)offset;
    *out_end = n;
    if (limit >= 0 && (uint64_t)limit < n - *out_first)
        *out_end = *out_first + (size_t)limit;
    if (api_query_number(x, "files", 1) == 0)
        *out_end = *out_first;
}

static void write_state(struct exch *x)
{
    const struct tenant *t = tenant_data();
    struct text out = {0};
    size_t first = 0;
    size_t end = 0;

    text_puts(&out, "{");
    tenant_lock();
    add_totals(&out);
    add_duplicates(&out);
    text_puts(&out, ",");
    folder_state_json(&out);
    text_puts(&out, ",\"files\":[");
    window(x, t->n_files, &first, &end);
    for (size_t i = first; i < end; i++) {
        text_puts(&out, i == first ? "" : ",");
        add_file(&out, t->files[i]);
    }
    tenant_unlock();
    text_puts(&out, "]}");
    api_reply(x, 200, &out);
}

/* Digests what hasn't been, without the lock, one content after the other. */
static void digest_then_write(struct exch *x)
{
    const struct tenant *t = tenant_data();
    uint8_t md5[DIGEST_MD5_BYTES];
    uint8_t sha256[DIGEST_SHA256_BYTES];
    size_t first = 0;
    size_t end = 0;

    tenant_lock();
    window(x, t->n_files, &first, &end);
    for (size_t i = first; i < end; i++) {
        const struct file *f = t->files[i];
        struct content *c = f->content;
        if (c == NULL || content_has_digests(c))
            continue;
        content_hold(c);
        tenant_unlock();
        content_digests(c, md5, sha256);
        content_drop(c, false);
        tenant_lock();
    }
    tenant_unlock();
    write_state(x);
}

void sim_state(struct exch *x, const char *arg, json_object *body)
{
    (void)arg;
    (void)body;
    x->job = digest_then_write;
}

void sim_violations(struct exch *x, const char *arg, json_object *body)
{
    struct text t = {0};

    (void)arg;
    (void)body;
    audit_json(&t);
    api_reply(x, 200, &t);
}

void sim_violations_clear(struct exch *x, const char *arg, json_object *body)
{
    struct text t = {0};

    (void)arg;
    (void)body;
    audit_clear();
    text_puts(&t, "{}");
    api_reply(x, 200, &t);
}

void sim_requests(struct exch *x, const char *arg, json_object *body)
{
    struct text t = {0};
    int64_t since = api_query_number(x, "since", 0);

    (void)arg;
    (void)body;
    stats_ring_json(&t, since < 0 ? 0 : (uint64_t)since);
    api_reply(x, 200, &t);
}

void sim_object(struct exch *x, const char *arg, json_object *body)
{
    char id[IDENT_UUID_TEXT] = "";
    struct text t = {0};

    (void)arg;
    (void)body;
    (void)presign_query_value(x->query, "id", id, sizeof id);
    tenant_lock();
    struct file *f = tenant_by_id_text(id);
    struct content *c = f == NULL ? NULL : content_hold(f->content);
    tenant_unlock();
    if (content_read(c, &t)) {
        api_reply(x, 200, &t);
        x->reply.content_type = "application/octet-stream";
    } else {
        text_release(&t);
        api_error(x, 404, "NotFound", "No such file, or its bytes were not kept.");
    }
    content_drop(c, false);
}
