/*
 * main.c - pxload: settings, log, then the verb's command. The exit code is the command's; a line
 * at ERROR level never goes with a 0.
 */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/settings.h"

#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/prctl.h>

/* Free memory at most, beside what fragments; libcurl's largest buffer is an eighth of it. */
#define KEPT_BYTES (4 * 1024 * 1024)

static int fail(const struct err *error, int code)
{
    log_error("%s", error->text);
    return code;
}

static int run(struct settings *settings, int argc, char **argv)
{
    struct err error = ERR_INIT;
    int rc = settings_load(settings, argc, argv, &error);
    if (!rc) {
        struct log_options log = {
            .level = settings->log_level,
            .format = settings->log_format,
            .file = settings->log_file,
        };
        rc = log_open(&log, &error);
    }
    if (rc)
        return fail(&error, exit_of_error(error.code));
    if (settings->wants_version)
        return cmd_version(settings);
    if (settings->wants_help)
        return cmd_help(settings);
    for (size_t i = 0; i < settings->warnings.count; i++)
        log_warning("%s", settings->warnings.items[i]);
    return verb_row(settings->verb)->run(settings);
}

/*
 * Memory that is needed again a moment later stays with the process: its pages need not be made
 * anew. Naming one of these limits keeps glibc from moving the others, so all are named.
 */
static void keep_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_TOP_PAD, KEPT_BYTES / 8);
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 4);
#endif
}

int main(int argc, char **argv)
{
    struct settings settings;
    keep_memory();
    setlocale(LC_CTYPE, "C.UTF-8");
    /* Token and secret stand in our memory: no core file, and no other process reads it. */
    prctl(PR_SET_DUMPABLE, 0);
    int code = run(&settings, argc, argv);
    if (code == EXIT_IS_OK && log_saw_error())
        code = EXIT_IS_SOME_FAILED;
    settings_release(&settings);
    log_close();
    return code;
}
