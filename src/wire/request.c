/*
 * request.c - the bodies of authorize and request-upload. Called by the steps on the loop thread;
 * no state. Small bodies of known shape are written straight into the caller's buffer: this is
 * one of the two calls that every file needs.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "wire/wire.h"

int wire_encode_authorize(struct buf *out)
{
    return buf_puts(out, "{\"grant_type\":\"client_credentials\"}");
}

int wire_encode_request(const struct wire_upload *upload, struct buf *out)
{
    /* Both spellings of the name: some tenants check one, some the other. */
    buf_puts(out, "{\"filename\":");
    log_append_json_string(out, upload->file_name, strlen(upload->file_name));
    buf_puts(out, ",\"file_name\":");
    log_append_json_string(out, upload->file_name, strlen(upload->file_name));
    buf_puts(out, ",\"mime_type\":");
    log_append_json_string(out, upload->mime_type, strlen(upload->mime_type));
    buf_printf(out, ",\"size\":%" PRId64 "}", upload->size_bytes);
    return out->truncated ? -ERR_NOMEM : 0;
}
