/*
 * The timer thread: a binary heap of suspended connections by due time.
 *
 * A suspended connection can't go away (MHD neither reads nor times it out), so the
 * heap needs no way to cancel.
 */
#include "sim/timer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "sim/mem.h"
#include "sim/when.h"

struct entry {
    int64_t due_ms;
    struct MHD_Connection *conn;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_t thread;
static struct entry *heap;
static size_t n_heap;
static size_t cap_heap;
static bool stopping;

static void swap(size_t a, size_t b)
{
    struct entry kept = heap[a];

    heap[a] = heap[b];
    heap[b] = kept;
}

static void push(struct entry e)
{
    if (n_heap == cap_heap) {
        cap_heap = cap_heap == 0 ? 64 : cap_heap * 2;
        heap = mem_resize(heap, cap_heap, sizeof *heap);
    }
    size_t at = n_heap++;
    heap[at] = e;
    while (at > 0 && heap[(at - 1) / 2].due_ms > heap[at].due_ms) {
        swap(at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static struct entry pop(void)
{
    struct entry first = heap[0];

    heap[0] = heap[--n_heap];
    for (size_t at = 0;;) {
        size_t least = at;
        size_t left = 2 * at + 1;
        if (left < n_heap && heap[left].due_ms < heap[least].due_ms)
            least = left;
        if (left + 1 < n_heap && heap[left + 1].due_ms < heap[least].due_ms)
            least = left + 1;
        if (least == at)
            return first;
        swap(at, least);
        at = least;
    }
}

static void *run(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    while (!stopping || n_heap > 0) {
        if (n_heap == 0) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        int64_t due_ms = heap[0].due_ms;
        if (!stopping && due_ms > when_mono_ms()) {
            struct timespec ts = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
            pthread_cond_timedwait(&changed, &lock, &ts);
            continue;
        }
        struct entry e = pop();
        pthread_mutex_unlock(&lock);
        MHD_resume_connection(e.conn);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

void timer_start(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        abort();
}

void timer_stop(void)
{
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
    free(heap);
    heap = NULL;
    cap_heap = 0;
}

void timer_suspend(struct MHD_Connection *conn, int64_t wait_ms)
{
    MHD_suspend_connection(conn);
    pthread_mutex_lock(&lock);
    bool too_late = stopping;
    if (!too_late) {
        push((struct entry){.due_ms = when_mono_ms() + wait_ms, .conn = conn});
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
    if (too_late)
        MHD_resume_connection(conn);
}
