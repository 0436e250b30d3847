/*
 * filter.h - what walk.c asks of a filter. Callers outside use scan.h.
 */
#ifndef SCAN_FILTER_H
#define SCAN_FILTER_H

#include "scan/scan.h"

/*
 * NULL: take it; else the reason of WALK_EXCLUDED, a literal. filter NULL: the junk rules alone.
 * path: relative to the root; of a folder with its trailing slash. One thread at a time.
 */
const char *filter_refuses_file(const struct filter *filter, const char *path);
const char *filter_refuses_folder(const struct filter *filter, const char *path);
/* The next path of --files-from that filter_refuses_file was never asked about; *at from 0. */
const char *filter_next_unmet(const struct filter *filter, size_t *at);
/* Size and age; asked last, for it needs a stat. */
const char *filter_refuses_stamp(const struct filter *filter, const struct file_stamp *stamp);

#endif
