/*
 * objects.h - which objects were PUT and how large they are, for the peers that look at what
 * they have uploaded. One thread.
 */
#ifndef BENCH_OBJECTS_H
#define BENCH_OBJECTS_H

#include <stdint.h>

/* target: path and query; the query is no part of the name. Parts of an object add up. */
void objects_add(const char *target, int is_part, uint64_t bytes);

/* False where there is none; *out_in_parts as it was last added. */
int objects_find(const char *target, uint64_t *out_bytes, int *out_in_parts);

void objects_clear(void);

#endif
