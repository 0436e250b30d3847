/* Seeded randomness and ids; see ident.h. */
#include "sim/ident.h"

#include <pthread.h>
#include <string.h>

#include "sim/digest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t state;
static uint64_t base_seed;

/* splitmix64: tiny, seedable, and good enough for ids of a test tenant. */
static uint64_t scramble(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void ident_setup(uint64_t seed)
{
    base_seed = scramble(seed + 1);
    state = seed;
}

uint64_t ident_random(void)
{
    pthread_mutex_lock(&lock);
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = state;
    pthread_mutex_unlock(&lock);
    return scramble(z);
}

double ident_fraction(void)
{
    return (double)(ident_random() >> 11) / 9007199254740992.0;
}

uint64_t ident_mix(uint64_t n)
{
    return scramble(base_seed ^ (n * 0x9E3779B97F4A7C15u));
}

void ident_uuid(uint8_t out[IDENT_UUID_BYTES])
{
    uint64_t halves[2] = {ident_random(), ident_random()};

    memcpy(out, halves, IDENT_UUID_BYTES);
    out[6] = (uint8_t)((out[6] & 0x0F) | 0x40);
    out[8] = (uint8_t)((out[8] & 0x3F) | 0x80);
}

void ident_uuid_text(const uint8_t uuid[IDENT_UUID_BYTES], char out[IDENT_UUID_TEXT])
{
    static const uint8_t group[5] = {4, 2, 2, 2, 6};
    char *at = out;

    for (size_t g = 0; g < 5; g++) {
        digest_hex(uuid, group[g], at);
        uuid += group[g];
        at += (size_t)2 * group[g];
        *at++ = '-';
    }
    at[-1] = '\0';
}

bool ident_uuid_parse(const char *text, uint8_t out[IDENT_UUID_BYTES])
{
    char hex[33];
    size_t n = 0;

    if (strlen(text) != IDENT_UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < IDENT_UUID_TEXT - 1; i++) {
        bool dash_here = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash_here != (text[i] == '-'))
            return false;
        if (!dash_here)
            hex[n++] = text[i];
    }
    return digest_unhex(hex, out, IDENT_UUID_BYTES);
}
