/* walk_folder.c - see walk_folder.h. Called by walk.c on the walker's thread. */
#include "scan/walk_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names of one folder; name_at is 32 bits wide. About 40 million files of 25 letters. */
#define NAMES_MAX ((size_t)1024 * 1024 * 1024)

static int make_room(struct walk_folder *folder, size_t name_size)
{
    if (folder->names_cap - folder->names_len < name_size) {
        size_t cap = folder->names_cap ? folder->names_cap * 2 : 4096;
        while (cap - folder->names_len < name_size)
            cap *= 2;
        char *names = cap > NAMES_MAX ? NULL : realloc(folder->names, cap);
        if (!names)
            return -ERR_NOMEM;
        folder->names = names;
        folder->names_cap = cap;
    }
    if (folder->count == folder->cap) {
        size_t cap = folder->cap ? folder->cap * 2 : 128;
        struct walk_child *list = realloc(folder->list, cap * sizeof *list);
        if (!list)
            return -ERR_NOMEM;
        folder->list = list;
        folder->cap = cap;
    }
    return 0;
}

static int add_child(struct walk_folder *folder, const struct dirent64 *entry)
{
    const char *name = entry->d_name;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
        return 0;
    size_t size = strlen(name) + 1;
    int rc = make_room(folder, size);
    if (rc)
        return rc;
    folder->list[folder->count++] =
        (struct walk_child){.name_at = (uint32_t)folder->names_len, .type = entry->d_type};
    memcpy(folder->names + folder->names_len, name, size);
    folder->names_len += size;
    return 0;
}

static int compare_children(const void *a, const void *b, void *names)
{
    const char *base = names;
    const struct walk_child *left = a;
    const struct walk_child *right = b;
    return strcmp(base + left->name_at, base + right->name_at);
}

static int read_children(struct walk_folder *folder, int fd, char *scratch, struct err *err)
{
    for (;;) {
        ssize_t got = getdents64(fd, scratch, WALK_FOLDER_SCRATCH);
        if (got == 0 || (got < 0 && errno == ENOENT))
            return 0;
        if (got < 0) {
            int os_errno = errno;
            enum err_code code = os_errno == EACCES ? ERR_SOURCE_UNREADABLE : ERR_IO;
            return err_set_errno(err, code, os_errno, "cannot read all of the folder");
        }
        for (ssize_t at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)(scratch + at);
            if (add_child(folder, entry))
                return err_set(err, ERR_NOMEM, "no memory for a folder of more than %zu entries",
                               folder->count);
            at += entry->d_reclen;
        }
    }
}

int walk_folder_read(struct walk_folder *folder, int fd, void *scratch, struct err *err)
{
    *folder = (struct walk_folder){0};
    int rc = read_children(folder, fd, scratch, err);
    if (folder->count)
        qsort_r(folder->list, folder->count, sizeof *folder->list, compare_children, folder->names);
    return rc;
}

void walk_folder_release(struct walk_folder *folder)
{
    free(folder->names);
    free(folder->list);
    *folder = (struct walk_folder){0};
}

const char *walk_folder_name(const struct walk_folder *folder, size_t idx)
{
    return folder->names + folder->list[idx].name_at;
}
