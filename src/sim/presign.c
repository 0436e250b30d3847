/* SigV4 query signatures; see presign.h. API threads sign, S3 threads verify. */
#include "sim/presign.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/digest.h"
#include "sim/mem.h"
#include "sim/when.h"

#define PARAM_MAX 24
#define DAY_BYTES 8

struct presigner {
    char *origin;
    const char *host; /* inside origin */
    char *access_key;
    char *secret_key;
    char *region;
    pthread_mutex_t lock; /* guards the cached key below */
    char day[DAY_BYTES + 1];
    uint8_t day_key[DIGEST_SHA256_BYTES];
};

static char *dup(const char *str)
{
    return mem_copy(str, strlen(str));
}

struct presigner *presigner_new(const char *origin, const char *access_key, const char *secret_key,
                                const char *region)
{
    struct presigner *p = mem_new(1, sizeof *p);

    p->origin = dup(origin);
    const char *after = strstr(p->origin, "://");
    p->host = after == NULL ? p->origin : after + 3;
    p->access_key = dup(access_key);
    p->secret_key = dup(secret_key);
    p->region = dup(region);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void presigner_free(struct presigner *p)
{
    if (p == NULL)
        return;
    free(p->origin);
    free(p->access_key);
    free(p->secret_key);
    free(p->region);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void derive_key(struct presigner *p, const char *day, uint8_t out[DIGEST_SHA256_BYTES])
{
    struct text first = {0};
    uint8_t key[DIGEST_SHA256_BYTES];

    text_addf(&first, "AWS4%s", p->secret_key);
    digest_hmac((const uint8_t *)first.data, first.len, day, DAY_BYTES, key);
    text_release(&first);
    digest_hmac(key, sizeof key, p->region, strlen(p->region), key);
    digest_hmac(key, sizeof key, "s3", 2, key);
    digest_hmac(key, sizeof key, "aws4_request", 12, out);
}

/* The key changes once a day; deriving it takes four HMACs, so the last one is kept. */
static void key_of_day(struct presigner *p, const char *date, uint8_t out[DIGEST_SHA256_BYTES])
{
    pthread_mutex_lock(&p->lock);
    if (memcmp(p->day, date, DAY_BYTES) != 0) {
        memcpy(p->day, date, DAY_BYTES);
        derive_key(p, p->day, p->day_key);
    }
    memcpy(out, p->day_key, DIGEST_SHA256_BYTES);
    pthread_mutex_unlock(&p->lock);
}

/* Signature in hex of a request whose canonical query (unsigned) is given. */
static void sign(struct presigner *p, const char *method, const char *path, const char *query,
                 const char *host, const char *date, char out_hex[DIGEST_HEX_BYTES])
{
    struct text t = {0};
    uint8_t hash[DIGEST_SHA256_BYTES];
    uint8_t key[DIGEST_SHA256_BYTES];
    char hex[DIGEST_HEX_BYTES];

    text_addf(&t, "%s\n%s\n%s\nhost:%s\n\nhost\nUNSIGNED-PAYLOAD", method, path, query, host);
    digest_sha256(t.data, t.len, hash);
    digest_hex(hash, sizeof hash, hex);
    text_clear(&t);
    text_addf(&t, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/s3/aws4_request\n%s", date, date, p->region, hex);
    key_of_day(p, date, key);
    digest_hmac(key, sizeof key, t.data, t.len, hash);
    digest_hex(hash, sizeof hash, out_hex);
    text_release(&t);
}

void presign_url(struct presigner *p, const struct presign_call *call, struct text *out)
{
    char date[WHEN_BYTES];
    char hex[DIGEST_HEX_BYTES];
    struct text query = {0};

    when_amz(call->at_ms, date);
    text_addf(&query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
    text_uri(&query, p->access_key, false);
    text_addf(&query, "%%2F%.8s%%2F%s%%2Fs3%%2Faws4_request&X-Amz-Date=%s&X-Amz-Expires=%lld", date,
              p->region, date, (long long)call->ttl_s);
    text_puts(&query, "&X-Amz-SignedHeaders=host");
    if (call->part_no > 0)
        text_addf(&query, "&partNumber=%u", call->part_no);
    if (call->upload_id != NULL) {
        text_puts(&query, "&uploadId=");
        text_uri(&query, call->upload_id, false);
    }
    if (call->create_multipart)
        text_puts(&query, "&uploads=");
    sign(p, call->method, call->path, query.data, p->host, date, hex);
    text_addf(out, "%s%s?%s&X-Amz-Signature=%s", p->origin, call->path, query.data, hex);
    text_release(&query);
}

bool presign_query_value(const char *query, const char *name, char *out, size_t out_bytes)
{
    size_t name_len = strlen(name);

    for (const char *at = query; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, "&");
        if (len > name_len && at[name_len] == '=' && strncmp(at, name, name_len) == 0) {
            size_t n = len - name_len - 1;
            if (n >= out_bytes)
                return false;
            memcpy(out, at + name_len + 1, n);
            out[n] = '\0';
            return text_unescape(out) >= 0;
        }
        at += len;
        if (*at == '&')
            at++;
    }
    return false;
}

static int compare_params(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The query sorted and without its signature: what was signed. */
static bool canonical_query(const char *query, struct text *out)
{
    char *copy = dup(query);
    char *params[PARAM_MAX];
    char *save = NULL;
    size_t n = 0;
    bool fits = true;

    for (char *at = strtok_r(copy, "&", &save); at != NULL; at = strtok_r(NULL, "&", &save)) {
        if (strncmp(at, "X-Amz-Signature=", 16) == 0)
            continue;
        fits = n < PARAM_MAX;
        if (!fits)
            break;
        params[n++] = at;
    }
    if (fits && n > 0) {
        qsort(params, n, sizeof params[0], compare_params);
        for (size_t i = 0; i < n; i++)
            text_addf(out, "%s%s%s", i == 0 ? "" : "&", params[i],
                      strchr(params[i], '=') == NULL ? "=" : "");
    }
    free(copy);
    return fits && n > 0;
}

/* Constant time is no concern here: the secret guards nothing. */
enum presign_verdict presign_verify(struct presigner *p, const char *method, const char *path,
                                    const char *query, const char *host, int64_t now_ms)
{
    char given[DIGEST_HEX_BYTES + 1];
    char date[WHEN_BYTES];
    char expires[24];
    char hex[DIGEST_HEX_BYTES];
    int64_t at_ms = 0;
    struct text canonical = {0};

    if (!presign_query_value(query, "X-Amz-Signature", given, sizeof given))
        return PRESIGN_ABSENT;
    if (!presign_query_value(query, "X-Amz-Date", date, sizeof date) ||
        !presign_query_value(query, "X-Amz-Expires", expires, sizeof expires) ||
        !when_parse_amz(date, &at_ms) || !canonical_query(query, &canonical)) {
        text_release(&canonical);
        return PRESIGN_MALFORMED;
    }
    /* AWS's dates are whole seconds, so its URLs live up to one second longer. */
    enum presign_verdict verdict = PRESIGN_GOOD;
    if (now_ms / 1000 > at_ms / 1000 + strtoll(expires, NULL, 10)) {
        verdict = PRESIGN_EXPIRED;
    } else {
        sign(p, method, path, canonical.data, host, date, hex);
        verdict = strcmp(hex, given) == 0 ? PRESIGN_GOOD : PRESIGN_MISMATCH;
    }
    text_release(&canonical);
    return verdict;
}
