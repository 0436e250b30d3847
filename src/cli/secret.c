/* secret.c - see secret.h. */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define REAP_POLL_MS 10

void secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

int secret_trim(char *secret, const char *what, struct err *err)
{
    size_t len = strlen(secret);
    while (len && (secret[len - 1] == '\n' || secret[len - 1] == '\r'))
        secret[--len] = '\0';
    if (!len)
        return err_set(err, ERR_CONFIG, "%s is empty", what);
    /* It goes into a header, where a line end would begin another one. */
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)secret[i] < ' ' || secret[i] == 0x7f)
            return err_set(err, ERR_CONFIG, "%s has line ends or control bytes inside", what);
    return 0;
}

/* Waits for bytes until the deadline; -ERR_TIMEOUT after it. No deadline: INT64_MAX. */
static int wait_readable(int fd, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - clock_now_ms();
        if (left_ms <= 0)
            return -ERR_TIMEOUT;
        struct pollfd entry = {.fd = fd, .events = POLLIN};
        int n = poll(&entry, 1, left_ms > 1000 ? 1000 : (int)left_ms);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -ERR_IO;
    }
}

/* Reads all into out[SECRET_BYTES_MAX + 1]; 0, -ERR_TIMEOUT, -ERR_IO, -ERR_USAGE: too much. */
static int read_all(int fd, int64_t deadline_ms, char *out)
{
    size_t len = 0;
    while (len <= SECRET_BYTES_MAX) {
        int rc = wait_readable(fd, deadline_ms);
        if (rc)
            return rc;
        ssize_t n = read(fd, out + len, SECRET_BYTES_MAX + 1 - len);
        if (n < 0 && errno != EINTR)
            return -ERR_IO;
        if (n == 0) {
            out[len] = '\0';
            /* A NUL inside would silently shorten the secret. */
            return strlen(out) == len ? 0 : -ERR_USAGE;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    return -ERR_USAGE;
}

/* ---- file --------------------------------------------------------------------------------------
 */

static int check_file(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_set_errno(err, ERR_CONFIG, errno, "cannot look at %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is no regular file", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_CONFIG,
                       "%s holds the client secret but belongs to another user; chown it to the "
                       "user that runs pxload",
                       path);
    if (st.st_mode & 077)
        return err_set(err, ERR_CONFIG,
                       "%s holds the client secret and others can read it; chmod 600 %s", path,
                       path);
    return 0;
}

int secret_from_file(const char *path, char **out, struct err *err)
{
    char text[SECRET_BYTES_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set_errno(err, ERR_CONFIG, errno, "cannot open client_secret_file %s", path);
    int rc = check_file(fd, path, err);
    if (!rc && read_all(fd, INT64_MAX, text))
        rc = err_set(err, ERR_CONFIG, "client_secret_file %s cannot be read as one line", path);
    close(fd);
    if (!rc)
        rc = secret_trim(text, "client_secret_file", err);
    if (!rc && !(*out = strdup(text)))
        rc = err_set(err, ERR_NOMEM, "no memory for the client secret");
    explicit_bzero(text, sizeof text);
    return rc;
}

/* ---- command -----------------------------------------------------------------------------------
 */

/* Signals that we ignore or block must mean to the command what they usually mean. */
static int set_signals(posix_spawnattr_t *attr)
{
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    return posix_spawnattr_setsigmask(attr, &none) || posix_spawnattr_setsigdefault(attr, &usual) ||
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/*
 * The command stays in our process group and keeps stderr: a password manager may have to ask at
 * the terminal. Returns 0 or an errno.
 */
static int spawn_shell(const char *command, int out_fd, pid_t *out_pid)
{
    static char shell[] = "sh";
    static char dash_c[] = "-c";
    char *text = strdup(command);
    char *argv[] = {shell, dash_c, text, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc = ENOMEM;
    if (!text)
        return rc;
    if (posix_spawn_file_actions_init(&actions))
        goto free_text;
    if (posix_spawnattr_init(&attr))
        goto free_actions;
    if (!posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) &&
        !posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO) && !set_signals(&attr))
        rc = posix_spawn(out_pid, "/bin/sh", &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
free_actions:
    posix_spawn_file_actions_destroy(&actions);
free_text:
    free(text);
    return rc;
}

/* Waits for the child until the deadline, then kills it. Its wait status, -1: killed here. */
static int reap(pid_t pid, int64_t deadline_ms)
{
    int status = 0;
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return status;
        if ((got < 0 && errno != EINTR) || clock_now_ms() >= deadline_ms)
            break;
        poll(NULL, 0, REAP_POLL_MS);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return -1;
}

static int judge(int read_rc, int status, int64_t timeout_ms, struct err *err)
{
    /* First, because the command was killed for it. */
    if (read_rc && read_rc != -ERR_TIMEOUT)
        return err_set(err, ERR_CONFIG,
                       "client_secret_command's output is no secret: too long, or NUL bytes");
    if (read_rc || status == -1)
        return err_set(err, ERR_CONFIG,
                       "client_secret_command did not end within %lld s; run it by hand",
                       (long long)(timeout_ms / 1000));
    if (WIFSIGNALED(status))
        return err_set(err, ERR_CONFIG, "client_secret_command was killed by signal %d",
                       WTERMSIG(status));
    if (WEXITSTATUS(status))
        return err_set(err, ERR_CONFIG,
                       "client_secret_command failed with exit code %d; run it by hand",
                       WEXITSTATUS(status));
    return 0;
}

int secret_from_command(const char *command, int64_t timeout_ms, char **out, struct err *err)
{
    int fds[2];
    pid_t pid;
    char text[SECRET_BYTES_MAX + 1];
    if (pipe2(fds, O_CLOEXEC))
        return err_set_errno(err, ERR_CONFIG, errno, "cannot run client_secret_command");
    int failed = spawn_shell(command, fds[1], &pid);
    close(fds[1]);
    if (failed) {
        close(fds[0]);
        return err_set_errno(err, ERR_CONFIG, failed, "cannot run client_secret_command");
    }
    int64_t deadline_ms = clock_now_ms() + timeout_ms;
    int read_rc = read_all(fds[0], deadline_ms, text);
    close(fds[0]);
    int rc = judge(read_rc, reap(pid, read_rc ? 0 : deadline_ms), timeout_ms, err);
    if (!rc)
        rc = secret_trim(text, "the output of client_secret_command", err);
    if (!rc && !(*out = strdup(text)))
        rc = err_set(err, ERR_NOMEM, "no memory for the client secret");
    explicit_bzero(text, sizeof text);
    return rc;
}
