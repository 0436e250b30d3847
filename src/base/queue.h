/*
 * queue.h - a bounded queue of pointers between threads (many senders, many receivers).
 * Ownership of an item crosses with it. A closed queue refuses sends and hands out what is
 * left, then NULL.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/err.h"

struct queue;

/* Called after every successful send, on the sender's thread; must not block. */
typedef void queue_wake_fn(void *user);

/* NULL on lack of memory. wake may be NULL. */
struct queue *queue_new(size_t capacity, queue_wake_fn *wake, void *user);
/* All threads must be done with it; items left inside are the caller's to drain first. */
void queue_free(struct queue *queue);

/* Waits while full. 0, or -ERR_STOPPED when the queue is closed (the item stays the caller's). */
int queue_send(struct queue *queue, void *item) WARN_UNUSED;
/* 0, -ERR_STOPPED when closed, -ERR_NOMEM when full; never waits. */
int queue_try_send(struct queue *queue, void *item) WARN_UNUSED;
/* Waits while empty and open. NULL: closed and empty. */
void *queue_recv(struct queue *queue);
/* NULL: nothing there now. */
void *queue_try_recv(struct queue *queue);
void queue_close(struct queue *queue);
/* How many items wait now. */
size_t queue_length(struct queue *queue);

#endif
