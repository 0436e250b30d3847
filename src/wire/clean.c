/*
 * clean.c - sanitising of server text, see clean.h. Called by classify.c and s3.c, on any thread;
 * no state of its own. Invariant: the output is valid UTF-8 and never longer than asked for.
 */
#include "wire/clean.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

/* What is looked at: more than is ever shown, so that cutting comes after redaction. */
#define CLEAN_INPUT_MAX 2048

/* Decodes one character; returns its length, or 0 where the bytes are no UTF-8. */
static size_t decode_utf8(const unsigned char *src, size_t len, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = src[0];
    if (lead < 0x80) {
        *out = lead;
        return 1;
    }
    size_t need = lead >= 0xf8 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    if (!need || need > len)
        return 0;
    uint32_t point = lead & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((src[i] & 0xc0) != 0x80)
            return 0;
        point = (point << 6) | (src[i] & 0x3f);
    }
    if (point < least[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *out = point;
    return need;
}

/* Controls, line and paragraph separators, and what turns the direction of the text around. */
static int is_hidden(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
           point == 0xfeff;
}

/* One line of valid UTF-8 into dst[CLEAN_INPUT_MAX]. */
static void flatten(char *dst, const unsigned char *src, size_t len)
{
    size_t used = 0;
    for (size_t at = 0; at < len;) {
        uint32_t point = '?';
        size_t step = decode_utf8(src + at, len - at, &point);
        int blank = step && (point == ' ' || is_hidden(point));
        if (used + 4 >= CLEAN_INPUT_MAX)
            break;
        if (!step) {
            dst[used++] = '?';
            step = 1;
        } else if (!blank) {
            memcpy(dst + used, src + at, step);
            used += step;
        } else if (used && dst[used - 1] != ' ') {
            dst[used++] = ' ';
        }
        at += step;
    }
    while (used && dst[used - 1] == ' ')
        used--;
    dst[used] = '\0';
}

/*
 * Where a secret begins in a word of len bytes, or len. Stricter than log_redact(), which keeps
 * unsigned queries: a server's message needs no query at all.
 */
static size_t secret_at(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *rest = word + i;
        size_t left = len - i;
        if (*rest == '?' && memchr(rest, '=', left))
            return i + 1;
        if (left >= 6 && !strncasecmp(rest, "x-amz-", 6) && memchr(rest, '=', left))
            return i;
        if (left >= 20 && !strncmp(rest, "eyJ", 3))
            return i;
    }
    return len;
}

/* Appends what fits, never half a character. */
static size_t append(char *dst, size_t cap, size_t used, const char *src, size_t len)
{
    if (len > cap - 1 - used) {
        len = cap - 1 - used;
        while (len && ((unsigned char)src[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(dst + used, src, len);
    dst[used + len] = '\0';
    return used + len;
}

size_t clean_text(char *dst, size_t cap, const char *src, size_t len)
{
    char flat[CLEAN_INPUT_MAX];
    flatten(flat, (const unsigned char *)src, len);
    log_redact(flat);
    size_t used = 0;
    dst[0] = '\0';
    for (const char *word = flat; *word;) {
        size_t word_len = strcspn(word, " ");
        size_t keep = secret_at(word, word_len);
        used = append(dst, cap, used, word, keep);
        if (keep < word_len)
            used = append(dst, cap, used, "[redacted]", 10);
        word += word_len;
        if (*word == ' ')
            used = append(dst, cap, used, word++, 1);
    }
    return used;
}
