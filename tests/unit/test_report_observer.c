/* observer.c: what a run's events put on stdout and stderr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "report/report.h"

#include "base/log.h"

/* A reporter that writes into two files, and what the log said meanwhile. */
struct bench {
    FILE *out;
    FILE *err;
    struct reporter *reporter;
    char logged[65536];
    char text[65536];
};

static void keep_log(void *user, enum log_level level, const char *line)
{
    struct bench *bench = user;
    size_t used = strlen(bench->logged);
    snprintf(bench->logged + used, sizeof bench->logged - used, "%d %s\n", (int)level, line);
}

static struct bench *bench_new(int json, enum progress_mode progress)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->out = tmpfile();
    bench->err = tmpfile();
    assert_non_null(bench->out);
    assert_non_null(bench->err);
    struct log_options log = {.level = LOG_INFO, .sink = keep_log, .user = bench};
    struct err err = ERR_INIT;
    assert_int_equal(log_open(&log, &err), 0);
    struct reporter_options options = {
        .json = json, .progress = progress, .out = bench->out, .err = bench->err};
    assert_int_equal(reporter_new(&options, &bench->reporter, &err), 0);
    return bench;
}

static void bench_free(struct bench *bench)
{
    reporter_free(bench->reporter);
    log_close();
    fclose(bench->out);
    fclose(bench->err);
    free(bench);
}

static const char *contents(struct bench *bench, FILE *file)
{
    rewind(file);
    size_t len = fread(bench->text, 1, sizeof bench->text - 1, file);
    bench->text[len] = '\0';
    return bench->text;
}

static void tell_file(struct bench *bench, const struct file_event *event)
{
    const struct job_observer *observer = reporter_observer(bench->reporter);
    observer->file(observer->user, event);
}

static struct json_object *only_line(struct bench *bench)
{
    reporter_finish(bench->reporter);
    const char *text = contents(bench, bench->out);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    struct json_object *object = json_tokener_parse(text);
    assert_non_null(object);
    return object;
}

static const char *string_of(struct json_object *object, const char *key)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, key, &value) ? json_object_get_string(value) : NULL;
}

static void a_confirmed_file_is_one_object(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1, PROGRESS_AUTO);
    struct file_event event = {
        .root = "/src",
        .path = "a/b.jpg",
        .name = "b.jpg",
        .mime_type = "image/jpeg",
        .size_bytes = 7,
        .state = ASSET_CONFIRMED,
        .file_id = "id-1",
        .etag = "\"e\"",
        .has_md5 = 1,
        .tries = 1,
        .duration_ms = 12,
    };
    tell_file(bench, &event);
    struct json_object *object = only_line(bench);
    assert_string_equal(string_of(object, "message_type"), "file");
    assert_string_equal(string_of(object, "success"), "true");
    assert_string_equal(string_of(object, "source"), "/src/a/b.jpg");
    assert_string_equal(string_of(object, "destination"), "b.jpg");
    assert_string_equal(string_of(object, "state"), "confirmed");
    assert_string_equal(string_of(object, "etag"), "\"e\"");
    assert_string_equal(string_of(object, "md5"), "00000000000000000000000000000000");
    assert_string_equal(string_of(object, "duration_ms"), "12");
    assert_null(string_of(object, "error"));
    assert_null(string_of(object, "source_raw"));
    json_object_put(object);
    assert_non_null(strstr(bench->logged, "a/b.jpg: confirmed as id-1"));
    assert_false(log_saw_error());
    assert_string_equal(contents(bench, bench->err), "");
    bench_free(bench);
}

static void a_failed_file_carries_its_reason_without_secrets(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1, PROGRESS_AUTO);
    struct err error = ERR_INIT;
    err_set(&error, ERR_SERVER, "PUT https://s3/x?X-Amz-Signature=abcdef failed");
    error.http_status = 503;
    snprintf(error.request_id, sizeof error.request_id, "req-9");
    struct file_event event = {.root = "/src",
                               .path = "caf\xe9.jpg",
                               .name = NULL,
                               .state = ASSET_FAILED,
                               .error = &error};
    tell_file(bench, &event);
    struct json_object *object = only_line(bench);
    assert_string_equal(string_of(object, "success"), "false");
    assert_string_equal(string_of(object, "level"), "error");
    assert_string_equal(string_of(object, "error_class"), "server");
    assert_string_equal(string_of(object, "http_status"), "503");
    assert_string_equal(string_of(object, "request_id"), "req-9");
    assert_string_equal(string_of(object, "source_raw"), "/src/caf%E9.jpg");
    assert_non_null(string_of(object, "advice"));
    assert_null(strstr(string_of(object, "error"), "abcdef"));
    json_object_put(object);
    assert_true(log_saw_error());
    bench_free(bench);
}

static void a_retry_is_an_error_object_but_no_error_line(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1, PROGRESS_AUTO);
    const struct job_observer *observer = reporter_observer(bench->reporter);
    struct err error = ERR_INIT;
    err_set(&error, ERR_TIMEOUT, "no answer");
    observer->notice(observer->user, "a.jpg", &error, 2, 1500);
    struct json_object *object = only_line(bench);
    assert_string_equal(string_of(object, "message_type"), "error");
    assert_string_equal(string_of(object, "attempt"), "2");
    assert_string_equal(string_of(object, "wait_ms"), "1500");
    json_object_put(object);
    assert_false(log_saw_error());
    assert_non_null(strstr(bench->logged, "a.jpg: no answer [timeout], try 2; again in"));
    bench_free(bench);
}

static void a_flood_of_failures_is_cut_in_the_log(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0, PROGRESS_NONE);
    struct err error = ERR_INIT;
    err_set(&error, ERR_SERVER, "x");
    struct file_event event = {.root = "/", .path = "p", .state = ASSET_FAILED, .error = &error};
    for (int i = 0; i < 150; i++)
        tell_file(bench, &event);
    size_t errors = 0;
    for (const char *at = bench->logged; (at = strstr(at, "p: x")); at++)
        errors += at[-1] == ' ' && strncmp(at, "p: x [server] - ", 16) == 0;
    assert_int_equal(errors, 100);
    assert_non_null(strstr(bench->logged, "more failures of class server"));
    assert_string_equal(contents(bench, bench->out), "");
    bench_free(bench);
}

static void a_status_line_is_plain_text_on_stderr(void **state)
{
    (void)state;
    struct bench *bench = bench_new(0, PROGRESS_LINES);
    struct job_snapshot *snapshot = calloc(1, sizeof *snapshot);
    assert_non_null(snapshot);
    snapshot->api_rate = 950;
    reporter_status_line(bench->reporter, snapshot);
    const char *text = contents(bench, bench->err);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strpbrk(text, "\r\x1b"));
    assert_non_null(strstr(text, "api 0/950 in 60s"));
    assert_string_equal(contents(bench, bench->out), "");
    free(snapshot);
    bench_free(bench);
}

static void a_stdout_that_fails_is_an_error_and_the_run_goes_on(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1, PROGRESS_NONE);
    reporter_free(bench->reporter);
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    struct err err = ERR_INIT;
    struct reporter_options options = {.json = 1, .out = full, .err = bench->err};
    assert_int_equal(reporter_new(&options, &bench->reporter, &err), 0);
    struct file_event event = {.root = "/", .path = "p", .name = "p", .state = ASSET_SKIPPED};
    tell_file(bench, &event);
    reporter_finish(bench->reporter);
    assert_true(log_saw_error());
    tell_file(bench, &event);
    bench_free(bench);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_confirmed_file_is_one_object),
        cmocka_unit_test(a_failed_file_carries_its_reason_without_secrets),
        cmocka_unit_test(a_retry_is_an_error_object_but_no_error_line),
        cmocka_unit_test(a_flood_of_failures_is_cut_in_the_log),
        cmocka_unit_test(a_status_line_is_plain_text_on_stderr),
        cmocka_unit_test(a_stdout_that_fails_is_an_error_and_the_run_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
