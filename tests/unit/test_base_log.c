/* log.h: one message is one line, and no secret is in it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static char last_line[256 * 1024];
static int line_count;

static void keep_line(void *user, enum log_level level, const char *line)
{
    (void)user;
    (void)level;
    snprintf(last_line, sizeof last_line, "%s", line);
    line_count++;
}

static void open_log(enum log_level level, enum log_format format)
{
    struct err err = ERR_INIT;
    struct log_options options = {.level = level, .format = format, .sink = keep_line};
    assert_int_equal(log_open(&options, &err), 0);
    line_count = 0;
    last_line[0] = '\0';
}

static const char *redacted(const char *text)
{
    static char out[1024];
    snprintf(out, sizeof out, "%s", text);
    log_redact(out);
    assert_true(strlen(out) <= strlen(text));
    return out;
}

static void lines_carry_time_level_and_message(void **state)
{
    (void)state;
    open_log(LOG_INFO, LOG_TEXT);
    log_notice("hello %d", 5);
    const char *tail = strstr(last_line, "hello");
    assert_non_null(tail);
    assert_string_equal(tail, "hello 5");
    log_debug("not shown");
    assert_int_equal(line_count, 1);
    assert_false(log_saw_error());
    log_error("bad");
    assert_true(log_saw_error());
    assert_true(log_enabled(LOG_INFO));
    assert_false(log_enabled(LOG_DEBUG));
    log_close();
}

static void text_lines_hold_no_control_bytes(void **state)
{
    (void)state;
    open_log(LOG_NOTICE, LOG_TEXT);
    log_notice("a\nb\tc\x1b[31m \x7f \xff \xc2\x9b \xc3\xa9");
    assert_non_null(strstr(last_line, "a\\nb\\x09c\\x1b[31m \\x7f \\xff \\xc2\\x9b \xc3\xa9"));
    log_close();
}

static void json_lines_are_one_flat_object(void **state)
{
    (void)state;
    open_log(LOG_NOTICE, LOG_JSON);
    log_warning("say \"%s\"\n\x01\xff\\", "hi");
    assert_non_null(strstr(last_line, "\"level\":\"warning\",\"msg\":\"say \\\"hi\\\"\\n\\u0001"
                                      "\xef\xbf\xbd\\\\\"}"));
    assert_int_equal(strncmp(last_line, "{\"time\":\"2", 10), 0);
    log_close();
}

static void registered_secrets_are_taken_out(void **state)
{
    (void)state;
    log_add_secret("abc");
    log_add_secret(NULL);
    assert_string_equal(redacted("abc stays"), "abc stays");
    log_add_secret("hunter22");
    log_add_secret("hunter22-long-form");
    log_add_secret("hunter22");
    assert_string_equal(redacted("x=hunter22,y=hunter22-long-form."), "x=***,y=***.");
    assert_string_equal(redacted("hunter2 is half of it"), "hunter2 is half of it");
    assert_string_equal(redacted(""), "");
}

static void a_secret_that_was_cut_off_is_taken_out(void **state)
{
    (void)state;
    log_add_secret("0123456789-token-of-a-tenant");
    log_add_secret("sh0rt-One");
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"you sent 0123456789-token-o", "you sent ***"},
        {"you sent 0123456789-tok... to us", "you sent ***... to us"},
        {"you sent 01234567", "you sent ***"},
        {"at 0123456 or 01234", "at 0123456 or 01234"},
        {"you sent sh0rt", "you sent ***"},
        {"you sent sh0", "you sent sh0"},
        {"sh0rt is a word", "sh0rt is a word"},
        {"sh0rt-One!", "***!"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(redacted(rows[i].in), rows[i].out);
}

static void other_spellings_of_a_secret_are_taken_out(void **state)
{
    (void)state;
    log_add_secret("p+ss/w rd=t\xc3\xa9n");
    assert_string_equal(redacted("?client_secret=p%2Bss%2Fw%20rd%3Dt%C3%A9n&x=1"),
                        "?client_secret=***&x=1");
    /* The last group hangs on what follows; at most two bytes of the secret stand in it. */
    assert_string_equal(redacted("echo cCtzcy93IHJkPXTDqW4="), "echo ***qW4=");
}

static void a_cut_leaves_no_half_of_a_secret(void **state)
{
    (void)state;
    open_log(LOG_NOTICE, LOG_TEXT);
    log_add_secret("S3cretS3cretS3cret");
    char *big = malloc(20001);
    for (size_t at = 16384 - 40; at < 16384; at++) {
        memset(big, 'a', 20000);
        big[20000] = '\0';
        memcpy(big + at, "S3cretS3cretS3cret", 18);
        log_notice("%s", big);
        assert_null(strstr(last_line, "S3c"));
    }
    free(big);
    log_close();
}

static void signed_queries_and_credentials_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"PUT https://b.s3/k?X-Amz-Date=1&X-Amz-Signature=ab now",
         "PUT https://b.s3/k?[redacted] now"},
        {"https://b/k?x-amz-credential=AK/1", "https://b/k?[redacted]"},
        {"https://b/k?X-Amz-Security-Token=%2F", "https://b/k?[redacted]"},
        {"'https://b/k?AWSAccessKeyId=1&Signature=x', next", "'https://b/k?[redacted]', next"},
        {"k?Signature=", "k?[redacted]"},
        {"https://a/list?limit=5&offset=0 ok?", "https://a/list?limit=5&offset=0 ok?"},
        {"Authorization: Bearer tok.en-1; x", "Authorization: Bearer ***; x"},
        {"authorization: basic aWQ6c2VjcmV0", "authorization: basic ***"},
        {"Bearer x", "Bearer *"},
        {"Bearer ", "Bearer "},
        {"the basic idea, a cupBearer here", "the basic idea, a cupBearer here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(redacted(rows[i].in), rows[i].out);
}

static void the_log_file_is_private_and_appended_to(void **state)
{
    (void)state;
    char dir[] = "/tmp/pxload-log-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[64];
    char link_path[64];
    snprintf(path, sizeof path, "%s/log", dir);
    snprintf(link_path, sizeof link_path, "%s/link", dir);
    struct log_options options = {.level = LOG_NOTICE, .file = path};
    struct err err = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(log_open(&options, &err), 0);
        log_notice("line %d", i);
        log_close();
    }
    char text[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_non_null(strstr(text, "Z NOTICE line 0\n2"));
    assert_non_null(strstr(text, "Z NOTICE line 1\n"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    assert_int_equal(symlink(path, link_path), 0);
    options.file = link_path;
    assert_int_equal(log_open(&options, &err), -ERR_IO);
    unlink(link_path);
    unlink(path);
    rmdir(dir);
}

static void *write_many(void *arg)
{
    for (int i = 0; i < 500; i++) {
        log_notice("%s %d", (const char *)arg, i);
        log_add_secret(i % 2 ? "other-secret" : "one-secret");
    }
    return NULL;
}

static void threads_may_log_at_once(void **state)
{
    (void)state;
    static char word[] = "thread";
    open_log(LOG_NOTICE, LOG_TEXT);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, word), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(line_count, 2000);
    log_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_carry_time_level_and_message),
        cmocka_unit_test(text_lines_hold_no_control_bytes),
        cmocka_unit_test(json_lines_are_one_flat_object),
        cmocka_unit_test(registered_secrets_are_taken_out),
        cmocka_unit_test(a_secret_that_was_cut_off_is_taken_out),
        cmocka_unit_test(other_spellings_of_a_secret_are_taken_out),
        cmocka_unit_test(a_cut_leaves_no_half_of_a_secret),
        cmocka_unit_test(signed_queries_and_credentials_are_cut),
        cmocka_unit_test(the_log_file_is_private_and_appended_to),
        cmocka_unit_test(threads_may_log_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
