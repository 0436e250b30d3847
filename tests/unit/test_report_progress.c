/* progress.c on a pseudo-terminal: the block is drawn in place, lines scroll above it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "report/progress.h"

struct terminal {
    int master;
    int slave;
    char seen[65536];
};

static void terminal_open(struct terminal *terminal, unsigned short columns)
{
    terminal->master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal->master >= 0);
    assert_int_equal(grantpt(terminal->master), 0);
    assert_int_equal(unlockpt(terminal->master), 0);
    terminal->slave = open(ptsname(terminal->master), O_RDWR | O_NOCTTY);
    assert_true(terminal->slave >= 0);
    struct termios mode;
    assert_int_equal(tcgetattr(terminal->slave, &mode), 0);
    cfmakeraw(&mode);
    assert_int_equal(tcsetattr(terminal->slave, TCSANOW, &mode), 0);
    struct winsize size = {.ws_row = 10, .ws_col = columns};
    assert_int_equal(ioctl(terminal->slave, TIOCSWINSZ, &size), 0);
    assert_int_equal(fcntl(terminal->master, F_SETFL, O_NONBLOCK), 0);
}

static void terminal_close(struct terminal *terminal)
{
    close(terminal->slave);
    close(terminal->master);
}

/* What was written since the last look. */
static const char *look(struct terminal *terminal)
{
    size_t len = 0;
    ssize_t got;
    while (len < sizeof terminal->seen - 1 && (got = read(terminal->master, terminal->seen + len,
                                                          sizeof terminal->seen - 1 - len)) > 0)
        len += (size_t)got;
    terminal->seen[len] = '\0';
    return terminal->seen;
}

static void as_a_terminal(void)
{
    setenv("TERM", "xterm", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
}

static void the_block_is_redrawn_in_place_and_removed(void **state)
{
    (void)state;
    static struct terminal terminal;
    struct progress progress;
    as_a_terminal();
    terminal_open(&terminal, 80);
    progress_init(&progress, terminal.slave, 1, 1);
    assert_true(progress.block);
    progress_draw(&progress, "one\ntwo\n");
    assert_string_equal(look(&terminal), "one\ntwo\n");
    progress_draw(&progress, "three\n");
    assert_string_equal(look(&terminal), "\r\033[2A\033[Jthree\n");
    progress_end(&progress);
    assert_string_equal(look(&terminal), "\r\033[1A\033[J");
    progress_print(&progress, "after");
    assert_string_equal(look(&terminal), "after\n");
    progress_release(&progress);
    assert_string_equal(look(&terminal), "");
    terminal_close(&terminal);
}

static void log_lines_scroll_above_the_block(void **state)
{
    (void)state;
    static struct terminal terminal;
    struct progress progress;
    as_a_terminal();
    terminal_open(&terminal, 80);
    progress_init(&progress, terminal.slave, 1, 1);
    progress_draw(&progress, "block\n");
    (void)look(&terminal);
    progress.painted_ms = 0;
    progress_log(&progress, LOG_NOTICE, "said");
    assert_string_equal(look(&terminal), "\r\033[1A\033[Jsaid\nblock\n");
    /* In a flood the block waits for its next turn. */
    progress_log(&progress, LOG_ERROR, "flood");
    assert_string_equal(look(&terminal), "\r\033[1A\033[J\033[31mflood\033[0m\n");
    progress_log(&progress, LOG_ERROR, "flood");
    assert_string_equal(look(&terminal), "\033[31mflood\033[0m\n");
    progress_draw(&progress, "block\n");
    assert_string_equal(look(&terminal), "block\n");
    progress_release(&progress);
    terminal_close(&terminal);
}

static void a_window_that_got_narrower_is_erased_whole(void **state)
{
    (void)state;
    static struct terminal terminal;
    struct progress progress;
    as_a_terminal();
    terminal_open(&terminal, 80);
    progress_init(&progress, terminal.slave, 1, 0);
    progress_draw(&progress, "0123456789012345678901234567890123456789\nshort\n");
    (void)look(&terminal);
    struct winsize size = {.ws_row = 10, .ws_col = 20};
    assert_int_equal(ioctl(terminal.slave, TIOCSWINSZ, &size), 0);
    progress_end(&progress);
    assert_string_equal(look(&terminal), "\r\033[3A\033[J");
    progress_release(&progress);
    terminal_close(&terminal);
}

static void no_color_is_honoured(void **state)
{
    (void)state;
    static struct terminal terminal;
    struct progress progress;
    as_a_terminal();
    setenv("NO_COLOR", "1", 1);
    terminal_open(&terminal, 80);
    progress_init(&progress, terminal.slave, 1, 1);
    progress_log(&progress, LOG_ERROR, "plain");
    assert_string_equal(look(&terminal), "plain\n");
    progress_release(&progress);
    terminal_close(&terminal);
}

static void elsewhere_there_is_no_block(void **state)
{
    (void)state;
    int ends[2];
    char seen[100] = "";
    struct progress progress;
    as_a_terminal();
    assert_int_equal(pipe(ends), 0);
    progress_init(&progress, ends[1], 1, 1);
    assert_false(progress.block);
    progress_draw(&progress, "block\n");
    progress_title(&progress, "title");
    progress_print(&progress, "line");
    progress_release(&progress);
    assert_int_equal(read(ends[0], seen, sizeof seen - 1), 5);
    assert_string_equal(seen, "line\n");
    close(ends[0]);
    close(ends[1]);
}

static void a_dumb_terminal_gets_no_block(void **state)
{
    (void)state;
    static struct terminal terminal;
    struct progress progress;
    as_a_terminal();
    setenv("TERM", "dumb", 1);
    terminal_open(&terminal, 80);
    progress_init(&progress, terminal.slave, 1, 1);
    assert_false(progress.block);
    progress_release(&progress);
    terminal_close(&terminal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_is_redrawn_in_place_and_removed),
        cmocka_unit_test(log_lines_scroll_above_the_block),
        cmocka_unit_test(a_window_that_got_narrower_is_erased_whole),
        cmocka_unit_test(no_color_is_honoured),
        cmocka_unit_test(elsewhere_there_is_no_block),
        cmocka_unit_test(a_dumb_terminal_gets_no_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
