/*
 * map.c - report --format nginx-map|csv-map, see report.h: where each old path is now.
 *
 * nginx looks a map's strings up without regard to case, and refuses a file in which one stands
 * twice. So paths that differ in case alone become regular expressions, which it does tell apart.
 * They are found in bounded memory: a first pass marks hashes in a bitmap and keeps those that it
 * meets again, a second counts these alone, the third writes.
 */
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "report/cdn.h"
#include "report/csv.h"
#include "report/text.h"

#define BITMAP_BITS (1u << 27)
/* nginx reads its configuration through a buffer of 4 KiB, which no word may fill. */
#define NGINX_WORD_MAX 4000

/* 64-bit hashes with a count each. */
struct hash_count {
    uint64_t key; /* 0: free */
    uint32_t count;
};
struct hashes {
    struct hash_count *items;
    size_t used;
    size_t cap; /* a power of two */
};

struct map {
    const struct map_options *options;
    FILE *out;
    unsigned char *bitmap;
    struct hashes suspects; /* of keys in lower case that were met more than once */
    struct hashes written;  /* of such keys as they are */
    struct map_result *result;
    size_t longest;
    struct csv csv;
    struct buf key;
    struct buf url;
    struct buf word;
    struct err *err;
};

/* ---- hashes -----------------------------------------------------------------------------------
 */

static uint64_t hash_of(const char *text, int is_caseless)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (is_caseless && byte >= 'A' && byte <= 'Z')
            byte = (unsigned char)(byte + ('a' - 'A'));
        hash = (hash ^ byte) * 0x100000001b3u;
    }
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

static struct hash_count *place_of(const struct hashes *hashes, uint64_t key)
{
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15u) & (hashes->cap - 1);
    while (hashes->items[at].key && hashes->items[at].key != key)
        at = (at + 1) & (hashes->cap - 1);
    return &hashes->items[at];
}

static uint32_t *find_hash(const struct hashes *hashes, uint64_t key)
{
    if (!hashes->cap)
        return NULL;
    struct hash_count *item = place_of(hashes, key);
    return item->key ? &item->count : NULL;
}

static int widen(struct hashes *hashes)
{
    struct hashes wider = {.cap = hashes->cap ? hashes->cap * 2 : 1024, .used = hashes->used};
    wider.items = calloc(wider.cap, sizeof *wider.items);
    if (!wider.items)
        return -ERR_NOMEM;
    for (size_t i = 0; i < hashes->cap; i++)
        if (hashes->items[i].key)
            *place_of(&wider, hashes->items[i].key) = hashes->items[i];
    free(hashes->items);
    *hashes = wider;
    return 0;
}

static int add_hash(struct hashes *hashes, uint64_t key)
{
    if (hashes->used * 2 >= hashes->cap && widen(hashes))
        return -ERR_NOMEM;
    struct hash_count *item = place_of(hashes, key);
    hashes->used += !item->key;
    item->key = key;
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

/* The old path and the new URL of a row: 1, 0 where it has none, or negative. */
static int read_row(struct map *map, const struct journal_row *row)
{
    int rc = cdn_url(row, map->options->cdn_url, &map->url);
    if (rc || !map->url.len)
        return rc;
    buf_reset(&map->key);
    rc = buf_puts(&map->key, map->options->prefix);
    if (!rc)
        rc = buf_puts(&map->key, *row->path ? row->path : text_base_name(row->root));
    return rc ? rc : 1;
}

static int mark_row(const struct journal_row *row, void *user)
{
    struct map *map = user;
    int rc = read_row(map, row);
    map->result->left_out += !rc;
    if (rc <= 0)
        return rc;
    uint64_t hash = hash_of(buf_str(&map->key), 1);
    unsigned char *byte = &map->bitmap[hash % BITMAP_BITS / 8];
    unsigned char bit = (unsigned char)(1u << hash % 8);
    map->result->mapped++;
    if (map->key.len > map->longest && map->key.len <= NGINX_WORD_MAX)
        map->longest = map->key.len;
    rc = *byte & bit ? add_hash(&map->suspects, hash) : 0;
    *byte |= bit;
    return rc;
}

static int count_row(const struct journal_row *row, void *user)
{
    struct map *map = user;
    int rc = read_row(map, row);
    uint32_t *count = rc > 0 ? find_hash(&map->suspects, hash_of(buf_str(&map->key), 1)) : NULL;
    if (count)
        ++*count;
    return rc < 0 ? rc : 0;
}

/* ---- nginx ------------------------------------------------------------------------------------
 */

static void put_nginx_head(const struct map *map)
{
    int64_t most = map->result->mapped * 2 > 2048 ? map->result->mapped * 2 : 2048;
    size_t bucket = 64;
    while (bucket < 4 * (map->longest + 32)) /* a million find places soon */
        bucket *= 2;
    fprintf(map->out,
            "# Where files are now: %lld old paths. In nginx's configuration:\n"
            "#   http {\n"
            "#       map_hash_max_size %lld;\n"
            "#       map_hash_bucket_size %zu;\n"
            "#       map $uri $new_url { include THIS_FILE; }\n"
            "#       server { ... if ($new_url) { return 301 $new_url; } ... }\n"
            "#   }\n",
            (long long)map->result->mapped, (long long)most, bucket);
}

/* A key as nginx's parser takes it between quotes; a regular expression of it where asked for. */
static int put_word(const char *key, int is_regex, struct buf *out)
{
    int rc = buf_puts(out, is_regex ? "\"~^" : "\"");
    for (; *key && !rc; key++) {
        const char *escape = "";
        if (is_regex && strchr(".^$*+?()[]{}|", *key))
            escape = "\\\\";
        else if (*key == '\\' && is_regex)
            escape = "\\\\\\";
        else if (*key == '\\' || *key == '"')
            escape = "\\";
        rc = buf_puts(out, escape);
        if (!rc)
            rc = *key == '\n'   ? buf_puts(out, "\\n")
                 : *key == '\r' ? buf_puts(out, "\\r")
                                : buf_append(out, key, 1);
    }
    return rc ? rc : buf_puts(out, is_regex ? "$\"" : "\"");
}

/* PXM's own URL may have a $ in it, which nginx takes for a variable's and cannot escape. */
static void put_nginx_url(const char *url, FILE *out)
{
    for (; *url; url++) {
        if (strchr("$\"\\", *url))
            fprintf(out, "%%%02X", (unsigned)*url);
        else
            putc(*url, out);
    }
}

static int put_nginx_row(struct map *map)
{
    const char *key = buf_str(&map->key);
    uint32_t *count = find_hash(&map->suspects, hash_of(key, 1));
    int is_regex = count && *count > 1;
    if (is_regex) {
        uint64_t exact = hash_of(key, 0);
        if (find_hash(&map->written, exact)) {
            map->result->doubled++; /* two PATHs have it: the first one stays */
            return 0;
        }
        int rc = add_hash(&map->written, exact);
        if (rc)
            return rc;
    }
    buf_reset(&map->word);
    int rc = put_word(key, is_regex, &map->word);
    if (rc)
        return rc;
    if (map->word.len > NGINX_WORD_MAX) {
        map->result->too_long++;
        return 0;
    }
    fprintf(map->out, "%s \"", buf_str(&map->word));
    put_nginx_url(buf_str(&map->url), map->out);
    fprintf(map->out, "\";\n");
    return 0;
}

/* ---- both -------------------------------------------------------------------------------------
 */

static int put_csv_row(struct map *map)
{
    buf_reset(&map->word);
    int rc = buf_puts(&map->word, map->options->prefix);
    if (!rc)
        rc = text_url(buf_str(&map->key) + strlen(map->options->prefix), 1, &map->word);
    if (rc)
        return rc;
    csv_begin(&map->csv);
    csv_str(&map->csv, buf_str(&map->word));
    csv_str(&map->csv, buf_str(&map->url));
    rc = csv_end(&map->csv, map->err);
    if (!rc)
        fputs(buf_str(&map->csv.buf), map->out);
    return rc;
}

static int write_row(const struct journal_row *row, void *user)
{
    struct map *map = user;
    int rc = read_row(map, row);
    if (rc <= 0)
        return rc;
    rc = map->options->is_nginx ? put_nginx_row(map) : put_csv_row(map);
    if (!rc && ferror(map->out))
        rc = err_set_errno(map->err, ERR_IO, errno, "cannot write the map");
    return rc;
}

static int print(struct map *map, struct journal *journal)
{
    int rc = journal_each_row(journal, mark_row, map, map->err);
    if (!rc && !map->result->mapped && map->result->left_out)
        return err_set(map->err, ERR_USAGE,
                       "no file has a public URL: give --cdn-url, as PXM's replies told none");
    if (!rc && map->options->is_nginx && map->suspects.used)
        rc = journal_each_row(journal, count_row, map, map->err);
    if (rc)
        return rc;
    if (map->options->is_nginx)
        put_nginx_head(map);
    else
        fputs("OldPath,NewUrl\n", map->out);
    return journal_each_row(journal, write_row, map, map->err);
}

int map_print(struct journal *journal, const struct map_options *options,
              struct map_result *out_result, FILE *out, struct err *err)
{
    *out_result = (struct map_result){0};
    if (options->is_nginx && *options->prefix != '/')
        return err_set(err, ERR_USAGE, "--map-prefix '%.200s' must begin with / for nginx",
                       options->prefix);
    struct map map = {.options = options, .out = out, .result = out_result, .err = err};
    map.bitmap = calloc(1, BITMAP_BITS / 8);
    csv_prepare(&map.csv);
    buf_init(&map.key, TEXT_MAX_BYTES);
    buf_init(&map.url, TEXT_MAX_BYTES);
    buf_init(&map.word, TEXT_MAX_BYTES);
    int rc = map.bitmap ? print(&map, journal) : -ERR_NOMEM;
    if (rc == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for the map");
    free(map.bitmap);
    free(map.suspects.items);
    free(map.written.items);
    buf_release(&map.word);
    buf_release(&map.url);
    buf_release(&map.key);
    csv_release(&map.csv);
    return rc ? rc : text_flush(out, err);
}
