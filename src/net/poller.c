/*
 * poller.c - see poller.h. Loop thread, but for poller_wake.
 *
 * Invariant: a socket that libcurl watches stands in fds once, at the place that places[] names.
 */
#include "net/poller.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Timers that libcurl sets for at once are run at once, but not for ever. */
#define TIMER_ROUNDS 4

static int widen(struct pollfd **fds, size_t room)
{
    struct pollfd *wider = realloc(*fds, room * sizeof *wider);
    if (wider)
        *fds = wider;
    return wider ? 0 : -ERR_NOMEM;
}

static int grow(struct poller *poller, size_t fd)
{
    if (poller->count == poller->room) {
        size_t room = poller->room ? poller->room * 2 : 64;
        if (widen(&poller->fds, room) || widen(&poller->ready, room))
            return -ERR_NOMEM;
        poller->room = room;
    }
    if (fd >= poller->places_room) {
        size_t room = fd * 2 + 64;
        int *places = realloc(poller->places, room * sizeof *places);
        if (!places)
            return -ERR_NOMEM;
        memset(places + poller->places_room, 0, (room - poller->places_room) * sizeof *places);
        poller->places = places;
        poller->places_room = room;
    }
    return 0;
}

static void forget(struct poller *poller, size_t fd)
{
    int place = fd < poller->places_room ? poller->places[fd] : 0;
    if (!place)
        return;
    poller->places[fd] = 0;
    poller->fds[place] = poller->fds[--poller->count];
    if ((size_t)place < poller->count)
        poller->places[poller->fds[place].fd] = place;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *of_socket)
{
    struct poller *poller = user;
    (void)easy;
    (void)of_socket;
    if (what == CURL_POLL_REMOVE) {
        forget(poller, (size_t)fd);
        return 0;
    }
    /* A refusal would end every transfer; one that nobody listens for times out by itself. */
    if (grow(poller, (size_t)fd))
        return 0;
    if (!poller->places[fd]) {
        poller->places[fd] = (int)poller->count;
        poller->fds[poller->count++] = (struct pollfd){.fd = fd};
    }
    short in = what & CURL_POLL_IN ? POLLIN : 0;
    short out = what & CURL_POLL_OUT ? POLLOUT : 0;
    poller->fds[poller->places[fd]].events = (short)(in | out);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
    struct poller *poller = user;
    (void)multi;
    poller->due_ms = timeout_ms < 0 ? -1 : clock_now_ms() + timeout_ms;
    return 0;
}

int poller_init(struct poller *poller, CURLM *multi, struct err *err)
{
    *poller = (struct poller){.multi = multi, .due_ms = -1};
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_set_errno(err, ERR_NOMEM, errno, "no event counter");
    if (grow(poller, (size_t)fd)) {
        close(fd);
        poller_release(poller);
        return err_set(err, ERR_NOMEM, "no memory for the network layer");
    }
    poller->fds[poller->count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, poller);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, poller);
    return 0;
}

void poller_release(struct poller *poller)
{
    if (poller->count)
        close(poller->fds[0].fd);
    free(poller->fds);
    free(poller->ready);
    free(poller->places);
    *poller = (struct poller){.due_ms = -1};
}

/*
 * Either the loop sees `woken` before it sleeps, or we see that it sleeps: both sides write their
 * own word before they read the other's. So a loop that is awake costs no system call.
 */
void poller_wake(struct poller *poller)
{
    if (__atomic_exchange_n(&poller->woken, 1, __ATOMIC_SEQ_CST) ||
        !__atomic_load_n(&poller->sleeping, __ATOMIC_SEQ_CST))
        return;
    eventfd_write(poller->fds[0].fd, 1);
}

/* As libcurl's own poll does: what went wrong shows when the socket is read or written. */
static int bits_of(const struct pollfd *fd)
{
    int bits = 0;
    if ((fd->events & POLLIN) && (fd->revents & (POLLIN | POLLERR | POLLHUP)))
        bits |= CURL_CSELECT_IN;
    if ((fd->events & POLLOUT) && (fd->revents & POLLOUT))
        bits |= CURL_CSELECT_OUT;
    if ((fd->events & POLLOUT) && (fd->revents & (POLLERR | POLLHUP)))
        bits |= CURL_CSELECT_ERR;
    return fd->revents & POLLNVAL ? CURL_CSELECT_ERR : bits;
}

void poller_move(struct poller *poller)
{
    int running = 0;
    for (size_t i = 0; i < poller->ready_count; i++) {
        const struct pollfd *fd = &poller->ready[i];
        if (poller->places[fd->fd]) /* libcurl may have left it since */
            curl_multi_socket_action(poller->multi, fd->fd, bits_of(fd), &running);
    }
    poller->ready_count = 0;
}

void poller_run_timers(struct poller *poller)
{
    int running = 0;
    for (int i = 0; i < TIMER_ROUNDS; i++) {
        if (poller->due_ms < 0 || clock_now_ms() < poller->due_ms)
            return;
        poller->due_ms = -1;
        curl_multi_socket_action(poller->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

void poller_wait(struct poller *poller, int64_t timeout_ms)
{
    if (poller->due_ms >= 0) {
        int64_t left_ms = poller->due_ms - clock_now_ms();
        timeout_ms = left_ms < 0 ? 0 : left_ms < timeout_ms ? left_ms : timeout_ms;
    }
    __atomic_store_n(&poller->sleeping, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&poller->woken, __ATOMIC_SEQ_CST))
        timeout_ms = 0;
    int found = poll(poller->fds, poller->count, (int)timeout_ms);
    __atomic_store_n(&poller->sleeping, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&poller->woken, 0, __ATOMIC_SEQ_CST);
    if (found > 0 && poller->fds[0].revents) {
        eventfd_t count;
        eventfd_read(poller->fds[0].fd, &count);
    }
    poller->ready_count = 0;
    for (size_t i = 1; i < poller->count && found > 0; i++)
        if (poller->fds[i].revents)
            poller->ready[poller->ready_count++] = poller->fds[i];
}
