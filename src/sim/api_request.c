/*
 * POST .../file/request-upload: checks the request, opens a session and hands out the
 * presigned URLs. API thread; a job thread where a real S3 server has to be asked first.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/api.h"
#include "sim/audit.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/s3_remote.h"
#include "sim/upload.h"
#include "sim/when.h"

static struct presigner *presigner;

void upload_set_presigner(struct presigner *p)
{
    presigner = p;
}

struct presigner *upload_presigner(void)
{
    return presigner;
}

void upload_url_path(const struct session *s, struct text *out)
{
    const char *bucket = options_current()->s3_bucket;
    struct text path = {0};

    session_path(s->seq, s->name, &path);
    text_addf(out, "/%s", bucket == NULL ? UPLOAD_BUCKET : bucket);
    if (path.data[0] != '/')
        text_puts(out, "/");
    text_uri(out, path.data, true);
    text_release(&path);
}

/* The URL as a fault wants it: other scheme, host, user info, or something else whole. */
static void add_bent_url(struct text *out, const struct fault_action *a, const char *url)
{
    const char *host = strstr(url, "://") + 3;
    const char *path = host + strcspn(host, "/");
    struct text bent = {0};

    if (a->url_raw != NULL) {
        text_json(out, a->url_raw);
        return;
    }
    text_addf(&bent, "%.*s://", (int)(host - 3 - url), url);
    if (a->url_scheme != NULL) {
        text_clear(&bent);
        text_addf(&bent, "%s://", a->url_scheme);
    }
    if (a->url_userinfo != NULL)
        text_addf(&bent, "%s@", a->url_userinfo);
    if (a->url_host != NULL)
        text_puts(&bent, a->url_host);
    else
        text_add(&bent, host, (size_t)(path - host));
    text_puts(&bent, path);
    text_json(out, bent.data);
    text_release(&bent);
}

static void add_url(struct text *out, const struct exch *x, const struct session *s,
                    const char *path, unsigned part_no)
{
    const struct fault_action *a = x->fault;
    int64_t ttl_s = options_current()->url_ttl_s;
    struct presign_call call = {
        .method = "PUT", .path = path, .part_no = part_no, .at_ms = when_now_ms(), .ttl_s = ttl_s};
    struct text url = {0};
    char upload_id[40];

    if (a != NULL && a->expire_url)
        call.at_ms -= (ttl_s + 60) * 1000;
    if (part_no > 0) {
        session_upload_id(s, upload_id);
        call.upload_id = s->remote_id != NULL ? s->remote_id : upload_id;
    }
    presign_url(presigner, &call, &url);
    if (a != NULL && a->bad_signature)
        url.data[url.len - 1] = url.data[url.len - 1] == '0' ? '1' : '0';
    if (a != NULL)
        add_bent_url(out, a, url.data);
    else
        text_json(out, url.data);
    text_release(&url);
}

/* Part i as it stands in the reply, which a fault may have bent. */
static void add_part(struct text *out, const struct exch *x, const struct session *s,
                     const char *path, uint32_t i)
{
    enum fault_parts bend = x->fault == NULL ? PARTS_RIGHT : (enum fault_parts)x->fault->parts;
    uint64_t start = s->parts[i].start;
    uint64_t last = s->parts[i].end - 1;
    unsigned number = i + 1;

    if (bend == PARTS_OVERLAP && i == 1)
        start--;
    if (bend == PARTS_GAP && i == 1)
        start++;
    if (bend == PARTS_EXCEED && i + 1 == s->n_parts)
        last++;
    if (bend == PARTS_ZERO)
        number--;
    if (bend == PARTS_10001 && i + 1 == s->n_parts)
        number = 10001;
    text_addf(out, "{\"part_number\":%u,\"upload_url\":", number);
    add_url(out, x, s, path, i + 1);
    if (!options_current()->quirk.no_ranges)
        text_addf(out, ",\"start_byte\":%llu,\"end_byte\":%llu", (unsigned long long)start,
                  (unsigned long long)last);
    text_puts(out, "}");
}

static const char *single_name(void)
{
    static const char *const names[] = {NULL, "single", "standard"};
    const struct options *opt = options_current();

    if (opt->quirk.single_name != 0)
        return names[opt->quirk.single_name];
    return opt->wire == WIRE_V21 ? "standard" : "single";
}

static void add_instructions(struct text *out, const struct exch *x, const struct session *s)
{
    const struct fault_action *a = x->fault;
    struct text path = {0};
    struct text file_path = {0};
    char upload_id[40];
    const char *type = s->multipart ? "multipart" : single_name();

    upload_url_path(s, &path);
    session_path(s->seq, s->name, &file_path);
    text_puts(out, "\"upload_type\":");
    text_json(out, a != NULL && a->upload_type != NULL ? a->upload_type : type);
    text_puts(out, ",\"file_path\":");
    text_json(out, file_path.data);
    text_puts(out, ",\"file_name\":");
    text_json(out, s->name);
    if (s->multipart) {
        session_upload_id(s, upload_id);
        text_puts(out, ",\"upload_id\":");
        text_json(out, s->remote_id != NULL ? s->remote_id : upload_id);
        text_puts(out, ",\"parts\":[");
        for (uint32_t i = 0; i < s->n_parts; i++) {
            bool backwards = a != NULL && a->parts == PARTS_DESCENDING;
            text_puts(out, i == 0 ? "" : ",");
            add_part(out, x, s, path.data, backwards ? s->n_parts - 1 - i : i);
        }
        text_puts(out, "]");
    } else {
        text_puts(out, ",\"upload_url\":");
        add_url(out, x, s, path.data, 0);
    }
    text_release(&path);
    text_release(&file_path);
}

/* conflict_id: of the file that has the name already, or "". s NULL: no instructions. */
static void reply(struct exch *x, const struct session *s, const char *conflict_id)
{
    const struct quirks *q = &options_current()->quirk;
    bool conflict = conflict_id[0] != '\0';
    bool inside = q->conflict_inside && !q->bare;
    struct text flag = {0};
    struct text t = {0};

    if (conflict)
        text_addf(&flag, "\"is_conflict\":true,\"conflict_file_id\":\"%s\"", conflict_id);
    text_puts(&t, "{");
    if (conflict && !inside)
        text_addf(&t, "%s%s", flag.data, s != NULL ? "," : "");
    if (!q->bare && (s != NULL || (conflict && inside)))
        text_puts(&t, "\"upload_data\":{");
    if (conflict && inside)
        text_addf(&t, "%s%s", flag.data, s != NULL ? "," : "");
    if (s != NULL)
        add_instructions(&t, x, s);
    if (!q->bare && (s != NULL || (conflict && inside)))
        text_puts(&t, "}");
    text_puts(&t, "}");
    text_release(&flag);
    api_reply(x, conflict && q->conflict_409 ? 409 : 200, &t);
}

/* What the job needs to ask the real S3 server for a multipart upload. */
struct remote_request {
    struct session *session;
    char conflict_id[IDENT_UUID_TEXT];
};

static void create_remote(struct exch *x)
{
    struct remote_request *r = x->job_arg;
    struct text path = {0};
    struct text why = {0};

    upload_url_path(r->session, &path);
    r->session->remote_id = s3_remote_create(path.data, r->session->mime, &why);
    if (r->session->remote_id == NULL)
        api_error(x, 502, "StorageError", "%s", why.data);
    else
        reply(x, r->session, r->conflict_id);
    text_release(&path);
    text_release(&why);
    free(r);
}

/* Whether name, mime and size are there; else a 400 and a breach. */
static bool check(struct exch *x, json_object *body, struct session_new *out)
{
    const char *filename = api_string(body, "filename");
    const char *file_name = api_string(body, "file_name");
    json_object *size = api_member(body, "size");

    out->name = file_name != NULL ? file_name : filename;
    out->mime = api_string(body, "mime_type");
    if (filename == NULL || file_name == NULL)
        audit_add(AUDIT_MISSING_FILENAME, x->where, "%s is missing",
                  filename == NULL ? "filename" : "file_name");
    else if (strcmp(filename, file_name) != 0)
        audit_add(AUDIT_NAMES_DIFFER, x->where, "%s and %s", filename, file_name);
    else if (filename[0] == '\0')
        audit_add(AUDIT_NAME_INVALID, x->where, "the name is empty");
    else if (out->mime == NULL || strchr(out->mime, '/') == NULL)
        audit_add(AUDIT_MISSING_MIME, x->where, "%s", filename);
    else if (!json_object_is_type(size, json_type_int) || json_object_get_int64(size) < 0)
        audit_add(AUDIT_BAD_SIZE, x->where, "size of %s: %s", filename,
                  json_object_to_json_string(size));
    else {
        out->size = json_object_get_uint64(size);
        return true;
    }
    api_error(x, 400, "BadRequest",
              "filename, file_name (equal), mime_type and size (an integer) are required.");
    return false;
}

/* The newest file of a name is the one a conflict is about. */
static void find_conflict(const char *name, char out_id[IDENT_UUID_TEXT])
{
    struct file *f = tenant_by_name(name);

    out_id[0] = '\0';
    if (f != NULL)
        ident_uuid_text(f->id, out_id);
}

void api_request_upload(struct exch *x, const char *arg, json_object *body)
{
    const struct options *opt = options_current();
    struct session_new wanted = {0};
    char conflict_id[IDENT_UUID_TEXT];
    struct session *s = NULL;
    uint64_t other = 0;

    (void)arg;
    if (!check(x, body, &wanted))
        return;
    tenant_lock();
    find_conflict(wanted.name, conflict_id);
    if (session_name_in_flight(wanted.name, 0, &other))
        audit_add(AUDIT_NAME_IN_FLIGHT, x->where, "%s is being PUT right now", wanted.name);
    bool withheld = (x->fault != NULL && x->fault->no_instructions) ||
                    (conflict_id[0] != '\0' && opt->quirk.conflict_no_instructions);
    if (!withheld && opt->quirk.same_session != SESSION_NEW)
        s = session_reopen(&wanted);
    if (!withheld && s == NULL)
        s = session_open(&wanted);
    tenant_unlock();
    /* Nobody can name the session before our reply, so it is ours without the lock. */
    if (s != NULL && s->multipart && s->remote_id == NULL && opt->s3_endpoint != NULL) {
        struct remote_request *r = mem_new(1, sizeof *r);
        r->session = s;
        memcpy(r->conflict_id, conflict_id, sizeof conflict_id);
        x->job_arg = r;
        x->job = create_remote;
        return;
    }
    reply(x, s, conflict_id);
}
