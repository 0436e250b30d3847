/*
 * credentials.h - who we are to PXM. Never from the command line: everybody could read it in the
 * process list. Main thread.
 */
#ifndef CLI_CREDENTIALS_H
#define CLI_CREDENTIALS_H

#include "cli/settings.h"

struct credentials {
    char *client_id;     /* NULL where only a token is there */
    char *client_secret; /* NULL likewise */
    char *token;         /* NULL: fetch one with id and secret */
    const char *from;    /* "environment", "profile"; for env and doctor; a literal */
};

/*
 * PXM_TOKEN; else PXM_CLIENT_ID and PXM_CLIENT_SECRET, each with the profile's client_id and one
 * of client_secret, client_secret_file, client_secret_command as its fallback. With PXM_TOKEN
 * an id and a secret in the environment are taken along, so that an old token can be renewed.
 * The command runs by /bin/sh, has 30 s, and its output less the last newline is the secret.
 * Every secret is registered with the log. -ERR_CONFIG: what is missing, or cannot be used, and
 * what to do; callers exit with EXIT_IS_PREFLIGHT.
 */
int credentials_load(const struct settings *settings, struct credentials *out,
                     struct err *err) WARN_UNUSED;
/* Wipes and frees. */
void credentials_release(struct credentials *credentials);

#endif
