/* text.c - see text.h. Called by every writer of this folder. */
#include "report/text.h"

#include <errno.h>
#include <string.h>
#include <utf8proc.h>

int text_source(const char *root, const char *path, struct buf *out)
{
    buf_reset(out);
    int rc = buf_puts(out, root ? root : "");
    if (rc || !path || !*path)
        return rc;
    if (out->len && out->data[out->len - 1] != '/')
        rc = buf_puts(out, "/");
    return rc ? rc : buf_puts(out, path);
}

/* Length of the character at str, or 0 where it is no UTF-8 or a control character. */
static size_t plain_char(const char *str, size_t left)
{
    utf8proc_int32_t code;
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)str, (utf8proc_ssize_t)left, &code);
    if (len <= 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
        return 0;
    return (size_t)len;
}

int text_is_plain(const char *raw)
{
    size_t left = strlen(raw);
    while (left) {
        size_t len = plain_char(raw, left);
        if (!len)
            return 0;
        raw += len;
        left -= len;
    }
    return 1;
}

int text_begins_formula(const char *at, int *at_begin)
{
    static const char *const signs[] = {"=", "+", "-", "@", "＝", "＋", "－", "＠"};
    int begins = 0;
    for (size_t i = 0; *at_begin && i < sizeof signs / sizeof *signs; i++)
        begins |= !strncmp(at, signs[i], strlen(signs[i]));
    /* What stands before it may be blank, or the quotes of a cell. */
    if (*at == ';')
        *at_begin = 1;
    else if ((unsigned char)*at > ' ' && *at != 0x7f && *at != '"')
        *at_begin = 0;
    return begins;
}

int text_has_formula(const char *cell)
{
    int at_begin = 1;
    for (; *cell; cell++)
        if (text_begins_formula(cell, &at_begin))
            return 1;
    return 0;
}

static int escape(const char *raw, int is_cell, struct buf *out)
{
    size_t left = strlen(raw);
    int at_begin = is_cell;
    while (left) {
        int is_formula = is_cell && text_begins_formula(raw, &at_begin);
        size_t len = *raw == '%' || is_formula ? 0 : plain_char(raw, left);
        int rc = len ? buf_append(out, raw, len) : buf_printf(out, "%%%02X", (unsigned char)*raw);
        if (rc)
            return rc;
        len = len ? len : 1;
        raw += len;
        left -= len;
    }
    return 0;
}

int text_escape(const char *raw, struct buf *out)
{
    return escape(raw, 0, out);
}

int text_escape_cell(const char *raw, struct buf *out)
{
    return escape(raw, 1, out);
}

int text_url(const char *raw, int keep_slash, struct buf *out)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~/";
    int rc = 0;
    while (*raw && !rc) {
        size_t run = strspn(raw, plain);
        if (!keep_slash && strcspn(raw, "/") < run)
            run = strcspn(raw, "/");
        rc = buf_append(out, raw, run);
        raw += run;
        if (!rc && *raw)
            rc = buf_printf(out, "%%%02X", (unsigned char)*raw++);
    }
    return rc;
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *text_size(int64_t bytes, char out[TEXT_SIZE_MAX])
{
    static const char *const units[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    size_t unit = 0;
    int64_t value = bytes < 0 ? 0 : bytes;
    int64_t tenths = 0;
    while (value >= 1024) {
        tenths = value % 1024 * 10 / 1024;
        value /= 1024;
        unit++;
    }
    if (unit == 0 || value >= 100)
        snprintf(out, TEXT_SIZE_MAX, "%d%s", (int)value, units[unit]);
    else
        snprintf(out, TEXT_SIZE_MAX, "%d.%d%s", (int)value, (int)tenths, units[unit]);
    return out;
}

int text_percent(int64_t done, int64_t total)
{
    if (done >= total)
        return 100;
    return done <= 0 ? 0 : (int)text_scale(done, 100, total);
}

int64_t text_scale(int64_t a, int64_t b, int64_t c)
{
    BUG_ON(c <= 0);
    __int128 value = (__int128)a * b / c;
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

const char *text_hex(const unsigned char md5[16], char out[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(out + i * 2, 3, "%02x", md5[i]);
    return out;
}

int text_shell(const char *word, struct buf *out)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./:=@%+,";
    if (*word && word[strspn(word, safe)] == '\0')
        return buf_puts(out, word);
    int rc = buf_puts(out, "'");
    for (; *word && !rc; word++)
        rc = *word == '\'' ? buf_puts(out, "'\\''") : buf_append(out, word, 1);
    return rc ? rc : buf_puts(out, "'");
}

int text_flush(FILE *out, struct err *err)
{
    if (fflush(out) || ferror(out))
        return err_set_errno(err, ERR_IO, errno ? errno : EIO, "cannot write the report");
    return 0;
}
