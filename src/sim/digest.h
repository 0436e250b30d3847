/*
 * MD5, SHA-256, HMAC and their spellings, on OpenSSL with the algorithms fetched once
 * (an implicit fetch costs more than hashing a small file).
 */
#ifndef SIM_DIGEST_H
#define SIM_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_MD5_BYTES    16
#define DIGEST_SHA256_BYTES 32
#define DIGEST_HEX_BYTES    (2 * DIGEST_SHA256_BYTES + 1)

enum digest_kind { DIGEST_MD5, DIGEST_SHA256 };

struct digest; /* a running digest; one thread at a time */

/* Once, before any thread is started / after all have ended. */
void digest_setup(void);
void digest_teardown(void);

struct digest *digest_new(enum digest_kind kind);
struct digest *digest_copy(const struct digest *from);
void digest_free(struct digest *d); /* NULL is fine */
void digest_add(struct digest *d, const void *bytes, size_t len);
void digest_end(struct digest *d, uint8_t *out); /* then d can only be freed */

/* One go; any thread. */
void digest_md5(const void *bytes, size_t len, uint8_t out[DIGEST_MD5_BYTES]);
void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_SHA256_BYTES]);
void digest_hmac(const uint8_t *key, size_t key_len, const void *bytes, size_t len,
                 uint8_t out[DIGEST_SHA256_BYTES]);

/* Lower-case hex with a NUL: out holds 2 * len + 1 bytes. */
void digest_hex(const uint8_t *bytes, size_t len, char *out);
bool digest_unhex(const char *hex, uint8_t *out, size_t len);

/* Whether base64 text is the given 16 bytes. */
bool digest_base64_is_md5(const char *base64, const uint8_t md5[DIGEST_MD5_BYTES]);

#endif
