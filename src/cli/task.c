/* task.c - settings -> job options -> an open journal; see task.h. */
#include "cli/task.h"

#include "base/clock.h"
#include "cli/config.h"
#include "cli/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int add_rules(struct filter *filter, const struct string_list *list,
                     int (*add)(struct filter *filter, const char *text, struct err *err),
                     struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        int rc = add(filter, list->items[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

static int make_filter(struct task *task, struct err *err)
{
    const struct settings *settings = task->settings;
    task->filter = filter_new();
    if (!task->filter)
        return err_set(err, ERR_NOMEM, "no memory for the filters");
    /* Exclude beats include whatever their order on the command line. */
    int rc = add_rules(task->filter, &settings->filter_from, filter_from, err);
    if (!rc)
        rc = add_rules(task->filter, &settings->excludes, filter_exclude, err);
    if (!rc)
        rc = add_rules(task->filter, &settings->includes, filter_include, err);
    if (!rc)
        rc = add_rules(task->filter, &settings->files_from, filter_files_from, err);
    struct filter_limits limits = {
        .min_size_bytes = settings->min_size_bytes,
        .max_size_bytes = settings->max_size_bytes,
        .min_age_ms = settings->min_age_ms,
        .max_age_ms = settings->max_age_ms,
        .now_wall_ms = clock_wall_ms(),
    };
    filter_set_limits(task->filter, &limits);
    return rc;
}

static int lies_in(const char *path, const char *root)
{
    size_t len = strlen(root);
    return !strncmp(path, root, len) && (len == 1 || path[len] == '/' || path[len] == '\0');
}

/* Another root that holds the i-th one; of equal ones the first holds the others. */
static const char *root_around(const struct task *task, size_t i)
{
    for (size_t k = 0; k < task->root_count; k++) {
        const char *other = task->roots[k];
        if (k != i && other && lies_in(task->roots[i], other) &&
            (k < i || strcmp(task->roots[i], other) != 0))
            return other;
    }
    return NULL;
}

/* A path within another one would meet its own files again, as name collisions. */
static void drop_nested_roots(struct task *task)
{
    size_t kept = 0;
    for (size_t i = 0; i < task->root_count; i++) {
        const char *around = root_around(task, i);
        if (!around)
            continue;
        log_notice("%s lies in %s and is taken with it", task->roots[i], around);
        free(task->roots[i]);
        task->roots[i] = NULL;
    }
    for (size_t i = 0; i < task->root_count; i++)
        if (task->roots[i])
            task->roots[kept++] = task->roots[i];
    task->root_count = kept;
}

static int make_roots(struct task *task, struct err *err)
{
    const struct settings *settings = task->settings;
    task->roots = calloc(settings->arg_count, sizeof *task->roots);
    if (!task->roots)
        return err_set(err, ERR_NOMEM, "no memory for the paths");
    for (size_t i = 0; i < settings->arg_count; i++) {
        int rc = paths_absolute(settings->args[i], &task->roots[i], err);
        if (rc) {
            err->code = ERR_USAGE; /* nothing was started */
            return -ERR_USAGE;
        }
        task->root_count++;
    }
    drop_nested_roots(task);
    return 0;
}

static void fill_options(struct task *task)
{
    const struct settings *settings = task->settings;
    struct job_options *options = &task->options;
    options->base_url = settings->base_url;
    options->token_cache_dir = task->token_cache_dir;
    options->walk = (struct walk_options){
        .roots = (const char *const *)task->roots,
        .root_count = task->root_count,
        .filter = task->filter,
        .copy_links = settings->copy_links,
        .max_depth = settings->max_depth,
    };
    options->name_policy = settings->name_policy;
    options->map_folders = settings->map_folders;
    options->parent_category = settings->parent_category;
    options->on_conflict = settings->on_conflict;
    options->publish = settings->publish;
    options->publish_start = settings->publish_start;
    options->regions = (const char *const *)settings->regions.items;
    options->region_count = settings->regions.count;
    options->transfers = settings->transfers;
    options->part_concurrency = settings->part_concurrency;
    options->api_concurrency = settings->api_concurrency;
    options->api_rate = settings->api_rate_per_min;
    options->bwlimit_bytes_per_s = settings->bwlimit_bytes_per_s;
    options->retries = settings->retries;
    options->contimeout_ms = settings->contimeout_ms;
    options->timeout_ms = settings->timeout_ms;
    options->lookup_patience_ms = settings->lookup_patience_ms;
    options->max_duration_ms = settings->max_duration_ms;
    options->max_transfer_bytes = settings->max_transfer_bytes;
    options->max_errors = settings->max_errors;
    options->order = settings->order_by;
    options->verify_etag = settings->verify_etag;
    options->ca_cert = settings->ca_cert;
    options->allow_http = settings->allow_http;
    options->seed = (uint64_t)clock_wall_ms() ^ ((uint64_t)getpid() << 32);
}

/*
 * The whole manifest is read before anything is made: one that cannot be trusted begins nothing.
 * Only a walk needs it; what an earlier walk took from it is in the journal.
 */
static int check_manifest(struct task *task, struct err *err)
{
    struct job_options *options = &task->options;
    options->manifest = task->settings->manifest;
    if (!options->manifest)
        return 0;
    return manifest_read(options->manifest, NULL, NULL, &options->manifest_info, err);
}

/* The file's place does not depend on the folder of the command: the journal keeps it. */
static int find_manifest(struct task *task, struct err *err)
{
    struct settings *settings = task->settings;
    char *absolute = NULL;
    if (settings->manifest && !*settings->manifest) {
        free(settings->manifest);
        settings->manifest = NULL;
    }
    if (!settings->manifest)
        return 0;
    if (paths_absolute(settings->manifest, &absolute, err)) {
        err->code = ERR_MANIFEST;
        return -ERR_MANIFEST;
    }
    free(settings->manifest);
    settings->manifest = absolute;
    return check_manifest(task, err);
}

static int has_paths(const struct settings *settings)
{
    return settings->verb == VERB_PLAN || settings->verb == VERB_UPLOAD ||
           settings->verb == VERB_BENCH || settings->verb == VERB_MANIFEST;
}

int task_init(struct task *task, struct settings *settings, struct err *err)
{
    *task = (struct task){.settings = settings};
    struct wire_url_rules rules = {.allow_http = settings->allow_http};
    int rc = 0;
    if (wire_check_url(settings->base_url, &rules, err))
        rc = err_set(err, ERR_USAGE,
                     "--base-url %s: not an https URL (http is for this machine alone, or with "
                     "--allow-http)",
                     settings->base_url);
    if (!rc)
        rc = settings_wire_profile(settings, &task->options.wire, err);
    if (!rc && has_paths(settings))
        rc = make_roots(task, err);
    if (!rc && has_paths(settings))
        rc = find_manifest(task, err);
    if (!rc)
        rc = make_filter(task, err);
    if (!rc && has_paths(settings) && !settings->journal)
        rc = paths_journal((const char *const *)task->roots, task->root_count, settings->base_url,
                           &task->journal_path, err);
    else if (!rc && !(task->journal_path =
                          strdup(settings->journal ? settings->journal : settings->args[0])))
        rc = err_set(err, ERR_NOMEM, "no memory for the journal's path");
    struct err no_cache;
    if (!rc && paths_make_folder(PATHS_CACHE, &task->token_cache_dir, &no_cache))
        log_warning("tokens are not cached: %s", no_cache.text);
    fill_options(task);
    return rc;
}

void task_release(struct task *task)
{
    journal_close(task->journal);
    job_free(task->job);
    filter_free(task->filter);
    credentials_release(&task->credentials);
    for (size_t i = 0; i < task->root_count; i++)
        free(task->roots[i]);
    free(task->roots);
    free(task->journal_path);
    free(task->token_cache_dir);
    *task = (struct task){0};
}

/* ---- the job's settings in its journal ---- */

/* What a job cannot change without becoming another one. */
static int is_identity(const char *key)
{
    return !strcmp(key, "base-url") || !strcmp(key, "name-policy");
}

struct keeping {
    struct journal *journal;
    int is_new;
    struct err *err;
};

static int keep_value(const char *key, const char *value, void *user)
{
    struct keeping *keeping = user;
    struct buf name;
    char *old = NULL;
    buf_init(&name, LIMIT_PATH_BYTES);
    int rc = buf_printf(&name, "option.%s", key);
    if (rc)
        err_set(keeping->err, ERR_NOMEM, "no memory for the job's settings");
    if (!rc && !keeping->is_new)
        rc = journal_get_meta(keeping->journal, buf_str(&name), &old, keeping->err);
    if (!rc && old && strcmp(old, value) != 0) {
        if (is_identity(key))
            rc = err_set(keeping->err, ERR_USAGE,
                         "this job was begun with --%s %s, not %s; give --journal FILE to begin "
                         "another job, or keep to the first",
                         key, old, value);
        else
            log_notice("this job was begun with --%s '%s'; from now on it is '%s'", key, old,
                       value);
    }
    if (!rc && (!old || strcmp(old, value) != 0))
        rc = journal_set_meta(keeping->journal, buf_str(&name), value, keeping->err);
    free(old);
    buf_release(&name);
    return rc;
}

static void root_key(size_t i, char out[32])
{
    snprintf(out, 32, "job.root.%zu", i);
}

static int keep_roots(struct task *task, struct err *err)
{
    int rc = 0;
    char key[32];
    for (size_t i = 0; !rc && i < task->root_count; i++) {
        root_key(i, key);
        rc = journal_set_meta(task->journal, key, task->roots[i], err);
    }
    return rc;
}

/* A job is its folders: another tree in its journal would make the first one's files look gone. */
static int check_roots(struct task *task, struct err *err)
{
    for (size_t i = 0; i <= task->root_count && i < LIMIT_ROOTS; i++) {
        char key[32];
        char *kept = NULL;
        root_key(i, key);
        int rc = journal_get_meta(task->journal, key, &kept, err);
        if (rc)
            return rc;
        const char *now = i < task->root_count ? task->roots[i] : NULL;
        int is_same = kept && now ? !strcmp(kept, now) : !kept && !now;
        if (!is_same)
            rc =
                err_set(err, ERR_JOURNAL,
                        "journal %s is another job's: it was begun for %s, not for %s; give "
                        "another --journal FILE",
                        task->journal_path, kept ? kept : "fewer paths", now ? now : "fewer paths");
        free(kept);
        if (rc)
            return rc;
    }
    return 0;
}

int task_walk_again(struct task *task, struct err *err)
{
    int rc = 0;
    task->roots = calloc(LIMIT_ROOTS, sizeof *task->roots);
    if (!task->roots)
        return err_set(err, ERR_NOMEM, "no memory for the paths");
    for (; task->root_count < LIMIT_ROOTS; task->root_count++) {
        char key[32];
        root_key(task->root_count, key);
        rc = journal_get_meta(task->journal, key, &task->roots[task->root_count], err);
        if (rc || !task->roots[task->root_count])
            break;
    }
    task->options.walk.roots = (const char *const *)task->roots;
    task->options.walk.root_count = task->root_count;
    return rc ? rc : check_manifest(task, err);
}

int task_restore_walk(struct task *task, struct err *err)
{
    struct journal_books books;
    int rc = journal_read_books(task->journal, &books, err);
    return rc || books.walk_complete ? rc : task_walk_again(task, err);
}

static int keep_settings(struct task *task, struct err *err)
{
    char *begun = NULL;
    int rc = journal_get_meta(task->journal, "job.begun", &begun, err);
    struct keeping keeping = {.journal = task->journal, .is_new = !begun, .err = err};
    if (!rc && begun && task->root_count)
        rc = check_roots(task, err);
    if (!rc)
        rc = settings_each_job_value(task->settings, keep_value, &keeping);
    if (!rc && !begun)
        rc = keep_roots(task, err);
    char now[CLOCK_TEXT_MAX];
    if (!rc && !begun)
        rc = journal_set_meta(task->journal, "job.begun", clock_format(clock_wall_ms(), now), err);
    free(begun);
    return rc;
}

struct taking {
    struct settings *settings;
    struct journal *journal;
    struct err *err;
};

static int take_value(const char *key, const char *value, void *user)
{
    (void)value;
    struct taking *taking = user;
    struct buf name;
    char *kept = NULL;
    buf_init(&name, LIMIT_PATH_BYTES);
    int rc = buf_printf(&name, "option.%s", key);
    if (!rc)
        rc = journal_get_meta(taking->journal, buf_str(&name), &kept, taking->err);
    if (!rc && kept)
        rc = settings_set_job_value(taking->settings, key, kept, taking->err);
    free(kept);
    buf_release(&name);
    return rc;
}

static int take_overrides(struct taking *taking)
{
    int rc = 0;
    const char *field;
    for (size_t n = 0; !rc && (field = wire_profile_field(n)); n++) {
        char key[128];
        snprintf(key, sizeof key, "wire.%s", field);
        rc = take_value(key, NULL, taking);
    }
    return rc;
}

/* A journal says where the credentials and which files go: only our own may. */
static int refuse_strangers(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st)) /* opening it says what is wrong */
        return 0;
    if (st.st_uid == geteuid() && !(st.st_mode & 022))
        return 0;
    return err_set(err, ERR_JOURNAL,
                   "journal %s belongs to somebody else, or others can write to it; a journal "
                   "decides where your credentials and files go",
                   path);
}

int task_load_job(struct settings *settings, const char *journal_path, struct err *err)
{
    struct taking taking = {.settings = settings, .err = err};
    int rc = refuse_strangers(journal_path, err);
    if (rc)
        return rc;
    rc = journal_open(journal_path, JOURNAL_READ, NULL, NULL, &taking.journal, err);
    if (rc)
        return rc;
    rc = settings_each_job_value(settings, take_value, &taking);
    if (!rc)
        rc = take_overrides(&taking);
    journal_close(taking.journal);
    if (!rc)
        rc = config_load(settings, err);
    return rc ? rc : settings_finish(settings, err);
}

/* An upload that was killed at once: what it was to do is nowhere. */
static int refuse_unbegun(struct task *task, struct err *err)
{
    char *begun = NULL;
    int rc = journal_get_meta(task->journal, "job.begun", &begun, err);
    if (!rc && !begun)
        rc = err_set(err, ERR_USAGE,
                     "journal %s: its upload was ended before it began; run the same 'pxload "
                     "upload PATH...' again",
                     task->journal_path);
    free(begun);
    return rc;
}

int task_load_credentials(struct task *task, struct err *err)
{
    int rc = credentials_load(task->settings, &task->credentials, err);
    if (rc)
        return rc;
    task->options.credentials = (struct job_credentials){
        .client_id = task->credentials.client_id,
        .client_secret = task->credentials.client_secret,
        .token = task->credentials.token,
    };
    return 0;
}

int task_open(struct task *task, enum journal_mode mode, const struct job_observer *observer,
              struct err *err)
{
    int rc = job_new(&task->options, observer, &task->job, err);
    if (!rc)
        rc = journal_open(task->journal_path, mode, job_wake, task->job, &task->journal, err);
    if (!rc && mode == JOURNAL_OPEN)
        rc = refuse_unbegun(task, err);
    if (!rc)
        rc = keep_settings(task, err);
    return rc;
}
