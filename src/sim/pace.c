/* A link of limited speed; see pace.h. */
#include "sim/pace.h"

/* Who comes late by this much has lost nothing: timers are late by about as much. */
#define SLACK_US         5000
#define PIECES_PER_S     50
#define PIECE_MIN_BYTES  4096
#define PIECE_MAX_BYTES  (128 * 1024)
#define MICROS_PER_S     1000000
#define WINDOW_MIN_BYTES (10 * 1460)
#define WINDOW_MAX_BYTES (4 * 1024 * 1024) /* what Linux lets a sender's buffer grow to */
#define REST_US          MICROS_PER_S      /* about a retransmission time-out */

static int64_t speed_at(struct pace *pace, int64_t now_us)
{
    if (pace->rtt_us == 0)
        return pace->bytes_per_s;
    if (pace->window_bytes == 0 || now_us - pace->free_us > REST_US)
        pace->window_bytes = WINDOW_MIN_BYTES;
    int64_t speed = pace->window_bytes * MICROS_PER_S / pace->rtt_us;
    return pace->bytes_per_s > 0 && speed > pace->bytes_per_s ? pace->bytes_per_s : speed;
}

static void grow_window(struct pace *pace, size_t bytes)
{
    /* It grows while it carries: ln 2 of what passes doubles it in a round trip. */
    pace->window_bytes += (int64_t)bytes * 7 / 10;
    if (pace->window_bytes > WINDOW_MAX_BYTES)
        pace->window_bytes = WINDOW_MAX_BYTES;
}

int64_t pace_carry(struct pace *pace, size_t bytes, int64_t now_us)
{
    int64_t speed = speed_at(pace, now_us);

    if (speed == 0)
        return now_us;
    grow_window(pace, bytes);
    if (pace->free_us < now_us - SLACK_US)
        pace->free_us = now_us - SLACK_US;
    pace->free_us += (int64_t)bytes * MICROS_PER_S / speed;
    return pace->free_us > now_us ? pace->free_us : now_us;
}

size_t pace_piece(struct pace *pace, int64_t now_us)
{
    int64_t speed = speed_at(pace, now_us);
    int64_t piece = speed / PIECES_PER_S;

    if (speed == 0 || piece > PIECE_MAX_BYTES)
        return PIECE_MAX_BYTES;
    return piece < PIECE_MIN_BYTES ? PIECE_MIN_BYTES : (size_t)piece;
}
