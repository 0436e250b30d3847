/* The /_sim calls that change something: preload, revoke, faults, listen. API thread. */
#include <stdlib.h>
#include <string.h>

#include "sim/api.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/presign.h"
#include "sim/token.h"

static void reply_count(struct exch *x, const char *key, uint64_t n)
{
    struct text t = {0};

    text_addf(&t, "{\"%s\":%llu}", key, (unsigned long long)n);
    api_reply(x, 200, &t);
}

bool sim_preload_line(json_object *line, struct text *why)
{
    const char *name = api_string(line, "name");
    const char *mime = api_string(line, "mime_type");
    const char *hex = api_string(line, "md5");
    const char *id = api_string(line, "id");
    json_object *size = api_member(line, "size");
    uint8_t md5[DIGEST_MD5_BYTES];
    struct new_file nf = {.name = name, .region_mask = 1};

    if (name == NULL || name[0] == '\0' || !json_object_is_type(size, json_type_int)) {
        text_puts(why, "each line needs name and size");
        return false;
    }
    if (hex != NULL && strlen(hex) == 2 * sizeof md5 && digest_unhex(hex, md5, sizeof md5))
        nf.md5 = md5;
    nf.mime = mime == NULL ? "application/octet-stream" : mime;
    nf.size = json_object_get_uint64(size);
    nf.published = json_object_get_boolean(api_member(line, "published"));
    tenant_lock();
    struct file *f = tenant_add(&nf);
    if (id != NULL)
        tenant_set_id(f, id);
    f->created_ms -= json_object_get_int64(api_member(line, "age")) * 1000;
    f->updated_ms = f->created_ms;
    tenant_unlock();
    return true;
}

void sim_preload(struct exch *x, const char *arg, json_object *body)
{
    json_tokener *parser = json_tokener_new();
    struct text why = {0};
    uint64_t n = 0;
    size_t at = 0;

    (void)arg;
    (void)body;
    while (at < x->body.len && why.len == 0) {
        json_object *line =
            json_tokener_parse_ex(parser, x->body.data + at, (int)(x->body.len - at));
        if (json_tokener_get_error(parser) != json_tokener_success)
            break; /* blanks after the last line, or no JSON */
        at += json_tokener_get_parse_end(parser);
        n += sim_preload_line(line, &why);
        json_object_put(line);
    }
    json_tokener_free(parser);
    if (why.len > 0)
        api_error(x, 400, "BadRequest", "%s", why.data);
    else
        reply_count(x, "preloaded", n);
    text_release(&why);
}

void sim_revoke(struct exch *x, const char *arg, json_object *body)
{
    char token[TOKEN_BYTES] = "";

    (void)arg;
    (void)body;
    bool one = presign_query_value(x->query, "token", token, sizeof token);
    reply_count(x, "revoked", token_revoke(one ? token : NULL));
}

void sim_faults(struct exch *x, const char *arg, json_object *body)
{
    struct text t = {0};

    (void)arg;
    (void)body;
    fault_json(&t);
    api_reply(x, 200, &t);
}

void sim_faults_add(struct exch *x, const char *arg, json_object *body)
{
    struct text why = {0};

    (void)arg;
    (void)body;
    if (fault_load(x->body.len == 0 ? "" : x->body.data, x->body.len, &why))
        sim_faults(x, NULL, NULL);
    else
        api_error(x, 400, "BadRequest", "%s", why.data);
    text_release(&why);
}

void sim_faults_clear(struct exch *x, const char *arg, json_object *body)
{
    fault_clear();
    sim_faults(x, arg, body);
}

/* What people do to files behind an uploader's back. */
void sim_damage(struct exch *x, const char *arg, json_object *body)
{
    char id[IDENT_UUID_TEXT] = "";
    char how[16] = "";

    (void)arg;
    (void)body;
    (void)presign_query_value(x->query, "id", id, sizeof id);
    (void)presign_query_value(x->query, "how", how, sizeof how);
    tenant_lock();
    struct file *f = tenant_by_id_text(id);
    if (f != NULL && strcmp(how, "delete") == 0)
        tenant_remove(f);
    else if (f != NULL && strcmp(how, "shorten") == 0)
        f->size -= f->size > 0;
    else if (f != NULL && strcmp(how, "unlink") == 0)
        tenant_extra(f)->n_collections = 0;
    else
        f = NULL;
    tenant_unlock();
    if (f != NULL)
        reply_count(x, "damaged", 1);
    else
        api_error(x, 400, "BadRequest", "an id, and how: delete, shorten or unlink");
}

void sim_listen(struct exch *x, const char *arg, json_object *body)
{
    char side[8] = "";
    int64_t off_ms = api_query_number(x, "off", 0);

    (void)arg;
    (void)body;
    (void)presign_query_value(x->query, "side", side, sizeof side);
    if (off_ms > 0 && strcmp(side, "s3") != 0)
        side_refuse(api_side(), off_ms);
    if (off_ms > 0 && strcmp(side, "api") != 0 && api_s3_side() != NULL)
        side_refuse(api_s3_side(), off_ms);
    reply_count(x, "off_ms", (uint64_t)off_ms);
}
