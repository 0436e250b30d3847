/*
 * lanes.c - claims from the journal: which files come next, and which may open a session now.
 * Loop thread.
 *
 * --order-by mixed runs two lanes: large files, largest first, in a share of the transfer slots of
 * their own, so that no giant is left for the end; small files in walk order beside them, which
 * fill the request budget. A lane that has run dry leaves its share to the other.
 *
 * A third lane takes up files that are confirmed and not linked: those of an earlier run, and
 * those whose collection was not there yet. It is at its end when nothing can come behind it.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>

/* From this size on the bytes, not the two requests, are what a file costs. */
#define LARGE_FILE_BYTES (32 * 1024 * 1024)

enum { LANE_MAIN, LANE_LARGE, LANE_LINKS };

/* Between two looks for files that became linkable while others are being sent. */
#define LINKS_POLL_MS 250

void lanes_init(struct job *job)
{
    job->lanes[LANE_LINKS] = (struct lane){.id = CLAIM_LINKS, .used = 1};
    switch (job->options->order) {
    case ORDER_MIXED:
        job->lanes[LANE_MAIN] = (struct lane){.id = CLAIM_SMALL_BY_PATH, .used = 1};
        job->lanes[LANE_LARGE] = (struct lane){.id = CLAIM_LARGE_LARGEST, .used = 1};
        break;
    case ORDER_SIZE:
        job->lanes[LANE_MAIN] = (struct lane){.id = CLAIM_LARGEST, .used = 1};
        break;
    case ORDER_PATH:
        job->lanes[LANE_MAIN] = (struct lane){.id = CLAIM_BY_PATH, .used = 1};
        break;
    }
}

/* Assets held in memory: enough to hide the journal's and the API's latency. */
int lanes_most_assets(const struct job *job)
{
    return 3 * job->climb.most + 3 * LIMIT_CLAIM;
}

/* Whether rows may come behind the last claim of a lane. */
static int may_grow(const struct job *job, int lane)
{
    if (intake_is_walking(job))
        return 1;
    return lane == LANE_LINKS &&
           (!lanes_all_sent(job) || job->assets > job->lanes[LANE_LINKS].held ||
            folders_are_busy(job));
}

static int large_share(const struct job *job)
{
    int share = job->climb.limit / 4;
    return share > 1 ? share : 1;
}

/* How many more assets the lane should bring now. */
static int appetite(const struct job *job, int lane)
{
    /* Links have a share of their own: files that are being sent must not keep them out. */
    if (lane == LANE_LINKS)
        return LIMIT_CLAIM - job->lanes[LANE_LINKS].held;
    int room = lanes_most_assets(job) - LIMIT_CLAIM - (job->assets - job->lanes[LANE_LINKS].held);
    if (lane == LANE_LARGE) {
        int most = job->lanes[LANE_MAIN].closed ? job->climb.limit + 1 : large_share(job) + 1;
        int want = most - job->lanes[LANE_LARGE].held;
        return want < room ? want : room;
    }
    return room < LIMIT_CLAIM ? room : LIMIT_CLAIM;
}

void lanes_ask(struct job *job)
{
    if (job_is_draining(job))
        return;
    for (int i = 0; i < LANES; i++) {
        struct lane *lane = &job->lanes[i];
        int want = appetite(job, i);
        /* Whole handfuls: a claim a file would be a query a file. */
        int handful = i == LANE_LARGE ? 1 : LIMIT_CLAIM / 2;
        int is_due = job->now_ms >= lane->due_ms || (i == LANE_LINKS && !may_grow(job, i));
        if (!lane->used || lane->asked || lane->closed || want < handful || !is_due)
            continue;
        /* Read before the claim: rows that are added after it are found by the next one. */
        lane->asked_while_open = may_grow(job, i);
        if (!journal_batch_claim(job->batch, lane->id, (size_t)want, LARGE_FILE_BYTES)) {
            lane->asked = 1;
            lane->asked_seq = job->batch_seq;
        }
    }
}

static void begin(struct job *job, struct asset *asset)
{
    struct err error = ERR_INIT;
    /* An intent outlives its row's state: a file that was queued again may be in PXM already. */
    if (asset->claim->intent_ms && asset->claim->part_count)
        asset->state = ASSET_STORED;
    if (asset->state == ASSET_CONFIRMED) {
        snprintf(asset->file_id, sizeof asset->file_id, "%s",
                 asset->claim->file_id ? asset->claim->file_id : "");
        snprintf(asset->mime_type, sizeof asset->mime_type, "%s",
                 asset->claim->mime_type ? asset->claim->mime_type : "");
        link_enter(job, asset);
        return;
    }
    if (asset->state != ASSET_STORED) {
        /* An earlier run's URLs are gone with it; what it stored may still count. */
        step_enter(job, asset, STEP_PREPARE);
        return;
    }
    asset->step = STEP_CONFIRM;
    if (confirm_restore(asset, &error))
        finish_failed(job, asset, &error);
    else
        step_enter(job, asset, asset->intent_ms ? STEP_RESOLVE : STEP_CONFIRM);
}

static void take_lane(struct job *job, struct journal_batch *batch, int i)
{
    struct lane *lane = &job->lanes[i];
    struct claim *claim;
    int taken = 0;
    lane->asked = 0;
    while ((claim = journal_batch_take_claim(batch, lane->id))) {
        struct asset *asset = asset_new(job, claim);
        if (!asset) { /* it stays queued in the journal for the next run */
            claim_free(claim);
            continue;
        }
        asset->lane = i;
        asset->is_large = i == LANE_LARGE;
        lane->held++;
        taken++;
        if (job_is_draining(job))
            park(job, asset);
        else
            begin(job, asset);
    }
    if (!taken && journal_batch_lane_dry(batch, lane->id)) {
        lane->closed = !lane->asked_while_open;
        lane->due_ms = job->now_ms + (i == LANE_LINKS ? LINKS_POLL_MS : LANE_POLL_MS);
    }
}

void lanes_take(struct job *job, struct journal_batch *batch)
{
    for (int i = 0; i < LANES; i++)
        if (job->lanes[i].asked && job->lanes[i].asked_seq == job->durable_seq)
            take_lane(job, batch, i);
}

void lanes_poke_links(struct job *job)
{
    job->lanes[LANE_LINKS].due_ms = job->now_ms;
}

int lanes_all_sent(const struct job *job)
{
    for (int i = 0; i < LANE_LINKS; i++)
        if (job->lanes[i].used && !job->lanes[i].closed)
            return 0;
    return 1;
}

int lanes_all_closed(const struct job *job)
{
    for (int i = 0; i < LANES; i++)
        if (job->lanes[i].used && !job->lanes[i].closed)
            return 0;
    return 1;
}

int lanes_admit(const struct job *job, const struct asset *asset)
{
    /* A few sessions ahead of the free slots, so that a slot does not wait for the API. */
    int ahead = job->options->api_concurrency / 2 + 1;
    if (job->open_sessions >= job->climb.limit + ahead)
        return 0;
    int others_wait = job->lanes[LANE_MAIN].held > 0 || !job->lanes[LANE_MAIN].closed;
    return !asset->is_large || !others_wait || job->large_sending < large_share(job);
}
