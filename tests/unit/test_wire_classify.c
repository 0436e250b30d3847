/* test_wire_classify.c - HTTP replies to error classes, and ETags to MD5s. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "wire/wire.h"

#define NOW INT64_C(784111777000) /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct err run(int (*classify)(const struct wire_reply *reply, struct err *err), int status,
                      const char *body)
{
    struct err err = ERR_INIT;
    size_t len = body ? strlen(body) : 0;
    /* An exact copy: a read past the end is seen by the address sanitizer. */
    char *copy = body ? malloc(len ? len : 1) : NULL;
    if (copy)
        memcpy(copy, body, len);
    struct wire_reply reply = {.status = status, .body = copy, .body_len = len, .wall_ms = NOW};
    int rc = classify(&reply, &err);
    free(copy);
    assert_int_equal(rc, -(int)err.code);
    assert_true(strlen(err.text) < 150 + LIMIT_SERVER_TEXT);
    return err;
}

static void api_statuses_follow_the_table(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum err_code code;
        enum err_effect effect;
    } table[] = {
        {301, ERR_BAD_REPLY, EFFECT_NONE},   {302, ERR_BAD_REPLY, EFFECT_NONE},
        {400, ERR_BAD_REQUEST, EFFECT_NONE}, {401, ERR_AUTH, EFFECT_NONE},
        {403, ERR_PERMISSION, EFFECT_NONE},  {404, ERR_NOT_FOUND, EFFECT_NONE},
        {405, ERR_BAD_REQUEST, EFFECT_NONE}, {408, ERR_TIMEOUT, EFFECT_NONE},
        {409, ERR_CONFLICT, EFFECT_NONE},    {413, ERR_BAD_REQUEST, EFFECT_NONE},
        {422, ERR_BAD_REQUEST, EFFECT_NONE}, {429, ERR_RATE_LIMITED, EFFECT_NONE},
        {500, ERR_SERVER, EFFECT_MAYBE},     {502, ERR_SERVER, EFFECT_MAYBE},
        {503, ERR_SERVER, EFFECT_MAYBE},     {504, ERR_TIMEOUT, EFFECT_MAYBE},
        {599, ERR_SERVER, EFFECT_MAYBE},     {0, ERR_BAD_REPLY, EFFECT_MAYBE},
        {100, ERR_BAD_REPLY, EFFECT_MAYBE},  {600, ERR_BAD_REPLY, EFFECT_MAYBE},
        {-1, ERR_BAD_REPLY, EFFECT_MAYBE},
    };
    for (int status = 200; status < 300; status++)
        assert_int_equal(run(wire_classify_api, status, "x").code, ERR_NONE);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = run(wire_classify_api, table[i].status, NULL);
        assert_int_equal(err.code, table[i].code);
        assert_int_equal(err.effect, table[i].effect);
        assert_int_equal(err.http_status, table[i].status);
        assert_int_equal(err.retry_after_ms, -1);
    }
}

static void server_words_are_shown_whatever_their_shape(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"", "HTTP 400"},
        {" \r\n", "HTTP 400"},
        {"{}", "HTTP 400"},
        {"null", "HTTP 400"},
        {"[1]", "HTTP 400"},
        {"{\"code\":\"bad_size\",\"message\":\"size must be > 0\"}",
         "HTTP 400 (bad_size): size must be > 0"},
        {"{\"code\":17,\"message\":\"m\"}", "HTTP 400 (17): m"},
        {"{\"message\":\"m\"}", "HTTP 400: m"},
        {"{\"error\":\"Rate limit exceeded.\"}", "HTTP 400: Rate limit exceeded."},
        {"{\"error\":\"invalid_client\",\"error_description\":\"no such client\"}",
         "HTTP 400: no such client"},
        {"{\"error\":{\"code\":\"c\",\"message\":\"m\"}}", "HTTP 400 (c): m"},
        {"{\"code\":[],\"message\":{}}", "HTTP 400"},
        {"<html><head><Title>\n 502 Bad &amp; Gateway</title></head>",
         "HTTP 400: 502 Bad & Gateway"},
        {"<!DOCTYPE html><p>oops", "HTTP 400: a page without a title"},
        {"plain words\r\nin two lines", "HTTP 400: plain words in two lines"},
        {"{\"message\":\"cut", "HTTP 400: {\"message\":\"cut"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(run(wire_classify_api, 400, cases[i].body).text, cases[i].text);
}

static void server_words_are_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{\"message\":\"a\\u0007\\u001b[31mred\\n\\tb\"}", "HTTP 500: a [31mred b"},
        {"a\xff\xfe\xc3z", "HTTP 500: a???z"},
        {"\xed\xa0\x80 \xc0\xaf \xf4\x90\x80\x80", "HTTP 500: ??? ?? ????"},
        {"x\xc2\x9b"
         "31m \xe2\x80\xae"
         "evil\xe2\x80\xa8y",
         "HTTP 500: x 31m evil y"},
        {"gr\xc3\xbc\xc3\x9f"
         "e \xf0\x9f\x98\x80",
         "HTTP 500: gr\xc3\xbc\xc3\x9f"
         "e \xf0\x9f\x98\x80"},
        {"a\xc3", "HTTP 500: a?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(run(wire_classify_api, 500, cases[i].body).text, cases[i].text);
}

static void long_words_are_cut_at_a_character(void **state)
{
    (void)state;
    char body[5000];
    for (size_t i = 0; i + 3 < sizeof body; i += 3)
        memcpy(body + i, "\xe2\x82\xac", 3);
    body[sizeof body - 2] = '\0';
    for (size_t skip = 0; skip < 3; skip++) {
        memset(body, 'a', skip);
        struct err err = run(wire_classify_api, 500, body);
        size_t len = strlen(err.text);
        assert_true(len <= strlen("HTTP 500: ") + LIMIT_SERVER_TEXT);
        assert_true(len > strlen("HTTP 500: ") + LIMIT_SERVER_TEXT - 4);
        assert_memory_equal(err.text + len - 3, "\xe2\x82\xac", 3);
        memcpy(body, "\xe2\x82\xac", 3);
    }
}

static void secrets_in_server_words_are_taken_out(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"message\":\"GET https://s3.example/k?a=1&X-Amz-Signature=SECRET failed\"}",
        "{\"message\":\"/k?x=SECRET\"}",
        "{\"message\":\"X-Amz-Security-Token=SECRET\"}",
        "{\"message\":\"Authorization: Bearer SECRET refused\"}",
        "{\"message\":\"authorization: Basic SECRET\"}",
        "{\"message\":\"token eyJhbGciOiJSUzI1NiIs.SECRET is old\"}",
        "{\"code\":\"https://x/?y=SECRET\"}",
        "{\"message\":\"registered SECRETSECRET\"}",
        "https://x/?y=SECRET",
        "<title>https://x/?y=SECRET</title>",
    };
    log_add_secret("SECRETSECRET");
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct err err = run(wire_classify_api, 400, bodies[i]);
        if (strstr(err.text, "SECRET"))
            fail_msg("leaked: %s", err.text);
    }
    assert_string_equal(run(wire_classify_api, 400, bodies[0]).text,
                        "HTTP 400: GET https://s3.example/k?[redacted] failed");
    assert_string_equal(run(wire_classify_api, 400, "why? a basic question").text,
                        "HTTP 400: why? a basic question");
}

static void retry_after_is_read_and_clamped(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t ms;
    } cases[] = {
        {NULL, -1},
        {"", -1},
        {"soon", -1},
        {"1 2", -1},
        {"1.", -1},
        {".5", -1},
        {"0x10", -1},
        {"1e3", -1},
        {"0", 0},
        {"60", 60000},
        {"  60 ", 60000},
        {"1.5", 2000},
        {"-5", 0},
        {"900", RETRY_AFTER_MAX_MS},
        {"901", RETRY_AFTER_MAX_MS},
        {"999999999999999999999999999999", RETRY_AFTER_MAX_MS},
        {"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
        {"Sun, 06 Nov 1994 08:49:00 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", RETRY_AFTER_MAX_MS},
        {"Sun, 31 Feb 1994 08:50:37 GMT", -1},
        {"Sun, 06 Nov 1994 08:50:37", -1},
        {"Sunday, 06-Nov-94 08:49:37 GMT", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wire_reply reply = {.status = 429, .retry_after = cases[i].value, .wall_ms = NOW};
        struct err err = ERR_INIT;
        assert_int_equal(wire_classify_api(&reply, &err), -ERR_RATE_LIMITED);
        if (err.retry_after_ms != cases[i].ms)
            fail_msg("%s: %lld", cases[i].value, (long long)err.retry_after_ms);
        reply.status = 503;
        assert_int_equal(wire_classify_s3(&reply, &err), -ERR_SERVER);
        assert_int_equal(err.retry_after_ms, cases[i].ms);
    }
    assert_int_equal(run(wire_classify_api, 429, "{\"retry_after\":60}").retry_after_ms, 60000);
    assert_int_equal(run(wire_classify_api, 429, "{\"retry_after\":0.5}").retry_after_ms, 1000);
    assert_int_equal(run(wire_classify_api, 429, "{\"retry_after\":\"7\"}").retry_after_ms, 7000);
    assert_int_equal(run(wire_classify_api, 429, "{\"retry_after\":{}}").retry_after_ms, -1);
    assert_int_equal(run(wire_classify_api, 429, "{\"retry_after\":null}").retry_after_ms, -1);
}

static void request_id_is_kept_and_harmless(void **state)
{
    (void)state;
    char long_id[400];
    memset(long_id, 'i', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    struct err err = ERR_INIT;
    struct wire_reply reply = {.status = 500, .request_id = "abc-123="};
    assert_int_equal(wire_classify_api(&reply, &err), -ERR_SERVER);
    assert_string_equal(err.request_id, "abc-123=");
    reply.request_id = "abc\x1b[31m";
    assert_int_equal(wire_classify_s3(&reply, &err), -ERR_SERVER);
    assert_string_equal(err.request_id, "abc");
    reply.request_id = long_id;
    assert_int_equal(wire_classify_s3(&reply, &err), -ERR_SERVER);
    assert_int_equal(strlen(err.request_id), ERR_REQUEST_ID_MAX - 1);
    assert_int_equal(wire_classify_s3(&reply, NULL), -ERR_SERVER);
}

#define S3(code, message)                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" code "</Code><Message>" message \
    "</Message><RequestId>r</RequestId></Error>"

static void s3_codes_go_before_statuses(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum err_code code;
    } table[] = {
        {200, "", ERR_NONE},
        {200, "ok", ERR_NONE},
        {200, "<CompleteMultipartUploadResult/>", ERR_NONE},
        {200, "<Errors>x</Errors>", ERR_NONE},
        {204, NULL, ERR_NONE},
        {200, S3("InternalError", "again"), ERR_SERVER},
        {200, S3("SlowDown", "again"), ERR_SERVER},
        {200, "\xef\xbb\xbf \n<!-- <x> --><Error/>", ERR_SERVER},
        {503, S3("SlowDown", "Please reduce your request rate."), ERR_THROTTLED},
        {400, S3("SlowDown", ""), ERR_THROTTLED},
        {403, S3("AccessDenied", "Request has expired"), ERR_URL_EXPIRED},
        {403, S3("AccessDenied", "Access Denied"), ERR_S3_REFUSED},
        {400, S3("ExpiredToken", "The provided token has expired."), ERR_URL_EXPIRED},
        {404, S3("NoSuchUpload", "x"), ERR_SESSION_LOST},
        {400, S3("RequestTimeout", "x"), ERR_TRANSFER_BROKEN},
        {400, S3("IncompleteBody", "x"), ERR_TRANSFER_BROKEN},
        {400, S3("BadDigest", "x"), ERR_TRANSFER_BROKEN},
        {500, S3("InternalError", "x"), ERR_SERVER},
        {409, S3("OperationAborted", "x"), ERR_SERVER},
        {403, S3("SignatureDoesNotMatch", "x"), ERR_S3_REFUSED},
        {400, S3("EntityTooLarge", "x"), ERR_S3_REFUSED},
        {400, S3("NoSuchCode", "x"), ERR_S3_REFUSED},
        {503, S3("NoSuchCode", "x"), ERR_SERVER},
        {403, NULL, ERR_S3_REFUSED},
        {403, "<html>proxy says no</html>", ERR_S3_REFUSED},
        {408, NULL, ERR_TRANSFER_BROKEN},
        {429, NULL, ERR_THROTTLED},
        {500, NULL, ERR_SERVER},
        {503, "<Error><Code>Slow", ERR_SERVER},
        {301, S3("PermanentRedirect", "x"), ERR_BAD_REPLY},
        {307, NULL, ERR_BAD_REPLY},
        {0, NULL, ERR_BAD_REPLY},
        /* A message that quotes a code is not one. */
        {400, S3("InvalidRequest", "&lt;Code&gt;SlowDown&lt;/Code&gt;"), ERR_S3_REFUSED},
        {400, "<Other><Code>SlowDown</Code></Other>", ERR_S3_REFUSED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = run(wire_classify_s3, table[i].status, table[i].body);
        if (err.code != table[i].code)
            fail_msg("HTTP %d %s is %s", table[i].status, table[i].body, err_name(err.code));
        if (err.code)
            assert_int_equal(err.effect, table[i].status >= 300 && table[i].status < 500
                                             ? EFFECT_NONE
                                             : EFFECT_MAYBE);
    }
}

static void s3_denial_without_a_reason_is_an_expiry_once_the_url_has_ended(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        int64_t left_ms;
        enum err_code code;
    } table[] = {
        {403, S3("AccessDenied", ""), 0, ERR_URL_EXPIRED},
        {403, S3("AccessDenied", "Access Denied"), -1000, ERR_URL_EXPIRED},
        {403, "", -1000, ERR_URL_EXPIRED},
        {403, S3("AccessDenied", ""), 1, ERR_S3_REFUSED},
        {403, S3("AccessDenied", ""), -NOW, ERR_S3_REFUSED}, /* it does not say when it ends */
        {403, S3("SignatureDoesNotMatch", ""), -1000, ERR_S3_REFUSED},
        {400, S3("AccessDenied", ""), -1000, ERR_S3_REFUSED},
        {503, S3("AccessDenied", ""), -1000, ERR_SERVER},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct err err = ERR_INIT;
        struct wire_reply reply = {.status = table[i].status,
                                   .body = table[i].body,
                                   .body_len = strlen(table[i].body),
                                   .wall_ms = NOW,
                                   .url_ends_ms = NOW + table[i].left_ms};
        assert_int_equal(wire_classify_s3(&reply, &err), -(int)table[i].code);
    }
}

static void s3_words_are_decoded_and_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text;
    } cases[] = {
        {S3("A&amp;B", "a &lt;b&gt; &quot;c&quot; &apos;&#65;&#x42;&#xe4;&#8364;&#x1F600;"),
         "HTTP 400 (A&B): a <b> \"c\" 'AB\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {S3("C", "&#0; &#x; &#xD800; &#x110000; &#99999999999; &bogus; &amp"),
         "HTTP 400 (C): &#0; &#x; &#xD800; &#x110000; &#99999999999; &bogus; &amp"},
        {S3("C", "&#27;[31m&#10;x"), "HTTP 400 (C): [31m x"},
        {S3("C", "see https://s3.example/k?X-Amz-Signature=SECRET&amp;b=1"),
         "HTTP 400 (C): see https://s3.example/k?[redacted]"},
        {"<Error xmlns=\"u\"><Code a=\"b\">C</Code></Error>", "HTTP 400 (C)"},
        {"<Error><Code/><Message>m</Message></Error>", "HTTP 400: m"},
        {"<Error><Message>m", "HTTP 400: m"},
        {"<Error><Code", "HTTP 400"},
        {"<Error", "HTTP 400"},
        {"<", "HTTP 400"},
        {"<?", "HTTP 400"},
        {"<!--", "HTTP 400"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(run(wire_classify_s3, 400, cases[i].body).text, cases[i].text);
}

static void only_an_md5_is_compared(void **state)
{
    (void)state;
    static const unsigned char md5[16] = {0x8b, 0x1a, 0x99, 0x53, 0xc4, 0x61, 0x12, 0x96,
                                          0xa8, 0x27, 0xab, 0xf8, 0xc4, 0x78, 0x04, 0xd7};
    static const struct {
        const char *etag, *encryption, *customer_key;
        int comparable, match;
    } table[] = {
        {"\"8b1a9953c4611296a827abf8c47804d7\"", NULL, NULL, 1, 1},
        {"8B1A9953C4611296A827ABF8C47804D7", NULL, NULL, 1, 1},
        {"W/\"8b1a9953c4611296a827abf8c47804d7\"", "AES256", NULL, 1, 1},
        {"\"8b1a9953c4611296a827abf8c47804d8\"", NULL, NULL, 1, 0},
        {"\"0b1a9953c4611296a827abf8c47804d7\"", NULL, NULL, 1, 0},
        {"\"8b1a9953c4611296a827abf8c47804d7\"", "aws:kms", NULL, 0, -1},
        {"\"8b1a9953c4611296a827abf8c47804d7\"", "aws:kms:dsse", NULL, 0, -1},
        {"\"8b1a9953c4611296a827abf8c47804d7\"", NULL, "AES256", 0, -1},
        {"\"8b1a9953c4611296a827abf8c47804d7-3\"", NULL, NULL, 0, -1},
        {"\"8b1a9953c4611296a827abf8c47804d\"", NULL, NULL, 0, -1},
        {"\"8b1a9953c4611296a827abf8c47804dg\"", NULL, NULL, 0, -1},
        {"\"8b1a9953c4611296a827abf8c47804d7", NULL, NULL, 0, -1},
        {"\"\"", NULL, NULL, 0, -1},
        {"\"", NULL, NULL, 0, -1},
        {"", NULL, NULL, 0, -1},
        {NULL, NULL, NULL, 0, -1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int match = -1;
        assert_int_equal(wire_etag_compare(table[i].etag, table[i].encryption,
                                           table[i].customer_key, md5, &match),
                         table[i].comparable);
        assert_int_equal(match, table[i].match);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_statuses_follow_the_table),
        cmocka_unit_test(server_words_are_shown_whatever_their_shape),
        cmocka_unit_test(server_words_are_cleaned),
        cmocka_unit_test(long_words_are_cut_at_a_character),
        cmocka_unit_test(secrets_in_server_words_are_taken_out),
        cmocka_unit_test(retry_after_is_read_and_clamped),
        cmocka_unit_test(request_id_is_kept_and_harmless),
        cmocka_unit_test(s3_codes_go_before_statuses),
        cmocka_unit_test(s3_denial_without_a_reason_is_an_expiry_once_the_url_has_ended),
        cmocka_unit_test(s3_words_are_decoded_and_cleaned),
        cmocka_unit_test(only_an_md5_is_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
