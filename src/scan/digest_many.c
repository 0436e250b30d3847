/*
 * digest_many.c - MD5 of several buffers side by side: MD5 is one long chain of additions, so a
 * core that works at one buffer idles most of the time, and eight in the lanes of a vector take
 * hardly longer than one. Called by the digest workers; no state.
 *
 * Whether MD5 may be used at all is digest_init's to find out. A wrong digest could not pass: S3
 * computes its own, and every comparison would fail.
 */
#include <endian.h>
#include <string.h>

#include "scan/scan.h"

#define LANES       DIGEST_LANES
#define BLOCK_BYTES 64

typedef uint32_t vec __attribute__((vector_size(LANES * sizeof(uint32_t))));

struct state {
    vec a, b, c, d;
};

/* A buffer on its way: whole blocks of it, then one or two with the padding and the length. */
struct lane {
    const unsigned char *at;
    size_t blocks; /* until the tail, then of the tail */
    size_t tail_blocks;
    int is_done;
    unsigned char tail[2 * BLOCK_BYTES];
};

/* floor(2^32 * abs(sin(i + 1))), RFC 1321 */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

#define ROUND_1(b, c, d) (d ^ (b & (c ^ d)))
#define ROUND_2(b, c, d) (c ^ (d & (b ^ c)))
#define ROUND_3(b, c, d) (b ^ c ^ d)
#define ROUND_4(b, c, d) (c ^ (b | ~d))
#define STEP(mix, a, b, c, d, i, word, shift)              \
    do {                                                   \
        a += mix(b, c, d) + words[(word) % 16] + sines[i]; \
        a = b + ((a << (shift)) | (a >> (32 - (shift))));  \
    } while (0)
/* Sixteen steps; the words go by first, first + step, ... */
#define ROUND(mix, from, first, step, s1, s2, s3, s4)                          \
    for (unsigned i = 0; i < 16; i += 4) {                                     \
        STEP(mix, a, b, c, d, (from) + i, (first) + (step)*i, s1);             \
        STEP(mix, d, a, b, c, (from) + i + 1, (first) + (step) * (i + 1), s2); \
        STEP(mix, c, d, a, b, (from) + i + 2, (first) + (step) * (i + 2), s3); \
        STEP(mix, b, c, d, a, (from) + i + 3, (first) + (step) * (i + 3), s4); \
    }

static inline __attribute__((always_inline)) void mix_block(
    struct state *state, const unsigned char *const blocks[LANES])
{
    vec words[16];
    for (int i = 0; i < 16; i++) {
        for (int lane = 0; lane < LANES; lane++) {
            uint32_t word;
            memcpy(&word, blocks[lane] + 4 * i, sizeof word);
            words[i][lane] = le32toh(word);
        }
    }
    vec a = state->a;
    vec b = state->b;
    vec c = state->c;
    vec d = state->d;
    ROUND(ROUND_1, 0, 0, 1, 7, 12, 17, 22)
    ROUND(ROUND_2, 16, 1, 5, 5, 9, 14, 20)
    ROUND(ROUND_3, 32, 5, 3, 4, 11, 16, 23)
    ROUND(ROUND_4, 48, 0, 7, 6, 10, 15, 21)
    state->a += a;
    state->b += b;
    state->c += c;
    state->d += d;
}

static void mix_plain(struct state *state, const unsigned char *const blocks[LANES])
{
    mix_block(state, blocks);
}

typedef void mix_fn(struct state *state, const unsigned char *const blocks[LANES]);

#ifdef __x86_64__
__attribute__((target("avx2"))) static void mix_avx2(struct state *state,
                                                     const unsigned char *const blocks[LANES])
{
    mix_block(state, blocks);
}

static mix_fn *best_mix(void)
{
    return __builtin_cpu_supports("avx2") ? mix_avx2 : mix_plain;
}
#else
static mix_fn *best_mix(void)
{
    return mix_plain;
}
#endif

static void lane_begin(struct lane *lane, const void *data, size_t len)
{
    size_t rest = len % BLOCK_BYTES;
    uint64_t bits = htole64((uint64_t)len * 8);
    lane->at = data;
    lane->is_done = 0;
    lane->blocks = len / BLOCK_BYTES;
    lane->tail_blocks = rest + 9 > BLOCK_BYTES ? 2 : 1;
    memset(lane->tail, 0, sizeof lane->tail);
    if (rest)
        memcpy(lane->tail, lane->at + len - rest, rest);
    lane->tail[rest] = 0x80;
    memcpy(lane->tail + lane->tail_blocks * BLOCK_BYTES - sizeof bits, &bits, sizeof bits);
}

/* The lane's next block; NULL at its end. */
static const unsigned char *lane_next(struct lane *lane)
{
    if (!lane->blocks) {
        lane->blocks = lane->tail_blocks;
        lane->tail_blocks = 0;
        lane->at = lane->tail;
    }
    if (!lane->blocks)
        return NULL;
    const unsigned char *block = lane->at;
    lane->at += BLOCK_BYTES;
    lane->blocks--;
    return block;
}

static void take_result(const struct state *state, size_t lane, unsigned char out[16])
{
    uint32_t words[4] = {htole32(state->a[lane]), htole32(state->b[lane]), htole32(state->c[lane]),
                         htole32(state->d[lane])};
    memcpy(out, words, sizeof words);
}

void digest_many(const void *const data[], const size_t len[], size_t count,
                 unsigned char (*out)[16])
{
    static const unsigned char nothing[BLOCK_BYTES];
    struct lane lanes[LANES];
    const unsigned char *blocks[LANES];
    mix_fn *mix = best_mix();
    struct state state;
    BUG_ON(count > LANES);
    for (size_t i = 0; i < LANES; i++) {
        state.a[i] = 0x67452301;
        state.b[i] = 0xefcdab89;
        state.c[i] = 0x98badcfe;
        state.d[i] = 0x10325476;
        blocks[i] = nothing;
        if (i < count)
            lane_begin(&lanes[i], data[i], len[i]);
    }
    for (size_t running = count; running;) {
        for (size_t i = 0; i < count; i++) {
            const unsigned char *block = lanes[i].is_done ? nothing : lane_next(&lanes[i]);
            blocks[i] = block ? block : nothing;
            if (block)
                continue;
            take_result(&state, i, out[i]);
            lanes[i].is_done = 1;
            running--;
        }
        if (running)
            mix(&state, blocks);
    }
}
