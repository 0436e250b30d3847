/* Accepting connections; see listen.h. Its own thread per listener. */
#include "sim/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/mem.h"
#include "sim/when.h"

#define BACKLOG 4096

struct listener {
    int fd;
    int wake_fd;
    bool is_narrow;
    char *host;
    struct sockaddr_storage address; /* with the real port */
    socklen_t address_len;
    struct MHD_Daemon *daemon;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    atomic_bool away;
    atomic_int_fast64_t off_ms;
};

/* Loopback would hold megabytes of each body; segments and windows like a network's hold little. */
static void make_narrow(int fd)
{
    int segment_bytes = 1460;
    int window_bytes = 256 * 1024;

    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes, sizeof segment_bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window_bytes, sizeof window_bytes);
}

static int bind_address(const struct sockaddr *address, socklen_t len, bool is_narrow)
{
    int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (is_narrow)
        make_narrow(fd);
    if (bind(fd, address, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool bind_text(struct listener *l, const char *address)
{
    const char *colon = strrchr(address, ':');
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    if (colon == NULL)
        return false;
    l->host = mem_copy(address, (size_t)(colon - address));
    if (getaddrinfo(l->host, colon + 1, &hints, &found) != 0)
        return false;
    l->fd = bind_address(found->ai_addr, found->ai_addrlen, l->is_narrow);
    freeaddrinfo(found);
    l->address_len = sizeof l->address;
    return l->fd >= 0 &&
           getsockname(l->fd, (struct sockaddr *)(void *)&l->address, &l->address_len) == 0;
}

struct listener *listener_open(const char *address, bool is_narrow)
{
    struct listener *l = mem_new(1, sizeof *l);

    l->fd = -1;
    l->is_narrow = is_narrow;
    l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bind_text(l, address))
        return l;
    fprintf(stderr, "pxm-sim: cannot listen on %s: %s\n", address, strerror(errno));
    listener_close(l);
    return NULL;
}

unsigned listener_port(const struct listener *l)
{
    const void *address = &l->address;

    if (l->address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

const char *listener_host(const struct listener *l)
{
    return l->host;
}

static void accept_all(struct listener *l)
{
    for (int i = 0; i < BACKLOG; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int fd =
            accept4(l->fd, (struct sockaddr *)(void *)&peer, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        /* MHD closes fd by itself when it refuses the connection. */
        MHD_add_connection(l->daemon, fd, (struct sockaddr *)(void *)&peer, len);
    }
}

static void take_wake(struct listener *l)
{
    eventfd_t n = 0;

    (void)eventfd_read(l->wake_fd, &n);
}

/* Closing also resets what waits in the backlog, as a dead server would. */
static void be_away(struct listener *l, int64_t off_ms)
{
    int64_t until_ms = when_mono_ms() + off_ms;

    close(l->fd);
    l->fd = -1;
    atomic_store(&l->away, true);
    while (!atomic_load(&l->stopping)) {
        /* Who is told so while it is away stays so much longer, and not once more after it. */
        int64_t more_ms = when_mono_ms() + atomic_exchange(&l->off_ms, 0);
        until_ms = more_ms > until_ms ? more_ms : until_ms;
        int64_t left_ms = until_ms - when_mono_ms();
        if (left_ms > 0) {
            struct pollfd p = {.fd = l->wake_fd, .events = POLLIN};
            if (poll(&p, 1, (int)left_ms) > 0)
                take_wake(l);
            continue;
        }
        l->fd = bind_address((struct sockaddr *)(void *)&l->address, l->address_len, l->is_narrow);
        if (l->fd >= 0) {
            atomic_store(&l->away, false);
            return;
        }
        until_ms = when_mono_ms() + 20;
    }
}

static void *run(void *arg)
{
    struct listener *l = arg;

    while (!atomic_load(&l->stopping)) {
        struct pollfd p[2] = {{.fd = l->fd, .events = POLLIN},
                              {.fd = l->wake_fd, .events = POLLIN}};
        poll(p, 2, -1);
        if (p[1].revents != 0)
            take_wake(l);
        int64_t off_ms = atomic_exchange(&l->off_ms, 0);
        if (off_ms > 0)
            be_away(l, off_ms);
        else if (p[0].revents != 0)
            accept_all(l);
    }
    return NULL;
}

void listener_start(struct listener *l, struct MHD_Daemon *daemon)
{
    l->daemon = daemon;
    l->started = true;
    if (pthread_create(&l->thread, NULL, run, l) != 0)
        abort();
}

void listener_refuse(struct listener *l, int64_t off_ms)
{
    atomic_store(&l->off_ms, off_ms);
    eventfd_write(l->wake_fd, 1);
    while (!atomic_load(&l->away) && !atomic_load(&l->stopping))
        poll(NULL, 0, 1);
}

void listener_close(struct listener *l)
{
    if (l == NULL)
        return;
    atomic_store(&l->stopping, true);
    if (l->started) {
        eventfd_write(l->wake_fd, 1);
        pthread_join(l->thread, NULL);
    }
    if (l->fd >= 0)
        close(l->fd);
    close(l->wake_fd);
    free(l->host);
    free(l);
}
