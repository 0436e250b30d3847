/* The growing string; see text.h. Used by every handler, each on its own thread. */
#include "sim/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"

#define TEXT_FIRST_BYTES 512

static void reserve(struct text *t, size_t more)
{
    size_t want = t->len + more + 1;

    if (want <= t->cap)
        return;
    size_t cap = t->cap == 0 ? TEXT_FIRST_BYTES : t->cap;
    while (cap < want)
        cap *= 2;
    t->data = mem_resize(t->data, cap, 1);
    t->cap = cap;
}

void text_release(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

void text_clear(struct text *t)
{
    t->len = 0;
    if (t->data != NULL)
        t->data[0] = '\0';
}

void text_add(struct text *t, const char *bytes, size_t len)
{
    reserve(t, len);
    memcpy(t->data + t->len, bytes, len);
    t->len += len;
    t->data[t->len] = '\0';
}

void text_puts(struct text *t, const char *str)
{
    text_add(t, str, strlen(str));
}

void text_addf(struct text *t, const char *fmt, ...)
{
    va_list args;

    reserve(t, 128);
    va_start(args, fmt);
    int need = vsnprintf(t->data + t->len, t->cap - t->len, fmt, args);
    va_end(args);
    if (need < 0)
        abort();
    if ((size_t)need >= t->cap - t->len) {
        reserve(t, (size_t)need);
        va_start(args, fmt);
        need = vsnprintf(t->data + t->len, t->cap - t->len, fmt, args);
        va_end(args);
    }
    t->len += (size_t)need;
}

static void json_escape(struct text *t, unsigned char c)
{
    static const char short_from[] = "\"\\\b\f\n\r\t";
    static const char short_to[] = "\"\\bfnrt";
    const char *at = c != 0 ? strchr(short_from, c) : NULL;

    if (at != NULL) {
        char pair[2] = {'\\', short_to[at - short_from]};
        text_add(t, pair, 2);
    } else {
        text_addf(t, "\\u%04x", c);
    }
}

void text_json(struct text *t, const char *str)
{
    if (str == NULL) {
        text_add(t, "null", 4);
        return;
    }
    text_add(t, "\"", 1);
    const char *run = str;
    for (; *str != '\0'; str++) {
        unsigned char c = (unsigned char)*str;
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        text_add(t, run, (size_t)(str - run));
        json_escape(t, c);
        run = str + 1;
    }
    text_add(t, run, (size_t)(str - run));
    text_add(t, "\"", 1);
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void text_uri(struct text *t, const char *str, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";

    reserve(t, strlen(str) * 3);
    char *at = t->data + t->len;
    for (; *str != '\0'; str++) {
        unsigned char c = (unsigned char)*str;
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = hex[c >> 4];
        *at++ = hex[c & 15];
    }
    *at = '\0';
    t->len = (size_t)(at - t->data);
}

char *text_take(struct text *t, size_t *out_len)
{
    reserve(t, 0);
    char *data = t->data;
    data[t->len] = '\0';
    *out_len = t->len;
    *t = (struct text){0};
    return data;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_unescape(char *str)
{
    char *out = str;

    for (const char *in = str; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_digit(in[1]);
        int low = high < 0 ? -1 : hex_digit(in[2]);
        if (low < 0 || (high == 0 && low == 0))
            return -1;
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return (int)(out - str);
}

/* Length of the sequence that starts with c, or 0; *out_min is its least code point. */
static size_t utf8_length(unsigned char c, uint32_t *out_code, uint32_t *out_min)
{
    if (c >= 0xC2 && c <= 0xDF) {
        *out_code = c & 0x1F;
        *out_min = 0x80;
        return 2;
    }
    if ((c & 0xF0) == 0xE0) {
        *out_code = c & 0x0F;
        *out_min = 0x800;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        *out_code = c & 0x07;
        *out_min = 0x10000;
        return 4;
    }
    return 0;
}

bool text_is_utf8(const char *str, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)str[i];
        if (c < 0x80) {
            if (c == 0)
                return false;
            i++;
            continue;
        }
        uint32_t code = 0;
        uint32_t min = 0;
        size_t n = utf8_length(c, &code, &min);
        if (n == 0 || i + n > len)
            return false;
        for (size_t k = 1; k < n; k++) {
            unsigned char next = (unsigned char)str[i + k];
            if ((next & 0xC0) != 0x80)
                return false;
            code = code << 6 | (next & 0x3F);
        }
        if (code < min || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        i += n;
    }
    return true;
}

void text_clip_utf8(char *str)
{
    size_t len = strlen(str);

    for (int i = 0; i < 3 && len > 0 && !text_is_utf8(str, len); i++)
        str[--len] = '\0';
}
