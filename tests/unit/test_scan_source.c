/* Opening and reading source files: links, odd files, changes, paths beyond PATH_MAX. */
#include "test_scan_tree.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "scan/scan.h"

static struct source *open_ok(const struct tree *tree, const char *path, int copy_links)
{
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    if (source_open(tree->root, path, copy_links, &source, &stamp, &err))
        fail_msg("%s: %s", path, err.text);
    return source;
}

static void refuse(const char *root, const char *path, int copy_links, enum err_code code)
{
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    int rc = source_open(root, path, copy_links, &source, &stamp, &err);
    if (rc != -(int)code)
        fail_msg("%s: %s, not %s", path, err_name((enum err_code) - rc), err_name(code));
    assert_null(source);
}

static void a_file_is_opened_and_read(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a/b/file");
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    assert_int_equal(source_open(tree.root, "a/b/file", 0, &source, &stamp, &err), 0);
    struct stat st;
    assert_int_equal(stat(tree_path(&tree, "a/b/file"), &st), 0);
    assert_int_equal(stamp.ino, st.st_ino);
    assert_int_equal(stamp.dev, st.st_dev);
    assert_int_equal(stamp.size_bytes, 8);
    char got[8];
    assert_int_equal(source_read(source, got, 8, 0, &err), 0);
    assert_memory_equal(got, "a/b/file", 8);
    assert_int_equal(source_read(source, got, 4, 4, &err), 0);
    assert_memory_equal(got, "file", 4);
    assert_int_equal(source_read(source, got, 0, 8, &err), 0);
    assert_int_equal(source_read(source, got, 5, 4, &err), -ERR_SOURCE_CHANGED);
    assert_int_equal(source_read(source, got, 1, 100, &err), -ERR_SOURCE_CHANGED);
    assert_int_equal(source_check(source, &err), 0);
    source_close(source);
    source_close(NULL);
    tree_remove(&tree);
}

static void the_root_may_be_the_file(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "file");
    char root[512];
    snprintf(root, sizeof root, "%s/file", tree.root);
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    assert_int_equal(source_open(root, "", 0, &source, &stamp, &err), 0);
    source_close(source);
    refuse(root, "below", 0, ERR_SOURCE_VANISHED);
    refuse(tree.root, "", 0, ERR_SOURCE_UNREADABLE);
    tree_remove(&tree);
}

static void links_are_followed_only_when_asked_for(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "dir/file");
    tree_link(&tree, "dir/file", "link");
    tree_link(&tree, "dir", "dirlink");
    tree_link(&tree, "/etc/passwd", "outside");
    refuse(tree.root, "link", 0, ERR_SOURCE_UNREADABLE);
    refuse(tree.root, "dirlink/file", 0, ERR_SOURCE_UNREADABLE);
    refuse(tree.root, "outside", 0, ERR_SOURCE_UNREADABLE);
    source_close(open_ok(&tree, "link", 1));
    source_close(open_ok(&tree, "dirlink/file", 1));
    source_close(open_ok(&tree, "outside", 1));
    tree_remove(&tree);
}

static void a_link_swapped_in_is_refused(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a/b/passwd");
    source_close(open_ok(&tree, "a/b/passwd", 0));
    assert_int_equal(unlink(tree_path(&tree, "a/b/passwd")), 0);
    assert_int_equal(rmdir(tree_path(&tree, "a/b")), 0);
    tree_link(&tree, "/etc", "a/b");
    refuse(tree.root, "a/b/passwd", 0, ERR_SOURCE_UNREADABLE);
    tree_remove(&tree);
}

static void what_is_no_regular_file_is_refused(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "dir/file");
    assert_int_equal(mkfifo(tree_path(&tree, "fifo"), 0644), 0);
    refuse(tree.root, "fifo", 0, ERR_SOURCE_UNREADABLE); /* and does not wait for a writer */
    refuse(tree.root, "dir", 0, ERR_SOURCE_UNREADABLE);
    refuse(tree.root, "missing", 0, ERR_SOURCE_VANISHED);
    refuse(tree.root, "dir/file/x", 0, ERR_SOURCE_VANISHED);
    refuse(tree.root, "missing/file", 0, ERR_SOURCE_VANISHED);
    refuse(tree.root, "../x", 0, ERR_SOURCE_UNREADABLE);
    refuse(tree.root, "dir/../dir/file", 0, ERR_SOURCE_UNREADABLE);
    refuse(tree.root, "/etc/passwd", 0, ERR_SOURCE_UNREADABLE);
    refuse("/nonexistent", "x", 0, ERR_SOURCE_VANISHED);
    char longer[5000];
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    refuse(tree.root, longer, 0, ERR_SOURCE_UNREADABLE);
    tree_remove(&tree);
}

static void paths_beyond_path_max_are_opened(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    close(tree_chain(&tree, "a-folder-of-25-characters", 1000, "leaf"));
    static char path[1000 * 26 + 8];
    char *end = path;
    for (int i = 0; i < 1000; i++)
        end = stpcpy(end, "a-folder-of-25-characters/");
    stpcpy(end, "leaf");
    source_close(open_ok(&tree, path, 0));
    source_close(open_ok(&tree, path, 1));
    stpcpy(end, "lost");
    refuse(tree.root, path, 0, ERR_SOURCE_VANISHED);
    tree_remove(&tree);
}

/* Every way a file can change under an open source, and what source_check makes of it. */
static void changes_are_noticed(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    struct err err = ERR_INIT;
    struct timespec tick = {.tv_nsec = 20000000}; /* ctime moves in steps of the kernel's clock */

    tree_file(&tree, "grows");
    struct source *source = open_ok(&tree, "grows", 0);
    tree_bytes(&tree, "grows", "longer than before", 18);
    assert_int_equal(source_check(source, &err), -ERR_SOURCE_CHANGED);
    source_close(source);

    tree_file(&tree, "same size");
    source = open_ok(&tree, "same size", 0);
    nanosleep(&tick, NULL);
    tree_bytes(&tree, "same size", "SAME SIZE", 9);
    assert_int_equal(source_check(source, &err), -ERR_SOURCE_CHANGED);
    source_close(source);

    tree_file(&tree, "status");
    source = open_ok(&tree, "status", 0);
    nanosleep(&tick, NULL);
    assert_int_equal(chmod(tree_path(&tree, "status"), 0600), 0);
    assert_int_equal(source_check(source, &err), -ERR_SOURCE_CHANGED);
    source_close(source);

    /* Unlinked or replaced, the bytes that were opened are still all there. */
    tree_file(&tree, "replaced");
    source = open_ok(&tree, "replaced", 0);
    nanosleep(&tick, NULL);
    tree_file(&tree, "by");
    char by[512];
    snprintf(by, sizeof by, "%s/by", tree.root);
    assert_int_equal(rename(by, tree_path(&tree, "replaced")), 0);
    assert_int_equal(source_check(source, &err), 0);
    char got[8];
    assert_int_equal(source_read(source, got, 8, 0, &err), 0);
    assert_memory_equal(got, "replaced", 8);
    source_close(source);
    tree_remove(&tree);
}

/* What a walk would have noted of it. */
static struct file_stamp seen(const struct tree *tree, const char *path)
{
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    assert_int_equal(source_open(tree->root, path, 1, &source, &stamp, &err), 0);
    source_close(source);
    return stamp;
}

static int slurps(struct source_root *root, const struct tree *tree, const char *path,
                  const struct file_stamp *stamp)
{
    char got[64];
    int is_whole = source_slurp(root, tree->root, path, 0, stamp, got);
    if (is_whole)
        assert_memory_equal(got, path, strlen(path)); /* tree_file's content */
    return is_whole;
}

static void a_small_file_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    struct source_root root;
    source_root_init(&root);
    struct timespec tick = {.tv_nsec = 20000000};
    tree_file(&tree, "a/b/file");
    struct file_stamp stamp = seen(&tree, "a/b/file");
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 1);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 1);
    assert_int_equal(slurps(&root, &tree, "a/../a/b/file", &stamp), 0);
    assert_int_equal(slurps(&root, &tree, "a/b", &stamp), 0);
    assert_int_equal(slurps(&root, &tree, "", &stamp), 0);

    /* The same bytes at the same place, and yet not what was seen. */
    nanosleep(&tick, NULL);
    tree_bytes(&tree, "a/b/file", "a/b/file", 8);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 0);
    stamp = seen(&tree, "a/b/file");
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 1);
    nanosleep(&tick, NULL);
    assert_int_equal(chmod(tree_path(&tree, "a/b/file"), 0600), 0);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 0);
    stamp = seen(&tree, "a/b/file");
    tree_bytes(&tree, "a/b/file", "a/b/file and more", 17);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 0);
    tree_bytes(&tree, "a/b/file", "a/b", 3);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 0);
    source_root_release(&root);
    tree_remove(&tree);
}

static void what_was_swapped_is_not_slurped(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    struct source_root root;
    source_root_init(&root);
    tree_file(&tree, "a/b/file");
    tree_file(&tree, "a/b/other");
    struct file_stamp stamp = seen(&tree, "a/b/file");
    struct file_stamp other = seen(&tree, "a/b/other");
    assert_int_equal(slurps(&root, &tree, "a/b/file", &other), 0);
    char moved[512], by[512];
    snprintf(moved, sizeof moved, "%s/moved", tree.root);
    snprintf(by, sizeof by, "%s/a/b", tree.root);
    assert_int_equal(rename(by, moved), 0);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 0);
    /* The very same file, but over a link. */
    tree_link(&tree, moved, "a/b");
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 0);
    char got[8];
    assert_int_equal(source_slurp(&root, tree.root, "a/b/file", 1, &stamp, got), 1);
    assert_int_equal(unlink(by), 0);
    assert_int_equal(rename(moved, by), 0);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 1);

    /* Another folder at the root's place is found as soon as the one that was there is left. */
    struct tree next;
    tree_make(&next);
    tree_file(&next, "a/b/file");
    stamp = seen(&next, "a/b/file");
    assert_int_equal(slurps(&root, &next, "a/b/file", &stamp), 1);
    tree_remove(&tree);
    assert_int_equal(rename(next.root, tree.root), 0);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 1);
    assert_int_equal(slurps(&root, &tree, "a/b/missing", &stamp), 0);
    assert_int_equal(mkfifo(tree_path(&tree, "fifo"), 0644), 0);
    assert_int_equal(slurps(&root, &tree, "fifo", &stamp), 0);
    assert_int_equal(slurps(&root, &tree, "a/b/file", &stamp), 1);
    source_root_release(&root);
    tree_remove(&tree);
}

static int run_all(const char *group)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_opened_and_read),
        cmocka_unit_test(the_root_may_be_the_file),
        cmocka_unit_test(links_are_followed_only_when_asked_for),
        cmocka_unit_test(a_link_swapped_in_is_refused),
        cmocka_unit_test(what_is_no_regular_file_is_refused),
        cmocka_unit_test(paths_beyond_path_max_are_opened),
        cmocka_unit_test(changes_are_noticed),
        cmocka_unit_test(a_small_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(what_was_swapped_is_not_slurped),
    };
    return cmocka_run_group_tests_name(group, tests, NULL, NULL);
}

/* Makes openat2 fail like an old kernel (ENOSYS) or a container's old filter (EPERM). */
static int bar_openat2(int os_errno)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)os_errno),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

int main(void)
{
    int failed = run_all("with openat2");
    static const int barred[] = {ENOSYS, EPERM};
    for (int i = 0; i < 2; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0)
            _exit(bar_openat2(barred[i]) ? 0 : run_all("without openat2"));
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            failed++;
    }
    return failed;
}
