/*
 * mix.h - what a plan's files are made of: how many of which size, how many of which MIME type.
 * Bounded; one owner, one thread.
 */
#ifndef REPORT_MIX_H
#define REPORT_MIX_H

#include "report/json.h"

#define MIX_TYPES 256
#define MIX_SIZES 8

struct mix_count {
    int64_t files;
    int64_t bytes;
};
struct mix_type {
    char name[128]; /* MIME_MAX */
    struct mix_count count;
};
struct mix {
    struct mix_count all;
    int64_t largest_bytes;
    struct mix_count sizes[MIX_SIZES];
    struct mix_type types[MIX_TYPES];
    size_t type_count;
    struct mix_count other_types; /* those past MIX_TYPES */
};

void mix_init(struct mix *mix);
/* mime_type NULL: not known before the file is read. */
void mix_add(struct mix *mix, const char *mime_type, int64_t size_bytes);
/* Most files first. Then mix_add is over. */
void mix_sort(struct mix *mix);
/* "up to 64 KiB" ...; what sizes[n] counts. */
const char *mix_size_name(size_t n);

#endif
