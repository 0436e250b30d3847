/* cmd_auth.c - `pxload auth`: a new token into the cache. Main thread. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/credentials.h"
#include "cli/exit.h"
#include "cli/paths.h"
#include "cli/task.h"

#include <stdio.h>
#include <stdlib.h>

int cmd_auth(struct settings *settings)
{
    struct credentials credentials = {0};
    struct err error = ERR_INIT;
    struct job_options options = {
        .base_url = settings->base_url,
        .api_concurrency = 1,
        .transfers = 1,
        .retries = settings->retries,
        .contimeout_ms = settings->contimeout_ms,
        .timeout_ms = settings->timeout_ms,
        .ca_cert = settings->ca_cert,
        .allow_http = settings->allow_http,
    };
    char *cache = NULL;
    int code = EXIT_IS_OK;
    int rc = settings_wire_profile(settings, &options.wire, &error);
    if (!rc && credentials_load(settings, &credentials, &error)) {
        code = EXIT_IS_PREFLIGHT;
        rc = -ERR_CONFIG;
    }
    if (!rc)
        rc = paths_make_folder(PATHS_CACHE, &cache, &error);
    options.token_cache_dir = cache;
    options.credentials.client_id = credentials.client_id;
    options.credentials.client_secret = credentials.client_secret;
    if (!rc)
        rc = job_authorize(&options, &error);
    if (rc) {
        log_error("%s", error.text);
        if (!code)
            code = err_is_temporary(error.code) ? EXIT_IS_TEMPORARY : EXIT_IS_PREFLIGHT;
    } else if (settings->json) {
        printf("{\"message_type\":\"auth\",\"success\":true}\n");
    } else {
        printf("A new token for %s is cached; later runs use it.\n", settings->base_url);
    }
    free(cache);
    credentials_release(&credentials);
    return code;
}
