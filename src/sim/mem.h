/*
 * Allocation that cannot fail. The simulator is a test tool: out of memory ends it
 * at once, so no caller carries an error path that no test can reach.
 */
#ifndef SIM_MEM_H
#define SIM_MEM_H

#include <stddef.h>

/* Zeroed memory for n objects of `size` bytes; the caller frees it with free(). */
void *mem_new(size_t n, size_t size);

/* realloc() that aborts instead of failing; new bytes are not zeroed. */
void *mem_resize(void *old, size_t n, size_t size);

/* Copy of len bytes and a NUL after them; the caller frees it. */
char *mem_copy(const char *bytes, size_t len);

#endif
