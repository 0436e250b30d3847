/*
 * glob.c - see glob.h. Built and asked by filter.c; a compiled glob is read-only, so any thread
 * may match it.
 *
 * The automaton is a list of states. STATE_STAR and STATE_FORK take no input: the set of active
 * states is closed over them before each code point. Invariant: every `next` and `other` is
 * below `count`, and the last state is STATE_MATCH.
 */
#include "scan/glob.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "scan/glob_class.h"
#include "scan/glob_regex.h"

#define STATES_MAX  2048 /* of one pattern: bounds the sets that glob_match keeps on its stack */
#define CLASSES_MAX 256
#define REGEX_MAX   65536

enum state_kind {
    STATE_POINT,     /* this very code point */
    STATE_NO_SLASH,  /* ? */
    STATE_CLASS,     /* [..] */
    STATE_STAR,      /* *: stays on anything but a slash, or goes on */
    STATE_STAR_STAR, /* **: stays on anything, or goes on */
    STATE_FORK,      /* takes nothing: goes on at next and at other */
    STATE_MATCH,
};

struct state {
    enum state_kind kind;
    uint32_t point; /* POINT: the code point; CLASS: the index of its class */
    uint16_t next;
    uint16_t other;
};

struct glob {
    int anchored;
    int is_regex;
    regex_t regex;
    struct state *states;
    size_t count;
    struct glob_class *classes;
    size_t class_count;
};

/* ---- compiling ------------------------------------------------------------------------------ */

struct compiler {
    struct glob *glob;
    const char *at;
    int fork;   /* the last alternative's STATE_FORK, -1 outside of {a,b} */
    int joins;  /* ends of alternatives so far, chained through `other`; -1: none */
    int failed; /* out of room */
};

/* Appends a state that goes on with the one behind it; returns its index. */
static size_t add_state(struct compiler *c, enum state_kind kind, uint32_t point)
{
    struct glob *glob = c->glob;
    if (glob->count == STATES_MAX) {
        c->failed = 1;
        return 0;
    }
    glob->states[glob->count] =
        (struct state){.kind = kind, .point = point, .next = (uint16_t)(glob->count + 1)};
    glob->states[glob->count].other = glob->states[glob->count].next;
    return glob->count++;
}

static struct glob_class *add_class(struct compiler *c)
{
    if (c->glob->class_count == CLASSES_MAX) {
        c->failed = 1;
        return NULL;
    }
    add_state(c, STATE_CLASS, (uint32_t)c->glob->class_count);
    return &c->glob->classes[c->glob->class_count++];
}

/* Ends one alternative: a fork whose target is known only at the closing brace. */
static void end_alternative(struct compiler *c)
{
    size_t join = add_state(c, STATE_FORK, 0);
    if (c->failed)
        return;
    c->glob->states[join].next = (uint16_t)(c->joins < 0 ? STATES_MAX : c->joins);
    c->joins = (int)join;
}

/* "{": fork, alternative, join; each "," lets the fork go to the next alternative as well. */
static void begin_braces(struct compiler *c)
{
    c->joins = -1;
    c->fork = (int)add_state(c, STATE_FORK, 0);
}

static void next_alternative(struct compiler *c)
{
    end_alternative(c);
    size_t fork = add_state(c, STATE_FORK, 0);
    if (c->failed)
        return;
    c->glob->states[c->fork].other = (uint16_t)fork;
    c->fork = (int)fork;
}

static void end_braces(struct compiler *c)
{
    end_alternative(c);
    for (int join = c->joins; !c->failed && join >= 0;) {
        struct state *state = &c->glob->states[join];
        join = state->next == STATES_MAX ? -1 : (int)state->next;
        state->next = state->other = (uint16_t)c->glob->count;
    }
    c->fork = -1;
}

static int compile_brace(struct compiler *c, struct err *err)
{
    char kind = *c->at++;
    int inside = c->fork >= 0;
    if (kind == ',') {
        next_alternative(c);
        return 0;
    }
    if (inside == (kind == '{'))
        return err_set(err, ERR_USAGE, "braces cannot nest and must pair: \"%s\"", c->at - 1);
    if (kind == '{')
        begin_braces(c);
    else
        end_braces(c);
    return 0;
}

static int compile_star(struct compiler *c, struct err *err)
{
    size_t stars = strspn(c->at, "*");
    if (stars > 2)
        return err_set(err, ERR_USAGE, "too many stars: \"%s\"", c->at);
    c->at += stars;
    add_state(c, stars == 2 ? STATE_STAR_STAR : STATE_STAR, 0);
    return 0;
}

static int compile_escape(struct compiler *c, struct err *err)
{
    const char *start = c->at++;
    char letter = *c->at;
    int is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
    if (letter == '\0' || (letter >= '0' && letter <= '9') ||
        (is_letter && !strchr("dDsSwW", letter)))
        return err_set(err, ERR_USAGE, "\"%s\": no such escape; a backslash is \\\\", start);
    if (!is_letter) {
        add_state(c, STATE_POINT, glob_class_decode(&c->at));
        return 0;
    }
    c->at++;
    struct glob_class *class = add_class(c);
    if (class && !glob_class_of_letter(class, letter))
        c->failed = 1;
    return 0;
}

static int compile_next(struct compiler *c, struct err *err)
{
    struct glob_class *class;
    switch (*c->at) {
    case '*':
        return compile_star(c, err);
    case '\\':
        return compile_escape(c, err);
    case '{':
    case '}':
        return compile_brace(c, err);
    case '[':
        class = add_class(c);
        return class ? glob_class_parse(class, &c->at, err) : 0;
    case ']':
        return err_set(err, ERR_USAGE, "a ] without its [: \"%s\"", c->at);
    case '?':
        c->at++;
        add_state(c, STATE_NO_SLASH, 0);
        return 0;
    default:
        if (*c->at == ',' && c->fork >= 0)
            return compile_brace(c, err);
        add_state(c, STATE_POINT, glob_class_decode(&c->at));
        return 0;
    }
}

static int compile_states(struct glob *glob, const char *pattern, struct err *err)
{
    size_t len = strlen(pattern);
    size_t classes = 1;
    for (const char *at = pattern; *at; at++)
        classes += *at == '[' || *at == '\\';
    /* A byte makes at most two states ("," does), and the match comes behind. */
    glob->states =
        calloc(len * 2 + 2 < STATES_MAX ? len * 2 + 2 : STATES_MAX, sizeof(struct state));
    glob->classes =
        calloc(classes < CLASSES_MAX ? classes : CLASSES_MAX, sizeof(struct glob_class));
    if (!glob->states || !glob->classes)
        return err_set(err, ERR_NOMEM, "no memory for the pattern \"%s\"", pattern);
    struct compiler c = {.glob = glob, .at = pattern, .fork = -1};
    glob->anchored = *pattern == '/';
    c.at += glob->anchored;
    while (*c.at && !c.failed) {
        int rc = compile_next(&c, err);
        if (rc)
            return rc;
    }
    if (c.fork >= 0)
        return err_set(err, ERR_USAGE, "a { without its }: \"%s\"", pattern);
    add_state(&c, STATE_MATCH, 0);
    if (c.failed)
        return err_set(err, ERR_USAGE, "the pattern is too long: \"%.80s...\"", pattern);
    return 0;
}

static int compile_regex(struct glob *glob, const char *pattern, struct err *err)
{
    struct buf text;
    buf_init(&text, REGEX_MAX);
    int rc = glob_regex_translate(pattern, &text, err);
    int bad = rc ? 0 : regcomp(&glob->regex, buf_str(&text), REG_EXTENDED | REG_NOSUB);
    if (bad) {
        char why[128];
        regerror(bad, &glob->regex, why, sizeof why);
        rc = err_set(err, ERR_USAGE, "\"%s\": %s", pattern, why);
    }
    glob->is_regex = rc == 0;
    buf_release(&text);
    return rc;
}

struct glob *glob_new(const char *pattern, struct err *err)
{
    struct glob *glob = calloc(1, sizeof *glob);
    if (!glob) {
        err_fill(err, ERR_NOMEM, "no memory for the pattern \"%s\"", pattern);
        return NULL;
    }
    int rc = glob_regex_needed(pattern) ? compile_regex(glob, pattern, err)
                                        : compile_states(glob, pattern, err);
    if (rc) {
        glob_free(glob);
        return NULL;
    }
    return glob;
}

void glob_free(struct glob *glob)
{
    if (!glob)
        return;
    if (glob->is_regex)
        regfree(&glob->regex);
    free(glob->states);
    free(glob->classes);
    free(glob);
}

/* ---- matching ------------------------------------------------------------------------------- */

struct active {
    size_t count;
    uint64_t seen[STATES_MAX / 64];
    uint16_t list[STATES_MAX];
};

static void active_clear(struct active *active, size_t states)
{
    active->count = 0;
    memset(active->seen, 0, (states + 63) / 64 * sizeof(uint64_t));
}

static void active_add(struct active *active, uint16_t state)
{
    uint64_t bit = (uint64_t)1 << (state % 64);
    if (active->seen[state / 64] & bit)
        return;
    active->seen[state / 64] |= bit;
    active->list[active->count++] = state;
}

/* Follows what takes no input; the list grows while it is read, so no recursion is needed. */
static void active_close(struct active *active, const struct state *states)
{
    for (size_t i = 0; i < active->count; i++) {
        const struct state *state = &states[active->list[i]];
        if (state->kind == STATE_FORK || state->kind == STATE_STAR ||
            state->kind == STATE_STAR_STAR) {
            active_add(active, state->next);
            active_add(active, state->other);
        }
    }
}

static void step(const struct glob *glob, uint16_t index, uint32_t point, struct active *to)
{
    const struct state *state = &glob->states[index];
    switch (state->kind) {
    case STATE_POINT:
        if (state->point == point)
            active_add(to, state->next);
        return;
    case STATE_NO_SLASH:
        if (point != '/')
            active_add(to, state->next);
        return;
    case STATE_CLASS:
        if (glob_class_has(&glob->classes[state->point], point))
            active_add(to, state->next);
        return;
    case STATE_STAR:
        if (point != '/')
            active_add(to, index);
        return;
    case STATE_STAR_STAR:
        active_add(to, index);
        return;
    case STATE_FORK:
    case STATE_MATCH:
        return;
    }
}

int glob_match(const struct glob *glob, const char *path)
{
    if (glob->is_regex)
        return regexec(&glob->regex, path, 0, NULL, 0) == 0;
    struct active sets[2];
    struct active *now = &sets[0];
    struct active *then = &sets[1];
    active_clear(now, glob->count);
    active_add(now, 0);
    for (const char *at = path; *at;) {
        active_close(now, glob->states);
        if (now->count == 0 && glob->anchored)
            return 0;
        uint32_t point = glob_class_decode(&at);
        active_clear(then, glob->count);
        for (size_t i = 0; i < now->count; i++)
            step(glob, now->list[i], point, then);
        if (point == '/' && !glob->anchored)
            active_add(then, 0);
        struct active *swap = now;
        now = then;
        then = swap;
    }
    active_close(now, glob->states);
    size_t match = glob->count - 1;
    return (now->seen[match / 64] >> (match % 64) & 1) != 0;
}
