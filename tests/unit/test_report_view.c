/* line.c and view.c: no line is wider than its terminal, whatever the names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/line.h"
#include "report/view.h"

static const char *fit(struct buf *buf, const char *text, int columns, enum line_cut cut, int ascii)
{
    buf_reset(buf);
    assert_int_equal(line_fit(text, columns, cut, ascii, buf), 0);
    return buf_str(buf);
}

static void what_fits_stays(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_string_equal(fit(&buf, "abc", 3, LINE_CUT_END, 0), "abc");
    assert_string_equal(fit(&buf, "", 3, LINE_CUT_END, 0), "");
    assert_string_equal(fit(&buf, "\xc3\xa4\xc3\xb6\xc3\xbc", 3, LINE_CUT_END, 0),
                        "\xc3\xa4\xc3\xb6\xc3\xbc");
    buf_release(&buf);
}

static void what_does_not_fit_is_cut_at_either_end(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_string_equal(fit(&buf, "abcdefgh", 6, LINE_CUT_END, 0), "abcd..");
    assert_string_equal(fit(&buf, "abcdefgh", 6, LINE_CUT_START, 0), "..efgh");
    assert_string_equal(fit(&buf, "abcdefgh", 2, LINE_CUT_START, 0), "..");
    assert_string_equal(fit(&buf, "abcdefgh", 1, LINE_CUT_START, 0), ".");
    assert_string_equal(fit(&buf, "abcdefgh", 0, LINE_CUT_END, 0), "");
    buf_release(&buf);
}

static void wide_characters_count_twice(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    const char *kanji = "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e";
    assert_int_equal(line_width(kanji, strlen(kanji), 0), 6);
    /* Half a character is never shown: one column stays free. */
    assert_string_equal(fit(&buf, kanji, 5, LINE_CUT_END, 0), "\xe6\x97\xa5..");
    assert_string_equal(fit(&buf, kanji, 5, LINE_CUT_START, 0), "..\xe8\xaa\x9e");
    assert_string_equal(fit(&buf, kanji, 6, LINE_CUT_END, 1), "???");
    buf_release(&buf);
}

static void terminal_commands_do_not_get_through(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_string_equal(fit(&buf, "a\x1b[2Jb\r\n\x07", 20, LINE_CUT_END, 0), "a?[2Jb???");
    assert_string_equal(fit(&buf,
                            "a\xff\xc2\x9b"
                            "b",
                            20, LINE_CUT_END, 0),
                        "a??b");
    /* Right-to-left override and zero-width space vanish, a combining accent stays. */
    assert_string_equal(fit(&buf,
                            "a\xe2\x80\xae\xe2\x80\x8b"
                            "e\xcc\x81",
                            20, LINE_CUT_END, 0),
                        "ae\xcc\x81");
    buf_release(&buf);
}

static void fill(struct job_snapshot *snapshot, int active)
{
    static const char *const paths[] = {
        "short.jpg",
        "a/very/long/path/that/goes/on/and/on/until/no/terminal/can/hold/it/picture-0001.jpg",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.tif",
        "latin\xe9\xff\x1b[31m.jpg",
    };
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->api_rate = 950;
    snapshot->requests_in_window = 612;
    snapshot->goodput_bytes_per_s = snapshot->capable_bytes_per_s = 23 << 20;
    snapshot->unsent_bytes = 1ll << 30;
    snapshot->retries = 4;
    snapshot->held_ms = 1500;
    snapshot->walking = 1;
    snapshot->waiting[WAIT_API] = 3;
    snapshot->waiting[WAIT_RETRY] = 1;
    snapshot->books.files[ASSET_CONFIRMED] = 100;
    snapshot->books.bytes[ASSET_CONFIRMED] = 1ll << 30;
    snapshot->books.files[ASSET_DISCOVERED] = 100;
    snapshot->books.bytes[ASSET_DISCOVERED] = 1ll << 30;
    snapshot->active_count = active;
    for (int i = 0; i < active; i++)
        snapshot->active[i] = (struct active_file){
            .path = paths[i % 4],
            .step = i % 3 ? "put" : "confirm",
            .size_bytes = 1ll << 30,
            .sent_bytes = 1ll << 29,
            .since_ms = 22000,
        };
}

static void add_links(struct job_snapshot *snapshot)
{
    snapshot->books.to_link_files = 77;
    snapshot->books.categories = 3;
    snapshot->books.collections = 4;
}

static void no_block_wraps_or_scrolls(void **state)
{
    (void)state;
    struct job_snapshot *snapshot = malloc(sizeof *snapshot);
    assert_non_null(snapshot);
    struct buf buf;
    buf_init(&buf, 1 << 20);
    fill(snapshot, SNAPSHOT_ACTIVE_MAX);
    add_links(snapshot);
    struct view_sums sums;
    view_sums(snapshot, &sums);
    for (int columns = 1; columns < 200; columns++) {
        int rows = columns % 70 + 1;
        struct view_size size = {.columns = columns, .rows = rows, .ascii = columns % 2};
        buf_reset(&buf);
        assert_int_equal(view_block(snapshot, &sums, &size, &buf), 0);
        int lines = 0;
        const char *at = buf_str(&buf);
        for (const char *end; (end = strchr(at, '\n')); at = end + 1, lines++)
            if (columns > 8)
                assert_true(line_width(at, (size_t)(end - at), size.ascii) < columns);
        assert_true(lines < rows || rows == 1);
        assert_null(strpbrk(buf_str(&buf), "\r\x1b"));
    }
    buf_release(&buf);
    free(snapshot);
}

static void a_block_tells_of_links_and_of_the_wait_for_the_budget(void **state)
{
    (void)state;
    struct job_snapshot *snapshot = malloc(sizeof *snapshot);
    assert_non_null(snapshot);
    struct view_size size = {.columns = 100, .rows = 20};
    struct view_sums sums;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    fill(snapshot, 0);
    add_links(snapshot);
    snapshot->held_ms = 0;
    snapshot->budget_wait_ms = 31500;
    view_sums(snapshot, &sums);
    assert_int_equal(view_block(snapshot, &sums, &size, &buf), 0);
    assert_non_null(strstr(buf_str(&buf), "\nLinking:      77 files to link, 3 categories and 4 "
                                          "collections to make\n"));
    assert_non_null(strstr(buf_str(&buf), "api 612/950 in 60s, next in 32s, "));
    buf_reset(&buf);
    assert_int_equal(view_line(snapshot, &sums, &buf), 0);
    assert_non_null(strstr(buf_str(&buf), ", 77 files to link, 3 categories and 4 collections"));

    snapshot->budget_wait_ms = 70;
    snapshot->books.to_link_files = 0;
    buf_reset(&buf);
    assert_int_equal(view_block(snapshot, &sums, &size, &buf), 0);
    assert_null(strstr(buf_str(&buf), "Linking:"));
    assert_null(strstr(buf_str(&buf), "next in"));
    buf_release(&buf);
    free(snapshot);
}

static void an_active_file_reads_like_rclone(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    struct active_file file = {.path = "dir/name.jpg",
                               .step = "put",
                               .size_bytes = 1288490189,
                               .sent_bytes = 579820585,
                               .since_ms = 24041};
    assert_int_equal(view_active(&file, 79, 0, &buf), 0);
    assert_string_equal(buf_str(&buf), " * dir/name.jpg: 44% /1.1Gi, 23.0Mi/s");
    buf_reset(&buf);
    file.path = "a/long/folder/and/a/long/name.jpg";
    assert_int_equal(view_active(&file, 40, 0, &buf), 0);
    assert_string_equal(buf_str(&buf), " * ..long/name.jpg: 44% /1.1Gi, 23.0Mi/s");
    buf_release(&buf);
}

static void the_line_tells_all_and_stays_one_line(void **state)
{
    (void)state;
    struct job_snapshot *snapshot = malloc(sizeof *snapshot);
    assert_non_null(snapshot);
    struct buf buf;
    buf_init(&buf, 10000);
    fill(snapshot, 0);
    struct view_sums sums;
    view_sums(snapshot, &sums);
    assert_int_equal(view_line(snapshot, &sums, &buf), 0);
    assert_string_equal(buf_str(&buf),
                        "1.0 GiB / 2.0 GiB, 50%, 23.0 MiB/s, ETA -, files 100/200, failed 0, "
                        "skipped 0, api 612/950 in 60s, held back for 2s, limit starting, "
                        "still walking");
    snapshot->walking = 0;
    snapshot->held_ms = 0;
    buf_reset(&buf);
    view_sums(snapshot, &sums);
    assert_int_equal(view_line(snapshot, &sums, &buf), 0);
    assert_non_null(strstr(buf_str(&buf), "ETA 44s,"));
    buf_release(&buf);
    free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays),
        cmocka_unit_test(what_does_not_fit_is_cut_at_either_end),
        cmocka_unit_test(wide_characters_count_twice),
        cmocka_unit_test(terminal_commands_do_not_get_through),
        cmocka_unit_test(no_block_wraps_or_scrolls),
        cmocka_unit_test(a_block_tells_of_links_and_of_the_wait_for_the_budget),
        cmocka_unit_test(an_active_file_reads_like_rclone),
        cmocka_unit_test(the_line_tells_all_and_stays_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
