/*
 * measure.c - runs a command and writes what it took, its children included, as one JSON line:
 *
 *   measure OUT COMMAND [ARG...]
 *
 * Being tiny matters: a process begins with the peak RSS of the one that started it, and Python's
 * would drown pxload's. Exits with the command's code (128 + signal).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure OUT COMMAND [ARG...]\n");
        return 2;
    }
    double begun_s = now_s();
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status = 0;
    struct rusage usage;
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        perror("measure");
        return 126;
    }
    double wall_s = now_s() - begun_s;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *out = fopen(argv[1], "w");
    if (!out) {
        perror(argv[1]);
        return 126;
    }
    fprintf(out,
            "{\"code\":%d,\"begun_s\":%.6f,\"wall_s\":%.6f,\"user_s\":%.6f,\"sys_s\":%.6f,"
            "\"rss_kib\":%ld}\n",
            code, begun_s, wall_s, seconds_of(usage.ru_utime), seconds_of(usage.ru_stime),
            usage.ru_maxrss);
    return fclose(out) ? 126 : code;
}
