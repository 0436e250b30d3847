/*
 * glob_class.h - a set of code points, as [..], \d and their like name it. Used by glob.c.
 */
#ifndef SCAN_GLOB_CLASS_H
#define SCAN_GLOB_CLASS_H

#include <stdint.h>

#include "base/err.h"

#define GLOB_CLASS_RANGES 64

struct glob_range {
    uint32_t low;
    uint32_t high; /* included */
};

struct glob_class {
    struct glob_range ranges[GLOB_CLASS_RANGES];
    unsigned count;
    int negated; /* everything but the ranges and '/' */
};

/* One code point at *at, moved behind it; a byte that starts no UTF-8 counts as one of its own. */
uint32_t glob_class_decode(const char **at);
/* Reads [..] with *at on its '['; leaves *at behind its ']'. 0 or -ERR_USAGE. */
int glob_class_parse(struct glob_class *class, const char **at, struct err *err) WARN_UNUSED;
/* The class of a letter behind a backslash (dDsSwW); 0 where it names none. */
int glob_class_of_letter(struct glob_class *class, char letter);
int glob_class_has(const struct glob_class *class, uint32_t point);

#endif
