/*
 * string_list.h - a growing list of strings, and its CSV form for environment and journal. One
 * thread; {0} is an empty list.
 */
#ifndef CLI_STRING_LIST_H
#define CLI_STRING_LIST_H

#include "base/buf.h"

struct string_list {
    char **items; /* owned, each malloc'ed */
    size_t count;
};

void string_list_release(struct string_list *list);
/* Appends a copy. 0 or -ERR_NOMEM. */
int string_list_add(struct string_list *list, const char *text) WARN_UNUSED;
/*
 * Appends the items between commas; empty ones are left out. "a, ""b""" in quotes is one item with
 * a comma and quotes in it. 0 or -ERR_NOMEM.
 */
int string_list_from_csv(struct string_list *list, const char *text) WARN_UNUSED;
/* What string_list_from_csv takes back, appended to out. 0 or -ERR_NOMEM. */
int string_list_to_csv(const struct string_list *list, struct buf *out) WARN_UNUSED;

#endif
