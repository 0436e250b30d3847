/* glob_class.c - see glob_class.h. No state, any thread. */
#include "scan/glob_class.h"

#include <string.h>
#include <utf8proc.h>

/* Bytes that are no UTF-8 get code points of their own, above all real ones. */
#define STRAY_BYTE 0x110000u

uint32_t glob_class_decode(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    if (bytes[0] < 0x80) {
        *at += 1;
        return bytes[0];
    }
    utf8proc_int32_t point;
    utf8proc_ssize_t len = utf8proc_iterate(bytes, (utf8proc_ssize_t)strnlen(*at, 4), &point);
    if (len <= 0) {
        *at += 1;
        return STRAY_BYTE + bytes[0];
    }
    *at += len;
    return (uint32_t)point;
}

static const struct {
    const char *name;
    struct glob_range ranges[4];
    unsigned count;
} named_classes[] = {
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}, 3},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}, 2},
    {"ascii", {{0, 127}}, 1},
    {"blank", {{'\t', '\t'}, {' ', ' '}}, 2},
    {"cntrl", {{0, 31}, {127, 127}}, 2},
    {"digit", {{'0', '9'}}, 1},
    {"graph", {{'!', '~'}}, 1},
    {"lower", {{'a', 'z'}}, 1},
    {"print", {{' ', '~'}}, 1},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}, 4},
    {"space", {{'\t', '\r'}, {' ', ' '}}, 2},
    {"upper", {{'A', 'Z'}}, 1},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}, 4},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}, 3},
};
#define NAMED_COUNT (sizeof named_classes / sizeof *named_classes)

static int add_range(struct glob_class *class, uint32_t low, uint32_t high)
{
    if (class->count == GLOB_CLASS_RANGES)
        return 0;
    class->ranges[class->count++] = (struct glob_range){low, high};
    return 1;
}

static int add_named(struct glob_class *class, const char *name, size_t len)
{
    for (size_t i = 0; i < NAMED_COUNT; i++) {
        if (strlen(named_classes[i].name) != len || memcmp(named_classes[i].name, name, len) != 0)
            continue;
        int fits = 1;
        for (unsigned k = 0; k < named_classes[i].count; k++)
            fits &=
                add_range(class, named_classes[i].ranges[k].low, named_classes[i].ranges[k].high);
        return fits;
    }
    return 0;
}

static const char *name_of_letter(char letter)
{
    switch (letter) {
    case 'd':
    case 'D':
        return "digit";
    case 's':
    case 'S':
        return "space";
    case 'w':
    case 'W':
        return "word";
    default:
        return NULL;
    }
}

int glob_class_of_letter(struct glob_class *class, char letter)
{
    const char *name = name_of_letter(letter);
    if (!name)
        return 0;
    *class = (struct glob_class){.negated = letter < 'a'};
    return add_named(class, name, strlen(name));
}

/* One end of a range, or a single character. */
static uint32_t parse_point(const char **at)
{
    if (**at == '\\' && (*at)[1])
        ++*at;
    return glob_class_decode(at);
}

/* One item between the brackets; 0 where it is malformed or there is no room. */
static int parse_item(struct glob_class *class, const char **at)
{
    if (strncmp(*at, "[:", 2) == 0) {
        const char *name = *at + 2;
        const char *end = strstr(name, ":]");
        if (!end)
            return 0;
        *at = end + 2;
        return add_named(class, name, (size_t)(end - name));
    }
    if (**at == '\\' && strchr("dsw", (*at)[1]) && (*at)[1]) {
        const char *name = name_of_letter((*at)[1]);
        *at += 2;
        return add_named(class, name, strlen(name));
    }
    uint32_t low = parse_point(at);
    uint32_t high = low;
    if ((*at)[0] == '-' && (*at)[1] && (*at)[1] != ']') {
        ++*at;
        high = parse_point(at);
    }
    return low <= high && add_range(class, low, high);
}

int glob_class_parse(struct glob_class *class, const char **at, struct err *err)
{
    const char *start = (*at)++;
    *class = (struct glob_class){0};
    if (**at == '!' || **at == '^') {
        class->negated = 1;
        ++*at;
    }
    const char *first = *at;
    while (**at && (**at != ']' || *at == first)) {
        if (!parse_item(class, at))
            return err_set(err, ERR_USAGE, "malformed character class at \"%s\"", start);
    }
    if (**at != ']')
        return err_set(err, ERR_USAGE, "a [ without its ]: \"%s\"", start);
    ++*at;
    return 0;
}

int glob_class_has(const struct glob_class *class, uint32_t point)
{
    if (class->negated && point == '/')
        return 0;
    for (unsigned i = 0; i < class->count; i++) {
        if (point >= class->ranges[i].low && point <= class->ranges[i].high)
            return !class->negated;
    }
    return class->negated;
}
