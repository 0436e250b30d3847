/* eta.c - see eta.h. Called by the progress, the plan and the status. */
#include "report/eta.h"

#include "report/text.h"

int64_t eta_requests_ms(int64_t requests, int rate, int used)
{
    if (rate <= 0 || requests <= 0)
        return 0;
    if (used < 0)
        used = 0;
    if (used > rate)
        used = rate;
    /* In a sliding window request n + rate starts a window after request n. */
    int64_t windows = (requests - 1) / rate;
    int64_t in_window = (requests - 1) % rate + 1;
    int64_t wait = 0;
    int64_t late = in_window - (rate - used);
    if (late > 0)
        wait = text_scale(late, RATE_WINDOW_MS, used);
    if (windows > (INT64_MAX - wait) / RATE_WINDOW_MS)
        return INT64_MAX;
    return windows * RATE_WINDOW_MS + wait;
}

int64_t eta_bytes_ms(int64_t bytes, int64_t bytes_per_s)
{
    if (bytes <= 0)
        return 0;
    if (bytes_per_s <= 0)
        return -1;
    int64_t ms = text_scale(bytes, 1000, bytes_per_s);
    return ms ? ms : 1;
}

int64_t eta_crossover_bytes(int rate, int64_t bytes_per_s)
{
    if (rate <= 0)
        return 0;
    return text_scale(bytes_per_s, 2 * RATE_WINDOW_MS / 1000, rate);
}

int64_t eta_requests_left(const struct journal_books *books)
{
    return 2 * (books->files[ASSET_DISCOVERED] + books->files[ASSET_PREPARED]) +
           books->files[ASSET_REQUESTED] + books->files[ASSET_STORED] + books->to_link_files;
}

const char *eta_limit_name(enum eta_limit limit)
{
    switch (limit) {
    case ETA_BY_REQUESTS:
        return "requests";
    case ETA_BY_BYTES:
        return "bytes";
    case ETA_BY_LARGEST:
        return "largest_file";
    }
    return "";
}

void eta_compute(const struct eta_input *input, struct eta *out)
{
    int64_t held = input->requests_left > 0 ? input->held_ms : 0;
    int64_t paced =
        eta_requests_ms(input->requests_left, input->api_rate, input->requests_in_window);
    *out = (struct eta){
        .requests_ms = paced > held ? paced : held,
        .bytes_ms = eta_bytes_ms(input->bytes_left, input->goodput_bytes_per_s),
        .largest_ms = eta_bytes_ms(input->largest_left_bytes, input->largest_bytes_per_s),
        .limit = ETA_BY_REQUESTS,
    };
    if (out->bytes_ms < 0) {
        out->ms = -1;
        return;
    }
    out->ms = out->requests_ms;
    if (out->bytes_ms > out->ms) {
        out->ms = out->bytes_ms;
        out->limit = ETA_BY_BYTES;
    }
    if (out->largest_ms > out->ms) {
        out->ms = out->largest_ms;
        out->limit = ETA_BY_LARGEST;
    }
}

/* A pace that was measured for less than this says nothing about the rest of a file. */
#define PACE_MIN_MS 3000

static int64_t pace_of(const struct active_file *file)
{
    return file->since_ms >= PACE_MIN_MS ? text_scale(file->sent_bytes, 1000, file->since_ms) : 0;
}

/*
 * The file that will end last: the active one with the longest rest at its own pace, or the
 * largest that still waits, at the best pace that any file has now.
 */
static void longest_file(const struct job_snapshot *snapshot, struct eta_input *input)
{
    int64_t longest_ms = -1;
    int64_t best_rate = 0;
    int64_t largest_active = 0;
    for (int i = 0; i < snapshot->active_count; i++) {
        const struct active_file *file = &snapshot->active[i];
        int64_t rate = pace_of(file);
        int64_t left = file->size_bytes - file->sent_bytes;
        if (rate > best_rate)
            best_rate = rate;
        if (file->size_bytes > largest_active)
            largest_active = file->size_bytes;
        if (rate <= 0 || left <= 0 || eta_bytes_ms(left, rate) <= longest_ms)
            continue;
        longest_ms = eta_bytes_ms(left, rate);
        input->largest_left_bytes = left;
        input->largest_bytes_per_s = rate;
    }
    int64_t waiting = snapshot->books.largest_pending_bytes;
    if (waiting <= largest_active || eta_bytes_ms(waiting, best_rate) <= longest_ms)
        return;
    input->largest_left_bytes = waiting;
    input->largest_bytes_per_s = best_rate;
}

void eta_of_snapshot(const struct job_snapshot *snapshot, struct eta *out)
{
    const struct journal_books *books = &snapshot->books;
    struct eta_input input = {
        .requests_left = eta_requests_left(books),
        .api_rate = snapshot->api_rate,
        .requests_in_window = snapshot->requests_in_window,
        .held_ms = snapshot->held_ms,
        .bytes_left = books->bytes[ASSET_DISCOVERED] + books->bytes[ASSET_PREPARED] +
                      books->bytes[ASSET_REQUESTED],
        .goodput_bytes_per_s = snapshot->goodput_bytes_per_s,
    };
    for (int i = 0; i < snapshot->active_count; i++) {
        const struct active_file *file = &snapshot->active[i];
        /* What is sent whole may stand as stored in the books already. */
        if (file->sent_bytes < file->size_bytes)
            input.bytes_left -= file->sent_bytes;
    }
    if (input.bytes_left < 0)
        input.bytes_left = 0;
    longest_file(snapshot, &input);
    eta_compute(&input, out);
    if (snapshot->walking)
        out->ms = -1;
}
