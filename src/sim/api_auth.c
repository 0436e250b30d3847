/* POST /v2/oauth/authorize and /v2.1/oauth/authorize. API thread. */
#include <string.h>

#include "sim/api.h"
#include "sim/audit.h"
#include "sim/options.h"
#include "sim/token.h"

void api_authorize(struct exch *x, const char *arg, json_object *body)
{
    const char *grant = api_string(body, "grant_type");
    char token[TOKEN_BYTES];
    struct text t = {0};

    (void)arg;
    if (!token_basic_ok(exch_header(x, "Authorization"))) {
        api_error(x, 401, "Unauthorized", "The client id or secret is wrong.");
        return;
    }
    if (grant == NULL || strcmp(grant, "client_credentials") != 0) {
        audit_add(AUDIT_BAD_GRANT, x->where, "grant_type: %s", grant == NULL ? "-" : grant);
        api_error(x, 400, "unsupported_grant_type", "grant_type must be client_credentials.");
        return;
    }
    token_issue(token);
    /* The two guides spell the token type differently. */
    text_addf(&t, "{\"access_token\":\"%s\",\"token_type\":\"%s\"", token,
              strncmp(x->path, "/v2.1/", 6) == 0 ? "Bearer" : "bearer");
    if (!options_current()->quirk.no_expires_in)
        text_puts(&t, ",\"expires_in\":\"31536000\",\"user\":{\"email\":\"api@sim.example\","
                      "\"hostname\":\"sim.example\"}");
    text_puts(&t, "}");
    api_reply(x, 200, &t);
}
