/* What limits a run: every answer is reachable, each from the situation that it stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/goodput.h"
#include "pipeline/limit.h"

/* A run in full swing: 16 transfers of 16, files to come, nothing else is short. */
static struct limit_input busy(void)
{
    return (struct limit_input){
        .is_begun = 1,
        .has_more = 1,
        .assets = 100,
        .waiting = {[WAIT_PUT] = 20, [WAIT_REPLY] = 20},
        .api_active = 2,
        .api_concurrency = 10,
        .puts_active = 16,
        .put_limit = 16,
        .loop_busy = 30,
        .cpu_busy = 40,
    };
}

static void full_transfers_are_the_network(void **state)
{
    (void)state;
    struct limit_input in = busy();
    assert_int_equal(limit_now(&in), JOB_LIMIT_NETWORK);
}

static void nothing_yet_is_starting(void **state)
{
    (void)state;
    struct limit_input in = {.is_walking = 1, .has_more = 1, .put_limit = 16};
    assert_int_equal(limit_now(&in), JOB_LIMIT_STARTING);
}

static void a_spent_budget_that_is_waited_for_is_the_api(void **state)
{
    (void)state;
    struct limit_input in = busy();
    in.is_budget_spent = 1;
    assert_int_equal(limit_now(&in), JOB_LIMIT_NETWORK); /* nobody waits for it */
    in.waiting[WAIT_SLOT] = 1;
    assert_int_equal(limit_now(&in), JOB_LIMIT_API);
    in.waiting[WAIT_SLOT] = 0;
    in.waiting[WAIT_API] = 1;
    assert_int_equal(limit_now(&in), JOB_LIMIT_API);
}

static void holds_retries_throttling_and_slow_replies_are_the_server(void **state)
{
    (void)state;
    struct limit_input held = busy();
    held.is_held = 1;
    assert_int_equal(limit_now(&held), JOB_LIMIT_SERVER);
    struct limit_input failing = busy();
    failing.waiting[WAIT_RETRY] = 51;
    assert_int_equal(limit_now(&failing), JOB_LIMIT_SERVER);
    struct limit_input throttled = busy();
    throttled.is_throttled = 1;
    assert_int_equal(limit_now(&throttled), JOB_LIMIT_SERVER);
    throttled.puts_active = 3; /* fewer than S3 still takes */
    throttled.waiting[WAIT_WORKER] = 50;
    assert_int_equal(limit_now(&throttled), JOB_LIMIT_DISK);
    struct limit_input slow = busy();
    slow.puts_active = 4;
    slow.waiting[WAIT_SLOT] = 40;
    slow.api_active = 10;
    assert_int_equal(limit_now(&slow), JOB_LIMIT_SERVER);
}

static void a_loop_or_cores_without_rest_are_the_cpu(void **state)
{
    (void)state;
    struct limit_input loop = busy();
    loop.loop_busy = LIMIT_BUSY_PERCENT;
    assert_int_equal(limit_now(&loop), JOB_LIMIT_CPU);
    struct limit_input digests = busy();
    digests.puts_active = 5;
    digests.waiting[WAIT_WORKER] = 30;
    digests.cpu_busy = LIMIT_BUSY_PERCENT;
    assert_int_equal(limit_now(&digests), JOB_LIMIT_CPU);
}

static void reads_commits_and_the_walk_are_the_disk(void **state)
{
    (void)state;
    struct limit_input loop = busy();
    loop.loop_busy = 100;
    loop.loop_reads_disk = 1;
    assert_int_equal(limit_now(&loop), JOB_LIMIT_DISK);
    struct limit_input reads = busy();
    reads.puts_active = 5;
    reads.waiting[WAIT_WORKER] = 30;
    assert_int_equal(limit_now(&reads), JOB_LIMIT_DISK);
    struct limit_input commits = busy();
    commits.puts_active = 5;
    commits.waiting[WAIT_JOURNAL] = 40;
    commits.cpu_busy = 100;
    assert_int_equal(limit_now(&commits), JOB_LIMIT_DISK);
    struct limit_input walk = busy();
    walk.puts_active = 0;
    walk.is_walking = 1;
    assert_int_equal(limit_now(&walk), JOB_LIMIT_DISK);
    struct limit_input claims = busy();
    claims.puts_active = 0;
    assert_int_equal(limit_now(&claims), JOB_LIMIT_DISK);
}

static void too_few_files_for_the_transfers_are_the_tail(void **state)
{
    (void)state;
    struct limit_input in = busy();
    in.has_more = 0;
    in.puts_active = 2;
    assert_int_equal(limit_now(&in), JOB_LIMIT_TAIL);
    in.puts_active = 0; /* the very last one is being confirmed */
    assert_int_equal(limit_now(&in), JOB_LIMIT_TAIL);
    in.puts_active = 2;
    in.waiting[WAIT_SLOT] = 9; /* more are on their way */
    in.api_active = 10;
    assert_int_equal(limit_now(&in), JOB_LIMIT_SERVER);
}

static void the_longest_of_a_second_gives_it_its_name(void **state)
{
    (void)state;
    struct limit_clock clock = {0};
    limit_clock_add(&clock, JOB_LIMIT_API, 300);
    limit_clock_add(&clock, JOB_LIMIT_NETWORK, 400);
    limit_clock_add(&clock, JOB_LIMIT_API, 200);
    limit_clock_add(&clock, JOB_LIMIT_CPU, 100);
    limit_clock_turn(&clock);
    assert_int_equal(clock.named, JOB_LIMIT_API);
    limit_clock_turn(&clock); /* nothing new: it stays */
    assert_int_equal(clock.named, JOB_LIMIT_API);
    limit_clock_add(&clock, JOB_LIMIT_TAIL, 1);
    limit_clock_turn(&clock);
    assert_int_equal(clock.named, JOB_LIMIT_TAIL);
    assert_int_equal(clock.total_ms[JOB_LIMIT_API], 500);
    assert_int_equal(clock.total_ms[JOB_LIMIT_NETWORK], 400);
}

static void seconds_without_work_do_not_make_the_way_slow(void **state)
{
    (void)state;
    struct goodput goodput = {0};
    for (int i = 0; i < 10; i++)
        goodput_add(&goodput, i % 2 ? 90 : 110, JOB_LIMIT_NETWORK, 0);
    assert_in_range(goodput.capable_bytes_per_s, 95, 105);
    for (int i = 0; i < 30; i++)
        goodput_add(&goodput, 1, i % 2 ? JOB_LIMIT_API : JOB_LIMIT_TAIL, 0);
    goodput_add(&goodput, 0, JOB_LIMIT_SERVER, 1);
    assert_in_range(goodput.capable_bytes_per_s, 95, 105);
    assert_true(goodput.bytes_per_s < 10);
    goodput_add(&goodput, 300, JOB_LIMIT_API, 0); /* so fast it can be, then */
    assert_int_equal(goodput.capable_bytes_per_s, 300);
    for (int i = 0; i < 40; i++)
        goodput_add(&goodput, 50, JOB_LIMIT_SERVER, 0); /* slow replies are the way as it is */
    assert_in_range(goodput.capable_bytes_per_s, 50, 60);
    goodput_forget(&goodput);
    goodput_add(&goodput, 150, JOB_LIMIT_NETWORK, 0);
    assert_in_range(goodput.capable_bytes_per_s, 95, 110);
}

static void the_last_few_files_tell_what_the_way_carries_while_they_half_fill_it(void **state)
{
    (void)state;
    struct goodput goodput = {0};
    goodput_add(&goodput, 10000, JOB_LIMIT_NETWORK, 0);
    for (int i = 0; i < 60; i++)
        goodput_add(&goodput, 8700, JOB_LIMIT_TAIL, 0);
    assert_in_range(goodput.capable_bytes_per_s, 8690, 8710);
    for (int i = 0; i < 60; i++)
        goodput_add(&goodput, 4000, JOB_LIMIT_TAIL, 0);
    assert_in_range(goodput.capable_bytes_per_s, 8690, 8710);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_transfers_are_the_network),
        cmocka_unit_test(nothing_yet_is_starting),
        cmocka_unit_test(a_spent_budget_that_is_waited_for_is_the_api),
        cmocka_unit_test(holds_retries_throttling_and_slow_replies_are_the_server),
        cmocka_unit_test(a_loop_or_cores_without_rest_are_the_cpu),
        cmocka_unit_test(reads_commits_and_the_walk_are_the_disk),
        cmocka_unit_test(too_few_files_for_the_transfers_are_the_tail),
        cmocka_unit_test(the_longest_of_a_second_gives_it_its_name),
        cmocka_unit_test(seconds_without_work_do_not_make_the_way_slow),
        cmocka_unit_test(the_last_few_files_tell_what_the_way_carries_while_they_half_fill_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
