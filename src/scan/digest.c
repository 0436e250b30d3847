/*
 * digest.c - a running MD5 over OpenSSL's EVP. Called by the digest workers, each with digests of
 * its own; no shared state.
 *
 * MD5 is what S3 answers as ETag; it guards against broken transfers, not against people.
 */
#include <openssl/evp.h>

#include "scan/scan.h"

#define DIGEST_BYTES 16

int digest_init(struct digest *digest)
{
    digest->ctx = NULL;
    /* Fetched, not EVP_md5(): where a FIPS policy bars MD5, this is where it shows. */
    EVP_MD *md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    if (!md5)
        return -ERR_INTERNAL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_DigestInit_ex2(ctx, md5, NULL) == 1) {
        digest->ctx = ctx;
        ctx = NULL;
    }
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md5); /* the context holds its own reference */
    return digest->ctx ? 0 : -ERR_INTERNAL;
}

void digest_reset(struct digest *digest)
{
    BUG_ON(EVP_DigestInit_ex2(digest->ctx, NULL, NULL) != 1);
}

void digest_update(struct digest *digest, const void *data, size_t len)
{
    BUG_ON(EVP_DigestUpdate(digest->ctx, data, len) != 1);
}

void digest_final(struct digest *digest, unsigned char out[16])
{
    unsigned len = 0;
    BUG_ON(EVP_DigestFinal_ex(digest->ctx, out, &len) != 1 || len != DIGEST_BYTES);
}

void digest_release(struct digest *digest)
{
    EVP_MD_CTX_free(digest->ctx);
    digest->ctx = NULL;
}
