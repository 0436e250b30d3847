/*
 * zeros.c - see zeros.h. A digest state is kept at every STEP bytes, so that a length that was
 * never asked for costs at most STEP bytes of MD5; what was asked for is remembered.
 */
#include "server/zeros.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define STEP        (64 << 10)
#define KNOWN_SLOTS (1 << 17)

static struct {
    uint64_t len_plus_one; /* 0: free */
    char hex[ZEROS_HEX_SIZE];
} known[KNOWN_SLOTS];
static unsigned known_count;

static EVP_MD_CTX *states[ZEROS_MAX / STEP + 1]; /* states[i] has seen i * STEP zeros */
static const unsigned char zeros[STEP];

static EVP_MD_CTX *state_at(size_t idx)
{
    size_t have = idx;
    while (have && !states[have])
        have--;
    for (; !states[idx]; have++) {
        size_t next = states[0] ? have + 1 : 0;
        states[next] = EVP_MD_CTX_new();
        if (!states[next])
            abort();
        if (next == 0) {
            EVP_DigestInit_ex(states[0], EVP_md5(), NULL);
            have = (size_t)-1;
            continue;
        }
        EVP_MD_CTX_copy_ex(states[next], states[next - 1]);
        EVP_DigestUpdate(states[next], zeros, STEP);
    }
    return states[idx];
}

static void compute(uint64_t len, char out[ZEROS_HEX_SIZE])
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx)
        abort();
    EVP_MD_CTX_copy_ex(ctx, state_at(len / STEP));
    EVP_DigestUpdate(ctx, zeros, len % STEP);
    EVP_DigestFinal_ex(ctx, md5, NULL);
    EVP_MD_CTX_free(ctx);
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", md5[i]);
}

int zeros_md5(uint64_t len, char out[ZEROS_HEX_SIZE])
{
    if (len > ZEROS_MAX)
        return 0;
    size_t slot = (size_t)(len * 0x9E3779B97F4A7C15u >> 40) % KNOWN_SLOTS;
    while (known[slot].len_plus_one && known[slot].len_plus_one != len + 1)
        slot = (slot + 1) % KNOWN_SLOTS;
    if (known[slot].len_plus_one) {
        snprintf(out, ZEROS_HEX_SIZE, "%s", known[slot].hex);
        return 1;
    }
    compute(len, out);
    if (known_count < KNOWN_SLOTS / 2) {
        known_count++;
        known[slot].len_plus_one = len + 1;
        snprintf(known[slot].hex, ZEROS_HEX_SIZE, "%s", out);
    }
    return 1;
}
