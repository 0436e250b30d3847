/*
 * fuzz_config.c - any bytes as the config file. What is taken can be used; what is refused is
 * refused as config, with the place in its text, and the settings can be released.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char home[64];
static char path[128];

static void remove_home(void)
{
    unlink(path);
    char folder[128];
    snprintf(folder, sizeof folder, "%s/pxload", home);
    rmdir(folder);
    rmdir(home);
}

static void make_home(void)
{
    snprintf(home, sizeof home, "%s", "/tmp/pxload-fuzz-XXXXXX");
    BUG_ON(!mkdtemp(home));
    setenv("XDG_CONFIG_HOME", home, 1);
    snprintf(path, sizeof path, "%s/pxload", home);
    BUG_ON(mkdir(path, 0700));
    snprintf(path, sizeof path, "%s/pxload/config", home);
    atexit(remove_home);
}

static void write_config(const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
    close(fd);
}

static int see_value(const char *key, const char *value, void *user)
{
    (void)user;
    BUG_ON(!*key || !value);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct wire_profile profile;
    struct err err = ERR_INIT;
    if (!*home)
        make_home();
    write_config(data, size);
    BUG_ON(settings_init(&settings, &err));
    int rc = config_load(&settings, &err);
    BUG_ON(rc != 0 && (rc != -ERR_CONFIG || !strstr(err.text, "config")));
    if (!rc)
        rc = settings_finish(&settings, &err);
    BUG_ON(rc != 0 && rc != -ERR_CONFIG && rc != -ERR_USAGE);
    if (!rc) {
        BUG_ON(settings_wire_profile(&settings, &profile, &err));
        BUG_ON(settings_each_job_value(&settings, see_value, NULL));
    }
    settings_release(&settings);
    return 0;
}
