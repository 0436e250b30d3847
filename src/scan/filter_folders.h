/*
 * filter_folders.h - which folders a file pattern makes it necessary to open. Used by filter.c.
 */
#ifndef SCAN_FILTER_FOLDERS_H
#define SCAN_FILTER_FOLDERS_H

#include <stddef.h>

struct filter_folders {
    char *pattern; /* cut shorter with every step; NULL without memory, which is read as "any" */
    char *folder;  /* what _next returned last */
    int any;       /* the pattern tells nothing: every folder */
    int given;
    int done;
};

void filter_folders_init(struct filter_folders *folders, const char *pattern);
/* The next folder pattern, valid until the next call; NULL at the end. */
const char *filter_folders_next(struct filter_folders *folders);
void filter_folders_release(struct filter_folders *folders);

#endif
