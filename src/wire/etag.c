/*
 * etag.c - is an ETag the MD5 of the bytes that were sent? Called when a PUT is answered, on any
 * thread; no state.
 */
#include <string.h>
#include <strings.h>

#include "wire/wire.h"

#define MD5_BYTES 16

/* Value of one hex digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int wire_etag_compare(const char *etag, const char *encryption, const char *customer_key,
                      const unsigned char md5[16], int *out_match)
{
    /* With a key of KMS or of the customer the ETag is a random number (S3's PutObject page). */
    if (!etag || customer_key || (encryption && strcasecmp(encryption, "AES256") != 0))
        return 0;
    if (!strncmp(etag, "W/", 2))
        etag += 2;
    size_t len = strlen(etag);
    if (len >= 2 && etag[0] == '"' && etag[len - 1] == '"') {
        etag++;
        len -= 2;
    }
    /* Also leaves out "<md5 of md5s>-<parts>", which a finished multipart object has. */
    if (len != 2 * MD5_BYTES)
        return 0;
    int match = 1;
    for (size_t i = 0; i < MD5_BYTES; i++) {
        int high = hex_value(etag[2 * i]);
        int low = hex_value(etag[2 * i + 1]);
        if (high < 0 || low < 0)
            return 0;
        match &= md5[i] == (high << 4 | low);
    }
    *out_match = match;
    return 1;
}
