/*
 * config.c - see config.h. inih cuts the lines into section, key and value; it does not say which
 * line it is at, so the reader below counts them and also refuses what would be cut.
 */
#include "cli/config.h"
#include "base/nearest.h"
#include "cli/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_LINE_MAX 4096
#define WHERE_MAX       512

struct config {
    struct settings *settings;
    struct err *err;
    int rc; /* the first failure */
    FILE *file;
    const char *path;
    int line;
    int is_chosen;               /* the current section is the profile's */
    int was_found;               /* there is such a section */
    struct string_list names;    /* of the sections */
    int holds_secret;            /* client_secret itself, in any section */
    int holds_secret_source;     /* client_secret_file or _command */
    char seen_option[OPT_COUNT]; /* set in the chosen section */
};

static const struct {
    const char *key;
    size_t offset; /* in struct profile_credentials */
} credential_keys[] = {
    {"client_id", offsetof(struct profile_credentials, client_id)},
    {"client_secret", offsetof(struct profile_credentials, client_secret)},
    {"client_secret_file", offsetof(struct profile_credentials, client_secret_file)},
    {"client_secret_command", offsetof(struct profile_credentials, client_secret_command)},
};
#define CREDENTIAL_KEYS (sizeof credential_keys / sizeof *credential_keys)

const char *config_credential_key(size_t n)
{
    return n < CREDENTIAL_KEYS ? credential_keys[n].key : NULL;
}

/* Records the first failure; returns 0, which is inih's word for "stop". */
static int fail(struct config *config, const char *text)
{
    if (!config->rc)
        config->rc =
            err_set(config->err, ERR_CONFIG, "%s:%d: %s", config->path, config->line, text);
    return 0;
}

static int fail_memory(struct config *config)
{
    if (!config->rc)
        config->rc = err_set(config->err, ERR_NOMEM, "no memory for the config file");
    return 0;
}

static int is_key(const char *known, const char *key)
{
    size_t i = 0;
    for (; known[i] && (key[i] == known[i] || (key[i] == '-' && known[i] == '_')); i++)
        ;
    return !known[i] && !key[i];
}

/* ---- one key
 * ------------------------------------------------------------------------------------- */

static int fail_unknown(struct config *config, const char *key)
{
    struct nearest nearest;
    char text[256];
    const char *known;
    nearest_init(&nearest, key);
    for (int i = 0; i < OPT_COUNT; i++)
        if (!option_row((enum option_id)i)->not_in_config)
            nearest_offer(&nearest, option_row((enum option_id)i)->name);
    for (size_t i = 0; i < CREDENTIAL_KEYS; i++)
        nearest_offer(&nearest, credential_keys[i].key);
    for (size_t i = 0; (known = wire_profile_field(i)); i++)
        nearest_offer(&nearest, known);
    const char *like = nearest_result(&nearest);
    snprintf(text, sizeof text, "unknown key '%.80s'%s%s%s", key, like ? "; did you mean '" : "",
             like ? like : "", like ? "'?" : "; pxload env lists them");
    return fail(config, text);
}

static int take_credential(struct config *config, size_t idx, const char *value)
{
    const char *key = credential_keys[idx].key;
    char **slot = (char **)(void *)((char *)&config->settings->profile_credentials +
                                    credential_keys[idx].offset);
    if (!strcmp(key, "client_secret")) {
        config->holds_secret = 1;
        log_add_secret(value);
    } else if (strcmp(key, "client_id")) {
        config->holds_secret_source = 1;
    }
    if (!config->is_chosen)
        return 1;
    char text[80];
    snprintf(text, sizeof text, *slot ? "%s is set twice" : "%s is empty", key);
    if (*slot || !*value)
        return fail(config, text);
    *slot = strdup(value);
    return *slot ? 1 : fail_memory(config);
}

static int take_option(struct config *config, enum option_id option, const char *value)
{
    const struct option_row *row = option_row(option);
    char where[WHERE_MAX];
    if (row->not_in_config) {
        snprintf(where, sizeof where, "'%s' cannot be set in the config file; use --%s or %s",
                 row->name, row->name, option_env_name(row, (char[OPTION_ENV_MAX]){0}));
        return fail(config, where);
    }
    if (!config->is_chosen)
        return 1;
    if (config->seen_option[option] && row->kind != KIND_LIST) {
        snprintf(where, sizeof where, "'%s' is set twice", row->name);
        return fail(config, where);
    }
    config->seen_option[option] = 1;
    snprintf(where, sizeof where, "%s:%d: %s", config->path, config->line, row->name);
    int rc = settings_set(config->settings, option, value, ORIGIN_PROFILE, where, config->err);
    if (rc && !config->rc)
        config->rc = rc;
    return !rc;
}

/* Checked by the field's own rule at once, while file and line are known. */
static int take_wire_field(struct config *config, const char *field, const char *value)
{
    if (!config->is_chosen)
        return 1;
    struct err detail = ERR_INIT;
    char text[ERR_TEXT_MAX];
    if (!settings_add_override(config->settings, field, value, &detail))
        return 1;
    snprintf(text, sizeof text, "%s: %.400s", field, detail.text);
    return fail(config, text);
}

static int take_key(void *user, const char *section, const char *key, const char *value)
{
    struct config *config = user;
    const char *field;
    if (config->rc)
        return 0;
    if (!*section)
        return fail(config, "a key outside of a section; put [default] above it");
    config->is_chosen = !strcmp(section, config->settings->profile);
    enum option_id option = option_by_name(key, strlen(key));
    if (option != OPT_COUNT)
        return take_option(config, option, value);
    for (size_t i = 0; i < CREDENTIAL_KEYS; i++)
        if (is_key(credential_keys[i].key, key))
            return take_credential(config, i, value);
    for (size_t i = 0; (field = wire_profile_field(i)); i++)
        if (is_key(field, key))
            return take_wire_field(config, field, value);
    return fail_unknown(config, key);
}

/* ---- the file
 * -------------------------------------------------------------------------------------- */

/* inih skips a section without keys; its name counts all the same. */
static void note_section(struct config *config, const char *line)
{
    line += strspn(line, " \t\xef\xbb\xbf");
    size_t len = strcspn(line, "]");
    if (*line != '[' || line[len] != ']')
        return;
    char *name = strndup(line + 1, len - 1);
    if (!name || string_list_add(&config->names, name))
        fail_memory(config);
    else if (!strcmp(name, config->settings->profile))
        config->was_found = 1;
    free(name);
}

static char *read_line(char *out, int size, void *user)
{
    struct config *config = user;
    if (config->rc || !fgets(out, size, config->file))
        return NULL;
    config->line++;
    size_t len = strlen(out);
    if (len == (size_t)size - 1 && out[len - 1] != '\n') {
        fail(config, "the line is too long");
        return NULL;
    }
    note_section(config, out);
    return config->rc ? NULL : out;
}

static void parse(struct config *config)
{
    ini_use_stack = false;
    ini_max_line = CONFIG_LINE_MAX;
    ini_initial_alloc = CONFIG_LINE_MAX;
    ini_allow_multiline = false;
    /* A ';' belongs to a value: commands and JSON have them. */
    ini_allow_inline_comments = false;
    ini_stop_on_first_error = true;
    int bad_line = ini_parse_stream(read_line, config, take_key, config);
    if (bad_line == -2)
        fail_memory(config);
    else if (bad_line)
        fail(config, "this is neither [section] nor key = value");
}

/* Whoever can write the file chooses the command; whoever can read it has the secret. */
static int check_owner(struct config *config, const struct stat *st)
{
    if (!config->holds_secret && !config->holds_secret_source)
        return 0;
    if (st->st_uid != geteuid())
        return err_set(config->err, ERR_CONFIG,
                       "%s sets a client secret but belongs to another user; chown it to the user "
                       "that runs pxload",
                       config->path);
    mode_t refused = config->holds_secret ? 077 : 022;
    if (st->st_mode & refused)
        return err_set(config->err, ERR_CONFIG,
                       "%s sets a client secret and others can %s it; chmod 600 %s", config->path,
                       config->holds_secret ? "read" : "write", config->path);
    return 0;
}

static int check_found(struct config *config)
{
    const char *profile = config->settings->profile;
    if (config->was_found || !strcmp(profile, "default"))
        return 0;
    struct nearest nearest;
    nearest_init(&nearest, profile);
    for (size_t i = 0; i < config->names.count; i++)
        nearest_offer(&nearest, config->names.items[i]);
    const char *like = nearest_result(&nearest);
    return err_set(config->err, ERR_CONFIG, "there is no profile '%s' in %s%s%s%s", profile,
                   config->path, like ? "; did you mean '" : "", like ? like : "",
                   like ? "'?" : "; add a section of that name");
}

static int load_open_file(struct config *config)
{
    struct stat st;
    if (fstat(fileno(config->file), &st))
        return err_set_errno(config->err, ERR_CONFIG, errno, "cannot look at %s", config->path);
    if (!S_ISREG(st.st_mode))
        return err_set(config->err, ERR_CONFIG, "%s is no regular file", config->path);
    config->settings->config_found = 1;
    parse(config);
    if (config->rc)
        return config->rc;
    int rc = check_owner(config, &st);
    return rc ? rc : check_found(config);
}

int config_load(struct settings *settings, struct err *err)
{
    struct config config = {.settings = settings, .err = err};
    int rc = settings_drop_profile(settings, err);
    free(settings->config_file);
    settings->config_file = NULL;
    settings->config_found = 0;
    if (!rc)
        rc = paths_config_file(&settings->config_file, err);
    if (rc)
        return rc;
    config.path = settings->config_file;
    int fd = open(config.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return check_found(&config);
    if (fd < 0)
        return err_set_errno(err, ERR_CONFIG, errno, "cannot open %s", config.path);
    config.file = fdopen(fd, "r");
    if (!config.file) {
        close(fd);
        return err_set(err, ERR_NOMEM, "no memory for the config file");
    }
    rc = load_open_file(&config);
    fclose(config.file);
    string_list_release(&config.names);
    return rc;
}
