/*
 * progress.c - see progress.h. Drawn by the loop thread; log lines come from any thread, under
 * the log's lock. Order of locks: the log's, then ours; so nothing here may log.
 *
 * Invariant: the cursor stands in column 0 of the line below `shown`; `shown` is what the
 * terminal has, so erasing is cursor arithmetic over it. One frame is one write(2): no flicker,
 * no mixing with others' lines.
 */
#include "report/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "report/line.h"

#define BLOCK_MAX_BYTES  (256 * 1024)
#define FRAME_MAX_BYTES  (1024 * 1024)
#define REPAINT_MS       50 /* a flood of log lines does not carry the block along with each */
#define COLUMNS_FALLBACK 80
#define ROWS_FALLBACK    24

#define SGR_RED    "\033[31m"
#define SGR_YELLOW "\033[33m"
#define SGR_END    "\033[0m"

static int locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return 0;
}

static int terminal_can(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

void progress_init(struct progress *progress, int fd, int block, int color)
{
    *progress = (struct progress){.fd = fd};
    const char *no_color = getenv("NO_COLOR");
    progress->block = block && terminal_can(fd);
    progress->color = progress->block && color && !(no_color && *no_color);
    progress->ascii = !locale_is_utf8();
    pthread_mutex_init(&progress->lock, NULL);
    buf_init(&progress->shown, BLOCK_MAX_BYTES);
    buf_init(&progress->latest, BLOCK_MAX_BYTES);
    buf_init(&progress->frame, FRAME_MAX_BYTES);
}

void progress_release(struct progress *progress)
{
    progress_end(progress);
    buf_release(&progress->shown);
    buf_release(&progress->latest);
    buf_release(&progress->frame);
    pthread_mutex_destroy(&progress->lock);
}

void progress_size(const struct progress *progress, struct view_size *out)
{
    struct winsize size = {0};
    if (ioctl(progress->fd, TIOCGWINSZ, &size))
        size = (struct winsize){0};
    *out = (struct view_size){
        .columns = size.ws_col ? size.ws_col : COLUMNS_FALLBACK,
        .rows = size.ws_row ? size.ws_row : ROWS_FALLBACK,
        .ascii = progress->ascii,
    };
}

/* A terminal that is gone or full is no reason to stop a job: what does not fit is lost. */
static void flush_frame(struct progress *progress)
{
    const char *at = buf_str(&progress->frame);
    size_t left = progress->frame.len;
    while (left) {
        ssize_t sent = write(progress->fd, at, left);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            break;
        at += sent;
        left -= (size_t)sent;
    }
    buf_reset(&progress->frame);
}

/* Terminal rows of what is shown; more than lines where the window got narrower since. */
static int shown_rows(const struct progress *progress)
{
    struct view_size size;
    progress_size(progress, &size);
    int rows = 0;
    const char *at = buf_str(&progress->shown);
    for (const char *end; (end = strchr(at, '\n')); at = end + 1) {
        int columns = line_width(at, (size_t)(end - at), progress->ascii);
        rows += columns > size.columns ? (columns + size.columns - 1) / size.columns : 1;
    }
    return rows < size.rows ? rows : size.rows - 1;
}

static void frame_erase(struct progress *progress)
{
    if (!progress->shown.len)
        return;
    int rows = shown_rows(progress);
    buf_puts(&progress->frame, "\r");
    if (rows > 0)
        buf_printf(&progress->frame, "\033[%dA", rows);
    buf_puts(&progress->frame, "\033[J");
    buf_reset(&progress->shown);
}

static void frame_block(struct progress *progress)
{
    if (buf_append(&progress->frame, buf_str(&progress->latest), progress->latest.len))
        return;
    (void)buf_append(&progress->shown, buf_str(&progress->latest), progress->latest.len);
    progress->painted_ms = clock_now_ms();
}

void progress_draw(struct progress *progress, const char *lines)
{
    if (!progress->block)
        return;
    pthread_mutex_lock(&progress->lock);
    frame_erase(progress);
    buf_reset(&progress->latest);
    if (!buf_puts(&progress->latest, lines))
        frame_block(progress);
    flush_frame(progress);
    pthread_mutex_unlock(&progress->lock);
}

static void print_above(struct progress *progress, const char *color, const char *line)
{
    pthread_mutex_lock(&progress->lock);
    frame_erase(progress);
    buf_printf(&progress->frame, "%s%s%s\n", color, line, *color ? SGR_END : "");
    /* A block that is left out here comes back with the next draw. */
    if (progress->latest.len && clock_now_ms() - progress->painted_ms >= REPAINT_MS)
        frame_block(progress);
    flush_frame(progress);
    pthread_mutex_unlock(&progress->lock);
}

void progress_print(struct progress *progress, const char *line)
{
    print_above(progress, "", line);
}

void progress_log(void *user, enum log_level level, const char *line)
{
    struct progress *progress = user;
    const char *color = "";
    if (progress->color && level == LOG_ERROR)
        color = SGR_RED;
    if (progress->color && level == LOG_WARNING)
        color = SGR_YELLOW;
    print_above(progress, color, line);
}

void progress_title(struct progress *progress, const char *title)
{
    if (!progress->block)
        return;
    pthread_mutex_lock(&progress->lock);
    buf_printf(&progress->frame, "\033]0;%s\007", title);
    progress->titled = 1;
    flush_frame(progress);
    pthread_mutex_unlock(&progress->lock);
}

void progress_end(struct progress *progress)
{
    pthread_mutex_lock(&progress->lock);
    frame_erase(progress);
    buf_reset(&progress->latest);
    if (progress->titled)
        buf_puts(&progress->frame, "\033]0;\007");
    progress->titled = 0;
    flush_frame(progress);
    pthread_mutex_unlock(&progress->lock);
}
