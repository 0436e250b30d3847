/*
 * token.c - the reply to authorize. Called by the token's holder on the loop thread; no state.
 * Invariant: no error text holds the token or a part of it.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/doc.h"
#include "wire/wire.h"

#define TOKEN_MAX_BYTES 8192 /* what a usual server takes as one header */

/* A token becomes a header's value: anything but visible ASCII could add a header. */
static int check_token(const char *token, struct err *err)
{
    if (!token)
        return err_set(err, ERR_BAD_REPLY, "authorize: the reply has no access_token");
    if (strlen(token) > TOKEN_MAX_BYTES)
        return err_set(err, ERR_BAD_REPLY, "authorize: the access_token is over %d bytes",
                       TOKEN_MAX_BYTES);
    for (const char *p = token; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return err_set(err, ERR_BAD_REPLY,
                           "authorize: the access_token holds a byte that no header may have");
    return 0;
}

static int read_token(struct json_object *doc, struct wire_token *out, struct err *err)
{
    const char *token = doc_text(doc, "access_token");
    int rc = check_token(token, err);
    if (rc)
        return rc;
    const char *type = doc_text(doc, "token_type");
    if (type && strcasecmp(type, "bearer") != 0)
        return err_set(err, ERR_BAD_REPLY, "authorize: the token_type is not bearer");
    /* Only a hint for the cache: a lifetime that can't be read is one that was not said. */
    if (doc_int(doc, "expires_in", &out->expires_in_s) != DOC_FOUND || out->expires_in_s < 0)
        out->expires_in_s = 0;
    out->access_token = strdup(token);
    return out->access_token ? 0 : err_set(err, ERR_NOMEM, "authorize: out of memory");
}

int wire_decode_token(const char *body, size_t len, struct wire_token *out, struct err *err)
{
    struct json_object *doc = NULL;
    *out = (struct wire_token){0};
    int rc = doc_parse_object(body, len, "authorize", &doc, err);
    if (rc)
        return rc;
    rc = read_token(doc, out, err);
    json_object_put(doc);
    if (rc)
        wire_token_release(out);
    return rc;
}

void wire_token_release(struct wire_token *token)
{
    if (token->access_token)
        explicit_bzero(token->access_token, strlen(token->access_token));
    free(token->access_token);
    *token = (struct wire_token){0};
}
