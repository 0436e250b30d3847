/*
 * test_scan_tree.h - trees of files to test with, under one new folder in TMPDIR.
 */
#ifndef TEST_SCAN_TREE_H
#define TEST_SCAN_TREE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct tree {
    char root[256];
};

static inline void tree_make(struct tree *tree)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(tree->root, sizeof tree->root, "%s/scan-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(tree->root));
    assert_int_equal(chmod(tree->root, 0755), 0);
}

/* rm -rf goes as deep as the walker does. */
static inline void tree_remove(const struct tree *tree)
{
    char command[1024];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s' 2>/dev/null; rm -rf -- '%s'", tree->root,
             tree->root);
    assert_int_equal(system(command), 0);
}

/* root/path into a static buffer; valid until the next call. */
static inline const char *tree_path(const struct tree *tree, const char *path)
{
    static char joined[4096];
    int len = snprintf(joined, sizeof joined, "%s/%s", tree->root, path);
    assert_true(len > 0 && (size_t)len < sizeof joined);
    return joined;
}

/* Makes the folders of path that are missing; path names a file, or a folder with its slash. */
static inline void tree_parents(const struct tree *tree, const char *path)
{
    char part[4096];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(tree_path(tree, part), 0755);
    }
}

static inline void tree_bytes(const struct tree *tree, const char *path, const void *bytes,
                              size_t len)
{
    tree_parents(tree, path);
    int fd = open(tree_path(tree, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

static inline void tree_file(const struct tree *tree, const char *path)
{
    tree_bytes(tree, path, path, strlen(path));
}

static inline void tree_link(const struct tree *tree, const char *target, const char *path)
{
    tree_parents(tree, path);
    assert_int_equal(symlink(target, tree_path(tree, path)), 0);
}

/*
 * A chain of folders below root, each named name; every one from the top also holds the file
 * leaf (NULL: none). Returns the descriptor of the last folder.
 */
static inline int tree_chain(const struct tree *tree, const char *name, size_t levels,
                             const char *leaf)
{
    int at = open(tree->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < levels; i++) {
        assert_int_equal(mkdirat(at, name, 0755), 0);
        int next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(at);
        at = next;
        if (!leaf)
            continue;
        int fd = openat(at, leaf, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        close(fd);
    }
    return at;
}

#endif
