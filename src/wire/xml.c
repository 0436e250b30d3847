/*
 * xml.c - extraction of one element's text, see xml.h. Called by s3.c and classify.c, on any
 * thread. Invariant: never reads past body + len; nothing is NUL-terminated here.
 */
#include "wire/xml.h"

#include <string.h>
#include <strings.h>

struct span {
    const char *at;
    const char *end;
};

static size_t left(const struct span *span)
{
    return (size_t)(span->end - span->at);
}

static int starts_with(const struct span *span, const char *text)
{
    size_t len = strlen(text);
    return left(span) >= len && !strncasecmp(span->at, text, len);
}

/* Moves behind text; 0 where it does not come again. */
static int skip_past(struct span *span, const char *text)
{
    const char *hit = memmem(span->at, left(span), text, strlen(text));
    if (!hit)
        return 0;
    span->at = hit + strlen(text);
    return 1;
}

/* Is this "<name>", "<name ...>" or "<name/>"? */
static int is_element(const struct span *span, const char *name)
{
    struct span rest = {span->at + 1, span->end};
    if (!left(span) || *span->at != '<' || !starts_with(&rest, name))
        return 0;
    rest.at += strlen(name);
    return left(&rest) && *rest.at && strchr(" \t\r\n/>", *rest.at);
}

int xml_root_is(const char *body, size_t len, const char *name)
{
    struct span span = {body, body + len};
    if (starts_with(&span, "\xef\xbb\xbf"))
        span.at += 3;
    for (;;) {
        while (left(&span) && *span.at && strchr(" \t\r\n", *span.at))
            span.at++;
        if (starts_with(&span, "<!--") && skip_past(&span, "-->"))
            continue;
        if ((starts_with(&span, "<?") || starts_with(&span, "<!")) && skip_past(&span, ">"))
            continue;
        return is_element(&span, name);
    }
}

static void append_utf8(unsigned long point, struct buf *out)
{
    char bytes[4];
    size_t len = 0;
    if (point < 0x80) {
        bytes[len++] = (char)point;
    } else if (point < 0x800) {
        bytes[len++] = (char)(0xc0 | (point >> 6));
    } else if (point < 0x10000) {
        bytes[len++] = (char)(0xe0 | (point >> 12));
        bytes[len++] = (char)(0x80 | ((point >> 6) & 0x3f));
    } else {
        bytes[len++] = (char)(0xf0 | (point >> 18));
        bytes[len++] = (char)(0x80 | ((point >> 12) & 0x3f));
        bytes[len++] = (char)(0x80 | ((point >> 6) & 0x3f));
    }
    if (point >= 0x80)
        bytes[len++] = (char)(0x80 | (point & 0x3f));
    buf_append(out, bytes, len);
}

/* "#65" or "#x41" to a character; 0 where it is none. */
static unsigned long numeric_entity(const char *name, size_t len)
{
    unsigned long point = 0;
    unsigned base = len > 1 && (name[1] == 'x' || name[1] == 'X') ? 16 : 10;
    for (size_t i = base == 16 ? 2 : 1; i < len; i++) {
        unsigned digit = 16;
        if (name[i] >= '0' && name[i] <= '9')
            digit = (unsigned)(name[i] - '0');
        else if ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'f')
            digit = (unsigned)((name[i] | 0x20) - 'a') + 10;
        if (digit >= base)
            return 0;
        point = point * base + digit;
        if (point > 0x10ffff)
            return 0;
    }
    return point >= 0xd800 && point <= 0xdfff ? 0 : point;
}

/* Appends what the entity at span means, or its '&' as it stands, and moves on. */
static void append_entity(struct span *span, struct buf *out)
{
    static const struct {
        const char *name;
        char means;
    } named[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    const char *name = span->at + 1;
    size_t room = left(span) - 1;
    const char *stop = memchr(name, ';', room < 10 ? room : 10);
    size_t len = stop ? (size_t)(stop - name) : 0;
    unsigned long point = len && name[0] == '#' ? numeric_entity(name, len) : 0;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (len && strlen(named[i].name) == len && !memcmp(named[i].name, name, len))
            point = (unsigned char)named[i].means;
    if (point) {
        append_utf8(point, out);
        span->at = stop + 1;
    } else {
        buf_append(out, "&", 1);
        span->at++;
    }
}

int xml_text(const char *body, size_t len, const char *name, struct buf *out)
{
    struct span span = {body, body + len};
    while (left(&span) && !is_element(&span, name))
        span.at++;
    if (!left(&span) || !skip_past(&span, ">"))
        return 0;
    if (span.at[-2] == '/') /* <Code/> */
        return 1;
    while (left(&span) && *span.at != '<' && !out->truncated) {
        if (*span.at == '&')
            append_entity(&span, out);
        else
            buf_append(out, span.at++, 1);
    }
    return 1;
}
