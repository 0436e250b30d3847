/* nearest.c - see nearest.h. Edit distance with swapped neighbours counted as one slip. */
#include "base/nearest.h"

#include <string.h>

#define WORD_MAX 48

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];
    size_t len_a = strlen(a);
    size_t len_b = strlen(b);
    for (size_t j = 0; j <= len_b; j++)
        before[j] = last[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        now[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[len_b];
}

void nearest_init(struct nearest *nearest, const char *word)
{
    size_t len = strlen(word);
    /* A third of the word may be wrong; anything would be like a word of one or two letters. */
    *nearest = (struct nearest){.word = word, .distance = len < 3 ? 1 : (len + 2) / 3 + 1};
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    if (strlen(nearest->word) > WORD_MAX || strlen(candidate) > WORD_MAX)
        return;
    size_t d = distance(nearest->word, candidate);
    if (d < nearest->distance) {
        nearest->distance = d;
        nearest->best = candidate;
    }
}

const char *nearest_result(const struct nearest *nearest)
{
    return nearest->best;
}
