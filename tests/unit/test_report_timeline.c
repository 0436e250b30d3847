/* timeline.c, chart.c, page.c over real journals: sums stay true, and no value is markup. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "report/chart.h"
#include "report/page.h"

#define BEGUN_MS 1700000000000

struct bench {
    char path[64];
    struct journal *journal;
    struct timeline timeline;
};

static void wake(void *user)
{
    (void)user;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct err err = ERR_INIT;
    assert_non_null(bench);
    strcpy(bench->path, "/tmp/test-timeline-XXXXXX");
    int fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(journal_open(bench->path, JOURNAL_CREATE, wake, NULL, &bench->journal, &err),
                     0);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    journal_close(bench->journal);
    unlink(bench->path);
    free(bench);
    return 0;
}

/* Moments of a second from a time on, each with the same sums. */
static void work(struct bench *bench, int64_t from_s, int seconds)
{
    for (int n = 0; n < seconds; n++) {
        struct journal_batch *batch = journal_batch_new();
        struct journal_moment moment = {.from_ms = BEGUN_MS + (from_s + n) * 1000};
        assert_non_null(batch);
        moment.to_ms = moment.from_ms + 999;
        moment.sums[HISTORY_RUN_MS] = 1000;
        moment.sums[HISTORY_CONFIRMED] = 7;
        moment.sums[HISTORY_SKIPPED] = 1;
        moment.sums[HISTORY_SENT_BYTES] = 3 << 20;
        moment.sums[HISTORY_REQUESTS] = 15;
        moment.sums[HISTORY_RATE_MS] = 950 * 1000;
        moment.sums[HISTORY_BY_API_MS] = 900;
        journal_batch_moment(batch, &moment);
        journal_submit(bench->journal, batch);
    }
}

static const struct timeline *read_timeline(struct bench *bench)
{
    struct err err = ERR_INIT;
    assert_int_equal(timeline_read(&bench->timeline, bench->journal, &err), 0);
    return &bench->timeline;
}

static void check_sums(const struct timeline *timeline, int64_t seconds)
{
    int64_t bins = 0;
    int64_t stretches = 0;
    for (int i = 0; i < timeline->bin_count; i++)
        bins += timeline->bins[i].sums[HISTORY_REQUESTS];
    for (int n = 0; n < timeline->stretch_count; n++)
        stretches += timeline->stretches[n].sums[HISTORY_REQUESTS];
    assert_int_equal(bins, 15 * seconds);
    assert_int_equal(stretches, 15 * seconds);
    assert_int_equal(timeline->sums[HISTORY_REQUESTS], 15 * seconds);
}

static double no_value(const struct timeline *timeline, int bin)
{
    (void)timeline;
    (void)bin;
    return 0;
}

static void check_charts(const struct timeline *timeline)
{
    static const struct chart charts[] = {
        {"files", " files", CHART_COUNT, timeline_files, NULL},
        {"bytes", " B", CHART_BYTES, timeline_bytes, NULL},
        {"requests", " requests", CHART_COUNT, timeline_requests, timeline_budget},
        {"none", " B", CHART_BYTES, no_value, NULL},
    };
    struct buf svg;
    buf_init(&svg, CHART_MAX_BYTES);
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        assert_int_equal(chart_values(timeline, &charts[i], &svg), 0);
    assert_int_equal(chart_limits(timeline, &svg), 0);
    assert_null(strstr(buf_str(&svg), "nan"));
    assert_null(strstr(buf_str(&svg), "inf"));
    assert_true(svg.len < CHART_MAX_BYTES);
    buf_release(&svg);
}

static void a_pause_ends_a_stretch(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(read_timeline(bench)->stretch_count, 0);
    work(bench, 0, 100);
    work(bench, 103, 50);
    work(bench, 3600, 25);
    const struct timeline *timeline = read_timeline(bench);
    assert_int_equal(timeline->stretch_count, 2);
    assert_int_equal(timeline->bin_ms, 1000);
    assert_int_equal(timeline->stretches[0].bin_count, 153);
    assert_int_equal(timeline->stretches[1].bin_count, 25);
    assert_int_equal(timeline->stretches[1].from_ms, BEGUN_MS + 3600 * 1000);
    check_sums(timeline, 175);
    assert_int_equal((int)timeline_files(timeline, 3), 8 * 60);
    assert_int_equal((int)timeline_bytes(timeline, 3), 3 << 20);
    /* Of the minute before, and not across a pause. */
    assert_int_equal((int)timeline_requests(timeline, 1), 30);
    assert_int_equal((int)timeline_requests(timeline, 80), 900);
    assert_int_equal((int)timeline_requests(timeline, 154), 30);
    assert_int_equal((int)timeline_budget(timeline, 3), 950);
    assert_int_equal((int)timeline_budget(timeline, 101), 0);
    check_charts(timeline);
}

static void a_moment_alone_is_a_chart(void **state)
{
    struct bench *bench = *state;
    work(bench, 0, 1);
    assert_int_equal(read_timeline(bench)->bin_count, 1);
    check_charts(&bench->timeline);
}

static void many_runs_over_months_are_few_stretches_of_few_bins(void **state)
{
    struct bench *bench = *state;
    for (int n = 0; n < 90; n++)
        work(bench, n * 86400 + n % 7 * 900, 40);
    const struct timeline *timeline = read_timeline(bench);
    assert_true(timeline->stretch_count <= TIMELINE_STRETCHES);
    assert_true(timeline->bin_count <= TIMELINE_BINS + TIMELINE_STRETCHES);
    check_sums(timeline, 90 * 40);
    check_charts(timeline);
}

static void no_value_is_markup(void **state)
{
    (void)state;
    static const char hostile[] = "</td><script>x('\"&\xff\xe2\x80\xae</script>";
    struct page page;
    struct buf out;
    page_init(&page, NULL);
    buf_init(&out, 4096);
    const struct page_value values[] = {
        PAGE_RAW_NAME("path", hostile),
        PAGE_VALUE("bytes", COUNT, -1234567),
        PAGE_VALUE("bytes_n", TENTHS, 12345),
        PAGE_STRING("text", hostile),
        {0},
    };
    assert_int_equal(page_fill_into(&page, "failure", values, &out), 0);
    const char *text = buf_str(&out);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "</td>"));
    assert_null(strchr(text, '\''));
    assert_non_null(strstr(text, "x(&#39;&#34;&#38;\\xff\\xe2\\x80\\xae&#60;/script&#62;"));
    assert_non_null(strstr(text, "-1,234,567"));
    assert_non_null(strstr(text, "1,234.5"));
    buf_release(&out);
    page_release(&page);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pause_ends_a_stretch),
        TEST(a_moment_alone_is_a_chart),
        TEST(many_runs_over_months_are_few_stretches_of_few_bins),
        cmocka_unit_test(no_value_is_markup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
