/*
 * window.c - a mapped window over a source file, copied from behind a guard. Called by senders
 * and digest workers; a window has one owner, window_copy may run on several threads at once.
 *
 * A mapping of a file that somebody truncates raises SIGBUS beyond the file's last page and reads
 * as zeros within it. So: mapped memory is touched by guarded_copy alone, and every copy is
 * followed by a look at the file's size. Without a mapping window_copy reads by pread, which is
 * also the judge when the guard fired: it tells a shrunk file from a broken disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <ucontext.h>
#include <unistd.h>

#include "scan/scan.h"
#include "scan/source.h"

#define STAT_BLOCK_BYTES 512 /* what st_blocks counts */

/* ---- the guard ------------------------------------------------------------------------------ */

/* The mapping this thread copies from right now; start is NULL while the guard is not armed. */
struct guard {
    sigjmp_buf back;
    const char *volatile start;
    const char *volatile end;
};
static __thread struct guard guard;

static struct sigaction previous_action;
static pthread_once_t install_once = PTHREAD_ONCE_INIT;

static void on_sigbus(int signo, siginfo_t *info, void *context)
{
    const ucontext_t *interrupted = context;
    const char *at = info->si_addr;
    const char *start = guard.start;
    /* si_code > 0: a real fault, not somebody's kill(2), whose si_addr is no address. */
    if (start && info->si_code > 0 && at >= start && at < guard.end) {
        /* The jump skips the return that would unblock SIGBUS; doing it here spares every copy
         * that goes well a sigprocmask in sigsetjmp. */
        pthread_sigmask(SIG_SETMASK, &interrupted->uc_sigmask, NULL);
        siglongjmp(guard.back, 1);
    }
    /* Not ours: it reaches the former action when this handler returns. */
    sigaction(SIGBUS, &previous_action, NULL);
    raise(signo);
}

static void install(void)
{
    struct sigaction action = {.sa_sigaction = on_sigbus};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    BUG_ON(sigaction(SIGBUS, &action, &previous_action) != 0);
}

void window_guard_install(void)
{
    pthread_once(&install_once, install);
}

/* True when all bytes were copied, false when the mapping faulted. */
static __attribute__((noinline)) int guarded_copy(const struct window *window, void *out,
                                                  size_t len, size_t map_at)
{
    const char *map = window->map;
    if (sigsetjmp(guard.back, 0)) {
        guard.start = NULL;
        return 0;
    }
    guard.end = map + window->map_len;
    guard.start = map;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memcpy(out, map + map_at, len);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    guard.start = NULL;
    return 1;
}

/* ---- windows -------------------------------------------------------------------------------- */

/* Where files are memory, mapping a hole and looking at it makes pages of it, for good. */
static int has_holes_in_memory(int fd)
{
    struct stat st;
    struct statfs fs;
    return fstat(fd, &st) == 0 && st.st_blocks < st.st_size / STAT_BLOCK_BYTES &&
           fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

void window_map(struct window *window, struct source *source, int64_t offset, size_t len)
{
    BUG_ON(len > (size_t)LIMIT_WINDOW_BYTES || offset < 0);
    int64_t page = sysconf(_SC_PAGESIZE);
    int64_t map_offset = offset - offset % page;
    *window = (struct window){
        .source = source,
        .map_offset = map_offset,
        .map_len = len + (size_t)(offset - map_offset),
        .offset = offset,
        .len = len,
    };
    if (len == 0 || has_holes_in_memory(source_fd(source)))
        return;
    void *map =
        mmap(NULL, window->map_len, PROT_READ, MAP_SHARED, source_fd(source), (off_t)map_offset);
    if (map == MAP_FAILED)
        return; /* no mmap on this file system */
    madvise(map, window->map_len, MADV_WILLNEED);
    window->map = map;
}

/* Bytes past the end of the file read as zeros within its last page: no fault tells of it. */
static int still_holds(const struct window *window, int64_t end, struct err *err)
{
    struct stat st;
    if (fstat(source_fd(window->source), &st) != 0) {
        int os_errno = errno;
        return err_set_errno(err, source_error(os_errno), os_errno,
                             "cannot look at the file again");
    }
    if (st.st_size < end)
        return err_set(err, ERR_SOURCE_CHANGED, "the file shrank to %lld bytes while it was read",
                       (long long)st.st_size);
    return 0;
}

int window_copy(const struct window *window, void *out, size_t len, int64_t at, struct err *err)
{
    int64_t window_end = window->offset + (int64_t)window->len;
    BUG_ON(at < window->offset || at > window_end || len > (size_t)(window_end - at));
    if (len == 0)
        return 0;
    if (!window->map || !guarded_copy(window, out, len, (size_t)(at - window->map_offset)))
        return source_read(window->source, out, len, at, err);
    return still_holds(window, at + (int64_t)len, err);
}

void window_unmap(struct window *window, int drop_cache)
{
    if (window->map)
        munmap(window->map, window->map_len);
    window->map = NULL;
    if (drop_cache && window->len)
        posix_fadvise(source_fd(window->source), (off_t)window->offset, (off_t)window->len,
                      POSIX_FADV_DONTNEED);
}
