/* Tokens; see token.h. */
#include "sim/token.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "sim/ident.h"
#include "sim/mem.h"

#define SECRET "sim-secret"

/* uthash's macros would count as our own statements and nesting. */
/* NOLINTBEGIN(readability-function-size) */

struct token {
    UT_hash_handle hh;
    bool revoked;
    char value[TOKEN_BYTES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct token *tokens;

bool token_basic_ok(const char *authorization)
{
    unsigned char plain[512];

    if (authorization == NULL || strncasecmp(authorization, "Basic ", 6) != 0)
        return false;
    const char *base64 = authorization + 6;
    size_t len = strlen(base64);
    if (len == 0 || len % 4 != 0 || len > 600)
        return false;
    int n = EVP_DecodeBlock(plain, (const unsigned char *)base64, (int)len);
    if (n < 0)
        return false;
    for (size_t i = len; i > 0 && base64[i - 1] == '='; i--)
        n--;
    plain[n] = '\0';
    const char *colon = strchr((const char *)plain, ':');
    return colon != NULL && colon != (const char *)plain && strcmp(colon + 1, SECRET) == 0;
}

void token_issue(char out[TOKEN_BYTES])
{
    struct token *t = mem_new(1, sizeof *t);

    snprintf(t->value, sizeof t->value, TOKEN_PREFIX "%016llx%016llx",
             (unsigned long long)ident_random(), (unsigned long long)ident_random());
    memcpy(out, t->value, TOKEN_BYTES);
    pthread_mutex_lock(&lock);
    HASH_ADD_STR(tokens, value, t);
    pthread_mutex_unlock(&lock);
}

bool token_bearer_ok(const char *authorization)
{
    struct token *t = NULL;

    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
        return false;
    pthread_mutex_lock(&lock);
    HASH_FIND_STR(tokens, authorization + 7, t);
    bool ok = t != NULL && !t->revoked;
    pthread_mutex_unlock(&lock);
    return ok;
}

unsigned token_revoke(const char *token)
{
    unsigned n = 0;

    pthread_mutex_lock(&lock);
    for (struct token *t = tokens; t != NULL; t = t->hh.next) {
        if (t->revoked || (token != NULL && strcmp(t->value, token) != 0))
            continue;
        t->revoked = true;
        n++;
    }
    pthread_mutex_unlock(&lock);
    return n;
}

void token_teardown(void)
{
    struct token *at = tokens;

    HASH_CLEAR(hh, tokens); /* leaves the records and their order */
    while (at != NULL) {
        struct token *next = at->hh.next;
        free(at);
        at = next;
    }
}
/* NOLINTEND(readability-function-size) */
