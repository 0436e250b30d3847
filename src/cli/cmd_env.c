/* cmd_env.c - `pxload env`: the effective settings and where each comes from. Main thread. */
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/credentials.h"
#include "cli/exit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1024 * 1024)

/* One line, or one JSON object, for a setting. */
static void put_row(const struct settings *settings, const char *name, const char *value,
                    const char *origin)
{
    if (!settings->json) {
        printf("%-18s %-12s %s\n", name, origin, value);
        return;
    }
    struct buf line;
    buf_init(&line, TEXT_MAX);
    int rc = buf_puts(&line, "{\"message_type\":\"setting\",\"name\":");
    if (!rc)
        rc = log_append_json_string(&line, name, strlen(name));
    if (!rc)
        rc = buf_puts(&line, ",\"value\":");
    if (!rc)
        rc = log_append_json_string(&line, value, strlen(value));
    if (!rc)
        rc = buf_printf(&line, ",\"origin\":\"%s\"}", origin);
    if (!rc)
        puts(buf_str(&line));
    buf_release(&line);
}

static void put_option(const struct settings *settings, enum option_id option)
{
    struct buf value;
    buf_init(&value, TEXT_MAX);
    if (!settings_value_text(settings, option, &value)) {
        /* A value may carry what a user took from a signed URL. */
        if (value.data)
            log_redact(value.data);
        put_row(settings, option_row(option)->name, buf_str(&value),
                settings_origin_name(settings->origins[option]));
    }
    buf_release(&value);
}

/* That a credential is set, and from where; never what it is. */
static void put_credentials(const struct settings *settings)
{
    static const char *const variables[] = {"PXM_TOKEN", "PXM_CLIENT_ID", "PXM_CLIENT_SECRET"};
    const struct profile_credentials *profile = &settings->profile_credentials;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *text = getenv(variables[i]);
        put_row(settings, variables[i], text && *text ? "(set, hidden)" : "(not set)",
                "environment");
    }
    if (profile->client_id)
        put_row(settings, "client_id", "(set, hidden)", "profile");
    if (profile->client_secret)
        put_row(settings, "client_secret", "(set, hidden)", "profile");
    if (profile->client_secret_file)
        put_row(settings, "client_secret_file", profile->client_secret_file, "profile");
    if (profile->client_secret_command)
        put_row(settings, "client_secret_command", "(set, hidden)", "profile");
}

int cmd_env(struct settings *settings)
{
    put_row(settings, "config", settings->config_file,
            settings->config_found ? "found" : "not there");
    for (int i = 0; i < OPT_COUNT; i++)
        if (option_row((enum option_id)i)->group != GROUP_VERB)
            put_option(settings, (enum option_id)i);
    for (size_t i = 0; i < settings->override_count; i++)
        put_row(settings, settings->overrides[i].field, settings->overrides[i].value, "profile");
    put_credentials(settings);
    return fflush(stdout) ? EXIT_IS_FATAL : EXIT_IS_OK;
}
