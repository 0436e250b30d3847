/*
 * nearest.h - "did you mean": the known word most like a mistyped one. No memory of its own; the
 * words offered must outlive the search. Any thread.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word;
    const char *best;
    size_t distance;
};

void nearest_init(struct nearest *nearest, const char *word);
void nearest_offer(struct nearest *nearest, const char *candidate);
/* NULL where nothing is like it. */
const char *nearest_result(const struct nearest *nearest);

#endif
