/* sim_child.c - see sim_child.h. Called by cmd_bench.c. */
#include "cli/sim_child.h"

#include "base/clock.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM        "pxm-sim"
#define READY_MS       10000
#define ARGS_MAX       32
#define READY_LINE_MAX 1024

static int is_program(const char *folder, size_t len, char out[PATH_MAX])
{
    int n = snprintf(out, PATH_MAX, "%.*s/" PROGRAM, (int)len, folder);
    return len && n > 0 && n < PATH_MAX && !access(out, X_OK);
}

static int find_program(char out[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len > 0) {
        self[len] = '\0';
        const char *slash = strrchr(self, '/');
        if (slash && is_program(self, (size_t)(slash - self), out))
            return 1;
    }
    const char *at = getenv("PATH");
    while (at && *at) {
        size_t part = strcspn(at, ":");
        if (is_program(at, part, out))
            return 1;
        at += part + (at[part] == ':');
    }
    return 0;
}

/* In the child: nothing but the pipe is shared, and it ends when we do, however that happens. */
static void become(const char *program, const char *const *args, int out_fd, pid_t parent)
{
    const char *argv[ARGS_MAX + 4] = {PROGRAM, "--listen", "127.0.0.1:0"};
    int count = 3;
    while (*args && count < ARGS_MAX)
        argv[count++] = *args++;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    unsetenv("PXM_TOKEN"); /* none of its business */
    unsetenv("PXM_CLIENT_SECRET");
    setpgid(0, 0); /* Ctrl-C is for us: we end it when the run is drained */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it ended before that was said */
        _exit(127);
    if (dup2(out_fd, STDOUT_FILENO) < 0)
        _exit(127);
    union { /* execv wants no const */
        const char **given;
        char *const *wanted;
    } list = {.given = argv};
    execv(program, list.wanted);
    _exit(127);
}

/* Its one line, without the newline; 0 where it ends or stays silent instead. */
static int read_line(int fd, char *out, size_t size)
{
    size_t len = 0;
    int64_t end_ms = clock_now_ms() + READY_MS;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = end_ms - clock_now_ms();
        if (left_ms <= 0 || len + 1 >= size)
            return 0;
        if (poll(&p, 1, (int)left_ms) < 0 && errno != EINTR)
            return 0;
        if (!p.revents)
            continue;
        ssize_t n = read(fd, out + len, 1);
        if (n == 0 || (n < 0 && errno != EINTR))
            return 0;
        if (n == 1 && out[len++] == '\n') {
            out[len - 1] = '\0';
            return 1;
        }
    }
}

/* "pxm-sim ready api=URL s3=URL" */
static int take_url(struct sim_child *child, const char *line)
{
    static const char key[] = " api=";
    const char *at = strstr(line, key);
    size_t len = at ? strcspn(at + sizeof key - 1, " ") : 0;
    if (!len || len >= sizeof child->api_url)
        return 0;
    memcpy(child->api_url, at + sizeof key - 1, len);
    child->api_url[len] = '\0';
    return 1;
}

int sim_child_start(struct sim_child *child, const char *const *args, struct err *err)
{
    char program[PATH_MAX];
    char line[READY_LINE_MAX];
    int pipe_fds[2];
    *child = (struct sim_child){0};
    if (!find_program(program))
        return err_set(err, ERR_CONFIG,
                       PROGRAM " was found neither beside pxload nor in PATH; install it, or send "
                               "to a tenant with --base-url URL --into-tenant");
    if (pipe2(pipe_fds, O_CLOEXEC))
        return err_set_errno(err, ERR_IO, errno, "no pipe for " PROGRAM);
    pid_t self = getpid();
    child->pid = fork();
    if (!child->pid)
        become(program, args, pipe_fds[1], self);
    close(pipe_fds[1]);
    int is_ready =
        child->pid > 0 && read_line(pipe_fds[0], line, sizeof line) && take_url(child, line);
    close(pipe_fds[0]);
    if (is_ready)
        return 0;
    if (child->pid < 0)
        child->pid = 0;
    sim_child_stop(child);
    return err_set(err, ERR_CONFIG, "%s could not be started, or did not get ready in %d s",
                   program, READY_MS / 1000);
}

int64_t sim_child_cpu_ms(const struct sim_child *child)
{
    clockid_t clock;
    struct timespec used;
    if (!child->pid || clock_getcpuclockid(child->pid, &clock) || clock_gettime(clock, &used))
        return 0;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

void sim_child_stop(struct sim_child *child)
{
    if (!child->pid)
        return;
    kill(child->pid, SIGTERM);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
}
