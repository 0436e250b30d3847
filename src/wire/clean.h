/*
 * clean.h - a server's words made fit for terminals, logs and reports. Internal to wire/.
 */
#ifndef WIRE_CLEAN_H
#define WIRE_CLEAN_H

#include <stddef.h>

/*
 * Writes at most cap - 1 bytes and a NUL: valid UTF-8 on one line, without control or
 * direction-changing characters, runs of space made one. What may be a secret is taken out:
 * the query of a URL, JSON web tokens, and what log_redact() knows: credentials behind
 * "Bearer" or "Authorization: Basic", and every secret registered with the log. Returns the
 * length.
 */
size_t clean_text(char *dst, size_t cap, const char *src, size_t len);

#endif
