/* The breaches; see audit.h. Kept up to a bound, counted beyond it. */
#include "sim/audit.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"
#include "sim/when.h"

#define AUDIT_KEPT_MAX 20000
#define AUDIT_TEXT_MAX 1024

struct breach {
    enum audit_code code;
    int64_t at_ms;
    char *where;
    char *seen;
};

static const char *const names[] = {
#define X(code, name, rule) name,
    AUDIT_CODES(X)
#undef X
};
static const char *const rules[] = {
#define X(code, name, rule) rule,
    AUDIT_CODES(X)
#undef X
};
_Static_assert(sizeof names / sizeof names[0] == AUDIT_CODE_COUNT, "one name a code");

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct breach *kept;
static size_t n_kept;
static uint64_t n_all;

void audit_setup(void)
{
    kept = mem_new(AUDIT_KEPT_MAX, sizeof *kept);
}

void audit_clear(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_kept; i++) {
        free(kept[i].where);
        free(kept[i].seen);
    }
    n_kept = 0;
    n_all = 0;
    pthread_mutex_unlock(&lock);
}

void audit_teardown(void)
{
    audit_clear();
    free(kept);
    kept = NULL;
}

void audit_add(enum audit_code code, const char *where, const char *fmt, ...)
{
    char seen[AUDIT_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(seen, sizeof seen, fmt, args);
    va_end(args);
    text_clip_utf8(seen);
    pthread_mutex_lock(&lock);
    n_all++;
    if (n_kept < AUDIT_KEPT_MAX) {
        kept[n_kept++] = (struct breach){.code = code,
                                         .at_ms = when_now_ms(),
                                         .where = mem_copy(where, strlen(where)),
                                         .seen = mem_copy(seen, strlen(seen))};
    }
    pthread_mutex_unlock(&lock);
}

uint64_t audit_count(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = n_all;
    pthread_mutex_unlock(&lock);
    return n;
}

void audit_json(struct text *out)
{
    text_add(out, "[", 1);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_kept; i++) {
        const struct breach *b = &kept[i];
        text_addf(out, "%s{\"code\":\"%s\",\"rule\":", i == 0 ? "" : ",", names[b->code]);
        text_json(out, rules[b->code]);
        text_puts(out, ",\"text\":");
        text_json(out, b->seen);
        text_puts(out, ",\"request\":");
        text_json(out, b->where);
        text_addf(out, ",\"time_ms\":%lld}", (long long)b->at_ms);
    }
    pthread_mutex_unlock(&lock);
    text_add(out, "]", 1);
}
