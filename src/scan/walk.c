/*
 * walk.c - walks trees, sorted and depth first. Called on the walker's thread; no shared state.
 *
 * A stack of levels, one an open folder, whose entries were read whole and sorted. Everything is
 * looked at relative to the folder it lies in, so paths may be of any length and a symlink that
 * is swapped in leads nowhere.
 *
 * Invariants: levels[0] is open; of the others at least the last OPEN_MAX are, as far as they can
 * be; levels[k + 1] is what levels[k].folder has at levels[k].next - 1; path holds the folders of
 * all levels, with a slash behind each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scan/filter.h"
#include "scan/fstamp.h"
#include "scan/scan.h"
#include "scan/walk_folder.h"

#define OPEN_MAX 64 /* folders of the stack that are open at once, besides the root */

#define READ_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
#define BACK_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

struct level {
    int fd; /* -1: closed for want of descriptors, or no longer found */
    uint64_t dev;
    uint64_t ino;
    size_t path_len; /* of walker.path up to and with this folder's slash */
    struct walk_folder folder;
    size_t next; /* the child to visit next */
};

struct walker {
    const struct walk_options *options;
    int (*fn)(const struct walk_entry *entry, void *user);
    void *user;
    struct err *err; /* for what ends the walk */
    size_t root_idx;
    char *path; /* of the entry under way, relative to the root */
    size_t path_cap;
    struct level *levels;
    size_t depth; /* levels in use */
    size_t level_cap;
    void *scratch;
};

/* ---- telling the caller --------------------------------------------------------------------- */

static int emit_file(struct walker *w, const struct file_stamp *stamp)
{
    struct walk_entry entry = {
        .kind = WALK_FILE, .root_idx = w->root_idx, .path = w->path, .stamp = *stamp};
    return w->fn(&entry, w->user);
}

/* stamp NULL: its size is not known, or it has none. */
static int emit_excluded(struct walker *w, const char *reason, const struct file_stamp *stamp)
{
    struct walk_entry entry = {
        .kind = WALK_EXCLUDED, .root_idx = w->root_idx, .path = w->path, .reason = reason};
    if (stamp)
        entry.stamp = *stamp;
    return w->fn(&entry, w->user);
}

static int emit_issue(struct walker *w, const struct err *issue)
{
    struct walk_entry entry = {
        .kind = WALK_ISSUE, .root_idx = w->root_idx, .path = w->path, .error = issue};
    return w->fn(&entry, w->user);
}

static int emit_errno(struct walker *w, int os_errno, const char *what)
{
    enum err_code code = ERR_IO;
    if (os_errno == EACCES || os_errno == EPERM || os_errno == ELOOP || os_errno == ENOENT)
        code = ERR_SOURCE_UNREADABLE;
    struct err issue = ERR_INIT;
    err_fill_errno(&issue, code, os_errno, "%s", what);
    return emit_issue(w, &issue);
}

static int emit_issue_text(struct walker *w, enum err_code code, const char *text)
{
    struct err issue = ERR_INIT;
    err_fill(&issue, code, "%s", text);
    return emit_issue(w, &issue);
}

/* ---- the path ------------------------------------------------------------------------------- */

static int path_reserve(struct walker *w, size_t size)
{
    if (size <= w->path_cap)
        return 0;
    char *path = realloc(w->path, size * 2);
    if (!path)
        return err_set(w->err, ERR_NOMEM, "no memory for a path of %zu bytes", size);
    w->path = path;
    w->path_cap = size * 2;
    return 0;
}

/* Puts name behind the first folder_len bytes; keeps room for the slash of a folder. */
static int path_set(struct walker *w, size_t folder_len, const char *name)
{
    size_t len = strlen(name);
    int rc = path_reserve(w, folder_len + len + 2);
    if (rc)
        return rc;
    memcpy(w->path + folder_len, name, len + 1);
    return 0;
}

/* ---- the stack ------------------------------------------------------------------------------ */

static void level_close(struct level *level)
{
    if (level->fd >= 0)
        close(level->fd);
    level->fd = -1;
}

static int is_open_above(const struct walker *w, uint64_t dev, uint64_t ino)
{
    for (size_t i = w->depth; i-- > 0;) {
        if (w->levels[i].ino == ino && w->levels[i].dev == dev)
            return 1;
    }
    return 0;
}

/*
 * Takes over fd, whose entries come next. The path ends with the folder's slash, or is empty.
 * What could not be read of it is an issue, and the walk goes on with the rest.
 */
static int push(struct walker *w, int fd, const struct file_stamp *stamp, size_t path_len)
{
    if (w->depth == w->level_cap) {
        size_t cap = w->level_cap ? w->level_cap * 2 : 16;
        struct level *levels = realloc(w->levels, cap * sizeof *levels);
        if (!levels) {
            close(fd);
            return err_set(w->err, ERR_NOMEM, "no memory for %zu folders", cap);
        }
        w->levels = levels;
        w->level_cap = cap;
    }
    struct level *level = &w->levels[w->depth++];
    *level = (struct level){.fd = fd, .dev = stamp->dev, .ino = stamp->ino, .path_len = path_len};
    if (w->depth > OPEN_MAX + 1)
        level_close(&w->levels[w->depth - 1 - OPEN_MAX]);
    struct err issue = ERR_INIT;
    if (walk_folder_read(&level->folder, fd, w->scratch, &issue) == 0)
        return 0;
    w->path[path_len ? path_len - 1 : 0] = '\0';
    return emit_issue(w, &issue);
}

/* Whether fd is still the folder that the level was; closes it if not. */
static int accept_reopened(struct level *level, int fd)
{
    struct file_stamp stamp;
    mode_t mode;
    if (fd < 0)
        return 0;
    if (fstamp_at(fd, "", 0, &stamp, &mode) == 0 && stamp.dev == level->dev &&
        stamp.ino == level->ino) {
        level->fd = fd;
        return 1;
    }
    close(fd);
    return 0;
}

/*
 * Opens again what was closed for want of descriptors: through the child's "..", or, where that
 * leads elsewhere (a followed symlink, a moved folder), down from the nearest open level.
 */
static int reopen(struct walker *w, size_t idx)
{
    struct level *level = &w->levels[idx];
    int child_fd = w->levels[idx + 1].fd;
    if (child_fd >= 0 && accept_reopened(level, openat(child_fd, "..", BACK_FLAGS)))
        return 1;
    size_t from = idx;
    while (w->levels[from].fd < 0)
        from--;
    int found = 1;
    for (size_t k = from; found && k < idx; k++) {
        const struct level *above = &w->levels[k];
        const char *name = walk_folder_name(&above->folder, above->next - 1);
        int flags = BACK_FLAGS | (w->options->copy_links ? 0 : O_NOFOLLOW);
        found = accept_reopened(&w->levels[k + 1], openat(above->fd, name, flags));
        if (k > from)
            level_close(&w->levels[k]);
    }
    return found;
}

/* Leaves the last level and makes sure that the one above it can be looked into. */
static int pop(struct walker *w)
{
    size_t last = w->depth - 1;
    int lost = last > 0 && w->levels[last - 1].fd < 0 && !reopen(w, last - 1);
    level_close(&w->levels[last]);
    walk_folder_release(&w->levels[last].folder);
    w->depth--;
    if (!lost)
        return 0;
    struct level *above = &w->levels[last - 1];
    if (above->next == above->folder.count)
        return 0; /* nothing left to do in it */
    above->next = above->folder.count;
    w->path[above->path_len - 1] = '\0';
    return emit_issue_text(w, ERR_SOURCE_CHANGED,
                           "the folder was moved while it was walked; its rest is left out");
}

/* ---- visiting ------------------------------------------------------------------------------- */

/* What is neither file nor folder, or is now something else than the folder said. */
static int visit_other(struct walker *w, mode_t mode)
{
    const char *reason = filter_refuses_file(w->options->filter, w->path);
    if (!reason)
        reason = S_ISLNK(mode) ? "symlink" : "special";
    return emit_excluded(w, reason, NULL);
}

static int visit_file(struct walker *w, int dir_fd, const char *name)
{
    const char *reason = filter_refuses_file(w->options->filter, w->path);
    struct file_stamp stamp;
    mode_t mode;
    int flags = w->options->copy_links ? 0 : AT_SYMLINK_NOFOLLOW;
    int failed = fstamp_at(dir_fd, name, flags, &stamp, &mode);
    if (reason) /* the books count its bytes, too, where they can be had */
        return emit_excluded(w, reason, failed || !S_ISREG(mode) ? NULL : &stamp);
    if (failed)
        return errno == ENOENT ? 0 : emit_errno(w, errno, "cannot look at the file");
    if (S_ISDIR(mode))
        return emit_issue_text(w, ERR_SOURCE_CHANGED, "became a folder while it was walked");
    if (!S_ISREG(mode))
        return visit_other(w, mode);
    reason = filter_refuses_stamp(w->options->filter, &stamp);
    return reason ? emit_excluded(w, reason, &stamp) : emit_file(w, &stamp);
}

/* Opens the folder at path and looks whether it closes a loop. */
static int enter(struct walker *w, int dir_fd, const char *name, size_t path_len)
{
    int fd = openat(dir_fd, name, READ_FLAGS | (w->options->copy_links ? 0 : O_NOFOLLOW));
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
        return emit_issue_text(w, ERR_SOURCE_CHANGED, "was a folder, and no longer is");
    if (fd < 0)
        return emit_errno(w, errno, "cannot open the folder");
    struct file_stamp stamp;
    mode_t mode;
    if (fstamp_at(fd, "", 0, &stamp, &mode) != 0) {
        int os_errno = errno;
        close(fd);
        return emit_errno(w, os_errno, "cannot look at the folder");
    }
    if (is_open_above(w, stamp.dev, stamp.ino)) {
        close(fd);
        return emit_excluded(w, "symlink loop", NULL);
    }
    w->path[path_len] = '/';
    w->path[path_len + 1] = '\0';
    return push(w, fd, &stamp, path_len + 1);
}

static int visit_folder(struct walker *w, int dir_fd, const char *name)
{
    size_t len = strlen(w->path);
    w->path[len] = '/';
    w->path[len + 1] = '\0';
    const char *reason = filter_refuses_folder(w->options->filter, w->path);
    w->path[len] = '\0';
    int max_depth = w->options->max_depth;
    if (!reason && max_depth > 0 && w->depth >= (size_t)max_depth)
        reason = "depth";
    if (reason)
        return emit_excluded(w, reason, NULL);
    if (w->depth > LIMIT_WALK_DEPTH)
        return emit_issue_text(w, ERR_SOURCE_UNREADABLE, "too many folders within each other");
    return enter(w, dir_fd, name, len);
}

/* copy_links: what the link leads to decides. */
static int visit_link(struct walker *w, int dir_fd, const char *name)
{
    struct file_stamp stamp;
    mode_t mode;
    if (fstamp_at(dir_fd, name, 0, &stamp, &mode) == 0) {
        if (S_ISDIR(mode))
            return visit_folder(w, dir_fd, name);
        return S_ISREG(mode) ? visit_file(w, dir_fd, name) : visit_other(w, mode);
    }
    int os_errno = errno;
    if (os_errno == ENOENT && fstamp_at(dir_fd, name, AT_SYMLINK_NOFOLLOW, &stamp, &mode) != 0)
        return 0; /* the link itself is gone */
    const char *reason = filter_refuses_file(w->options->filter, w->path);
    return reason ? emit_excluded(w, reason, NULL) : emit_errno(w, os_errno, "broken symlink");
}

static int visit(struct walker *w, int dir_fd, const char *name, unsigned char type)
{
    if (type == DT_UNKNOWN) {
        struct file_stamp stamp;
        mode_t mode;
        if (fstamp_at(dir_fd, name, AT_SYMLINK_NOFOLLOW, &stamp, &mode) != 0)
            return errno == ENOENT ? 0 : emit_errno(w, errno, "cannot look at it");
        type = (unsigned char)IFTODT(mode);
    }
    switch (type) {
    case DT_REG:
        return visit_file(w, dir_fd, name);
    case DT_DIR:
        return visit_folder(w, dir_fd, name);
    case DT_LNK:
        return w->options->copy_links ? visit_link(w, dir_fd, name) : visit_other(w, S_IFLNK);
    default:
        return visit_other(w, S_IFIFO);
    }
}

static int visit_next_child(struct walker *w)
{
    struct level *level = &w->levels[w->depth - 1];
    size_t idx = level->next++;
    const char *name = walk_folder_name(&level->folder, idx);
    /* A file made anew while the folder was read can be listed twice. */
    if (idx > 0 && strcmp(name, walk_folder_name(&level->folder, idx - 1)) == 0)
        return 0;
    int rc = path_set(w, level->path_len, name);
    return rc ? rc : visit(w, level->fd, name, level->folder.list[idx].type);
}

/* ---- roots ---------------------------------------------------------------------------------- */

static int is_stopped(const struct walker *w)
{
    const int *stop = w->options->stop;
    return stop && __atomic_load_n(stop, __ATOMIC_RELAXED);
}

/* The kind and stamp of a root; *out_fd is open where it is a folder, -1 where it is a file. */
static int open_root(const char *root, struct file_stamp *stamp, int *out_fd, struct err *err)
{
    mode_t mode;
    *out_fd = -1;
    if (fstamp_at(AT_FDCWD, root, 0, stamp, &mode) != 0)
        return err_set_errno(err, ERR_SOURCE_UNREADABLE, errno, "%s", root);
    if (S_ISREG(mode))
        return 0;
    if (!S_ISDIR(mode))
        return err_set(err, ERR_SOURCE_UNREADABLE, "%s: neither a file nor a folder", root);
    *out_fd = open(root, READ_FLAGS);
    if (*out_fd < 0 || fstamp_at(*out_fd, "", 0, stamp, &mode) != 0)
        return err_set_errno(err, ERR_SOURCE_UNREADABLE, errno, "%s", root);
    return 0;
}

/* All of them before the first is walked: a mistyped one must not show after an hour. */
static int check_roots(const struct walk_options *options, struct err *err)
{
    for (size_t i = 0; i < options->root_count; i++) {
        struct file_stamp stamp;
        int fd;
        int rc = open_root(options->roots[i], &stamp, &fd, err);
        if (fd >= 0)
            close(fd);
        if (rc)
            return rc;
    }
    return 0;
}

static int walk_root(struct walker *w)
{
    struct file_stamp stamp;
    int fd;
    int rc = open_root(w->options->roots[w->root_idx], &stamp, &fd, w->err);
    if (rc == 0)
        rc = path_set(w, 0, "");
    if (rc) {
        if (fd >= 0)
            close(fd);
        return rc;
    }
    if (fd < 0) { /* named by hand: no rule, but the limits */
        const char *reason = filter_refuses_stamp(w->options->filter, &stamp);
        return reason ? emit_excluded(w, reason, &stamp) : emit_file(w, &stamp);
    }
    rc = push(w, fd, &stamp, 0);
    while (rc == 0 && w->depth > 0) {
        const struct level *level = &w->levels[w->depth - 1];
        if (is_stopped(w))
            return err_set(w->err, ERR_STOPPED, "the walk was stopped");
        rc = level->next == level->folder.count ? pop(w) : visit_next_child(w);
    }
    return rc;
}

/* A list that names what is not there is out of date, or was made elsewhere: say so. */
static int report_unmet(struct walker *w)
{
    struct err issue;
    const char *path;
    size_t at = 0;
    int rc = 0;
    while (!rc && (path = filter_next_unmet(w->options->filter, &at))) {
        err_set(&issue, ERR_SOURCE_VANISHED, "listed by --files-from, and not there");
        struct walk_entry entry = {.kind = WALK_ISSUE, .path = path, .error = &issue};
        rc = w->fn(&entry, w->user);
    }
    return rc;
}

int walk_run(const struct walk_options *options,
             int (*fn)(const struct walk_entry *entry, void *user), void *user, struct err *err)
{
    int rc = check_roots(options, err);
    if (rc)
        return rc;
    struct walker w = {.options = options, .fn = fn, .user = user, .err = err};
    w.scratch = malloc(WALK_FOLDER_SCRATCH);
    if (!w.scratch)
        return err_set(err, ERR_NOMEM, "no memory to read folders");
    for (; rc == 0 && w.root_idx < options->root_count; w.root_idx++)
        rc = walk_root(&w);
    if (!rc)
        rc = report_unmet(&w);
    for (size_t i = 0; i < w.depth; i++) {
        level_close(&w.levels[i]);
        walk_folder_release(&w.levels[i].folder);
    }
    free(w.levels);
    free(w.path);
    free(w.scratch);
    return rc;
}
