/* The walker on trees as they come: deep, looping, unreadable, changing under its feet. */
#include "test_scan_tree.h"

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "scan/scan.h"

/* What a walk told, one line an entry: "F path", "X path (reason)", "I path (code)". */
struct told {
    struct buf lines;
    size_t files;
    size_t issues;
    size_t excluded;
    size_t most_fds;
    size_t longest;
    void (*hook)(const struct walk_entry *entry, void *user);
    void *user;
    int end_with;
};

static void told_init(struct told *told)
{
    memset(told, 0, sizeof *told);
    buf_init(&told->lines, (size_t)1 << 30);
}

static size_t open_fds(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count;
}

static int tell(const struct walk_entry *entry, void *user)
{
    struct told *told = user;
    size_t len = strlen(entry->path);
    if (len > told->longest) {
        told->longest = len;
        size_t fds = len > 100 ? open_fds() : 0;
        told->most_fds = fds > told->most_fds ? fds : told->most_fds;
    }
    switch (entry->kind) {
    case WALK_FILE:
        told->files++;
        assert_int_equal(buf_printf(&told->lines, "F %.60s\n", entry->path), 0);
        break;
    case WALK_EXCLUDED:
        told->excluded++;
        assert_int_equal(buf_printf(&told->lines, "X %.60s (%s)\n", entry->path, entry->reason), 0);
        break;
    case WALK_ISSUE:
        told->issues++;
        assert_int_equal(
            buf_printf(&told->lines, "I %.60s (%s)\n", entry->path, err_name(entry->error->code)),
            0);
        break;
    }
    if (told->hook)
        told->hook(entry, told->user);
    return told->end_with;
}

static int run(const struct tree *tree, struct walk_options *options, struct told *told)
{
    const char *roots[] = {tree->root};
    options->roots = roots;
    options->root_count = 1;
    struct err err = ERR_INIT;
    return walk_run(options, tell, told, &err);
}

static void expect(const struct tree *tree, struct walk_options options, const char *lines)
{
    struct told told;
    told_init(&told);
    assert_int_equal(run(tree, &options, &told), 0);
    assert_string_equal(buf_str(&told.lines), lines);
    buf_release(&told.lines);
}

static const struct walk_options plain = {.max_depth = -1};
static const struct walk_options links = {.max_depth = -1, .copy_links = 1};

static void walk_is_sorted_by_bytes_and_depth_first(void **state)
{
    (void)state;
    static const char *const forward[] = {"a/z.jpg", "a/b/c.jpg", "a.jpg",
                                          "B.jpg",   "a-b/x",     "\xc3\xa4"};
    static const char *const expected = "F B.jpg\nF a/b/c.jpg\nF a/z.jpg\nF a-b/x\nF a.jpg\n"
                                        "F \xc3\xa4\n";
    for (int reversed = 0; reversed < 2; reversed++) {
        struct tree tree;
        tree_make(&tree);
        for (size_t i = 0; i < 6; i++)
            tree_file(&tree, forward[reversed ? 5 - i : i]);
        expect(&tree, plain, expected);
        tree_remove(&tree);
    }
}

static void many_entries_come_sorted(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    struct buf expected;
    buf_init(&expected, 1 << 20);
    for (int i = 0; i < 5000; i++) {
        char name[32];
        snprintf(name, sizeof name, "%05d", (i * 7919) % 5000);
        tree_file(&tree, name);
        assert_int_equal(buf_printf(&expected, "F %05d\n", i), 0);
    }
    expect(&tree, plain, buf_str(&expected));
    buf_release(&expected);
    tree_remove(&tree);
}

static void junk_links_and_special_files_are_excluded(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a.jpg");
    tree_file(&tree, ".DS_Store");
    tree_file(&tree, "._a.jpg");
    tree_file(&tree, ".git/config");
    tree_link(&tree, "a.jpg", "l.jpg");
    assert_int_equal(mkfifo(tree_path(&tree, "fifo"), 0644), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = tree_path(&tree, "socket");
    assert_true(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    expect(&tree, plain,
           "X .DS_Store (junk)\nX ._a.jpg (junk)\nX .git (junk)\nF a.jpg\nX fifo (special)\n"
           "X l.jpg (symlink)\nX socket (special)\n");
    tree_remove(&tree);
}

static void links_are_followed_when_asked_for(void **state)
{
    (void)state;
    struct tree tree;
    struct tree outside;
    tree_make(&tree);
    tree_make(&outside);
    tree_file(&outside, "sub/o.jpg");
    tree_file(&tree, "a/x.jpg");
    tree_link(&tree, outside.root, "out");
    tree_link(&tree, "a/x.jpg", "x.jpg");
    tree_link(&tree, "nowhere", "broken");
    tree_link(&tree, "nowhere", "broken.tmp");
    tree_link(&tree, "/dev/null", "null");
    expect(&tree, links,
           "F a/x.jpg\nI broken (source_unreadable)\nX broken.tmp (junk)\nX null (special)\n"
           "F out/sub/o.jpg\nF x.jpg\n");
    expect(&tree, plain,
           "F a/x.jpg\nX broken (symlink)\nX broken.tmp (junk)\nX null (symlink)\n"
           "X out (symlink)\nX x.jpg (symlink)\n");
    tree_remove(&tree);
    tree_remove(&outside);
}

static void link_loops_are_cut(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a/b/x.jpg");
    tree_link(&tree, "..", "a/b/up");
    tree_link(&tree, ".", "a/self");
    tree_link(&tree, "self", "a/same");
    tree_link(&tree, "knot2", "knot1");
    tree_link(&tree, "knot1", "knot2");
    expect(&tree, links,
           "X a/b/up (symlink loop)\nF a/b/x.jpg\nX a/same (symlink loop)\n"
           "X a/self (symlink loop)\nI knot1 (source_unreadable)\nI knot2 (source_unreadable)\n");
    tree_remove(&tree);
}

static void odd_names_come_as_raw_bytes(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    tree_file(&tree, longest);
    tree_file(&tree, "new\nline");
    tree_file(&tree, "bad\xff\xfe");
    tree_file(&tree, " blank ");
    struct told told;
    told_init(&told);
    struct walk_options options = plain;
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_int_equal(told.files, 4);
    assert_int_equal(told.longest, 255);
    assert_non_null(strstr(buf_str(&told.lines), "F  blank \nF bad\xff\xfe\nF new\nline\nF nnn"));
    buf_release(&told.lines);
    tree_remove(&tree);
}

static void a_path_of_3000_folders_needs_few_descriptors(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    close(tree_chain(&tree, "a-folder-of-25-characters", 3000, "zz.jpg"));
    struct told told;
    told_init(&told);
    struct walk_options options = plain;
    size_t before = open_fds();
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_int_equal(told.files, 3000);
    assert_int_equal(told.issues, 0);
    assert_int_equal(told.longest, 3000 * 26 + 6);
    assert_true(told.most_fds < before + 80);
    assert_int_equal(open_fds(), before);
    buf_release(&told.lines);
    tree_remove(&tree);
}

static void too_many_folders_within_each_other_are_an_issue(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    close(tree_chain(&tree, "d", LIMIT_WALK_DEPTH + 3, "f"));
    struct told told;
    told_init(&told);
    struct walk_options options = plain;
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_int_equal(told.files, LIMIT_WALK_DEPTH);
    assert_int_equal(told.issues, 1);
    buf_release(&told.lines);
    tree_remove(&tree);
}

/* Behind a followed link ".." leads elsewhere, so levels must be found again from the root. */
static void deep_links_find_their_way_back(void **state)
{
    (void)state;
    struct tree tree;
    struct tree other;
    tree_make(&tree);
    tree_make(&other);
    close(tree_chain(&other, "o", 100, "zz"));
    int fd = tree_chain(&tree, "d", 100, "zz");
    assert_int_equal(symlinkat(other.root, fd, "link"), 0);
    close(fd);
    struct told told;
    told_init(&told);
    struct walk_options options = links;
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_int_equal(told.files, 200);
    assert_int_equal(told.issues, 0);
    buf_release(&told.lines);
    tree_remove(&tree);
    tree_remove(&other);
}

struct mover {
    const struct tree *tree;
    int depths[2]; /* 0: none; which folders of the chain are moved into the root */
    int done;
};

static void move_when_deep(const struct walk_entry *entry, void *user)
{
    struct mover *mover = user;
    if (strlen(entry->path) < 190 || mover->done)
        return;
    mover->done = 1;
    for (int i = 0; i < 2 && mover->depths[i]; i++) {
        char from[1024] = "";
        char *end = from;
        for (int k = 0; k < mover->depths[i]; k++)
            end = stpcpy(end, k ? "/d" : "d");
        char to[16];
        snprintf(to, sizeof to, "moved%d", i);
        char source[2048];
        snprintf(source, sizeof source, "%s/%s", mover->tree->root, from);
        assert_int_equal(rename(source, tree_path(mover->tree, to)), 0);
    }
}

static void moved_folders_are_found_again_or_told(void **state)
{
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct tree tree;
        tree_make(&tree);
        close(tree_chain(&tree, "d", 100, "zz"));
        struct mover mover = {.tree = &tree, .depths = {20, twice ? 10 : 0}};
        struct told told;
        told_init(&told);
        told.hook = move_when_deep;
        told.user = &mover;
        struct walk_options options = plain;
        assert_int_equal(run(&tree, &options, &told), 0);
        assert_int_equal(mover.done, 1);
        /* Moved once, the folder above is still in its place; moved twice, 10 of them are not. */
        assert_int_equal(told.issues, twice ? 10 : 0);
        assert_int_equal(told.files, twice ? 90 : 100);
        buf_release(&told.lines);
        tree_remove(&tree);
    }
}

static void unlink_next(const struct walk_entry *entry, void *user)
{
    const struct tree *tree = user;
    if (strcmp(entry->path, "a") == 0) {
        assert_int_equal(unlink(tree_path(tree, "b")), 0);
        assert_int_equal(rmdir(tree_path(tree, "c")), 0);
    }
}

static void what_vanishes_is_skipped(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a");
    tree_file(&tree, "b");
    tree_parents(&tree, "c/");
    tree_file(&tree, "d");
    struct told told;
    told_init(&told);
    told.hook = unlink_next;
    told.user = &tree;
    struct walk_options options = plain;
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_string_equal(buf_str(&told.lines), "F a\nF d\n");
    buf_release(&told.lines);
    tree_remove(&tree);
}

static void swap_in_links(const struct walk_entry *entry, void *user)
{
    const struct tree *tree = user;
    if (strcmp(entry->path, "a") != 0)
        return;
    assert_int_equal(unlink(tree_path(tree, "b")), 0);
    assert_int_equal(symlink("/etc/passwd", tree_path(tree, "b")), 0);
    assert_int_equal(rmdir(tree_path(tree, "c")), 0);
    assert_int_equal(symlink("/etc", tree_path(tree, "c")), 0);
}

static void links_swapped_in_lead_nowhere(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a");
    tree_file(&tree, "b");
    tree_parents(&tree, "c/");
    struct told told;
    told_init(&told);
    told.hook = swap_in_links;
    told.user = &tree;
    struct walk_options options = plain;
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_string_equal(buf_str(&told.lines), "F a\nX b (symlink)\nI c (source_changed)\n");
    buf_release(&told.lines);
    tree_remove(&tree);
}

/* In a child without root's rights; its exit status says whether all was as expected. */
static void unreadable_folders_are_issues_and_the_walk_goes_on(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a/x");
    tree_file(&tree, "b/x");
    tree_file(&tree, "c/x");
    assert_int_equal(chmod(tree_path(&tree, "b"), 0), 0);
    assert_int_equal(chmod(tree_path(&tree, "c"), 0444), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && seteuid(65534) != 0)
            _exit(2);
        struct told told;
        told_init(&told);
        struct walk_options options = plain;
        int rc = run(&tree, &options, &told);
        int same = strcmp(buf_str(&told.lines),
                          "F a/x\nI b (source_unreadable)\nI c/x (source_unreadable)\n") == 0;
        buf_release(&told.lines);
        _exit(rc == 0 && same ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    tree_remove(&tree);
}

static void roots_may_be_files_and_links(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "dir/x.tmp");
    tree_file(&tree, "dir/y");
    tree_link(&tree, "dir", "link");
    char file[512];
    char link[512];
    snprintf(file, sizeof file, "%s/dir/x.tmp", tree.root);
    snprintf(link, sizeof link, "%s/link", tree.root);
    const char *roots[] = {file, link};
    struct walk_options options = {.roots = roots, .root_count = 2, .max_depth = -1};
    struct told told;
    told_init(&told);
    struct err err = ERR_INIT;
    assert_int_equal(walk_run(&options, tell, &told, &err), 0);
    assert_string_equal(buf_str(&told.lines), "F \nX x.tmp (junk)\nF y\n");
    buf_release(&told.lines);
    tree_remove(&tree);
}

static void a_missing_root_shows_before_anything_is_walked(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a");
    const char *roots[] = {tree.root, "/nonexistent/folder", "/dev/null"};
    struct walk_options options = {.roots = roots, .root_count = 3, .max_depth = -1};
    struct told told;
    told_init(&told);
    struct err err = ERR_INIT;
    assert_int_equal(walk_run(&options, tell, &told, &err), -ERR_SOURCE_UNREADABLE);
    assert_int_equal(told.files, 0);
    assert_non_null(strstr(err.text, "/nonexistent/folder"));
    roots[1] = roots[2];
    assert_int_equal(walk_run(&options, tell, &told, &err), -ERR_SOURCE_UNREADABLE);
    buf_release(&told.lines);
    tree_remove(&tree);
}

static void depth_stop_and_the_callback_end_it(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "a/b/c/x");
    tree_file(&tree, "a/b/y");
    tree_file(&tree, "z");
    struct walk_options options = {.max_depth = 1};
    expect(&tree, options, "X a (depth)\nF z\n");
    options.max_depth = 3;
    expect(&tree, options, "X a/b/c (depth)\nF a/b/y\nF z\n");
    struct told told;
    told_init(&told);
    told.end_with = 77;
    options = plain;
    assert_int_equal(run(&tree, &options, &told), 77);
    assert_string_equal(buf_str(&told.lines), "F a/b/c/x\n");
    int stop = 1;
    options.stop = &stop;
    assert_int_equal(run(&tree, &options, &told), -ERR_STOPPED);
    buf_release(&told.lines);
    tree_remove(&tree);
}

static void filters_prune_folders_and_limits_cut_files(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "cache/a.jpg");
    tree_file(&tree, "photos/a.jpg");
    tree_file(&tree, "photos/b.png");
    tree_bytes(&tree, "photos/big.jpg", "0123456789012345678901234567890123456789", 40);
    struct filter *filter = filter_new();
    struct err err = ERR_INIT;
    assert_int_equal(filter_exclude(filter, "cache/", &err), 0);
    assert_int_equal(filter_include(filter, "*.jpg", &err), 0);
    struct filter_limits limits = {-1, 30, -1, -1, 0};
    filter_set_limits(filter, &limits);
    struct walk_options options = {.filter = filter, .max_depth = -1};
    expect(&tree, options,
           "X cache (filter)\nF photos/a.jpg\nX photos/b.png (filter)\nX photos/big.jpg (size)\n");
    filter_free(filter);
    tree_remove(&tree);
}

static void stamps_hold_what_stat_says(const struct walk_entry *entry, void *user)
{
    struct stat st;
    assert_int_equal(stat(tree_path(user, entry->path), &st), 0);
    assert_int_equal(entry->stamp.dev, st.st_dev);
    assert_int_equal(entry->stamp.ino, st.st_ino);
    assert_int_equal(entry->stamp.size_bytes, st.st_size);
    assert_int_equal(entry->stamp.mtime_ns,
                     (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
    assert_int_equal(entry->stamp.ctime_ns,
                     (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
}

static void files_carry_their_stamp(void **state)
{
    (void)state;
    struct tree tree;
    tree_make(&tree);
    tree_file(&tree, "some/file");
    struct told told;
    told_init(&told);
    told.hook = stamps_hold_what_stat_says;
    told.user = &tree;
    struct walk_options options = plain;
    assert_int_equal(run(&tree, &options, &told), 0);
    assert_int_equal(told.files, 1);
    buf_release(&told.lines);
    tree_remove(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walk_is_sorted_by_bytes_and_depth_first),
        cmocka_unit_test(many_entries_come_sorted),
        cmocka_unit_test(junk_links_and_special_files_are_excluded),
        cmocka_unit_test(links_are_followed_when_asked_for),
        cmocka_unit_test(link_loops_are_cut),
        cmocka_unit_test(odd_names_come_as_raw_bytes),
        cmocka_unit_test(a_path_of_3000_folders_needs_few_descriptors),
        cmocka_unit_test(too_many_folders_within_each_other_are_an_issue),
        cmocka_unit_test(deep_links_find_their_way_back),
        cmocka_unit_test(moved_folders_are_found_again_or_told),
        cmocka_unit_test(what_vanishes_is_skipped),
        cmocka_unit_test(links_swapped_in_lead_nowhere),
        cmocka_unit_test(unreadable_folders_are_issues_and_the_walk_goes_on),
        cmocka_unit_test(roots_may_be_files_and_links),
        cmocka_unit_test(a_missing_root_shows_before_anything_is_walked),
        cmocka_unit_test(depth_stop_and_the_callback_end_it),
        cmocka_unit_test(filters_prune_folders_and_limits_cut_files),
        cmocka_unit_test(files_carry_their_stamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
