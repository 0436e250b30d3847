/*
 * nfc.h - UTF-8 and its composed form. Inside scan/; no state, any thread.
 */
#ifndef SCAN_NFC_H
#define SCAN_NFC_H

#include "base/buf.h"

int nfc_is_plain_ascii(const char *raw, size_t len);
/* Control characters are odd, but legal in a name and in JSON. */
int nfc_is_utf8(const char *raw, size_t len);
/* Appends raw in NFC. 0, -ERR_NAME_INVALID where it is no UTF-8, -ERR_NOMEM. */
int nfc_append(struct buf *out, const char *raw, size_t len, struct err *err) WARN_UNUSED;

#endif
