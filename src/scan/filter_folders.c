/*
 * filter_folders.c - see filter_folders.h. Called on the thread that builds a filter.
 *
 * rclone's way: cut the pattern at its last slash or double star again and again. To reach
 * "/a/b*" + "/c.jpg" takes "/a/b*" + "/" and "/a/"; a double star stays, with a slash behind it.
 */
#include "scan/filter_folders.h"

#include <stdlib.h>
#include <string.h>

/*
 * Braces that hold a slash or "**", and regular expressions, cannot be cut. Neither can what is
 * not anchored: "a/b.jpg" matches "x/y/a/b.jpg" too, so "x/" must be opened (here rclone opens
 * "a/" alone and misses the file, against its own manual).
 */
static int cannot_be_cut(const char *pattern)
{
    if (*pattern != '/' || strstr(pattern, "{{"))
        return 1;
    for (const char *open = strchr(pattern, '{'); open; open = strchr(open + 1, '{')) {
        size_t len = strcspn(open, "}");
        if (memchr(open, '/', len) || memmem(open, len, "**", 2))
            return 1;
    }
    return 0;
}

void filter_folders_init(struct filter_folders *folders, const char *pattern)
{
    size_t len = strlen(pattern);
    *folders = (struct filter_folders){
        .pattern = strdup(pattern),
        .folder = malloc(len + sizeof "**/"),
        .any = cannot_be_cut(pattern),
    };
}

void filter_folders_release(struct filter_folders *folders)
{
    free(folders->pattern);
    free(folders->folder);
    *folders = (struct filter_folders){.done = 1};
}

/* Cuts at the last "/" or "**"; returns what stood there, NULL where there is none. */
static const char *cut(char *pattern)
{
    for (size_t at = strlen(pattern); at-- > 0;) {
        int stars = pattern[at] == '*' && pattern[at + 1] == '*';
        if (pattern[at] != '/' && !stars)
            continue;
        while (!stars && at > 0 && pattern[at - 1] == '/')
            at--; /* several slashes count as one */
        pattern[at] = '\0';
        return stars ? "**" : "";
    }
    return NULL;
}

const char *filter_folders_next(struct filter_folders *folders)
{
    if (folders->done)
        return NULL;
    const char *what = NULL;
    if (folders->pattern && folders->folder && !folders->any)
        what = cut(folders->pattern);
    if (!what) {
        folders->done = 1;
        return folders->given ? NULL : "/**";
    }
    folders->given = 1;
    char *end = stpcpy(folders->folder, folders->pattern);
    end = stpcpy(end, what);
    stpcpy(end, "/");
    /* "/" alone is the root, which is opened anyway. */
    return strcmp(folders->folder, "/") == 0 ? filter_folders_next(folders) : folders->folder;
}
