/* credentials.c - see credentials.h. */
#include "cli/credentials.h"
#include "cli/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_TIMEOUT_MS 30000

void credentials_release(struct credentials *credentials)
{
    secret_free(credentials->client_id);
    secret_free(credentials->client_secret);
    secret_free(credentials->token);
    *credentials = (struct credentials){0};
}

/* A copy of an environment variable, NULL where it is unset or empty. */
static int from_env(const char *name, char **out, struct err *err)
{
    const char *text = getenv(name);
    *out = NULL;
    if (!text || !*text)
        return 0;
    *out = strdup(text);
    if (!*out)
        return err_set(err, ERR_NOMEM, "no memory for the credentials");
    return secret_trim(*out, name, err);
}

/* "~/x" and "x" as a user means them: at home, and beside the config file. */
static int place_of(const struct settings *settings, const char *path, char **out)
{
    const char *home = getenv("HOME");
    const char *slash = settings->config_file ? strrchr(settings->config_file, '/') : NULL;
    int len;
    if (!strncmp(path, "~/", 2) && home)
        len = asprintf(out, "%s%s", home, path + 1);
    else if (*path != '/' && slash)
        len = asprintf(out, "%.*s%s", (int)(slash + 1 - settings->config_file),
                       settings->config_file, path);
    else
        len = asprintf(out, "%s", path);
    return len < 0 ? -ERR_NOMEM : 0;
}

static int secret_from_profile(const struct settings *settings, char **out, struct err *err)
{
    const struct profile_credentials *profile = &settings->profile_credentials;
    int ways = (profile->client_secret != NULL) + (profile->client_secret_file != NULL) +
               (profile->client_secret_command != NULL);
    if (ways > 1)
        return err_set(err, ERR_CONFIG,
                       "profile '%s' in %s has more than one of client_secret, client_secret_file "
                       "and client_secret_command; keep one",
                       settings->profile, settings->config_file);
    if (profile->client_secret_command)
        return secret_from_command(profile->client_secret_command, COMMAND_TIMEOUT_MS, out, err);
    if (profile->client_secret_file) {
        char *path;
        if (place_of(settings, profile->client_secret_file, &path))
            return err_set(err, ERR_NOMEM, "no memory for the credentials");
        int rc = secret_from_file(path, out, err);
        free(path);
        return rc;
    }
    if (!profile->client_secret)
        return 0;
    *out = strdup(profile->client_secret);
    return *out ? 0 : err_set(err, ERR_NOMEM, "no memory for the credentials");
}

/* The profile's part, for what the environment left open. */
static int complete_from_profile(const struct settings *settings, struct credentials *out,
                                 struct err *err)
{
    const char *id = settings->profile_credentials.client_id;
    int rc = 0;
    if (!out->client_id && id) {
        out->client_id = strdup(id);
        if (!out->client_id)
            return err_set(err, ERR_NOMEM, "no memory for the credentials");
        out->from = "profile";
    }
    if (!out->client_secret) {
        rc = secret_from_profile(settings, &out->client_secret, err);
        out->from = "profile";
    }
    return rc;
}

static int check_complete(const struct settings *settings, const struct credentials *credentials,
                          struct err *err)
{
    if (credentials->client_id && credentials->client_secret)
        return 0;
    if (credentials->client_id)
        return err_set(err, ERR_CONFIG,
                       "the client id is known but not its secret; set PXM_CLIENT_SECRET, or "
                       "client_secret_file or client_secret_command in [%s] of %s",
                       settings->profile, settings->config_file ? settings->config_file : "");
    if (credentials->client_secret)
        return err_set(err, ERR_CONFIG,
                       "the client secret is known but not its id; set PXM_CLIENT_ID, or client_id "
                       "in [%s] of %s",
                       settings->profile, settings->config_file ? settings->config_file : "");
    return err_set(err, ERR_CONFIG,
                   "no credentials: set PXM_CLIENT_ID and PXM_CLIENT_SECRET, or PXM_TOKEN, or "
                   "client_id and client_secret_file in [%s] of %s",
                   settings->profile, settings->config_file ? settings->config_file : "");
}

/* HTTP Basic joins id and secret with the first ':'. */
static int check_id(const struct credentials *credentials, struct err *err)
{
    if (credentials->client_id && strchr(credentials->client_id, ':'))
        return err_set(err, ERR_CONFIG, "the client id has a ':' in it, so it cannot be one");
    return 0;
}

int credentials_load(const struct settings *settings, struct credentials *out, struct err *err)
{
    *out = (struct credentials){.from = "environment"};
    int rc = from_env("PXM_TOKEN", &out->token, err);
    if (!rc)
        rc = from_env("PXM_CLIENT_ID", &out->client_id, err);
    if (!rc)
        rc = from_env("PXM_CLIENT_SECRET", &out->client_secret, err);
    if (!rc && !out->token)
        rc = complete_from_profile(settings, out, err);
    if (!rc && !out->token)
        rc = check_complete(settings, out, err);
    if (!rc)
        rc = check_id(out, err);
    log_add_secret(out->token);
    log_add_secret(out->client_secret);
    if (rc)
        credentials_release(out);
    return rc;
}
