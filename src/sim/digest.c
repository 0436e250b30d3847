/* Digests on OpenSSL; see digest.h. Called by handlers on their own threads. */
#include "sim/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"

#define HMAC_BLOCK_BYTES 64

struct digest {
    EVP_MD_CTX *ctx;
};

static EVP_MD *algorithms[2];

void digest_setup(void)
{
    algorithms[DIGEST_MD5] = EVP_MD_fetch(NULL, "MD5", NULL);
    algorithms[DIGEST_SHA256] = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (algorithms[DIGEST_MD5] == NULL || algorithms[DIGEST_SHA256] == NULL)
        abort();
}

void digest_teardown(void)
{
    EVP_MD_free(algorithms[DIGEST_MD5]);
    EVP_MD_free(algorithms[DIGEST_SHA256]);
}

static EVP_MD_CTX *new_ctx(enum digest_kind kind)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx == NULL || EVP_DigestInit_ex(ctx, algorithms[kind], NULL) != 1)
        abort();
    return ctx;
}

struct digest *digest_new(enum digest_kind kind)
{
    struct digest *d = mem_new(1, sizeof *d);

    d->ctx = new_ctx(kind);
    return d;
}

struct digest *digest_copy(const struct digest *from)
{
    struct digest *d = mem_new(1, sizeof *d);

    d->ctx = EVP_MD_CTX_new();
    if (d->ctx == NULL || EVP_MD_CTX_copy_ex(d->ctx, from->ctx) != 1)
        abort();
    return d;
}

void digest_free(struct digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->ctx);
    free(d);
}

void digest_add(struct digest *d, const void *bytes, size_t len)
{
    if (EVP_DigestUpdate(d->ctx, bytes, len) != 1)
        abort();
}

void digest_end(struct digest *d, uint8_t *out)
{
    if (EVP_DigestFinal_ex(d->ctx, out, NULL) != 1)
        abort();
}

static void one_go(enum digest_kind kind, const void *bytes, size_t len, uint8_t *out)
{
    EVP_MD_CTX *ctx = new_ctx(kind);

    if (EVP_DigestUpdate(ctx, bytes, len) != 1 || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
}

void digest_md5(const void *bytes, size_t len, uint8_t out[DIGEST_MD5_BYTES])
{
    one_go(DIGEST_MD5, bytes, len, out);
}

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_BYTES])
{
    one_go(DIGEST_SHA256, bytes, len, out);
}

static void hmac_half(const uint8_t block[HMAC_BLOCK_BYTES], uint8_t pad, const void *bytes,
                      size_t len, uint8_t out[DIGEST_SHA256_BYTES])
{
    uint8_t padded[HMAC_BLOCK_BYTES];
    EVP_MD_CTX *ctx = new_ctx(DIGEST_SHA256);

    for (size_t i = 0; i < HMAC_BLOCK_BYTES; i++)
        padded[i] = block[i] ^ pad;
    if (EVP_DigestUpdate(ctx, padded, sizeof padded) != 1 ||
        EVP_DigestUpdate(ctx, bytes, len) != 1 || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
}

/* By hand: OpenSSL's HMAC() fetches its algorithm anew at each call. */
void digest_hmac(const uint8_t *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[DIGEST_SHA256_BYTES])
{
    uint8_t block[HMAC_BLOCK_BYTES] = {0};
    uint8_t inner[DIGEST_SHA256_BYTES];

    if (key_len > sizeof block)
        digest_sha256(key, key_len, block);
    else
        memcpy(block, key, key_len);
    hmac_half(block, 0x36, bytes, len, inner);
    hmac_half(block, 0x5c, inner, sizeof inner, out);
}

void digest_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool digest_unhex(const char *hex, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int high = nibble(hex[2 * i]);
        int low = high < 0 ? -1 : nibble(hex[2 * i + 1]);
        if (low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

bool digest_base64_is_md5(const char *base64, const uint8_t md5[DIGEST_MD5_BYTES])
{
    unsigned char want[32];

    EVP_EncodeBlock(want, md5, DIGEST_MD5_BYTES);
    return strcmp((const char *)want, base64) == 0;
}
