/*
 * log.c - see log.h. Called by all, on any thread.
 *
 * Invariants: a message is formatted whole, then redacted, then cut to its maximum, so that no
 * cut can leave half a secret; redaction comes before escaping, so that no escape can hide one;
 * one message is one line and one write(2). The lock covers the secrets and the output.
 */
#include "base/log.h"
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MESSAGE_MAX (16 * 1024)             /* bytes of a message that are shown */
#define ROW_MAX     (6 * MESSAGE_MAX + 256) /* every byte escaped, and the frame around it */
#define SECRET_MIN  4
#define PREFIX_MIN  8 /* bytes of a secret's beginning that are taken for the secret */
#define SECRETS_MAX \
    96 /* spellings; the oldest is forgotten: tokens of a run that lasts for years */

struct secret {
    char *text;
    size_t len;
};

static struct {
    pthread_mutex_t lock;
    enum log_level level;   /* atomic */
    int saw_error;          /* atomic */
    enum log_format format; /* from here on under the lock */
    int fd;                 /* -1: stderr */
    int file_failed;
    log_sink_fn *sink;
    void *user;
    struct secret secrets[SECRETS_MAX];
    size_t next_secret;
} logger = {.lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_NOTICE, .fd = -1};

static const char *const level_names[] = {"ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"};
static const char *const level_words[] = {"error", "warning", "notice", "info", "debug"};
_Static_assert(sizeof level_names / sizeof *level_names == LOG_DEBUG + 1, "one name a level");
_Static_assert(sizeof level_words / sizeof *level_words == LOG_DEBUG + 1, "one word a level");

/* ---- opening ---------------------------------------------------------------------------- */

int log_open(const struct log_options *options, struct err *err)
{
    int fd = -1;
    if (options->file) {
        fd = open(options->file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
                  0600);
        if (fd < 0)
            return err_set_errno(err, ERR_IO, errno, "cannot open the log file %s", options->file);
    }
    log_close();
    pthread_mutex_lock(&logger.lock);
    logger.fd = fd;
    logger.file_failed = 0;
    logger.format = options->format;
    logger.sink = options->sink;
    logger.user = options->user;
    pthread_mutex_unlock(&logger.lock);
    __atomic_store_n(&logger.level, options->level, __ATOMIC_RELAXED);
    __atomic_store_n(&logger.saw_error, 0, __ATOMIC_RELAXED);
    return 0;
}

/* Secrets stay registered: lines written after this go to stderr and must not show them. */
void log_close(void)
{
    pthread_mutex_lock(&logger.lock);
    if (logger.fd >= 0)
        close(logger.fd);
    logger.fd = -1;
    logger.sink = NULL;
    logger.user = NULL;
    pthread_mutex_unlock(&logger.lock);
}

void log_set_sink(log_sink_fn *sink, void *user)
{
    pthread_mutex_lock(&logger.lock);
    logger.sink = sink;
    logger.user = user;
    pthread_mutex_unlock(&logger.lock);
}

int log_enabled(enum log_level level)
{
    return level <= __atomic_load_n(&logger.level, __ATOMIC_RELAXED);
}

int log_saw_error(void)
{
    return __atomic_load_n(&logger.saw_error, __ATOMIC_RELAXED);
}

/* ---- redaction -------------------------------------------------------------------------- */

static void forget(struct secret *secret)
{
    if (secret->text)
        explicit_bzero(secret->text, secret->len);
    free(secret->text);
    *secret = (struct secret){0};
}

/* Needs the lock. Takes the text over. */
static void add_spelling(char *text)
{
    size_t len = text ? strlen(text) : 0;
    struct secret added = {.text = text, .len = len};
    int known = len < SECRET_MIN; /* too short to be told from other text */
    for (size_t i = 0; i < SECRETS_MAX && !known; i++)
        known = logger.secrets[i].len == len && !memcmp(logger.secrets[i].text, text, len);
    if (known) {
        forget(&added);
        return;
    }
    struct secret *slot = &logger.secrets[logger.next_secret++ % SECRETS_MAX];
    forget(slot);
    *slot = added;
}

/* As the query of a URL has it; NULL on lack of memory. */
static char *percent_encoded(const char *text)
{
    static const char plain[] = "-._~";
    char *out = malloc(3 * strlen(text) + 1);
    char *at = out;
    for (; out && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr(plain, c))
            *at++ = (char)c;
        else
            at += snprintf(at, 4, "%%%02X", c);
    }
    if (out)
        *at = '\0';
    return out;
}

/* Without the end that hangs on what follows the secret; NULL on lack of memory. */
static char *base64_encoded(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    char *out = malloc(4 * (len / 3) + 1);
    char *at = out;
    for (size_t i = 0; out && i + 3 <= len; i += 3) {
        unsigned word = (unsigned)(unsigned char)text[i] << 16 |
                        (unsigned)(unsigned char)text[i + 1] << 8 | (unsigned char)text[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *at++ = digits[word >> shift & 63];
    }
    if (out)
        *at = '\0';
    return out;
}

void log_add_secret(const char *secret)
{
    if (!secret || strlen(secret) < SECRET_MIN)
        return;
    pthread_mutex_lock(&logger.lock);
    add_spelling(strdup(secret));
    add_spelling(percent_encoded(secret));
    add_spelling(base64_encoded(secret));
    pthread_mutex_unlock(&logger.lock);
}

/*
 * How much of text is a secret, or the beginning of one that somebody cut off: enough bytes of it
 * anywhere, or half of a short one where the text ends.
 */
static size_t part_of_secret(const char *text, const struct secret *secret)
{
    size_t same = 0;
    while (same < secret->len && text[same] == secret->text[same])
        same++;
    if (same == secret->len || same >= PREFIX_MIN)
        return same;
    return !text[same] && same >= SECRET_MIN && 2 * same >= secret->len ? same : 0;
}

/* The longest of them: one secret may be the start of another. */
static size_t secret_at(const char *text)
{
    size_t best = 0;
    for (size_t i = 0; i < SECRETS_MAX; i++) {
        size_t len = part_of_secret(text, &logger.secrets[i]);
        best = len > best ? len : best;
    }
    return best;
}

static int is_url_end(unsigned char c)
{
    return c <= ' ' || c == 0x7f || c == '"' || c == '\'' || c == '<' || c == '>';
}

/* The length of the query that begins with the '?' at text where it is signed, else 0. */
static size_t signed_query_at(const char *text)
{
    static const char *const marks[] = {"Signature=", "X-Amz-Credential=", "X-Amz-Security-Token="};
    if (*text != '?')
        return 0;
    size_t len = 1;
    int is_signed = 0;
    for (; !is_url_end((unsigned char)text[len]); len++)
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
            is_signed |= !strncasecmp(text + len, marks[i], strlen(marks[i]));
    return is_signed ? len : 0;
}

/* The length of what announces a credential at text, else 0. "basic" alone is a plain word. */
static size_t scheme_at(const char *text, int after_word)
{
    static const char *const schemes[] = {"Bearer ", "Authorization: Basic "};
    for (size_t i = 0; !after_word && i < sizeof schemes / sizeof *schemes; i++)
        if (!strncasecmp(text, schemes[i], strlen(schemes[i])))
            return strlen(schemes[i]);
    return 0;
}

static size_t credential_length(const char *text)
{
    return strcspn(text, " \t\r\n,;\"'");
}

/* Needs the lock. What is written never overtakes what is read. */
static void redact_locked(char *text)
{
    static const char cut[] = "?[redacted]";
    static const char stars[] = "***";
    char *out = text;
    for (const char *in = text; *in;) {
        size_t len = secret_at(in);
        size_t query = len ? 0 : signed_query_at(in);
        size_t scheme =
            len || query ? 0 : scheme_at(in, in > text && isalnum((unsigned char)in[-1]));
        if (query) {
            memcpy(out, cut, sizeof cut - 1);
            out += sizeof cut - 1;
            in += query;
            continue;
        }
        if (scheme) {
            memmove(out, in, scheme);
            out += scheme;
            in += scheme;
            len = credential_length(in);
        }
        if (len) {
            size_t shown = len < sizeof stars - 1 ? len : sizeof stars - 1;
            memcpy(out, stars, shown);
            out += shown;
            in += len;
        } else if (!scheme) {
            *out++ = *in++;
        }
    }
    *out = '\0';
}

void log_redact(char *text)
{
    pthread_mutex_lock(&logger.lock);
    redact_locked(text);
    pthread_mutex_unlock(&logger.lock);
}

/* ---- escaping --------------------------------------------------------------------------- */

/* The length of the well-formed UTF-8 sequence at str (RFC 3629), 0 where there is none. */
static size_t utf8_length(const char *str, size_t len)
{
    const unsigned char *s = (const unsigned char *)str;
    if (s[0] < 0x80)
        return 1;
    size_t need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || len < need)
        return 0;
    unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return need;
}

static int append_json_char(struct buf *buf, const char *str, size_t len)
{
    static const char named[] = "\"\\\n\r\t\b\f";
    static const char letters[] = "\"\\nrtbf";
    if (!len)
        return buf_puts(buf, "\xef\xbf\xbd");
    const char *found = *str ? strchr(named, *str) : NULL;
    if (found)
        return buf_printf(buf, "\\%c", letters[found - named]);
    if ((unsigned char)*str < 0x20 || *str == 0x7f)
        return buf_printf(buf, "\\u%04x", (unsigned char)*str);
    return buf_append(buf, str, len);
}

/* How many bytes at str stand in JSON as they are; nearly always all of them. */
static size_t plain_length(const char *str, size_t len)
{
    size_t at = 0;
    while (at < len && str[at] >= 0x20 && str[at] < 0x7f && str[at] != '"' && str[at] != '\\')
        at++;
    return at;
}

int log_append_json_string(struct buf *buf, const char *str, size_t len)
{
    int rc = buf_puts(buf, "\"");
    for (size_t at = 0; at < len && !rc;) {
        size_t plain = plain_length(str + at, len - at);
        size_t step = plain ? plain : utf8_length(str + at, len - at);
        rc = plain ? buf_append(buf, str + at, plain) : append_json_char(buf, str + at, step);
        at += step ? step : 1;
    }
    return rc ? rc : buf_puts(buf, "\"");
}

/* Bytes that a terminal would act on, or that are no text, become \n and \xNN. */
static int append_text(struct buf *buf, const char *str, size_t len)
{
    int rc = 0;
    for (size_t at = 0; at < len && !rc;) {
        unsigned char c = (unsigned char)str[at];
        size_t step = utf8_length(str + at, len - at);
        int is_c1 = step == 2 && c == 0xc2 && (unsigned char)str[at + 1] < 0xa0;
        if (c == '\n')
            rc = buf_puts(buf, "\\n");
        else if (c < 0x20 || c == 0x7f || !step || is_c1)
            rc = buf_printf(buf, "\\x%02x", c);
        else
            rc = buf_append(buf, str + at, step);
        at += step && !is_c1 ? step : 1;
    }
    return rc;
}

/* ---- writing ---------------------------------------------------------------------------- */

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int append_frame(struct buf *line, enum log_level level, const char *message)
{
    char now[CLOCK_TEXT_MAX];
    size_t len = strlen(message);
    clock_format(clock_wall_ms(), now);
    if (logger.format == LOG_JSON) {
        buf_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":", now, level_words[level]);
        log_append_json_string(line, message, len);
        return buf_puts(line, "}");
    }
    if (logger.fd < 0 && isatty(STDERR_FILENO))
        buf_printf(line, "%s: ", level_words[level]);
    else
        buf_printf(line, "%s %s ", now, level_names[level]);
    return append_text(line, message, len);
}

/* Needs the lock. A log file that stops taking lines (disk full) is said once, on stderr. */
static void put_line(enum log_level level, struct buf *line)
{
    if (logger.fd < 0 && logger.sink) {
        logger.sink(logger.user, level, buf_str(line));
        return;
    }
    buf_puts(line, "\n");
    if (logger.fd < 0) {
        (void)!write_all(STDERR_FILENO, buf_str(line), line->len);
    } else if (write_all(logger.fd, buf_str(line), line->len) && !logger.file_failed) {
        logger.file_failed = 1;
        dprintf(STDERR_FILENO, "pxload: the log file takes no more lines: %s\n",
                strerrordesc_np(errno));
    }
}

/* Cuts at a character's border, so that the cut itself is no broken UTF-8. */
static void cut_message(char *message)
{
    size_t len = strlen(message);
    if (len <= MESSAGE_MAX)
        return;
    len = MESSAGE_MAX - 3;
    while (len && ((unsigned char)message[len] & 0xc0) == 0x80)
        len--;
    memcpy(message + len, "...", sizeof "...");
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if (!log_enabled(level))
        return;
    int saved_errno = errno;
    char *message = NULL;
    va_list ap;
    va_start(ap, fmt);
    int rc = vasprintf(&message, fmt, ap);
    va_end(ap);
    if (rc < 0)
        message = NULL;

    struct buf line;
    buf_init(&line, ROW_MAX);
    pthread_mutex_lock(&logger.lock);
    if (level == LOG_ERROR)
        __atomic_store_n(&logger.saw_error, 1, __ATOMIC_RELAXED);
    if (message) {
        redact_locked(message);
        cut_message(message);
    }
    append_frame(&line, level, message ? message : "(no memory for this line)");
    put_line(level, &line);
    pthread_mutex_unlock(&logger.lock);
    buf_release(&line);
    free(message);
    errno = saved_errno;
}
