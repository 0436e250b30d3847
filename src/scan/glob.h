/*
 * glob.h - one pattern of rclone's filter syntax, compiled. Used by filter.c alone.
 *
 * Patterns become a small automaton that is run over the code points of a path: time is linear in
 * path times pattern, whatever stars it holds. Only {{regex}} goes through regcomp.
 */
#ifndef SCAN_GLOB_H
#define SCAN_GLOB_H

#include "base/err.h"

struct glob;

/* NULL with *err filled (USAGE, NOMEM) where the pattern is malformed. */
struct glob *glob_new(const char *pattern, struct err *err);
void glob_free(struct glob *glob);
/* Whether all of path matches, from its start or, unanchored, from behind one of its slashes. */
int glob_match(const struct glob *glob, const char *path);

#endif
