/* The job threads and their queue; see job.h. */
#include "sim/job.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sim/mem.h"
#include "sim/server.h"

#define JOB_THREADS 8

struct task {
    struct task *next;
    struct exch *x;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t threads[JOB_THREADS];
static struct task *first;
static struct task **last = &first;
static bool stopping;

static struct task *take(void)
{
    pthread_mutex_lock(&lock);
    while (first == NULL && !stopping)
        pthread_cond_wait(&changed, &lock);
    struct task *t = first;
    if (t != NULL) {
        first = t->next;
        if (first == NULL)
            last = &first;
    }
    pthread_mutex_unlock(&lock);
    return t;
}

static void *run(void *arg)
{
    (void)arg;
    for (struct task *t = take(); t != NULL; t = take()) {
        struct exch *x = t->x;
        free(t);
        x->job(x);
        MHD_resume_connection(x->conn);
    }
    return NULL;
}

void job_start(void)
{
    for (int i = 0; i < JOB_THREADS; i++) {
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            abort();
    }
}

void job_stop(void)
{
    pthread_mutex_lock(&lock);
    stopping = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < JOB_THREADS; i++)
        pthread_join(threads[i], NULL);
}

void job_run(struct exch *x)
{
    struct task *t = mem_new(1, sizeof *t);

    t->x = x;
    MHD_suspend_connection(x->conn);
    pthread_mutex_lock(&lock);
    bool too_late = stopping;
    if (!too_late) {
        *last = t;
        last = &t->next;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
    if (!too_late)
        return;
    free(t);
    x->job(x);
    MHD_resume_connection(x->conn);
}
