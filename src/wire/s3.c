/*
 * s3.c - S3's replies to error classes, by the code in the XML before the status. Called by the
 * completion of every PUT, on the loop thread; no state.
 */
#include <string.h>
#include <strings.h>

#include "wire/classify.h"
#include "wire/clean.h"
#include "wire/xml.h"

/* S3's codes that decide by themselves; every other one goes by its status. */
static const struct {
    const char *name;
    enum err_code code;
} s3_codes[] = {
    {"SlowDown", ERR_THROTTLED},
    {"Throttling", ERR_THROTTLED},
    {"ThrottlingException", ERR_THROTTLED},
    {"RequestLimitExceeded", ERR_THROTTLED},
    {"BandwidthLimitExceeded", ERR_THROTTLED},
    {"ExpiredToken", ERR_URL_EXPIRED},
    {"RequestExpired", ERR_URL_EXPIRED},
    {"NoSuchUpload", ERR_SESSION_LOST},
    {"RequestTimeout", ERR_TRANSFER_BROKEN},
    {"IncompleteBody", ERR_TRANSFER_BROKEN},
    {"BadDigest", ERR_TRANSFER_BROKEN},
    {"XAmzContentSHA256Mismatch", ERR_TRANSFER_BROKEN},
    {"InternalError", ERR_SERVER},
    {"ServiceUnavailable", ERR_SERVER},
    {"OperationAborted", ERR_SERVER},
};

static void read_element(const char *body, size_t len, const char *name, char *out, size_t cap)
{
    struct buf text;
    buf_init(&text, 4 * LIMIT_SERVER_TEXT);
    if (xml_text(body, len, name, &text))
        clean_text(out, cap, buf_str(&text), text.len);
    buf_release(&text);
}

static enum err_code code_of(const struct wire_reply *reply, const struct classify_words *words)
{
    int status = reply->status;
    int is_denied = !strcmp(words->code, "AccessDenied");
    for (size_t i = 0; i < sizeof s3_codes / sizeof *s3_codes; i++)
        if (!strcmp(words->code, s3_codes[i].name))
            return s3_codes[i].code;
    if (is_denied && strcasestr(words->message, "has expired"))
        return ERR_URL_EXPIRED;
    /* Dates are whole seconds: the end that has come may be that of a second ago. */
    int has_ended = reply->url_ends_ms > 0 && reply->wall_ms >= reply->url_ends_ms;
    if (status == 403 && has_ended && (is_denied || !words->code[0]))
        return ERR_URL_EXPIRED;
    /* "We encountered an internal error" can come behind a 200 that was sent too early. */
    if (status >= 500 || (status >= 200 && status < 300))
        return ERR_SERVER;
    if (status == 408)
        return ERR_TRANSFER_BROKEN;
    if (status == 429)
        return ERR_THROTTLED;
    return status >= 400 ? ERR_S3_REFUSED : ERR_BAD_REPLY;
}

int wire_classify_s3(const struct wire_reply *reply, struct err *err)
{
    const char *body = reply->body ? reply->body : "";
    size_t len = reply->body ? reply->body_len : 0;
    if (len > LIMIT_S3_ERROR_BYTES)
        len = LIMIT_S3_ERROR_BYTES;
    int is_success = reply->status >= 200 && reply->status < 300;
    int is_error = xml_root_is(body, len, "Error");
    if (is_success && !is_error)
        return 0;
    struct classify_words words = {.retry_after_ms = -1};
    if (is_error) {
        read_element(body, len, "Code", words.code, sizeof words.code);
        read_element(body, len, "Message", words.message, sizeof words.message);
    }
    enum err_code code = is_success ? ERR_SERVER : code_of(reply, &words);
    return classify_fail(reply, code, &words, err);
}
