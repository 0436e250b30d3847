/* queue.h: order, bounds, closing, and many threads at once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/queue.h"

#define SENDERS  4
#define ITEMS_OF 5000

static int numbers[SENDERS * ITEMS_OF];

static void count_wake(void *user)
{
    __atomic_add_fetch((int *)user, 1, __ATOMIC_RELAXED);
}

static void items_come_out_in_order_and_a_full_queue_refuses(void **state)
{
    (void)state;
    int woken = 0;
    struct queue *queue = queue_new(2, count_wake, &woken);
    assert_non_null(queue);
    assert_null(queue_try_recv(queue));
    assert_int_equal(queue_send(queue, &numbers[0]), 0);
    assert_int_equal(queue_try_send(queue, &numbers[1]), 0);
    assert_int_equal(queue_try_send(queue, &numbers[2]), -ERR_NOMEM);
    assert_int_equal(woken, 2);
    assert_int_equal(queue_length(queue), 2);
    assert_ptr_equal(queue_recv(queue), &numbers[0]);
    assert_int_equal(queue_try_send(queue, &numbers[2]), 0);
    assert_ptr_equal(queue_recv(queue), &numbers[1]);
    assert_ptr_equal(queue_try_recv(queue), &numbers[2]);
    queue_free(queue);
    queue_free(NULL);
}

static void a_closed_queue_hands_out_the_rest_then_null(void **state)
{
    (void)state;
    struct queue *queue = queue_new(4, NULL, NULL);
    assert_int_equal(queue_send(queue, &numbers[0]), 0);
    queue_close(queue);
    assert_int_equal(queue_send(queue, &numbers[1]), -ERR_STOPPED);
    assert_int_equal(queue_try_send(queue, &numbers[1]), -ERR_STOPPED);
    assert_ptr_equal(queue_recv(queue), &numbers[0]);
    assert_null(queue_recv(queue));
    queue_free(queue);
}

struct sender {
    struct queue *queue;
    int *first;
};

static void *send_all(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < ITEMS_OF; i++)
        if (queue_send(sender->queue, sender->first + i))
            return arg;
    return NULL;
}

static void *receive_all(void *arg)
{
    int *item;
    while ((item = queue_recv(arg)))
        __atomic_add_fetch(item, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void every_item_arrives_once_between_many_threads(void **state)
{
    (void)state;
    struct queue *queue = queue_new(8, NULL, NULL);
    pthread_t senders[SENDERS];
    pthread_t receivers[2];
    struct sender args[SENDERS];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&receivers[i], NULL, receive_all, queue), 0);
    for (int i = 0; i < SENDERS; i++) {
        args[i] = (struct sender){queue, numbers + i * ITEMS_OF};
        assert_int_equal(pthread_create(&senders[i], NULL, send_all, &args[i]), 0);
    }
    for (int i = 0; i < SENDERS; i++) {
        void *failed;
        pthread_join(senders[i], &failed);
        assert_null(failed);
    }
    queue_close(queue);
    for (int i = 0; i < 2; i++)
        pthread_join(receivers[i], NULL);
    for (int i = 0; i < SENDERS * ITEMS_OF; i++)
        assert_int_equal(numbers[i], 1);
    queue_free(queue);
}

static void *send_one_more(void *arg)
{
    return queue_send(arg, &numbers[0]) == -ERR_STOPPED ? arg : NULL;
}

static void closing_frees_a_sender_that_waits(void **state)
{
    (void)state;
    struct queue *queue = queue_new(1, NULL, NULL);
    assert_int_equal(queue_send(queue, &numbers[1]), 0);
    pthread_t thread;
    void *stopped;
    assert_int_equal(pthread_create(&thread, NULL, send_one_more, queue), 0);
    queue_close(queue);
    pthread_join(thread, &stopped);
    assert_ptr_equal(stopped, queue);
    assert_ptr_equal(queue_recv(queue), &numbers[1]);
    queue_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order_and_a_full_queue_refuses),
        cmocka_unit_test(a_closed_queue_hands_out_the_rest_then_null),
        cmocka_unit_test(every_item_arrives_once_between_many_threads),
        cmocka_unit_test(closing_frees_a_sender_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
