/*
 * name.c - the name that PXM gets for a local path. Called on the walker's thread and wherever
 * names are shown; no state.
 *
 * Paths are raw bytes; names are UTF-8 in NFC, or there is no name: nothing is guessed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "scan/nfc.h"
#include "scan/scan.h"

/* PXM splits names at "_" into tags, so a path is joined with dashes (field note 25). */
#define JOINT     "--"
#define HASH_TEXT 16 /* hexadecimal digits of 64 bits */
/* Bytes of a joined path before it is shortened. NFC makes no path three times as long. */
#define JOINED_MAX ((size_t)LIMIT_WALK_DEPTH * (LIMIT_NAME_BYTES + 2) * 3)

/* ---- joined paths --------------------------------------------------------------------------- */

/* FNV-1a with murmur's finish: spreads well enough for names, and needs no library. */
static uint64_t hash_path(const char *path)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const unsigned char *at = (const unsigned char *)path; *at; at++)
        hash = (hash ^ *at) * 0x100000001b3u;
    hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
    hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
    return hash ^ (hash >> 33);
}

static int join(const char *path, struct buf *out, struct err *err)
{
    for (const char *at = path; *at;) {
        size_t len = strcspn(at, "/");
        int rc = nfc_append(out, at, len, err);
        if (rc)
            return rc;
        at += len;
        if (*at == '/' && buf_puts(out, JOINT))
            return err_set(err, ERR_NOMEM, "no memory for a joined name");
        at += *at == '/';
    }
    return 0;
}

/* The end of the joined name behind a hash of the path, cut between code points. */
static void shorten(const struct buf *joined, const char *path, char out[LIMIT_NAME_BYTES + 1])
{
    char front[HASH_TEXT + sizeof JOINT];
    int front_len =
        snprintf(front, sizeof front, "%016llx" JOINT, (unsigned long long)hash_path(path));
    const char *tail = joined->data + joined->len - (LIMIT_NAME_BYTES - (size_t)front_len);
    while (((unsigned char)*tail & 0xc0) == 0x80)
        tail++;
    stpcpy(stpcpy(out, front), tail);
}

static int make_joined(const char *path, char out[LIMIT_NAME_BYTES + 1], struct err *err)
{
    struct buf joined;
    buf_init(&joined, JOINED_MAX);
    int rc = join(path, &joined, err);
    if (rc == 0 && joined.len > LIMIT_NAME_BYTES)
        shorten(&joined, path, out);
    else if (rc == 0)
        memcpy(out, buf_str(&joined), joined.len + 1);
    buf_release(&joined);
    return rc;
}

static int make_last(const char *name, char out[LIMIT_NAME_BYTES + 1], struct err *err)
{
    size_t raw_len = strlen(name);
    if (raw_len <= LIMIT_NAME_BYTES && nfc_is_plain_ascii(name, raw_len)) {
        memcpy(out, name, raw_len + 1);
        return 0;
    }
    struct buf nfc;
    buf_init(&nfc, JOINED_MAX);
    int rc = nfc_append(&nfc, name, raw_len, err);
    if (rc == 0 && nfc.len > LIMIT_NAME_BYTES)
        rc = err_set(err, ERR_NAME_INVALID, "the name has %zu bytes, PXM takes %d", nfc.len,
                     LIMIT_NAME_BYTES);
    if (rc == 0)
        memcpy(out, buf_str(&nfc), nfc.len + 1);
    buf_release(&nfc);
    return rc;
}

int name_make(enum name_policy policy, const char *root_name, const char *path, struct name_of *out,
              struct err *err)
{
    out->name[0] = '\0';
    out->other_name[0] = '\0';
    const char *whole = *path ? path : root_name;
    if (*whole == '\0')
        return err_set(err, ERR_NAME_INVALID, "there is no name");
    if (policy == NAME_PATH)
        return make_joined(whole, out->name, err);
    const char *slash = strrchr(whole, '/');
    int rc = make_last(slash ? slash + 1 : whole, out->name, err);
    if (rc || policy == NAME_KEEP)
        return rc;
    /* A folder that is no UTF-8 spoils the other name alone, and that is seldom needed. */
    struct err other = ERR_INIT;
    rc = make_joined(whole, out->other_name, &other);
    return rc == -ERR_NOMEM ? err_set(err, ERR_NOMEM, "%s", other.text) : 0;
}

/* ---- folders -------------------------------------------------------------------------------- */

static int is_control(utf8proc_int32_t point)
{
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return 1;
    default:
        return 0;
    }
}

/* The code point at a place of valid UTF-8; *out_size its bytes. */
static utf8proc_int32_t point_at(const char *text, size_t len, size_t *out_size)
{
    utf8proc_int32_t point = 0;
    utf8proc_ssize_t size =
        utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &point);
    *out_size = size > 0 ? (size_t)size : 1;
    return point;
}

static int is_space(utf8proc_int32_t point)
{
    return utf8proc_category(point) == UTF8PROC_CATEGORY_ZS;
}

/* Where the name begins and ends without white space around it; 0 where a control is inside. */
static int trim(const char *text, size_t len, size_t *out_start, size_t *out_end)
{
    size_t size;
    *out_start = *out_end = 0;
    for (size_t at = 0; at < len; at += size) {
        utf8proc_int32_t point = point_at(text + at, len - at, &size);
        if (is_control(point))
            return 0;
        if (is_space(point))
            continue;
        if (!*out_end)
            *out_start = at;
        *out_end = at + size;
    }
    return 1;
}

int name_of_folder(const char *raw, size_t len, char out[LIMIT_NAME_BYTES + 1], struct err *err)
{
    struct buf nfc;
    size_t start = 0, end = 0;
    buf_init(&nfc, JOINED_MAX);
    int rc = nfc_append(&nfc, raw, len, err);
    if (rc == -ERR_NAME_INVALID)
        rc = err_set(err, ERR_NAME_INVALID, "it is no UTF-8");
    else if (!rc && !trim(buf_str(&nfc), nfc.len, &start, &end))
        rc = err_set(err, ERR_NAME_INVALID, "it holds control characters");
    else if (!rc && start == end)
        rc = err_set(err, ERR_NAME_INVALID, "it is empty");
    else if (!rc && end - start > LIMIT_NAME_BYTES)
        rc = err_set(err, ERR_NAME_INVALID, "it has %zu bytes, more than %d", end - start,
                     LIMIT_NAME_BYTES);
    if (!rc) {
        memcpy(out, nfc.data + start, end - start);
        out[end - start] = '\0';
    }
    buf_release(&nfc);
    return rc;
}

int name_of_folders(const char *path, char out[LIMIT_NAME_BYTES + 1], struct err *err)
{
    return make_joined(path, out, err);
}

/* ---- showing -------------------------------------------------------------------------------- */

/* Controls, line ends of Unicode, and what turns a terminal's writing direction. */
static int is_printable(utf8proc_int32_t point)
{
    if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069))
        return 0;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return 0;
    default:
        return 1;
    }
}

int name_printable(const char *raw, struct buf *out)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)raw;
    utf8proc_ssize_t left = (utf8proc_ssize_t)strlen(raw);
    while (left > 0) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate(at, left, &point);
        int bad = size <= 0 || !is_printable(point);
        if (size <= 0)
            size = 1;
        for (utf8proc_ssize_t i = 0; bad && i < size; i++) {
            int rc = buf_printf(out, "\\x%02x", at[i]);
            if (rc)
                return rc;
        }
        int rc = bad ? 0 : buf_append(out, at, (size_t)size);
        if (rc)
            return rc;
        at += size;
        left -= size;
    }
    return 0;
}
