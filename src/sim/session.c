/* Sessions, parts and PUTs in flight; see session.h for the lock. */
#include "sim/session.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "sim/audit.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/when.h"

#define PART_COUNT_MAX 10000
#define PATH_ID_HEX    16

struct slot {
    struct session *open;
    struct file *file;
};

static struct slot *slots; /* by seq; a million confirmed sessions cost 16 MB */
static uint64_t n_slots = 1;
static uint64_t cap_slots;
static struct put *flights;

static uint32_t path_mac(uint64_t seq)
{
    return (uint32_t)ident_mix(seq);
}

static void plan_parts(struct session *s)
{
    const struct options *opt = options_current();
    uint64_t part = (uint64_t)opt->part_size / (s->resliced ? 2 : 1);

    s->multipart = s->size > (uint64_t)opt->multipart_threshold;
    if (!s->multipart)
        part = s->size;
    while (s->multipart && (s->size + part - 1) / part > PART_COUNT_MAX)
        part *= 2;
    s->n_parts = s->multipart ? (uint32_t)((s->size + part - 1) / part) : 1;
    if (opt->quirk.no_ranges) /* the client can only assume equal slices */
        part = (s->size + s->n_parts - 1) / s->n_parts;
    s->parts = mem_new(s->n_parts, sizeof *s->parts);
    for (uint32_t i = 0; i < s->n_parts; i++) {
        s->parts[i].start = i * part;
        s->parts[i].end = i + 1 == s->n_parts ? s->size : (i + 1) * part;
    }
    if (s->multipart && opt->store == STORE_NULL && !opt->digest_off)
        s->whole = digest_new(DIGEST_MD5);
}

struct session *session_open(const struct session_new *n)
{
    const struct options *opt = options_current();
    size_t len = strlen(n->name);
    struct session *s = mem_new(1, sizeof *s + len + 1);

    if (n_slots >= cap_slots) {
        cap_slots = cap_slots == 0 ? 1024 : cap_slots * 2;
        slots = mem_resize(slots, cap_slots, sizeof *slots);
    }
    memcpy(s->name, n->name, len + 1);
    s->seq = n_slots++;
    s->created_ms = when_now_ms();
    s->url_until_ms = s->created_ms + opt->url_ttl_s * 1000;
    s->until_ms = s->created_ms + opt->quirk.session_ttl_s * 1000;
    s->size = n->size;
    s->mime = tenant_intern(n->mime);
    s->refs = 1;
    plan_parts(s);
    slots[s->seq] = (struct slot){.open = s};
    return s;
}

static void free_parts(struct session *s)
{
    for (uint32_t i = 0; i < s->n_parts; i++)
        free(s->parts[i].blob.data);
    digest_free(s->whole);
    free(s->parts);
}

struct session *session_reopen(const struct session_new *n)
{
    const struct options *opt = options_current();
    int64_t now_ms = when_now_ms();

    for (uint64_t i = n_slots; i-- > 1;) {
        struct session *s = slots[i].open;
        if (s == NULL || !s->multipart || s->size != n->size || now_ms > s->until_ms ||
            strcmp(s->name, n->name) != 0)
            continue;
        s->url_until_ms = now_ms + opt->url_ttl_s * 1000;
        if (opt->quirk.same_session == SESSION_RESLICED && !s->resliced) {
            s->resliced = true; /* more parts than before: what a left PUT points to stays valid */
            free_parts(s);
            s->whole = NULL;
            s->whole_next = 0;
            plan_parts(s);
        }
        return s;
    }
    return NULL;
}

void session_hold(struct session *s)
{
    s->refs++;
}

void session_drop(struct session *s)
{
    if (--s->refs > 0)
        return;
    free_parts(s);
    free(s->remote_id);
    free(s);
}

void session_path(uint64_t seq, const char *name, struct text *out)
{
    unsigned long long number = seq;

    if (options_current()->wire == WIRE_V21)
        text_addf(out, "s3path/temp/upl_%08llx%08x/%s", number, path_mac(seq), name);
    else
        text_addf(out, "/incoming/%08llx%08x", number, path_mac(seq));
}

void session_upload_id(const struct session *s, char out[40])
{
    snprintf(out, 40, "up-%016llx%08llx", (unsigned long long)ident_mix(~s->seq),
             (unsigned long long)s->seq);
}

enum session_look session_find(const char *path, struct session **out, struct file **out_file)
{
    const char *id = strstr(path, "/upl_");
    uint8_t raw[PATH_ID_HEX / 2];
    uint64_t seq = 0;
    uint32_t mac = 0;

    id = id != NULL ? id + 5 : strstr(path, "/incoming/");
    if (id != NULL && *id == '/')
        id += 10;
    if (id == NULL || strlen(id) < PATH_ID_HEX || !digest_unhex(id, raw, sizeof raw))
        return SESSION_UNKNOWN;
    if (id[PATH_ID_HEX] != '\0' && id[PATH_ID_HEX] != '/')
        return SESSION_UNKNOWN;
    for (size_t i = 0; i < 4; i++) {
        seq = seq << 8 | raw[i];
        mac = mac << 8 | raw[4 + i];
    }
    if (seq == 0 || seq >= n_slots || mac != path_mac(seq))
        return SESSION_UNKNOWN;
    *out = slots[seq].open;
    *out_file = slots[seq].file;
    return *out != NULL ? SESSION_OPEN : SESSION_CONFIRMED;
}

void session_confirm(struct session *s, struct file *f)
{
    slots[s->seq] = (struct slot){.file = f};
    session_drop(s);
}

/*
 * A client that was killed or gave up leaves its PUT behind until we notice; its
 * closed socket tells at once. Valid: a PUT ends before MHD closes its socket.
 */
static bool peer_is_there(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) == 0;
}

bool session_name_in_flight(const char *name, uint64_t but_seq, uint64_t *out_seq)
{
    int64_t now_ms = when_now_ms();
    struct put *p = NULL;

    DL_FOREACH(flights, p)
    {
        const struct session *s = p->session;
        if (s->seq == but_seq || now_ms > s->url_until_ms || strcmp(s->name, name) != 0 ||
            !peer_is_there(p->fd))
            continue;
        *out_seq = s->seq;
        return true;
    }
    return false;
}

/*
 * With N parts at once, connections may overtake each other on their way here, so that no gap
 * before a part tells anything; but N unanswered ones before it do.
 */
static void audit_concurrent(const struct put *p, const char *where)
{
    const struct session *s = p->session;
    int64_t behind = 0;

    for (uint32_t i = 0; i < p->part_idx; i++)
        behind += !s->parts[i].answered;
    if (behind >= options_current()->part_concurrency)
        audit_add(AUDIT_PART_ORDER, where,
                  "part %u of %s begun while %lld before it are unanswered", p->part_idx + 1,
                  s->name, (long long)behind);
}

static void audit_order(const struct put *p, const char *where)
{
    const struct session *s = p->session;

    if (options_current()->part_concurrency > 0) {
        audit_concurrent(p, where);
        return;
    }
    if (p->part_idx == 0)
        return;
    const struct part *before = &s->parts[p->part_idx - 1];
    if (!before->begun)
        audit_add(AUDIT_PART_ORDER, where, "part %u of %s begun before part %u", p->part_idx + 1,
                  s->name, p->part_idx);
    else if (!before->answered)
        audit_add(AUDIT_PART_OVERLAP, where, "part %u of %s begun before part %u was answered",
                  p->part_idx + 1, s->name, p->part_idx);
}

void session_put_begin(struct put *p, const char *where)
{
    const struct options *opt = options_current();
    struct session *s = p->session;
    struct part *part = &s->parts[p->part_idx];
    uint64_t other = 0;

    audit_order(p, where);
    if (session_name_in_flight(s->name, s->seq, &other))
        audit_add(AUDIT_NAME_IN_FLIGHT, where, "%s is being PUT in another session too", s->name);
    s->refs++;
    part->begun = true;
    /* The folder store writes in place: a broken repeat would leave mixed bytes. */
    if (opt->store == STORE_DIR)
        part->stored = false;
    if (s->whole != NULL && s->whole_next == p->part_idx)
        p->whole = digest_copy(s->whole);
    DL_APPEND(flights, p);
}

void session_put_stored(struct put *p)
{
    struct session *s = p->session;
    struct part *part = &s->parts[p->part_idx];

    free(part->blob.data);
    part->blob = sink_close(&p->sink);
    part->stored_bytes = p->got;
    part->stored = true;
    memcpy(part->etag, p->etag, sizeof part->etag);
    p->stored = true;
    if (p->whole != NULL && s->whole_next == p->part_idx) {
        digest_free(s->whole);
        s->whole = p->whole;
        s->whole_next++;
        p->whole = NULL;
    }
}

void session_put_answered(struct put *p)
{
    if (p->stored)
        p->session->parts[p->part_idx].answered = true;
}

void session_put_end(struct put *p)
{
    struct blob blob = sink_close(&p->sink);

    free(blob.data);
    digest_free(p->md5);
    digest_free(p->whole);
    DL_DELETE(flights, p);
    session_drop(p->session);
}

uint64_t session_count_open(int64_t now_ms)
{
    uint64_t n = 0;

    for (uint64_t i = 1; i < n_slots; i++)
        n += slots[i].open != NULL && now_ms <= slots[i].open->until_ms;
    return n;
}

void session_teardown(void)
{
    for (uint64_t i = 1; i < n_slots; i++) {
        if (slots[i].open != NULL)
            session_drop(slots[i].open);
    }
    free(slots);
    slots = NULL;
}
