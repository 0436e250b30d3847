/*
 * filter.c - which files of a tree are taken, by rclone's rules. Built by the command line, asked
 * by walk.c; one thread at a time.
 *
 * As in rclone there are two lists: rules that files are asked against, and rules that say which
 * folders can be skipped unopened. To include "/a/x.jpg", "/a/" must be opened, so that include
 * adds rules to the second list; an exclude of "b/" stands in both. In each the first match wins.
 */
#include "scan/filter.h"

#include <stdlib.h>
#include <string.h>

#include "scan/filter_file.h"
#include "scan/filter_folders.h"
#include "scan/glob.h"
#include "scan/junk.h"

#define RULES_MAX       100000
#define FILES_BYTES_MAX ((size_t)2 * 1024 * 1024 * 1024)
#define PATTERN_MAX     4096

static const char reason_filter[] = "filter";
static const char reason_junk[] = "junk";

struct rule {
    struct glob *glob;
    int include;
    int implied; /* follows from a file rule: opens folders, says nothing about junk */
};

struct rules {
    struct rule *list;
    size_t count;
    size_t cap;
};

struct filter {
    struct rules files;
    struct rules folders;
    int only_included; /* what matches no rule is left out */
    struct filter_limits limits;
    /* --files-from: the paths, NUL-terminated one behind the other, and their sorted offsets */
    int has_paths;
    struct buf paths;
    size_t *path_at;
    size_t path_count;
    size_t path_cap;
    unsigned char *met; /* a listed path was found by the walk; by index of path_at */
};

/* ---- rules ---------------------------------------------------------------------------------- */

static void rules_clear(struct rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        glob_free(rules->list[i].glob);
    free(rules->list);
    *rules = (struct rules){0};
}

static int rules_add(struct rules *rules, const char *pattern, int include, int implied,
                     struct err *err)
{
    if (rules->count == RULES_MAX)
        return err_set(err, ERR_USAGE, "more than %d filter rules", RULES_MAX);
    if (rules->count == rules->cap) {
        size_t cap = rules->cap ? rules->cap * 2 : 16;
        struct rule *list = realloc(rules->list, cap * sizeof *list);
        if (!list)
            return err_set(err, ERR_NOMEM, "no memory for filter rules");
        rules->list = list;
        rules->cap = cap;
    }
    struct glob *glob = glob_new(pattern, err);
    if (!glob)
        return err ? -(int)err->code : -ERR_USAGE;
    rules->list[rules->count++] = (struct rule){glob, include, implied};
    return 0;
}

/* The folder rules that an include, or an exclude of everything, brings with it. */
static int add_implied_folders(struct filter *filter, const char *pattern, int include,
                               struct err *err)
{
    struct filter_folders folders;
    filter_folders_init(&folders, pattern);
    const char *folder;
    int rc = 0;
    while (rc == 0 && (folder = filter_folders_next(&folders)))
        rc = rules_add(&filter->folders, folder, include, 1, err);
    filter_folders_release(&folders);
    return rc;
}

static int add(struct filter *filter, const char *pattern, int include, struct err *err)
{
    size_t len = strlen(pattern);
    if (len == 0 || len > PATTERN_MAX)
        return err_set(err, ERR_USAGE, "a filter pattern must have 1 to %d bytes", PATTERN_MAX);
    int for_folders = pattern[len - 1] == '/';
    int for_files = !for_folders;
    char whole[PATTERN_MAX + 3];
    memcpy(whole, pattern, len + 1);
    if (for_folders && !include)
        memcpy(whole + len, "**", 3); /* excluding a folder excludes what is in it */
    if (strstr(whole, "**"))
        for_folders = for_files = 1;
    int rc = 0;
    if (for_files)
        rc = rules_add(&filter->files, whole, include, 0, err);
    if (rc == 0 && for_folders)
        rc = rules_add(&filter->folders, whole, include, 0, err);
    if (rc == 0 && for_files && (include || strcmp(whole, "*") == 0))
        rc = add_implied_folders(filter, whole, include, err);
    return rc;
}

struct filter *filter_new(void)
{
    struct filter *filter = calloc(1, sizeof *filter);
    if (!filter)
        return NULL;
    filter->limits = (struct filter_limits){-1, -1, -1, -1, 0};
    buf_init(&filter->paths, FILES_BYTES_MAX);
    return filter;
}

void filter_free(struct filter *filter)
{
    if (!filter)
        return;
    rules_clear(&filter->files);
    rules_clear(&filter->folders);
    buf_release(&filter->paths);
    free(filter->path_at);
    free(filter->met);
    free(filter);
}

int filter_include(struct filter *filter, const char *pattern, struct err *err)
{
    int rc = add(filter, pattern, 1, err);
    if (rc == 0)
        filter->only_included = 1;
    return rc;
}

int filter_exclude(struct filter *filter, const char *pattern, struct err *err)
{
    return add(filter, pattern, 0, err);
}

void filter_set_limits(struct filter *filter, const struct filter_limits *limits)
{
    filter->limits = *limits;
}

static int take_rule_line(void *user, char *line, struct err *err)
{
    struct filter *filter = user;
    if (strcmp(line, "!") == 0) {
        rules_clear(&filter->files);
        rules_clear(&filter->folders);
        filter->only_included = 0;
        return 0;
    }
    if ((line[0] != '+' && line[0] != '-') || line[1] != ' ')
        return err_set(err, ERR_USAGE, "a filter rule begins with \"+ \" or \"- \": \"%.200s\"",
                       line);
    return add(filter, line + 2, line[0] == '+', err);
}

int filter_from(struct filter *filter, const char *file, struct err *err)
{
    return filter_file_lines(file, take_rule_line, filter, err);
}

/* ---- --files-from --------------------------------------------------------------------------- */

static int take_path_line(void *user, char *line, struct err *err)
{
    struct filter *filter = user;
    while (*line == '/' || strncmp(line, "./", 2) == 0)
        line += *line == '/' ? 1 : 2;
    if (filter->path_count == filter->path_cap) {
        size_t cap = filter->path_cap ? filter->path_cap * 2 : 1024;
        size_t *path_at = realloc(filter->path_at, cap * sizeof *path_at);
        if (!path_at)
            return err_set(err, ERR_NOMEM, "no memory for the list of files");
        filter->path_at = path_at;
        filter->path_cap = cap;
    }
    size_t at = filter->paths.len;
    int rc = buf_append(&filter->paths, line, strlen(line) + 1);
    if (rc)
        return err_set(err, ERR_NOMEM, "the list of files is too long");
    filter->path_at[filter->path_count++] = at;
    return 0;
}

static int compare_paths(const void *a, const void *b, void *paths)
{
    const char *base = paths;
    return strcmp(base + *(const size_t *)a, base + *(const size_t *)b);
}

int filter_files_from(struct filter *filter, const char *file, struct err *err)
{
    filter->has_paths = 1;
    int rc = filter_file_lines(file, take_path_line, filter, err);
    free(filter->met);
    filter->met = calloc(filter->path_count + 1, 1);
    if (!rc && !filter->met)
        rc = err_set(err, ERR_NOMEM, "no memory for the list of files");
    if (filter->path_count)
        qsort_r(filter->path_at, filter->path_count, sizeof *filter->path_at, compare_paths,
                filter->paths.data);
    return rc;
}

/* The first listed path that is not below `path` in byte order; path_count at the end. */
static size_t lower_bound(const struct filter *filter, const char *path)
{
    size_t low = 0;
    size_t high = filter->path_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(filter->paths.data + filter->path_at[middle], path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int is_listed(const struct filter *filter, const char *path)
{
    size_t at = lower_bound(filter, path);
    int is_met = at < filter->path_count && !strcmp(filter->paths.data + filter->path_at[at], path);
    if (is_met)
        filter->met[at] = 1;
    return is_met;
}

static int has_listed_below(const struct filter *filter, const char *folder)
{
    size_t at = lower_bound(filter, folder);
    return at < filter->path_count &&
           !strncmp(filter->paths.data + filter->path_at[at], folder, strlen(folder));
}

const char *filter_next_unmet(const struct filter *filter, size_t *at)
{
    for (; filter && *at < filter->path_count; ++*at) {
        const char *path = filter->paths.data + filter->path_at[*at];
        int is_again = *at && !strcmp(path, filter->paths.data + filter->path_at[*at - 1]);
        if (!filter->met[*at] && !is_again) {
            ++*at;
            return path;
        }
    }
    return NULL;
}

/* ---- asking --------------------------------------------------------------------------------- */

static const char *refuses(const struct filter *filter, const struct rules *rules, const char *path)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (glob_match(rules->list[i].glob, path))
            return rules->list[i].include ? NULL : reason_filter;
    }
    return filter->only_included ? reason_filter : NULL;
}

/*
 * An include takes junk only where it means it: "*.jpg" does not mean "._a.jpg", for it would
 * take "a.jpg" just as well, but "._*" and "*.tmp" do. plain: path without the junk's mark.
 */
static const char *refuses_junk(const struct rules *rules, const char *path, const char *plain)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->list[i];
        if (rule->implied || !glob_match(rule->glob, path))
            continue;
        if (!rule->include)
            return reason_filter;
        if (!glob_match(rule->glob, plain))
            return NULL;
    }
    return reason_junk;
}

static const char *refuses_any(const struct filter *filter, const struct rules *rules,
                               const char *path)
{
    if (!junk_is(path))
        return refuses(filter, rules, path);
    if (rules->count == 0)
        return reason_junk;
    struct buf plain;
    buf_init(&plain, strlen(path) + 2);
    const char *reason = reason_junk;
    if (junk_unmarked(path, &plain) == 0)
        reason = refuses_junk(rules, path, buf_str(&plain));
    buf_release(&plain);
    return reason;
}

const char *filter_refuses_file(const struct filter *filter, const char *path)
{
    if (!filter)
        return junk_is(path) ? reason_junk : NULL;
    if (filter->has_paths)
        return is_listed(filter, path) ? NULL : reason_filter;
    return refuses_any(filter, &filter->files, path);
}

const char *filter_refuses_folder(const struct filter *filter, const char *path)
{
    if (!filter)
        return junk_is(path) ? reason_junk : NULL;
    if (filter->has_paths)
        return has_listed_below(filter, path) ? NULL : reason_filter;
    return refuses_any(filter, &filter->folders, path);
}

const char *filter_refuses_stamp(const struct filter *filter, const struct file_stamp *stamp)
{
    if (!filter)
        return NULL;
    const struct filter_limits *limits = &filter->limits;
    if ((limits->min_size_bytes >= 0 && stamp->size_bytes < limits->min_size_bytes) ||
        (limits->max_size_bytes >= 0 && stamp->size_bytes > limits->max_size_bytes))
        return "size";
    int64_t age_ms = limits->now_wall_ms - stamp->mtime_ns / 1000000;
    if ((limits->min_age_ms >= 0 && age_ms < limits->min_age_ms) ||
        (limits->max_age_ms >= 0 && age_ms > limits->max_age_ms))
        return "age";
    return NULL;
}
