/*
 * folder_walk.c - see folder_walk.h. A walk goes depth first, so each folder is asked for once,
 * when the first of its files comes.
 */
#include "pipeline/folder_walk.h"

#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES ((size_t)LIMIT_WALK_DEPTH * (LIMIT_NAME_BYTES + 1) * 3)

void folder_walk_init(struct folder_walk *walk, const struct job_options *options,
                      struct journal *journal)
{
    *walk = (struct folder_walk){.options = options, .journal = journal};
    buf_init(&walk->raw, PATH_MAX_BYTES);
    buf_init(&walk->names, PATH_MAX_BYTES);
}

void folder_walk_release(struct folder_walk *walk)
{
    buf_release(&walk->raw);
    buf_release(&walk->names);
    free(walk->levels);
    walk->levels = NULL;
}

static struct folder_level *top_of(struct folder_walk *walk)
{
    return &walk->levels[walk->depth - 1];
}

static int no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "no memory for the folders of the walk");
}

static void cut(struct buf *buf, size_t len)
{
    buf->len = len;
    if (buf->data)
        buf->data[len] = '\0';
}

static int add_level(struct folder_walk *walk, struct err *err)
{
    if (walk->depth == walk->cap) {
        size_t cap = walk->cap ? walk->cap * 2 : 32;
        struct folder_level *levels = realloc(walk->levels, cap * sizeof *levels);
        if (!levels)
            return no_memory(err);
        walk->levels = levels;
        walk->cap = cap;
    }
    walk->levels[walk->depth++] =
        (struct folder_level){.raw_len = walk->raw.len, .name_len = walk->names.len};
    return 0;
}

/* Goes down into a folder; one that can have no name in PXM becomes a level without a number. */
static int push(struct folder_walk *walk, const char *raw, size_t len, struct err *err)
{
    char name[LIMIT_NAME_BYTES + 1];
    char other[LIMIT_NAME_BYTES + 1];
    struct err why = ERR_INIT;
    int64_t parent_id = walk->depth ? top_of(walk)->id : 0;
    int is_root = !walk->depth;
    int bad = name_of_folder(raw, len, name, &why);
    if (bad == -ERR_NOMEM)
        return no_memory(err);
    int rc = 0;
    if (!is_root)
        rc = buf_printf(&walk->raw, "%s", walk->raw.len ? "/" : "");
    if (!rc && !is_root)
        rc = buf_append(&walk->raw, raw, len);
    if (!rc && !bad)
        rc = buf_printf(&walk->names, "%s%s", is_root ? "" : "/", name);
    if (rc || add_level(walk, err))
        return no_memory(err);
    if (bad)
        return 0;
    if (walk->options->map_folders == MAP_COLLECTIONS &&
        name_of_folders(buf_str(&walk->names), other, err))
        return -(int)err->code;
    struct journal_folder folder = {
        .parent_id = parent_id,
        .name = name,
        .other_title = walk->options->map_folders == MAP_COLLECTIONS ? other : NULL,
    };
    return journal_folder_id(walk->journal, &folder, &top_of(walk)->id, err);
}

/* Up to the last folder that is also one of `folder`. */
static void pop_to(struct folder_walk *walk, const char *folder, size_t len)
{
    while (walk->depth > 1) {
        size_t raw_len = top_of(walk)->raw_len;
        int is_around = raw_len <= len && !memcmp(folder, walk->raw.data, raw_len) &&
                        (raw_len == len || folder[raw_len] == '/');
        if (is_around)
            break;
        walk->depth--;
    }
    cut(&walk->raw, top_of(walk)->raw_len);
    cut(&walk->names, top_of(walk)->name_len);
}

/* The root's own folder: a root that is a file lies in the one above it. */
static int push_root(struct folder_walk *walk, size_t root_idx, const char *path, struct err *err)
{
    const char *root = walk->options->walk.roots[root_idx];
    size_t len = strlen(root);
    if (!*path)
        while (len && root[len - 1] != '/')
            len--;
    while (len && root[len - 1] == '/')
        len--;
    size_t start = len;
    while (start && root[start - 1] != '/')
        start--;
    walk->depth = 0;
    walk->root_idx = root_idx;
    cut(&walk->raw, 0);
    cut(&walk->names, 0);
    return push(walk, root + start, len - start, err);
}

static int refuse(const char *folder, size_t len, struct err *err)
{
    struct buf shown, raw;
    struct err why = ERR_INIT;
    char name[LIMIT_NAME_BYTES + 1];
    const char *slash = memrchr(folder, '/', len);
    const char *last = slash ? slash + 1 : folder;
    if (!name_of_folder(last, (size_t)(folder + len - last), name, &why))
        err_clear(&why);
    buf_init(&raw, PATH_MAX_BYTES);
    buf_init(&shown, PATH_MAX_BYTES);
    if (buf_append(&raw, folder, len) || name_printable(buf_str(&raw), &shown))
        cut(&shown, 0);
    int rc =
        err_set(err, ERR_NAME_INVALID, "its folder '%.150s' can be none in PXM: %.60s; rename it",
                buf_str(&shown), why.text);
    buf_release(&raw);
    buf_release(&shown);
    return rc;
}

int folder_walk_find(struct folder_walk *walk, size_t root_idx, const char *path, int64_t *out_id,
                     struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    int rc = 0;
    if (!walk->depth || walk->root_idx != root_idx)
        rc = push_root(walk, root_idx, path, err);
    if (rc)
        return rc;
    pop_to(walk, path, len);
    while (!rc && top_of(walk)->id && walk->raw.len < len) {
        const char *at = path + walk->raw.len + (walk->raw.len > 0);
        rc = push(walk, at, strcspn(at, "/"), err);
    }
    if (rc)
        return rc;
    *out_id = top_of(walk)->id;
    if (*out_id)
        return 0;
    const char *root = walk->options->walk.roots[root_idx];
    return walk->depth > 1 ? refuse(walk->raw.data, walk->raw.len, err)
                           : refuse(root, strlen(root), err);
}
