/* A link of limited speed; see pace.h. */
#include "sim/pace.h"

/* Who comes late by this much has lost nothing: timers are late by about as much. */
#define SLACK_US        5000
#define PIECES_PER_S    50
#define PIECE_MIN_BYTES 4096
#define PIECE_MAX_BYTES (128 * 1024)
#define MICROS_PER_S    1000000

int64_t pace_carry(struct pace *pace, size_t bytes, int64_t now_us)
{
    if (pace->bytes_per_s == 0)
        return now_us;
    if (pace->free_us < now_us - SLACK_US)
        pace->free_us = now_us - SLACK_US;
    pace->free_us += (int64_t)bytes * MICROS_PER_S / pace->bytes_per_s;
    return pace->free_us > now_us ? pace->free_us : now_us;
}

size_t pace_piece(const struct pace *pace)
{
    int64_t piece = pace->bytes_per_s / PIECES_PER_S;

    if (pace->bytes_per_s == 0 || piece > PIECE_MAX_BYTES)
        return PIECE_MAX_BYTES;
    return piece < PIECE_MIN_BYTES ? PIECE_MIN_BYTES : (size_t)piece;
}
