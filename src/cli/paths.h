/*
 * paths.h - where pxload keeps things, by the XDG base directory rules: a relative XDG variable
 * is ignored. Strings that come out are malloc'ed. Any thread.
 */
#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include <stddef.h>

#include "base/err.h"

enum paths_folder {
    PATHS_CONFIG, /* $XDG_CONFIG_HOME/pxload */
    PATHS_JOBS,   /* $XDG_STATE_HOME/pxload/jobs: the journals */
    PATHS_CACHE,  /* $XDG_CACHE_HOME/pxload: tokens */
};

/* The path alone; nothing is made. 0, -ERR_CONFIG without any home, -ERR_NOMEM. */
int paths_folder(enum paths_folder folder, char **out, struct err *err) WARN_UNUSED;
/* Likewise, and makes it with what is missing above it, mode 0700. Also -ERR_IO. */
int paths_make_folder(enum paths_folder folder, char **out, struct err *err) WARN_UNUSED;
/* The config file, which may not exist. */
int paths_config_file(char **out, struct err *err) WARN_UNUSED;

/*
 * The absolute path of a source without symlinks in it, so that a command means the same job
 * from every folder. -ERR_SOURCE_VANISHED, -ERR_SOURCE_UNREADABLE, -ERR_NOMEM.
 */
int paths_absolute(const char *path, char **out, struct err *err) WARN_UNUSED;

/*
 * The journal of a job by what it is, so that the same command finds it again:
 * JOBS/<last component of the first root>-<hash of all roots in order and the base URL>.journal.
 * Makes the folder.
 */
int paths_journal(const char *const *abs_roots, size_t root_count, const char *base_url, char **out,
                  struct err *err) WARN_UNUSED;

#endif
