/* test_wire_url.c - which URLs of a reply are taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/wire.h"

static const struct wire_url_rules strict = {0};
static const struct wire_url_rules lax = {.allow_http = 1};

static void https_and_loopback_http_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {
        "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=abc%2F",
        "https://s3.eu-central-1.amazonaws.com",
        "HTTPS://Example.COM:443/x",
        "https://under_score.example/x",
        "https://[2001:db8::1]:8443/x",
        "https://10.0.0.1/x",
        "https://example.com?x=a@b:c",
        "https://example.com/a@b",
        "http://localhost:9000/bucket/key",
        "hTTp://LOCALHOST/x",
        "http://127.0.0.1:9000/x",
        "http://127.255.3.4/",
        "http://[::1]:9000/x",
        "http://[0:0:0:0:0:0:0:1]/x",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct err err = ERR_INIT;
        if (wire_check_url(good[i], &strict, &err))
            fail_msg("refused %s: %s", good[i], err.text);
    }
}

static void http_elsewhere_needs_the_opt_in(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "http://example.com/x",
        "http://127.0.0.1.evil.com/x",
        "http://localhost.evil.com/x",
        "http://127.1/x",
        "http://0x7f.0.0.1/x",
        "http://2130706433/x",
        "http://127.0.0.01/x",
        "http://127.0.0.1./x",
        "http://localhost./x",
        "http://128.0.0.1/x",
        "http://0.0.0.0/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[::]/x",
        "HTTP://example.com/x",
        "http://evil.com?localhost",
        "http://notlocalhost/x",
        "http://evil.com/http://localhost/",
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct err err = ERR_INIT;
        if (wire_check_url(plain[i], &strict, &err) != -ERR_BAD_REPLY)
            fail_msg("took %s", plain[i]);
        if (wire_check_url(plain[i], &lax, &err))
            fail_msg("refused %s with the opt-in: %s", plain[i], err.text);
    }
}

static void hostile_urls_are_refused_even_with_the_opt_in(void **state)
{
    (void)state;
    static char too_long[LIMIT_URL_BYTES + 32] = "https://example.com/";
    memset(too_long + 20, 'a', LIMIT_URL_BYTES - 19);
    static char host_too_long[400] = "https://";
    memset(host_too_long + 8, 'a', 300);
    const char *const bad[] = {
        "",
        "https",
        "https:",
        "https:/example.com",
        "https:example.com",
        "https://",
        "https:///x",
        "https://?x",
        "https://:443/x",
        "//example.com/x",
        "/x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "httpss://example.com/",
        " https://example.com/",
        "javascript:alert(1)",
        "http://localhost@evil.com/x",
        "https://user:pass@example.com/x",
        "https://example.com@/x",
        "https://@example.com/x",
        "http://localhost\\@evil.com/x",
        "https:\\\\example.com/x",
        "https://example.com\\x",
        "https://example.com/a b",
        "https://example.com/\r\nHost: evil",
        "https://example.com/\x7f",
        "https://example.com/\x01",
        "https://ex\xc3\xa4mple.com/",
        "https://example.com/\xe2\x80\xae",
        "https://example.com#@evil.com/",
        "https://example.com/x#y",
        "https://evil.com%2eexample.com/",
        "https://127.0.0.1%00.evil.com/",
        "https://example.com:/x",
        "https://example.com:0/x",
        "https://example.com:65536/x",
        "https://example.com:999999/x",
        "https://example.com:-1/x",
        "https://example.com:8o/x",
        "https://example.com:80:81/x",
        "https://[::1/x",
        "https://[]/x",
        "https://[::1]evil.com/x",
        "https://[evil.com]/x",
        "https://[fe80::1%25eth0]/x",
        "https://a]b/x",
        "https://a,b/x",
        "https://a;b/x",
        "https://a{b}/x",
        "https://.../x",
        "https://-_-/x",
        too_long,
        host_too_long,
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;
        if (wire_check_url(bad[i], &lax, &err) != -ERR_BAD_REPLY)
            fail_msg("took %s", bad[i]);
        assert_int_equal(err.code, ERR_BAD_REPLY);
        assert_true(err.text[0]);
    }
}

static void the_longest_url_is_taken(void **state)
{
    (void)state;
    static char url[LIMIT_URL_BYTES + 1] = "https://example.com/";
    memset(url + 20, 'a', LIMIT_URL_BYTES - 20);
    assert_int_equal(wire_check_url(url, &strict, NULL), 0);
}

static void error_text_names_no_signature(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "http://example.com/k?X-Amz-Signature=SECRET",
        "https://SECRET@example.com/k?X-Amz-Signature=SECRET",
        "https://example.com/k?X-Amz-Signature=SECRET#f",
        "ftp://example.com/k?X-Amz-Signature=SECRET",
        "http://evil.com?SECRET",
        "https://evil.com:SECRET/",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(wire_check_url(bad[i], &strict, &err), -ERR_BAD_REPLY);
        assert_null(strstr(err.text, "SECRET"));
    }
}

static void life_of_a_presigned_url_is_read(void **state)
{
    (void)state;
    assert_int_equal(wire_url_life_s("https://h/k?X-Amz-Date=1&X-Amz-Expires=900&x=1", 0), 900);
    assert_int_equal(wire_url_life_s("https://h/k?x-amz-expires=60", 0), 60);
    assert_int_equal(wire_url_life_s("https://h/k?Expires=1000&Signature=x", 400000), 600);
    assert_int_equal(wire_url_life_s("https://h/k?Expires=100", 400000), -300);
    assert_int_equal(wire_url_life_s("https://h/X-Amz-Expires=60", 0), -1);
    assert_int_equal(wire_url_life_s("https://h/k?X-Amz-Expires=", 0), -1);
    assert_int_equal(wire_url_life_s("https://h/k?X-Amz-Expires=99999999999999999999", 0), -1);
    assert_int_equal(wire_url_life_s("https://h/k?aX-Amz-Expires=60", 0), -1);
    assert_int_equal(wire_url_life_s("", 0), -1);
}

static void end_of_a_presigned_url_is_read(void **state)
{
    (void)state;
    assert_int_equal(wire_url_ends_ms("https://h/k?X-Amz-Date=19700102T000130Z&X-Amz-Expires=9"),
                     (86400 + 99) * 1000);
    assert_int_equal(wire_url_ends_ms("https://h/k?X-Amz-Expires=9&X-Amz-Date=19700102T000130Z&x"),
                     (86400 + 99) * 1000);
    assert_int_equal(wire_url_ends_ms("https://h/k?Expires=1000&Signature=x"), 1000 * 1000);
    static const char *const silent[] = {
        "",
        "https://h/k",
        "https://h/k?X-Amz-Expires=9",
        "https://h/k?X-Amz-Date=19700102T000130Z",
        "https://h/k?X-Amz-Expires=9&X-Amz-Date=",
        "https://h/k?X-Amz-Expires=9&X-Amz-Date=19700102T00013",
        "https://h/k?X-Amz-Expires=9&X-Amz-Date=19700102 000130Z",
        "https://h/k?X-Amz-Expires=9&X-Amz-Date=19701302T000130Z",
    };
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        assert_int_equal(wire_url_ends_ms(silent[i]), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(https_and_loopback_http_are_taken),
        cmocka_unit_test(http_elsewhere_needs_the_opt_in),
        cmocka_unit_test(hostile_urls_are_refused_even_with_the_opt_in),
        cmocka_unit_test(the_longest_url_is_taken),
        cmocka_unit_test(error_text_names_no_signature),
        cmocka_unit_test(life_of_a_presigned_url_is_read),
        cmocka_unit_test(end_of_a_presigned_url_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
