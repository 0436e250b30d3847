/*
 * fuzz_filter.c - any pattern against any path. The input is pattern, NUL, path. Checked beyond
 * memory errors: a pattern without special characters, anchored, matches itself alone.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scan/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_plain(const char *text)
{
    return text[strcspn(text, "*?[]{}\\,")] == '\0';
}

static void check_plain(const struct filter *filter, const char *pattern, const char *path)
{
    size_t len = strlen(pattern);
    if (pattern[0] != '/' || len < 2 || pattern[len - 1] == '/' || !is_plain(pattern))
        return;
    const char *reason = filter_refuses_file(filter, path);
    if (strcmp(pattern + 1, path) != 0 && !reason)
        abort();
    reason = filter_refuses_file(filter, pattern + 1);
    if (reason && strcmp(reason, "junk") != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = memchr(data, 0, size);
    if (!nul || size > 4096)
        return 0;
    char *text = malloc(size + 2);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    const char *pattern = text;
    char *path = text + (nul - data) + 1;
    /* libc's regular expressions are not under test, and some take exponential time. */
    struct filter *filter = strstr(pattern, "{{") ? NULL : filter_new();
    struct err err = ERR_INIT;
    if (filter && filter_include(filter, pattern, &err) == 0) {
        check_plain(filter, pattern, path);
        strcat(path, "/");
        (void)filter_refuses_folder(filter, path);
    }
    if (filter)
        (void)!filter_exclude(filter, pattern, &err);
    filter_free(filter);
    free(text);
    return 0;
}
