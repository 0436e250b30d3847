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

/* A run of bytes on its way: whole blocks, then one or two with the padding and the length. */
struct lane {
    const unsigned char *at;
    size_t blocks; /* at `at` */
    size_t tail_blocks;
    int is_done;
    unsigned char tail[2 * BLOCK_BYTES];
    /* a range of a file; NULL where all of the bytes are at hand */
    struct digest_range *range;
    unsigned char *room; /* DIGEST_LANE_BYTES */
    int64_t read_bytes;
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

/* It has a rotation, and any function of three in one go: a third less time. */
__attribute__((target("avx512vl"))) static void mix_avx512(struct state *state,
                                                           const unsigned char *const blocks[LANES])
{
    mix_block(state, blocks);
}

static mix_fn *best_mix(void)
{
    if (__builtin_cpu_supports("avx512vl"))
        return mix_avx512;
    return __builtin_cpu_supports("avx2") ? mix_avx2 : mix_plain;
}
#else
static mix_fn *best_mix(void)
{
    return mix_plain;
}
#endif

/* The last piece is at hand: its whole blocks, and what its rest is padded to. */
static void lane_end(struct lane *lane, const unsigned char *data, size_t len, uint64_t total)
{
    size_t rest = len % BLOCK_BYTES;
    uint64_t bits = htole64(total * 8);
    lane->at = data;
    lane->blocks = len / BLOCK_BYTES;
    lane->tail_blocks = rest + 9 > BLOCK_BYTES ? 2 : 1;
    memset(lane->tail, 0, sizeof lane->tail);
    if (rest)
        memcpy(lane->tail, data + len - rest, rest);
    lane->tail[rest] = 0x80;
    memcpy(lane->tail + lane->tail_blocks * BLOCK_BYTES - sizeof bits, &bits, sizeof bits);
}

/* The next piece of a file, when all before it went by. 0, or -1 when it cannot be read. */
static int lane_fill(struct lane *lane)
{
    struct digest_range *range = lane->range;
    int64_t left = range->len - lane->read_bytes;
    size_t n = left < DIGEST_LANE_BYTES ? (size_t)left : DIGEST_LANE_BYTES;
    range->rc =
        source_read(range->source, lane->room, n, range->start + lane->read_bytes, range->error);
    if (range->rc)
        return -1;
    lane->read_bytes += (int64_t)n;
    lane->at = lane->room;
    lane->blocks = n / BLOCK_BYTES;
    if (lane->read_bytes == range->len)
        lane_end(lane, lane->room, n, (uint64_t)range->len);
    return 0;
}

/* The lane's next block; NULL at its end, also at one that came too soon. */
static const unsigned char *lane_next(struct lane *lane)
{
    if (!lane->blocks && lane->range && lane->read_bytes < lane->range->len && lane_fill(lane))
        return NULL;
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

static void run(struct lane lanes[LANES], size_t count, unsigned char (*out)[16])
{
    static const unsigned char nothing[BLOCK_BYTES];
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

void digest_many(const void *const data[], const size_t len[], size_t count,
                 unsigned char (*out)[16])
{
    struct lane lanes[LANES];
    BUG_ON(count > LANES);
    for (size_t i = 0; i < count; i++) {
        lanes[i].is_done = 0;
        lanes[i].range = NULL;
        lane_end(&lanes[i], data[i], len[i], len[i]);
    }
    run(lanes, count, out);
}

void digest_ranges(struct digest_range ranges[], size_t count, void *room)
{
    struct lane lanes[LANES];
    unsigned char md5[LANES][16];
    BUG_ON(count > LANES);
    for (size_t i = 0; i < count; i++) {
        lanes[i].is_done = 0;
        lanes[i].range = &ranges[i];
        lanes[i].room = (unsigned char *)room + i * DIGEST_LANE_BYTES;
        lanes[i].read_bytes = 0;
        ranges[i].rc = 0;
        lane_end(&lanes[i], lanes[i].room, 0, 0); /* that of no bytes at all */
    }
    run(lanes, count, md5);
    for (size_t i = 0; i < count; i++)
        if (!ranges[i].rc)
            memcpy(ranges[i].md5, md5[i], sizeof md5[i]);
}
