/* bench.c: the limit that is named, and that each has its own advice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

static void the_longest_limit_is_named_and_the_start_only_alone(void **state)
{
    (void)state;
    int64_t none[JOB_LIMIT_COUNT] = {0};
    assert_int_equal(bench_limit(none), JOB_LIMIT_STARTING);
    int64_t start[JOB_LIMIT_COUNT] = {[JOB_LIMIT_STARTING] = 900};
    assert_int_equal(bench_limit(start), JOB_LIMIT_STARTING);
    start[JOB_LIMIT_CPU] = 1;
    assert_int_equal(bench_limit(start), JOB_LIMIT_CPU);
    start[JOB_LIMIT_TAIL] = 2;
    assert_int_equal(bench_limit(start), JOB_LIMIT_TAIL);
}

static char *printed(enum job_limit limit, const struct bench_options *options)
{
    struct job_result *result = calloc(1, sizeof *result);
    assert_non_null(result);
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    result->confirmed_now = 120;
    result->last.files_done = 120;
    result->last.requests = 241;
    result->last.stored_bytes = 60ll * 1000 * 1000;
    result->last.elapsed_ms = 4000;
    result->last.limit_ms[limit] = 4000;
    result->time_count = 1;
    result->times[0] = (struct step_time){.step = "put",
                                          .count = 120,
                                          .p50_us = 1500,
                                          .p95_us = 20000,
                                          .p99_us = 30000,
                                          .most_us = 31234};
    assert_int_equal(bench_print(result, options, out, &err), 0);
    fclose(out);
    free(result);
    return text;
}

static void the_numbers_are_those_of_the_run(void **state)
{
    (void)state;
    struct bench_options options = {.files = 120, .size_bytes = 500000, .transfers = 8};
    char *text = printed(JOB_LIMIT_NETWORK, &options);
    assert_non_null(
        strstr(text, "120 of 120 files of 488.3 KiB into a pxm-sim on this machine in 4.0 s\n"));
    assert_non_null(strstr(text, "files/s    30.0\n"));
    assert_non_null(strstr(text, "MB/s       15.0\n"));
    assert_non_null(strstr(text, "241, 2.00 a file"));
    assert_non_null(strstr(text, "1.5 ms"));
    assert_non_null(strstr(text, "31.2 ms"));
    assert_non_null(strstr(text, "Limited by: network 100 %"));
    free(text);
    options.json = 1;
    text = printed(JOB_LIMIT_NETWORK, &options);
    assert_non_null(strstr(text, "\"files_per_s\":30.000,\"bytes_per_s\":15000000,"));
    assert_non_null(strstr(text, "\"put\":{\"count\":120,\"p50\":1.500,\"p95\":20.000,"));
    assert_non_null(strstr(text, "\"limit_ms\":{\"network\":4000},\"limiter\":\"network\","));
    free(text);
}

static void every_limit_has_advice_of_its_own(void **state)
{
    (void)state;
    char *advice[JOB_LIMIT_COUNT];
    struct bench_options options = {.files = 120, .size_bytes = 500000};
    for (int limit = 0; limit < JOB_LIMIT_COUNT; limit++) {
        char *text = printed((enum job_limit)limit, &options);
        const char *at = strstr(text, "What to change: ");
        assert_non_null(at);
        advice[limit] = strdup(at);
        free(text);
        for (int other = 0; other < limit; other++)
            assert_string_not_equal(advice[limit], advice[other]);
    }
    for (int limit = 0; limit < JOB_LIMIT_COUNT; limit++)
        free(advice[limit]);
    /* What the user has set, and where it went, changes what there is to change. */
    struct bench_options fixed = {.files = 120, .size_bytes = 500000, .transfers = 4};
    char *text = printed(JOB_LIMIT_NETWORK, &fixed);
    assert_non_null(strstr(text, "a larger --transfers, or auto"));
    free(text);
    options.target = "https://tenant.example";
    text = printed(JOB_LIMIT_CPU, &options);
    assert_null(strstr(text, "pxm-sim"));
    assert_non_null(strstr(text, "into https://tenant.example"));
    free(text);
}

static void expect_advice(enum job_limit limit, const struct bench_options *options,
                          const char *words)
{
    char *text = printed(limit, options);
    if (!strstr(strstr(text, "What to change: "), words))
        fail_msg("no '%s' in: %s", words, text);
    free(text);
}

/* 60 MB in 4 s. */
static void what_really_held_the_run_is_what_to_change(void **state)
{
    (void)state;
    struct bench_options options = {.files = 120, .size_bytes = 500000, .cores = 2};
    options.cpu_ms = 3000;
    options.sim_cpu_ms = 3790;
    expect_advice(JOB_LIMIT_NETWORK, &options, "into a tenant does"); /* 84 % */
    options.sim_cpu_ms = 3800;
    expect_advice(JOB_LIMIT_NETWORK, &options, "all cores are busy");
    expect_advice(JOB_LIMIT_API, &options, "--api-rate 0");
    char *text = printed(JOB_LIMIT_NETWORK, &options);
    assert_non_null(strstr(text, "cores      pxload 0.75, pxm-sim 0.95 of 2\n"));
    free(text);
    options.target = "https://tenant.example"; /* its server is elsewhere */
    expect_advice(JOB_LIMIT_NETWORK, &options, "the way to S3 is full");
    expect_advice(JOB_LIMIT_API, &options, "a higher limit from the vendor");
    options.bwlimit_bytes_per_s = 15 * 1000 * 1000;
    expect_advice(JOB_LIMIT_NETWORK, &options, "--bwlimit");
    expect_advice(JOB_LIMIT_TAIL, &options, "--bwlimit");
    options.bwlimit_bytes_per_s *= 2;
    expect_advice(JOB_LIMIT_NETWORK, &options, "the way to S3 is full");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_limit_is_named_and_the_start_only_alone),
        cmocka_unit_test(the_numbers_are_those_of_the_run),
        cmocka_unit_test(every_limit_has_advice_of_its_own),
        cmocka_unit_test(what_really_held_the_run_is_what_to_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
