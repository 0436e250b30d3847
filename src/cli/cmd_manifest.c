/* cmd_manifest.c - `pxload manifest`: the tree's files as a manifest to fill in. Main thread. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/credentials.h"
#include "cli/exit.h"
#include "cli/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct writing {
    const struct task *task;
    FILE *out;
    struct stat st; /* of out, which may lie in the tree itself */
    char **attributes;
    size_t attribute_count;
    struct buf path;
    struct buf name;
    int64_t unwritable; /* files that no row can speak of */
    int64_t issues;
};

/* 0 and *out in NFC; 1: that is no UTF-8; negative: no memory. */
static int make_key(const char *raw, struct buf *out)
{
    struct err error = ERR_INIT;
    int rc = manifest_key(raw, out, &error);
    return rc == -ERR_NAME_INVALID ? 1 : rc;
}

static int write_file(struct writing *writing, const struct walk_entry *entry)
{
    const struct walk_options *walk = &writing->task->options.walk;
    const char *root = walk->roots[entry->root_idx];
    const char *root_name = strrchr(root, '/') ? strrchr(root, '/') + 1 : root;
    const char *raw = *entry->path ? entry->path : root_name;
    const char *slash = strrchr(raw, '/');
    if (entry->stamp.dev == (uint64_t)writing->st.st_dev &&
        entry->stamp.ino == (uint64_t)writing->st.st_ino)
        return 0;
    int no_name = make_key(slash ? slash + 1 : raw, &writing->name);
    int no_path = make_key(raw, &writing->path);
    if (no_name < 0 || no_path < 0)
        return -ERR_NOMEM;
    writing->unwritable += no_name;
    if (no_name)
        return 0;
    /* Of several trees only the whole path says which file is meant. */
    char *whole = NULL;
    if (!no_path && walk->root_count > 1 &&
        asprintf(&whole, *entry->path ? "%s/%s" : "%s", root, buf_str(&writing->path)) < 0)
        return -ERR_NOMEM;
    manifest_write_row(writing->out, no_path ? NULL : (whole ? whole : buf_str(&writing->path)),
                       buf_str(&writing->name), writing->attribute_count);
    free(whole);
    return ferror(writing->out) ? -ERR_IO : 0;
}

static int on_entry(const struct walk_entry *entry, void *user)
{
    struct writing *writing = user;
    if (entry->kind == WALK_ISSUE) {
        log_warning("%s: %s", entry->path, entry->error->text);
        writing->issues++;
    }
    return entry->kind == WALK_FILE ? write_file(writing, entry) : 0;
}

/* The tenant's attributes, if it can be asked; without them a person writes the columns. */
static void find_attributes(struct writing *writing, struct task *task)
{
    struct err error = ERR_INIT;
    int rc = credentials_load(task->settings, &task->credentials, &error);
    task->options.credentials = (struct job_credentials){
        .client_id = task->credentials.client_id,
        .client_secret = task->credentials.client_secret,
        .token = task->credentials.token,
    };
    if (!rc)
        rc = job_attribute_names(&task->options, &writing->attributes, &writing->attribute_count,
                                 &error);
    if (rc)
        log_notice("no columns for attributes, as PXM could not be asked for them: %s", error.text);
}

/* A manifest that somebody has filled in is hours of work: nothing is overwritten. */
static int open_output(struct writing *writing, const char *path, struct err *err)
{
    writing->out = strcmp(path, "-") ? fopen(path, "wxe") : stdout;
    if (!writing->out && errno == EEXIST)
        return err_set(err, ERR_USAGE, "%s exists and is not overwritten; give another name", path);
    if (!writing->out || fstat(fileno(writing->out), &writing->st))
        return err_set_errno(err, ERR_USAGE, errno, "cannot write %s", path);
    return 0;
}

static int write_all(struct writing *writing, struct err *err)
{
    const struct task *task = writing->task;
    manifest_write_header(writing->out, (const char *const *)writing->attributes,
                          writing->attribute_count);
    int rc = walk_run(&task->options.walk, on_entry, writing, err);
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for a path");
    if (rc == -ERR_IO || (!rc && fflush(writing->out)))
        rc = err_set_errno(err, ERR_IO, errno, "cannot write the manifest");
    return rc;
}

static int say_end(const struct writing *writing, int rc, const struct err *error)
{
    if (rc) {
        log_error("%s", error->text);
        return (int)exit_of_error(error->code);
    }
    if (writing->unwritable)
        log_warning("%lld files have names that are no UTF-8; no row can speak of them",
                    (long long)writing->unwritable);
    return writing->issues ? EXIT_IS_SOURCE : EXIT_IS_OK;
}

int cmd_manifest(struct settings *settings)
{
    struct task task;
    struct err error = ERR_INIT;
    struct writing writing = {.task = &task};
    buf_init(&writing.path, 3 * LIMIT_PATH_BYTES);
    buf_init(&writing.name, 3 * LIMIT_PATH_BYTES);
    int rc = task_init(&task, settings, &error);
    if (!rc)
        rc = open_output(&writing, settings->output, &error);
    if (!rc) {
        find_attributes(&writing, &task);
        rc = write_all(&writing, &error);
    }
    if (writing.out && writing.out != stdout && fclose(writing.out) && !rc)
        rc = err_set_errno(&error, ERR_IO, errno, "cannot write %s", settings->output);
    for (size_t i = 0; i < writing.attribute_count; i++)
        free(writing.attributes[i]);
    free(writing.attributes);
    buf_release(&writing.path);
    buf_release(&writing.name);
    task_release(&task);
    return say_end(&writing, rc, &error);
}
