/*
 * A growing byte string, and the few escapes that HTTP and JSON need.
 *
 * Always NUL-terminated once something was added. Not shared between threads.
 */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data; /* NULL while empty */
    size_t len;
    size_t cap;
};

void text_release(struct text *t);
void text_clear(struct text *t);
void text_add(struct text *t, const char *bytes, size_t len);
void text_puts(struct text *t, const char *str);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Adds str as a JSON string with its quotes; NULL becomes null. */
void text_json(struct text *t, const char *str);

/* Adds str percent-encoded as AWS does it; '/' is kept when keep_slash. */
void text_uri(struct text *t, const char *str, bool keep_slash);

/* Gives the bytes away (never NULL; free() them) and leaves t empty. */
char *text_take(struct text *t, size_t *out_len);

/* Decodes %XX in place; returns the new length, or -1 on a bad escape or %00. */
int text_unescape(char *str);

/* Whether str is well-formed UTF-8 without NUL. */
bool text_is_utf8(const char *str, size_t len);

/* Cuts a string that a byte limit may have cut inside a character. */
void text_clip_utf8(char *str);

#endif
