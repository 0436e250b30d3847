/* paths.c - see paths.h. */
#include "cli/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEM_MAX 40 /* bytes of a root's name in its journal's name */

static const struct {
    const char *variable;
    const char *below_home;
    const char *below_base;
} folders[] = {
    [PATHS_CONFIG] = {"XDG_CONFIG_HOME", ".config", "pxload"},
    [PATHS_JOBS] = {"XDG_STATE_HOME", ".local/state", "pxload/jobs"},
    [PATHS_CACHE] = {"XDG_CACHE_HOME", ".cache", "pxload"},
};

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for a path");
}

/* Not getpwuid's buffer: it lives until the next call of anybody. */
static int home(char *out, size_t size)
{
    const char *text = getenv("HOME");
    struct passwd record;
    struct passwd *found = NULL;
    char strings[4096];
    if ((!text || *text != '/') &&
        !getpwuid_r(geteuid(), &record, strings, sizeof strings, &found) && found)
        text = found->pw_dir;
    if (!text || *text != '/')
        return -1;
    int len = snprintf(out, size, "%s", text);
    return len < 0 || (size_t)len >= size ? -1 : 0;
}

int paths_folder(enum paths_folder folder, char **out, struct err *err)
{
    const char *base = getenv(folders[folder].variable);
    char home_text[4096];
    int len;
    if (base && *base == '/') {
        len = asprintf(out, "%s/%s", base, folders[folder].below_base);
    } else if (!home(home_text, sizeof home_text)) {
        len = asprintf(out, "%s/%s/%s", home_text, folders[folder].below_home,
                       folders[folder].below_base);
    } else {
        return err_set(err, ERR_CONFIG, "this user has no home folder: set HOME or %s",
                       folders[folder].variable);
    }
    return len < 0 ? no_memory(err) : 0;
}

/* Makes every folder of an absolute path that is missing. */
static int make_all(char *path, struct err *err)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        int failed = mkdir(path, 0700) && errno != EEXIST ? errno : 0;
        if (failed)
            err_set_errno(err, ERR_IO, failed, "cannot make the folder %s", path);
        if (slash)
            *slash = '/';
        if (failed)
            return -ERR_IO;
        if (!slash)
            return 0;
    }
}

int paths_make_folder(enum paths_folder folder, char **out, struct err *err)
{
    int rc = paths_folder(folder, out, err);
    if (rc)
        return rc;
    rc = make_all(*out, err);
    if (rc) {
        free(*out);
        *out = NULL;
    }
    return rc;
}

int paths_config_file(char **out, struct err *err)
{
    char *folder;
    int rc = paths_folder(PATHS_CONFIG, &folder, err);
    if (rc)
        return rc;
    int len = asprintf(out, "%s/config", folder);
    free(folder);
    return len < 0 ? no_memory(err) : 0;
}

int paths_absolute(const char *path, char **out, struct err *err)
{
    *out = realpath(path, NULL);
    if (*out)
        return 0;
    if (errno == ENOMEM)
        return no_memory(err);
    enum err_code code =
        errno == ENOENT || errno == ENOTDIR ? ERR_SOURCE_VANISHED : ERR_SOURCE_UNREADABLE;
    return err_set_errno(err, code, errno, "cannot find %s", path);
}

/* FNV-1a: names a job, guards nothing. The NUL is taken in, so that no two lists run together. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    } while (*text++);
    return hash;
}

static void make_stem(const char *root, char *out)
{
    const char *slash = strrchr(root, '/');
    const char *name = slash ? slash + 1 : root;
    size_t len = 0;
    for (; *name && len < STEM_MAX; name++) {
        int plain = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-",
                           *name) != NULL;
        /* A run of other bytes becomes one '-'; none in front, where it would look like a flag. */
        if (plain && (len || (*name != '-' && *name != '.')))
            out[len++] = *name;
        else if (len && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len && out[len - 1] == '-')
        len--;
    out[len] = '\0';
    if (!len)
        memcpy(out, "job", sizeof "job");
}

int paths_journal(const char *const *abs_roots, size_t root_count, const char *base_url, char **out,
                  struct err *err)
{
    BUG_ON(!root_count);
    char stem[STEM_MAX + 1];
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), base_url);
    for (size_t i = 0; i < root_count; i++)
        hash = hash_text(hash, abs_roots[i]);
    make_stem(abs_roots[0], stem);
    char *folder;
    int rc = paths_make_folder(PATHS_JOBS, &folder, err);
    if (rc)
        return rc;
    int len = asprintf(out, "%s/%s-%016llx.journal", folder, stem, (unsigned long long)hash);
    free(folder);
    return len < 0 ? no_memory(err) : 0;
}
