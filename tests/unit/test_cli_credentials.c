/* credentials.h and secret.h: where credentials may come from, and that they stay hidden. */
#include "test_cli_fixture.h"

#include "base/clock.h"
#include "cli/credentials.h"
#include "cli/secret.h"

static struct credentials credentials;

/* Loads settings from the config text (NULL: none), then credentials. */
static int load_credentials(const char *config, struct err *err)
{
    struct settings s;
    if (config)
        write_config(config, 0600);
    assert_int_equal(load(&s, err, "auth", NULL), 0);
    int rc = credentials_load(&s, &credentials, err);
    settings_release(&s);
    return rc;
}

static void assert_missing(const char *config, const char *words)
{
    struct err err = ERR_INIT;
    assert_int_equal(load_credentials(config, &err), -ERR_CONFIG);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
    assert_null(credentials.client_secret);
}

static void the_environment_is_enough(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    setenv("PXM_CLIENT_ID", "me", 1);
    setenv("PXM_CLIENT_SECRET", "env-secret\n", 1);
    assert_int_equal(load_credentials(NULL, &err), 0);
    assert_string_equal(credentials.client_id, "me");
    assert_string_equal(credentials.client_secret, "env-secret");
    assert_null(credentials.token);
    assert_string_equal(credentials.from, "environment");
    char line[] = "it is env-secret";
    log_redact(line);
    assert_string_equal(line, "it is ***");
    credentials_release(&credentials);
    credentials_release(&credentials);
}

static void a_token_is_enough_and_runs_no_command(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char config[512];
    snprintf(config, sizeof config, "[default]\nclient_id = me\nclient_secret_command = touch %s\n",
             home_path("ran"));
    setenv("PXM_TOKEN", "tok-123456", 1);
    assert_int_equal(load_credentials(config, &err), 0);
    assert_string_equal(credentials.token, "tok-123456");
    assert_null(credentials.client_id);
    assert_int_equal(access(home_path("ran"), F_OK), -1);
    credentials_release(&credentials);
}

static void the_profile_completes_the_environment(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    write_file(home_path("pxm-secret"), "file-secret\n", 0600);
    assert_int_equal(
        load_credentials("[default]\nclient_id = me\nclient_secret_file = ~/pxm-secret\n", &err),
        0);
    assert_string_equal(credentials.client_secret, "file-secret");
    assert_string_equal(credentials.from, "profile");
    credentials_release(&credentials);
    assert_int_equal(
        load_credentials("[default]\nclient_id = me\nclient_secret_file = ../pxm-secret\n", &err),
        0);
    credentials_release(&credentials);
    setenv("PXM_CLIENT_SECRET", "from-env", 1);
    assert_int_equal(load_credentials("[default]\nclient_id = me\n", &err), 0);
    assert_string_equal(credentials.client_secret, "from-env");
    credentials_release(&credentials);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    assert_missing(NULL, "set PXM_CLIENT_ID and PXM_CLIENT_SECRET, or PXM_TOKEN");
    assert_missing("[default]\nclient_id = me\n", "set PXM_CLIENT_SECRET");
    assert_missing("[default]\nclient_secret = abcdef\n", "set PXM_CLIENT_ID");
    assert_missing("[default]\nclient_id = a:b\nclient_secret = abcdef\n", "':'");
    assert_missing("[default]\nclient_secret = abcdef\nclient_secret_command = x\n",
                   "more than one of");
    setenv("PXM_TOKEN", "two\nlines", 1);
    assert_missing(NULL, "PXM_TOKEN has line ends");
}

static void a_secret_file_must_be_private(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char *secret = NULL;
    char path[128];
    snprintf(path, sizeof path, "%s/s", test_home);
    write_file(path, "abcdef", 0640);
    assert_int_equal(secret_from_file(path, &secret, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.text, "others can read it; chmod 600"));
    write_file(path, "abcdef\r\n", 0400);
    assert_int_equal(secret_from_file(path, &secret, &err), 0);
    assert_string_equal(secret, "abcdef");
    secret_free(secret);
    chmod(path, 0600);
    write_file(path, "\n", 0600);
    assert_int_equal(secret_from_file(path, &secret, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.text, "is empty"));
    write_file(path, "a\nb\n", 0600);
    assert_int_equal(secret_from_file(path, &secret, &err), -ERR_CONFIG);
    assert_int_equal(secret_from_file(test_home, &secret, &err), -ERR_CONFIG);
    assert_int_equal(secret_from_file("/nonexistent", &secret, &err), -ERR_CONFIG);
    if (geteuid() == 0) {
        write_file(path, "abcdef", 0600);
        assert_int_equal(chown(path, 12345, 12345), 0);
        assert_int_equal(secret_from_file(path, &secret, &err), -ERR_CONFIG);
        assert_non_null(strstr(err.text, "belongs to another user"));
    }
}

static void a_command_prints_the_secret(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char *secret = NULL;
    assert_int_equal(secret_from_command("printf 'a b; c\\n' | cat", 5000, &secret, &err), 0);
    assert_string_equal(secret, "a b; c");
    secret_free(secret);
    /* No standard input, so that nothing waits for it. */
    assert_int_equal(secret_from_command("cat; echo abcd", 5000, &secret, &err), 0);
    assert_string_equal(secret, "abcd");
    secret_free(secret);
}

static void a_failing_command_is_said_so(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        const char *words;
    } rows[] = {
        {"echo partial; exit 3", "exit code 3"},
        {"kill -9 $$", "signal 9"},
        {"true", "is empty"},
        {"head -c 20000 /dev/zero | tr '\\0' x", "no secret"},
        {"printf 'a\\0b'", "no secret"},
        {"printf 'a\\nb'", "line ends"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = ERR_INIT;
        char *secret = NULL;
        assert_int_equal(secret_from_command(rows[i].command, 5000, &secret, &err), -ERR_CONFIG);
        assert_null(secret);
        if (!strstr(err.text, rows[i].words))
            fail_msg("'%s': '%s' does not say '%s'", rows[i].command, err.text, rows[i].words);
    }
}

static void a_command_that_hangs_is_ended(void **state)
{
    (void)state;
    static const char *const commands[] = {"sleep 20", "exec >&-; exec sleep 20"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct err err = ERR_INIT;
        char *secret = NULL;
        int64_t before_ms = clock_now_ms();
        assert_int_equal(secret_from_command(commands[i], 300, &secret, &err), -ERR_CONFIG);
        assert_non_null(strstr(err.text, "did not end within"));
        assert_true(clock_now_ms() - before_ms < 5000);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_home, drop_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_environment_is_enough),
        TEST(a_token_is_enough_and_runs_no_command),
        TEST(the_profile_completes_the_environment),
        TEST(what_is_missing_is_named),
        TEST(a_secret_file_must_be_private),
        TEST(a_command_prints_the_secret),
        TEST(a_failing_command_is_said_so),
        TEST(a_command_that_hangs_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
