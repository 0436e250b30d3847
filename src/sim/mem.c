/* Allocation that cannot fail; see mem.h. Any thread. */
#include "sim/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *p)
{
    if (p == NULL) {
        fputs("pxm-sim: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_new(size_t n, size_t size)
{
    return check(calloc(n == 0 ? 1 : n, size));
}

void *mem_resize(void *old, size_t n, size_t size)
{
    return check(reallocarray(old, n == 0 ? 1 : n, size));
}

char *mem_copy(const char *bytes, size_t len)
{
    char *copy = check(malloc(len + 1));

    memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
