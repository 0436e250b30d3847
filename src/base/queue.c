/* queue.c - see queue.h. A ring under one mutex. */
#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    queue_wake_fn *wake;
    void *user;
    int closed;
    size_t capacity;
    size_t head;
    size_t length;
    void *items[];
};

struct queue *queue_new(size_t capacity, queue_wake_fn *wake, void *user)
{
    struct queue *queue = calloc(1, sizeof *queue + capacity * sizeof *queue->items);
    if (!queue)
        return NULL;
    queue->capacity = capacity;
    queue->wake = wake;
    queue->user = user;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->not_empty, NULL);
    pthread_cond_init(&queue->not_full, NULL);
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    BUG_ON(queue->length);
    pthread_cond_destroy(&queue->not_full);
    pthread_cond_destroy(&queue->not_empty);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static int send_item(struct queue *queue, void *item, int wait)
{
    BUG_ON(!item);
    pthread_mutex_lock(&queue->lock);
    while (wait && !queue->closed && queue->length == queue->capacity)
        pthread_cond_wait(&queue->not_full, &queue->lock);
    int rc = 0;
    if (queue->closed) {
        rc = -ERR_STOPPED;
    } else if (queue->length == queue->capacity) {
        rc = -ERR_NOMEM;
    } else {
        queue->items[(queue->head + queue->length++) % queue->capacity] = item;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->lock);
    if (!rc && queue->wake)
        queue->wake(queue->user);
    return rc;
}

int queue_send(struct queue *queue, void *item)
{
    return send_item(queue, item, 1);
}

int queue_try_send(struct queue *queue, void *item)
{
    return send_item(queue, item, 0);
}

static void *recv_item(struct queue *queue, int wait)
{
    pthread_mutex_lock(&queue->lock);
    while (wait && !queue->closed && !queue->length)
        pthread_cond_wait(&queue->not_empty, &queue->lock);
    void *item = NULL;
    if (queue->length) {
        item = queue->items[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->length--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *queue_recv(struct queue *queue)
{
    return recv_item(queue, 1);
}

void *queue_try_recv(struct queue *queue)
{
    return recv_item(queue, 0);
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = 1;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->lock);
}

size_t queue_length(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t length = queue->length;
    pthread_mutex_unlock(&queue->lock);
    return length;
}
