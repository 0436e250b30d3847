/*
 * secret.h - a secret out of a file or a command's output. Both come back malloc'ed, without the
 * newline at their end; the caller wipes them. Main thread.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include <stdint.h>

#include "base/err.h"

#define SECRET_BYTES_MAX 8192

/* A regular file of ours, mode 0600 or narrower. -ERR_CONFIG. */
int secret_from_file(const char *path, char **out, struct err *err) WARN_UNUSED;
/* The output of /bin/sh -c command, killed after timeout_ms. -ERR_CONFIG. */
int secret_from_command(const char *command, int64_t timeout_ms, char **out,
                        struct err *err) WARN_UNUSED;
/* Cuts line ends; no text is left, or control bytes inside: -ERR_CONFIG naming `what`. */
int secret_trim(char *secret, const char *what, struct err *err) WARN_UNUSED;
/* explicit_bzero and free; NULL is allowed. */
void secret_free(char *secret);

#endif
