/* eta.c - see eta.h. Called by the progress, the plan and the status. */
#include "report/eta.h"

#include "report/text.h"

/* Until the n-th oldest of the window's starts leaves it. */
static int64_t until_aged_ms(int64_t n, const int *ages)
{
    for (int i = RATE_AGES - 1; i >= 0; i--) {
        if (n > ages[i]) {
            n -= ages[i];
            continue;
        }
        int64_t age_ms = (i + 1) * 1000 - n * 1000 / ages[i];
        return age_ms < RATE_WINDOW_MS ? RATE_WINDOW_MS - age_ms : 0;
    }
    return RATE_WINDOW_MS;
}

int64_t eta_requests_ms(int64_t requests, int rate, const int *ages)
{
    if (rate <= 0 || requests <= 0)
        return 0;
    int64_t used = 0;
    for (int i = 0; ages && i < RATE_AGES; i++)
        used += ages[i];
    if (used > rate)
        used = rate;
    /* In a sliding window request n + rate starts a window after request n. */
    int64_t windows = (requests - 1) / rate;
    int64_t in_window = (requests - 1) % rate + 1;
    int64_t late = in_window - (rate - used);
    int64_t wait = late > 0 ? until_aged_ms(late, ages) : 0;
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

int64_t eta_crossover_bytes(int rate, int64_t bytes_per_s, const struct eta_each *each)
{
    if (rate <= 0 || each->files <= 0)
        return 0;
    return text_scale(bytes_per_s, RATE_WINDOW_MS / 1000 * each->requests, rate * each->files);
}

int64_t eta_requests_left(const struct journal_books *books)
{
    return 2 * (books->files[ASSET_DISCOVERED] + books->files[ASSET_PREPARED]) +
           books->files[ASSET_REQUESTED] + books->files[ASSET_STORED] + books->to_link_files +
           (books->to_link_files ? books->categories + books->collections : 0);
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
    int64_t paced = eta_requests_ms(input->requests_left, input->api_rate, input->request_ages);
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
    return file->since_ms >= PACE_MIN_MS ? file->bytes_per_s : 0;
}

/*
 * What a file gets once the others are through. Where few are left and the way is not full any
 * more, it is what it has: nothing will make it faster. Else all of the way, as it is the way that
 * they share, but no more than what one connection has shown to get, where that is known.
 */
static int64_t pace_alone(const struct job_snapshot *snapshot, int64_t own)
{
    int64_t connection = snapshot->connection_bytes_per_s;
    int64_t most = snapshot->capable_bytes_per_s;
    if (snapshot->limit == JOB_LIMIT_TAIL && snapshot->goodput_bytes_per_s < most / 5 * 4)
        return own;
    if (connection && connection < most)
        most = connection;
    return most > own ? most : own;
}

/*
 * The file that will end last: the active one with the longest rest at the pace that it can have,
 * or the largest that still waits, at the best such pace.
 */
static void longest_file(const struct job_snapshot *snapshot, struct eta_input *input)
{
    int64_t longest_ms = -1;
    int64_t best_rate = 0;
    int64_t largest_active = 0;
    for (int i = 0; i < snapshot->active_count; i++) {
        const struct active_file *file = &snapshot->active[i];
        int64_t own = pace_of(file);
        int64_t rate = own > 0 ? pace_alone(snapshot, own) : 0;
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
    int64_t requests = eta_requests_left(&snapshot->books) - snapshot->requests_since_books;
    struct eta_input input = {
        .requests_left = requests > 0 ? requests : 0,
        .api_rate = snapshot->api_rate,
        .request_ages = snapshot->request_ages,
        .held_ms = snapshot->held_ms,
        .bytes_left = snapshot->unsent_bytes,
        .goodput_bytes_per_s = snapshot->capable_bytes_per_s,
    };
    longest_file(snapshot, &input);
    eta_compute(&input, out);
    if (snapshot->walking)
        out->ms = -1;
}
