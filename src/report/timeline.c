/* timeline.c - see timeline.h. Called by gather.c. */
#include "report/timeline.h"

#include <stdlib.h>

#include "base/limits.h"

/* A pause is drawn as one where it is longer than this share of all the work. */
#define PAUSE_SHARE 50

struct moments {
    struct journal_moment *items;
    int count;
};

static int keep(const struct journal_moment *moment, void *user)
{
    struct moments *moments = user;
    if (moments->count == LIMIT_HISTORY_ROWS)
        return 0;
    moments->items[moments->count++] = *moment;
    return 0;
}

static void add(int64_t into[HISTORY_MEASURE_COUNT], const int64_t more[HISTORY_MEASURE_COUNT])
{
    for (int i = 0; i < HISTORY_MEASURE_COUNT; i++)
        into[i] += more[i];
}

/* How many stretches there are when pauses up to so long do not count. */
static int count_stretches(const struct moments *moments, int64_t pause_ms)
{
    int count = moments->count > 0;
    for (int i = 1; i < moments->count; i++)
        count += moments->items[i].from_ms - moments->items[i - 1].to_ms > pause_ms;
    return count;
}

static void cut(struct timeline *timeline, const struct moments *moments)
{
    int64_t width_ms = moments->items[0].to_ms - moments->items[0].from_ms;
    int64_t pause_ms = width_ms * moments->count / PAUSE_SHARE;
    if (pause_ms < 5 * width_ms)
        pause_ms = 5 * width_ms;
    while (count_stretches(moments, pause_ms) > TIMELINE_STRETCHES)
        pause_ms *= 2;
    struct stretch *stretch = NULL;
    for (int i = 0; i < moments->count; i++) {
        const struct journal_moment *moment = &moments->items[i];
        if (!stretch || moment->from_ms - stretch->to_ms > pause_ms) {
            stretch = &timeline->stretches[timeline->stretch_count++];
            stretch->from_ms = moment->from_ms;
        }
        stretch->to_ms = moment->to_ms;
        add(stretch->sums, moment->sums);
        add(timeline->sums, moment->sums);
    }
    for (int i = 0; i < timeline->stretch_count; i++)
        timeline->span_ms += timeline->stretches[i].to_ms - timeline->stretches[i].from_ms;
    int64_t widths = timeline->span_ms / width_ms;
    timeline->bin_ms = width_ms * ((widths + TIMELINE_BINS - 1) / TIMELINE_BINS);
}

static void make_bins(struct timeline *timeline)
{
    for (int i = 0; i < timeline->stretch_count; i++) {
        struct stretch *stretch = &timeline->stretches[i];
        int64_t span_ms = stretch->to_ms - stretch->from_ms;
        stretch->first_bin = timeline->bin_count;
        stretch->bin_count = (int)((span_ms + timeline->bin_ms - 1) / timeline->bin_ms);
        timeline->bin_count += stretch->bin_count;
        for (int k = 0; k < stretch->bin_count; k++)
            timeline->bins[stretch->first_bin + k].from_ms =
                stretch->from_ms + k * timeline->bin_ms;
    }
}

static void fill_bins(struct timeline *timeline, const struct moments *moments)
{
    const struct stretch *stretch = timeline->stretches;
    for (int i = 0; i < moments->count; i++) {
        const struct journal_moment *moment = &moments->items[i];
        while (moment->from_ms >= stretch->to_ms)
            stretch++;
        int64_t k = (moment->from_ms - stretch->from_ms) / timeline->bin_ms;
        add(timeline->bins[stretch->first_bin + k].sums, moment->sums);
    }
}

int timeline_read(struct timeline *timeline, struct journal *journal, struct err *err)
{
    *timeline = (struct timeline){0};
    struct moments moments = {.items = calloc(LIMIT_HISTORY_ROWS, sizeof *moments.items)};
    if (!moments.items)
        return err_set(err, ERR_NOMEM, "no memory for the job's history");
    int rc = journal_each_moment(journal, keep, &moments, err);
    if (!rc && moments.count) {
        cut(timeline, &moments);
        make_bins(timeline);
        fill_bins(timeline, &moments);
    }
    free(moments.items);
    return rc;
}

/* A bin in which a run just began or ended says little: it counts as half a bin at least. */
static double per_ms(const struct timeline *timeline, int i, int64_t amount)
{
    int64_t ran_ms = timeline->bins[i].sums[HISTORY_RUN_MS];
    if (ran_ms < timeline->bin_ms / 2)
        ran_ms = timeline->bin_ms / 2;
    return (double)amount / (double)ran_ms;
}

double timeline_files(const struct timeline *timeline, int i)
{
    const int64_t *sums = timeline->bins[i].sums;
    int64_t files = sums[HISTORY_CONFIRMED] + sums[HISTORY_SKIPPED] + sums[HISTORY_FAILED];
    return per_ms(timeline, i, files) * 60000;
}

double timeline_bytes(const struct timeline *timeline, int i)
{
    return per_ms(timeline, i, timeline->bins[i].sums[HISTORY_SENT_BYTES]) * 1000;
}

/* The first bin of the stretch that a bin is in. */
static int first_of(const struct timeline *timeline, int i)
{
    int first = 0;
    for (int n = 0; n < timeline->stretch_count; n++)
        if (timeline->stretches[n].first_bin <= i)
            first = timeline->stretches[n].first_bin;
    return first;
}

double timeline_requests(const struct timeline *timeline, int i)
{
    int64_t bins = (RATE_WINDOW_MS + timeline->bin_ms - 1) / timeline->bin_ms;
    int64_t from = i - bins + 1;
    int first = first_of(timeline, i);
    int64_t requests = 0;
    for (int64_t k = from < first ? first : from; k <= i; k++)
        requests += timeline->bins[k].sums[HISTORY_REQUESTS];
    return (double)requests * RATE_WINDOW_MS / (double)(bins * timeline->bin_ms);
}

int timeline_has_budget(const struct timeline *timeline)
{
    for (int i = 0; i < timeline->bin_count; i++)
        if (timeline->bins[i].sums[HISTORY_RATE_MS] > 0)
            return 1;
    return 0;
}

double timeline_budget(const struct timeline *timeline, int i)
{
    const int64_t *sums = timeline->bins[i].sums;
    return sums[HISTORY_RUN_MS] > 0 ? (double)sums[HISTORY_RATE_MS] / (double)sums[HISTORY_RUN_MS]
                                    : 0;
}
