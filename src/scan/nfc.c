/* nfc.c - see nfc.h. Called by name.c and the manifest's reader. */
#include "scan/nfc.h"

#include <stdlib.h>
#include <utf8proc.h>

int nfc_is_plain_ascii(const char *raw, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)raw[i];
        if (byte < 0x20 || byte >= 0x7f)
            return 0;
    }
    return 1;
}

int nfc_is_utf8(const char *raw, size_t len)
{
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)raw;
    for (utf8proc_ssize_t left = (utf8proc_ssize_t)len; left > 0;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t size = utf8proc_iterate(at, left, &point);
        if (size <= 0)
            return 0;
        at += size;
        left -= size;
    }
    return 1;
}

int nfc_append(struct buf *out, const char *raw, size_t len, struct err *err)
{
    int failed;
    if (nfc_is_plain_ascii(raw, len)) {
        failed = buf_append(out, raw, len);
    } else {
        if (!nfc_is_utf8(raw, len))
            return err_set(err, ERR_NAME_INVALID, "the name cannot be sent: it is no UTF-8");
        utf8proc_uint8_t *nfc = NULL;
        utf8proc_ssize_t nfc_len =
            utf8proc_map((const utf8proc_uint8_t *)raw, (utf8proc_ssize_t)len, &nfc,
                         UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        failed = nfc_len < 0 || buf_append(out, nfc, (size_t)nfc_len);
        free(nfc);
    }
    return failed ? err_set(err, ERR_NOMEM, "no memory for a name of %zu bytes", len) : 0;
}
