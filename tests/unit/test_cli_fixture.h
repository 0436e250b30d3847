/*
 * test_cli_fixture.h - a home of its own for each test: no PXLOAD_ or PXM_ variable, a fresh
 * XDG_CONFIG_HOME, and short ways to write a config file and to load settings.
 */
#ifndef TEST_CLI_FIXTURE_H
#define TEST_CLI_FIXTURE_H

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

#include "cli/settings.h"

static char test_home[64];

static inline void forget_environment(void)
{
    for (int found = 1; found;) {
        found = 0;
        for (char **at = environ; *at && !found; at++) {
            char name[256];
            snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
            found = !strncmp(name, "PXLOAD_", 7) || !strncmp(name, "PXM_", 4);
            if (found)
                unsetenv(name);
        }
    }
}

static inline int make_home(void **state)
{
    (void)state;
    forget_environment();
    strcpy(test_home, "/tmp/pxload-cli-XXXXXX");
    if (!mkdtemp(test_home))
        return -1;
    setenv("HOME", test_home, 1);
    setenv("XDG_CONFIG_HOME", test_home, 1);
    setenv("XDG_STATE_HOME", test_home, 1);
    setenv("XDG_CACHE_HOME", test_home, 1);
    return 0;
}

static inline int drop_home(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", test_home);
    return system(command);
}

static inline const char *home_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", test_home, name);
    return path;
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static inline void write_config(const char *text, mode_t mode)
{
    mkdir(home_path("pxload"), 0700);
    write_file(home_path("pxload/config"), text, mode);
}

#define ARGV_MAX 32
/* settings_load() of "pxload" and the words given, which NULL ends. */
static inline int load(struct settings *settings, struct err *err, ...)
{
    static char *argv[ARGV_MAX];
    int argc = 0;
    va_list ap;
    va_start(ap, err);
    for (char *word = (char *)(uintptr_t) "pxload"; word; word = va_arg(ap, char *)) {
        assert_true(argc < ARGV_MAX - 1);
        argv[argc++] = word;
    }
    va_end(ap);
    argv[argc] = NULL;
    err_clear(err);
    return settings_load(settings, argc, argv, err);
}

/* Loads, and asserts that it fails with code and that the text says all of it. */
#define assert_refused(code, words, ...)                                                     \
    do {                                                                                     \
        struct settings refused_settings;                                                    \
        struct err refused_err = ERR_INIT;                                                   \
        assert_int_equal(load(&refused_settings, &refused_err, __VA_ARGS__, NULL), -(code)); \
        if (!strstr(refused_err.text, words))                                                \
            fail_msg("'%s' does not say '%s'", refused_err.text, words);                     \
        settings_release(&refused_settings);                                                 \
    } while (0)

#endif
