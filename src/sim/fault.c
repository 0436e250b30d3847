/*
 * Fault rules: kept, picked and counted; see fault.h. What they mean is in
 * fault_parse.c, what they do to a reply in fault_shape.c.
 */
#include "sim/fault.h"

#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sim/fault_parse.h"
#include "sim/ident.h"
#include "sim/mem.h"

#define RULES_MAX 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault_rule *rules[RULES_MAX];
static size_t n_rules;
static atomic_bool any_rules; /* spares the common case the lock */

void fault_setup(void)
{
    atomic_init(&any_rules, false);
}

void fault_teardown(void)
{
    fault_clear();
}

void fault_drop(struct fault_action *a)
{
    if (a == NULL || atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < a->n_headers; i++) {
        free(a->headers[i].name);
        free(a->headers[i].value);
    }
    free(a->raw);
    free(a->message);
    free(a->retry_after);
    free(a->redirect);
    free(a->url_scheme);
    free(a->url_host);
    free(a->url_userinfo);
    free(a->url_raw);
    free(a->upload_type);
    free(a);
}

static void free_rule(struct fault_rule *r)
{
    fault_drop(r->action);
    json_object_put(r->source);
    free(r->name);
    free(r);
}

void fault_clear(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_rules; i++)
        free_rule(rules[i]);
    n_rules = 0;
    atomic_store(&any_rules, false);
    pthread_mutex_unlock(&lock);
}

/* Parses all before any is kept, so that a bad list changes nothing. */
static size_t parse_all(json_object *list, struct fault_rule **out, struct text *why)
{
    size_t n = json_object_array_length(list);
    size_t done = 0;

    if (n > RULES_MAX) {
        text_puts(why, "too many rules");
        return 0;
    }
    for (; done < n && why->len == 0; done++) {
        out[done] = fault_parse_rule(json_object_array_get_idx(list, done), why);
        if (out[done] == NULL)
            break;
    }
    if (why->len == 0)
        return n;
    while (done > 0)
        free_rule(out[--done]);
    return 0;
}

bool fault_load(const char *json, size_t len, struct text *why)
{
    struct fault_rule **parsed = mem_new(RULES_MAX, sizeof(struct fault_rule *));
    json_tokener *parser = json_tokener_new();
    json_object *list = json_tokener_parse_ex(parser, json, (int)len);

    json_tokener_free(parser);
    if (json_object_is_type(list, json_type_object)) {
        json_object *one = json_object_new_array();
        json_object_array_add(one, list);
        list = one;
    }
    size_t n = 0;
    if (json_object_is_type(list, json_type_array))
        n = parse_all(list, parsed, why);
    else
        text_puts(why, "faults are a JSON array of rules");
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n; i++) {
        if (n_rules < RULES_MAX)
            rules[n_rules++] = parsed[i];
        else
            free_rule(parsed[i]);
    }
    atomic_store(&any_rules, n_rules > 0);
    pthread_mutex_unlock(&lock);
    json_object_put(list);
    free(parsed);
    return why->len == 0;
}

void fault_json(struct text *out)
{
    text_puts(out, "[");
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_rules; i++)
        text_addf(out, "%s{\"rule\":%s,\"matched\":%llu,\"fired\":%llu}", i == 0 ? "" : ",",
                  json_object_to_json_string_ext(rules[i]->source, JSON_C_TO_STRING_PLAIN),
                  (unsigned long long)rules[i]->matched, (unsigned long long)rules[i]->fired);
    pthread_mutex_unlock(&lock);
    text_puts(out, "]");
}

static bool fires(struct fault_rule *r, enum fault_point point, const char *name)
{
    if ((r->points >> point & 1) == 0)
        return false;
    if (r->name != NULL && (name == NULL || strcmp(r->name, name) != 0))
        return false;
    r->matched++;
    if (r->times >= 0 && r->fired >= (uint64_t)r->times)
        return false;
    if (r->nth > 0)
        return r->matched == (uint64_t)r->nth;
    if (r->every > 0)
        return r->matched % (uint64_t)r->every == 0;
    return r->probability >= 1 || ident_fraction() < r->probability;
}

struct fault_action *fault_pick(enum fault_point point, const char *name)
{
    struct fault_action *picked = NULL;

    if (point == FAULT_POINT_COUNT || !atomic_load_explicit(&any_rules, memory_order_relaxed))
        return NULL;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_rules && picked == NULL; i++) {
        if (!fires(rules[i], point, name))
            continue;
        rules[i]->fired++;
        picked = rules[i]->action;
        atomic_fetch_add(&picked->refs, 1);
    }
    pthread_mutex_unlock(&lock);
    return picked;
}
