/* The simulator's signatures: against AWS's published example, and what must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/digest.h"
#include "sim/presign.h"

#define AT_MS INT64_C(1369353600000) /* 2013-05-24T00:00:00Z, as in AWS's example */

static int set_up(void **state)
{
    digest_setup();
    *state = presigner_new("https://examplebucket.s3.amazonaws.com", "AKIAIOSFODNN7EXAMPLE",
                           "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1");
    return 0;
}

static int tear_down(void **state)
{
    presigner_free(*state);
    digest_teardown();
    return 0;
}

static struct text signed_url(struct presigner *p, const char *method, unsigned part_no)
{
    struct presign_call call = {.method = method,
                                .path = "/test.txt",
                                .upload_id = part_no > 0 ? "up+1/x" : NULL,
                                .part_no = part_no,
                                .at_ms = AT_MS,
                                .ttl_s = 86400};
    struct text url = {0};

    presign_url(p, &call, &url);
    return url;
}

static enum presign_verdict judge(struct presigner *p, const char *url, const char *method,
                                  const char *host, int64_t now_ms)
{
    return presign_verify(p, method, "/test.txt", strchr(url, '?') + 1, host, now_ms);
}

#define HOST "examplebucket.s3.amazonaws.com"

static void agrees_with_the_published_example(void **state)
{
    struct text url = signed_url(*state, "GET", 0);

    assert_non_null(strstr(url.data, "X-Amz-Signature="
                                     "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d"
                                     "404"));
    text_release(&url);
}

static void accepts_its_own_urls_until_they_expire(void **state)
{
    struct text url = signed_url(*state, "PUT", 7);

    assert_int_equal(judge(*state, url.data, "PUT", HOST, AT_MS), PRESIGN_GOOD);
    assert_int_equal(judge(*state, url.data, "PUT", HOST, AT_MS + 86400000), PRESIGN_GOOD);
    assert_int_equal(judge(*state, url.data, "PUT", HOST, AT_MS + 86401000), PRESIGN_EXPIRED);
    text_release(&url);
}

static void refuses_another_method_host_or_part(void **state)
{
    struct text url = signed_url(*state, "PUT", 7);

    assert_int_equal(judge(*state, url.data, "GET", HOST, AT_MS), PRESIGN_MISMATCH);
    assert_int_equal(judge(*state, url.data, "PUT", "evil", AT_MS), PRESIGN_MISMATCH);
    strstr(url.data, "partNumber=7")[11] = '8';
    assert_int_equal(judge(*state, url.data, "PUT", HOST, AT_MS), PRESIGN_MISMATCH);
    text_release(&url);
}

static void refuses_what_is_not_signed(void **state)
{
    assert_int_equal(judge(*state, "/?", "PUT", HOST, AT_MS), PRESIGN_ABSENT);
    assert_int_equal(judge(*state, "/?X-Amz-Signature=00", "PUT", HOST, AT_MS), PRESIGN_MALFORMED);
    assert_int_equal(
        judge(*state, "/?X-Amz-Signature=0&X-Amz-Date=x&X-Amz-Expires=1", "PUT", HOST, AT_MS),
        PRESIGN_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_published_example),
        cmocka_unit_test(accepts_its_own_urls_until_they_expire),
        cmocka_unit_test(refuses_another_method_host_or_part),
        cmocka_unit_test(refuses_what_is_not_signed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
