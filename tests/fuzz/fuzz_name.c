/*
 * fuzz_name.c - any bytes as a path. Whatever name comes out must be valid UTF-8, in NFC already
 * and within its limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
    size_t len = strlen(name);
    if (len > LIMIT_NAME_BYTES || strchr(name, '/'))
        abort();
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)name;
    while (*at) {
        utf8proc_int32_t point;
        utf8proc_ssize_t step = utf8proc_iterate(at, -1, &point);
        if (step <= 0)
            abort();
        at += step;
    }
    utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)name);
    if (!nfc || strcmp((const char *)nfc, name) != 0)
        abort();
    free(nfc);
}

static void check_printable(const char *path)
{
    struct buf shown;
    buf_init(&shown, strlen(path) * 4 + 1);
    if (name_printable(path, &shown))
        abort();
    for (const char *at = buf_str(&shown); *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            abort();
    }
    buf_release(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *path = malloc(size + 1);
    if (!path)
        abort();
    memcpy(path, data, size);
    path[size] = '\0';
    static const enum name_policy policies[] = {NAME_KEEP, NAME_UNIQUE, NAME_PATH};
    for (int i = 0; i < 3; i++) {
        struct name_of out;
        struct err err = ERR_INIT;
        int rc = name_make(policies[i], "root", path, &out, &err);
        if (rc && rc != -ERR_NAME_INVALID)
            abort();
        if (rc)
            continue;
        check_name(out.name);
        check_name(out.other_name);
    }
    check_printable(path);
    free(path);
    return 0;
}
