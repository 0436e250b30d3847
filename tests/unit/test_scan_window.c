/* Mapped windows: the same bytes as pread, and an error, never zeros or a signal, on a shrink. */
#include "test_scan_tree.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "scan/scan.h"

#define PAGE 4096

/* cmocka puts its own SIGBUS handler in place for every test; this puts the guard's back. */
static struct sigaction guard_action;

struct file {
    struct tree tree;
    struct source *source;
    char *bytes;
    size_t len;
};

static void file_make(struct file *file, size_t len)
{
    assert_int_equal(sigaction(SIGBUS, &guard_action, NULL), 0);
    tree_make(&file->tree);
    file->len = len;
    file->bytes = malloc(len + 1);
    struct rng rng;
    rng_seed(&rng, 4711 + len);
    for (size_t i = 0; i < len; i++)
        file->bytes[i] =
            (char)(1 + rng_below(&rng, 255)); /* no zeros: those are what we look for */
    tree_bytes(&file->tree, "f", file->bytes, len);
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    assert_int_equal(source_open(file->tree.root, "f", 0, &file->source, &stamp, &err), 0);
}

static void file_truncate(const struct file *file, size_t len)
{
    assert_int_equal(truncate(tree_path(&file->tree, "f"), (off_t)len), 0);
}

static void file_release(struct file *file)
{
    source_close(file->source);
    free(file->bytes);
    tree_remove(&file->tree);
}

static int copy(const struct window *window, size_t at, size_t len)
{
    char *out = malloc(len ? len : 1);
    struct err err = ERR_INIT;
    int rc = window_copy(window, out, len, (int64_t)at, &err);
    free(out);
    return rc;
}

static void a_copy_equals_pread(void **state)
{
    (void)state;
    struct file file;
    size_t len = 3 * 1024 * 1024 + 123;
    file_make(&file, len);
    const char *from_env = getenv("SEED");
    uint64_t seed = from_env ? strtoull(from_env, NULL, 10) : (uint64_t)time(NULL);
    printf("SEED=%llu\n", (unsigned long long)seed);
    struct rng rng;
    rng_seed(&rng, seed);
    char *mapped = malloc(len);
    char *read = malloc(len);
    struct err err = ERR_INIT;
    for (int i = 0; i < 300; i++) {
        size_t offset = rng_below(&rng, len);
        size_t left = len - offset < LIMIT_WINDOW_BYTES ? len - offset : LIMIT_WINDOW_BYTES;
        size_t size = rng_below(&rng, left + 1);
        struct window window;
        window_map(&window, file.source, (int64_t)offset, size);
        for (int k = 0; k < 5; k++) {
            size_t at = offset + rng_below(&rng, size + 1);
            size_t want = rng_below(&rng, offset + size - at + 1);
            assert_int_equal(window_copy(&window, mapped, want, (int64_t)at, &err), 0);
            assert_int_equal(source_read(file.source, read, want, (int64_t)at, &err), 0);
            assert_memory_equal(mapped, read, want);
            assert_memory_equal(mapped, file.bytes + at, want);
        }
        window_unmap(&window, i % 2);
    }
    free(mapped);
    free(read);
    file_release(&file);
}

static void an_empty_window_is_no_error(void **state)
{
    (void)state;
    struct file file;
    file_make(&file, 0);
    struct window window;
    window_map(&window, file.source, 0, 0);
    assert_null(window.map);
    assert_int_equal(copy(&window, 0, 0), 0);
    window_unmap(&window, 1);
    file_release(&file);
}

static void a_shrunk_file_is_an_error(void **state)
{
    (void)state;
    struct file file;
    file_make(&file, 8 * PAGE);
    struct window window;
    window_map(&window, file.source, PAGE, 7 * PAGE);
    assert_non_null(window.map);
    assert_int_equal(copy(&window, PAGE, 7 * PAGE), 0);
    file_truncate(&file, 3 * PAGE);
    assert_int_equal(copy(&window, PAGE, 7 * PAGE), -ERR_SOURCE_CHANGED);
    assert_int_equal(copy(&window, 5 * PAGE, 10), -ERR_SOURCE_CHANGED);
    assert_int_equal(copy(&window, PAGE, 2 * PAGE), 0);
    file_truncate(&file, 0);
    assert_int_equal(copy(&window, PAGE, 1), -ERR_SOURCE_CHANGED);
    window_unmap(&window, 0);
    file_release(&file);
}

/* No fault tells of this one: the rest of the last page just reads as zeros. */
static void a_shrink_within_the_last_page_is_an_error(void **state)
{
    (void)state;
    struct file file;
    file_make(&file, 4 * PAGE);
    struct window window;
    window_map(&window, file.source, 0, 4 * PAGE);
    assert_int_equal(copy(&window, 0, 4 * PAGE), 0);
    file_truncate(&file, 4 * PAGE - 1);
    assert_int_equal(copy(&window, 0, 4 * PAGE), -ERR_SOURCE_CHANGED);
    assert_int_equal(copy(&window, 4 * PAGE - 1, 1), -ERR_SOURCE_CHANGED);
    assert_int_equal(copy(&window, 0, 4 * PAGE - 1), 0);
    /* In the middle of the window, and a copy that ends on that page's end. */
    file_truncate(&file, 2 * PAGE - 7);
    assert_int_equal(copy(&window, PAGE, PAGE), -ERR_SOURCE_CHANGED);
    assert_int_equal(copy(&window, PAGE, PAGE - 7), 0);
    window_unmap(&window, 0);
    file_release(&file);
}

static void a_window_past_the_end_is_an_error(void **state)
{
    (void)state;
    struct file file;
    file_make(&file, 100);
    struct window window;
    window_map(&window, file.source, 0, 200);
    assert_int_equal(copy(&window, 0, 100), 0);
    assert_int_equal(copy(&window, 0, 200), -ERR_SOURCE_CHANGED);
    window_unmap(&window, 0);
    window_map(&window, file.source, 5 * PAGE, 10);
    assert_int_equal(copy(&window, 5 * PAGE, 10), -ERR_SOURCE_CHANGED);
    window_unmap(&window, 0);
    file_release(&file);
}

static void growth_does_not_disturb_what_was_there(void **state)
{
    (void)state;
    struct file file;
    file_make(&file, 100);
    struct window window;
    window_map(&window, file.source, 0, 100);
    file_truncate(&file, 5000);
    assert_int_equal(copy(&window, 0, 100), 0);
    struct err err = ERR_INIT;
    assert_int_equal(source_check(file.source, &err), -ERR_SOURCE_CHANGED);
    window_unmap(&window, 0);
    file_release(&file);
}

/* /proc files cannot be mapped, but are regular files that can be read. */
static void without_mmap_it_reads(void **state)
{
    (void)state;
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    assert_int_equal(source_open("/proc/self/status", "", 0, &source, &stamp, &err), 0);
    struct window window;
    window_map(&window, source, 0, 5);
    assert_null(window.map);
    char out[5];
    assert_int_equal(window_copy(&window, out, 5, 0, &err), 0);
    assert_memory_equal(out, "Name:", 5);
    window_unmap(&window, 1);
    source_close(source);
}

/* A bench's files, for instance: many times this machine's memory, nearly all of it holes. */
static void holes_in_memory_stay_holes(void **state)
{
    (void)state;
    enum { LEN = LIMIT_WINDOW_BYTES };
    int fd = memfd_create("holes", MFD_CLOEXEC);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(ftruncate(fd, LEN), 0);
    assert_int_equal(pwrite(fd, "mark", 4, LEN / 2), 4);
    struct source *source;
    struct file_stamp stamp;
    struct err err = ERR_INIT;
    assert_int_equal(source_open(path, "", 0, &source, &stamp, &err), 0);
    struct stat before;
    struct stat after;
    assert_int_equal(fstat(fd, &before), 0);
    struct window window;
    window_map(&window, source, 0, LEN);
    char *out = malloc(LEN);
    assert_int_equal(window_copy(&window, out, LEN, 0, &err), 0);
    assert_int_equal(out[LEN / 4] | out[LEN - 1], 0);
    assert_memory_equal(out + LEN / 2, "mark", 4);
    window_unmap(&window, 0);
    assert_int_equal(fstat(fd, &after), 0);
    assert_int_equal(after.st_blocks, before.st_blocks);
    /* Without holes it is mapped as anything else. */
    assert_int_equal(posix_fallocate(fd, 0, LEN), 0);
    window_map(&window, source, 0, LEN);
    assert_non_null(window.map);
    assert_int_equal(copy(&window, 0, LEN), 0);
    window_unmap(&window, 0);
    free(out);
    source_close(source);
    close(fd);
}

/* In children: a SIGBUS that is none of the guard's business still ends the process. */
static void a_foreign_sigbus_still_kills(void **state)
{
    (void)state;
    for (int by_fault = 0; by_fault < 2; by_fault++) {
        struct file file;
        file_make(&file, 2 * PAGE);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(STDERR_FILENO); /* a sanitizer would report what is meant to happen */
            int fd = open(tree_path(&file.tree, "f"), O_RDWR | O_CLOEXEC);
            char *map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
            if (map == MAP_FAILED || ftruncate(fd, 0) != 0)
                _exit(3);
            if (by_fault)
                _exit(((volatile char *)map)[PAGE] ? 4 : 5);
            raise(SIGBUS);
            _exit(6);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        /* Killed by it, or ended by a sanitizer's own handler. */
        assert_true(WIFSIGNALED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) < 3) ||
                    WEXITSTATUS(status) > 6);
        file_release(&file);
    }
}

struct racer {
    const struct file *file;
    const struct window *window;
    int *stop;
    size_t good;
    size_t bad;
};

/* Either all bytes are right or there is an error. Zeros with success are what must not happen. */
static void *copy_until_stopped(void *user)
{
    struct racer *racer = user;
    static const char zeros[64];
    char *out = malloc(racer->file->len);
    while (!__atomic_load_n(racer->stop, __ATOMIC_RELAXED)) {
        struct err err = ERR_INIT;
        int rc = window_copy(racer->window, out, racer->file->len, 0, &err);
        if (rc == 0)
            racer->good++;
        else if (rc == -ERR_SOURCE_CHANGED)
            racer->bad++;
        else
            abort();
        if (rc == 0 && memmem(out, racer->file->len, zeros, sizeof zeros))
            abort();
    }
    free(out);
    return NULL;
}

static void threads_copy_while_the_file_shrinks_for_good(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct file file;
        file_make(&file, 16 * PAGE);
        struct window window;
        window_map(&window, file.source, 0, file.len);
        int stop = 0;
        pthread_t threads[3];
        struct racer racers[3];
        for (int i = 0; i < 3; i++) {
            racers[i] = (struct racer){.file = &file, .window = &window, .stop = &stop};
            assert_int_equal(pthread_create(&threads[i], NULL, copy_until_stopped, &racers[i]), 0);
        }
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
        file_truncate(&file, file.len - (size_t)round * 1111 - 1);
        nanosleep(&pause, NULL);
        __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
        for (int i = 0; i < 3; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(copy(&window, 0, file.len), -ERR_SOURCE_CHANGED);
        window_unmap(&window, 0);
        file_release(&file);
    }
}

int main(void)
{
    window_guard_install();
    window_guard_install(); /* once is enough, twice no harm */
    if (sigaction(SIGBUS, NULL, &guard_action) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_equals_pread),
        cmocka_unit_test(an_empty_window_is_no_error),
        cmocka_unit_test(a_shrunk_file_is_an_error),
        cmocka_unit_test(a_shrink_within_the_last_page_is_an_error),
        cmocka_unit_test(a_window_past_the_end_is_an_error),
        cmocka_unit_test(growth_does_not_disturb_what_was_there),
        cmocka_unit_test(without_mmap_it_reads),
        cmocka_unit_test(holes_in_memory_stay_holes),
        cmocka_unit_test(a_foreign_sigbus_still_kills),
        cmocka_unit_test(threads_copy_while_the_file_shrinks_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
