/*
 * log.h - log lines: levels, text or JSON, secrets taken out. Any thread.
 *
 * Two guards keep secrets out: log_add_secret() registers a literal (token, client secret) that
 * is replaced wherever it, its beginning, or its percent or base64 spelling would appear, and the
 * query of every URL that carries a signature is cut. Both work on the finished line, so no caller
 * can forget them.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

enum log_format { LOG_TEXT, LOG_JSON };

/* Takes one finished line without its newline; called under the log's lock. */
typedef void log_sink_fn(void *user, enum log_level level, const char *line);

struct log_options {
    enum log_level level;
    enum log_format format;
    const char *file;  /* NULL: stderr; appended to, made with mode 0600 */
    log_sink_fn *sink; /* NULL: write to file or stderr directly */
    void *user;
};

/* 0 or -ERR_IO when the file cannot be opened. Call once before threads start. */
int log_open(const struct log_options *options, struct err *err) WARN_UNUSED;
void log_close(void);
/* Changes where stderr lines go (the progress block scrolls them above itself). */
void log_set_sink(log_sink_fn *sink, void *user);
int log_enabled(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* True once a line at LOG_ERROR was written: then the exit code must not be 0. */
int log_saw_error(void);

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                         \
    do {                                       \
        if (log_enabled(LOG_DEBUG))            \
            log_write(LOG_DEBUG, __VA_ARGS__); \
    } while (0)

/* Registers a literal that must never be shown; shorter than 4 bytes is ignored. */
void log_add_secret(const char *secret);
/* Replaces secrets and URL queries in a NUL-terminated text, in place (it only shrinks). */
void log_redact(char *text);

/* Appends str as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
int log_append_json_string(struct buf *buf, const char *str, size_t len);

#endif
