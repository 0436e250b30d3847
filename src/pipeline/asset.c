/*
 * asset.c - the one place that changes an asset's state or list. Called by the steps and the tick,
 * on the loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAY(state) (1u << ASSET_##state)

/* From each state, the states that may follow. Failing and starting over are always lawful. */
static const unsigned transitions[] = {
    [ASSET_DISCOVERED] = MAY(PREPARED) | MAY(FAILED),
    [ASSET_PREPARED] = MAY(PREPARED) | MAY(REQUESTED) | MAY(SKIPPED) | MAY(FAILED) |
                       MAY(DISCOVERED) | MAY(CONFIRMED), /* unchanged since an earlier wave */
    [ASSET_REQUESTED] = MAY(STORED) | MAY(PREPARED) | MAY(SKIPPED) | MAY(FAILED) | MAY(DISCOVERED),
    [ASSET_STORED] = MAY(CONFIRMED) | MAY(PREPARED) | MAY(FAILED) | MAY(DISCOVERED),
    [ASSET_CONFIRMED] = MAY(LINKED) | MAY(VERIFIED) | MAY(FAILED) |
                        MAY(DISCOVERED), /* it was in doubt, and its file has changed since */
    [ASSET_LINKED] = MAY(VERIFIED) | MAY(FAILED),
    [ASSET_VERIFIED] = 0,
    [ASSET_SKIPPED] = 0,
    [ASSET_FAILED] = 0,
};
_Static_assert(sizeof transitions / sizeof *transitions == ASSET_STATE_COUNT, "a row a state");

struct asset *asset_new(struct job *job, struct claim *claim)
{
    struct asset *asset = calloc(1, sizeof *asset);
    if (!asset)
        return NULL;
    asset->claim = claim;
    asset->state = claim->state;
    asset->stamp = claim->stamp;
    asset->claimed_ms = job->now_ms;
    asset->tries_all = claim->tries;
    asset->wait = WAIT_COUNT;
    err_clear(&asset->error);
    job->assets++;
    return asset;
}

static void leave_list(struct job *job, struct asset *asset)
{
    if (asset->wait == WAIT_COUNT)
        return;
    TAILQ_REMOVE(&job->waiting[asset->wait], asset, link);
    job->waiting_count[asset->wait]--;
    asset->wait = WAIT_COUNT;
}

void asset_free(struct job *job, struct asset *asset)
{
    BUG_ON(asset->exchange || asset->parts_sending || asset->works_out);
    leave_list(job, asset);
    job->lanes[asset->lane].held--;
    link_release(asset);
    asset_drop_source(job, asset);
    asset_drop_session(asset);
    claim_free(asset->claim);
    free(asset->cdn_url);
    free(asset);
    job->assets--;
}

void asset_wait(struct job *job, struct asset *asset, enum wait_reason reason)
{
    leave_list(job, asset);
    asset->wait = reason;
    TAILQ_INSERT_TAIL(&job->waiting[reason], asset, link);
    job->waiting_count[reason]++;
}

void asset_wait_first(struct job *job, struct asset *asset, enum wait_reason reason)
{
    leave_list(job, asset);
    asset->wait = reason;
    TAILQ_INSERT_HEAD(&job->waiting[reason], asset, link);
    job->waiting_count[reason]++;
}

void asset_drop_session(struct asset *asset)
{
    for (size_t i = 0; i < asset->part_count; i++) {
        BUG_ON(asset->parts[i].status == PART_SENDING || asset->parts[i].digesting);
        free(asset->parts[i].url);
        free(asset->parts[i].etag);
    }
    free(asset->parts);
    free(asset->file_path);
    free(asset->file_name);
    free(asset->upload_id);
    free(asset->conflict_id);
    asset->parts = NULL;
    asset->part_count = 0;
    asset->file_path = asset->file_name = asset->upload_id = asset->conflict_id = NULL;
    asset->intent_ms = asset->intent_server_ms = 0;
    asset->intent_at_ms = asset->confirm_at_ms = 0;
    asset->intent_durable = 0;
}

void asset_drop_source(struct job *job, struct asset *asset)
{
    if (asset->snapshot) {
        job->snapshot_bytes -= asset->stamp.size_bytes;
        free(asset->snapshot);
        asset->snapshot = NULL;
        asset->has_snapshot_md5 = 0;
    }
    source_close(asset->source);
    asset->source = NULL;
}

#define PARTS_ETAG_MAX 48

/* What S3 calls a file of many parts: the MD5 of their MD5s, and their number. Empty: not known. */
static void parts_etag(const struct asset *asset, char out[PARTS_ETAG_MAX])
{
    struct digest digest;
    unsigned char md5[16];
    char hex[2 * sizeof md5 + 1];
    out[0] = '\0';
    for (size_t i = 0; i < asset->part_count; i++)
        if (!asset->parts[i].has_md5)
            return;
    if (digest_init(&digest))
        return;
    for (size_t i = 0; i < asset->part_count; i++)
        digest_update(&digest, asset->parts[i].md5, sizeof asset->parts[i].md5);
    digest_final(&digest, md5);
    digest_release(&digest);
    for (size_t i = 0; i < sizeof md5; i++)
        snprintf(hex + 2 * i, 3, "%02x", md5[i]);
    snprintf(out, PARTS_ETAG_MAX, "\"%s-%zu\"", hex, asset->part_count);
}

static void fill_fact(const struct job *job, const struct asset *asset, unsigned fields,
                      struct journal_fact *fact)
{
    *fact = (struct journal_fact){
        .asset_id = asset->claim->asset_id,
        .fields = fields,
        .state = asset->state,
        .mime_type = asset->mime_type,
        .stamp = asset->stamp,
        .file_path = asset->file_path,
        .file_name = asset->file_name,
        .upload_id = asset->upload_id,
        .conflict_id = asset->conflict_id,
        .keep_parts = asset->keep_parts,
        .intent_ms = asset->intent_ms,
        .intent_server_ms = asset->intent_server_ms,
        .file_id = asset->file_id[0] ? asset->file_id : NULL,
        .version = asset->version[0] ? asset->version : NULL,
        .cdn_url = asset->cdn_url,
        .was_new = asset->was_new,
        .done_ms = job->wall_ms,
        .took_ms = job->now_ms - asset->claimed_ms,
        .error = &asset->error,
        .tries = asset->tries_all,
    };
    if ((fields & FACT_FILE) && asset->part_count == 1) {
        fact->etag = asset->parts[0].etag;
        fact->has_md5 = asset->parts[0].has_md5;
        memcpy(fact->md5, asset->parts[0].md5, sizeof fact->md5);
    }
}

void asset_save(struct job *job, struct asset *asset, unsigned fields)
{
    struct journal_fact fact;
    char etag[PARTS_ETAG_MAX] = "";
    fill_fact(job, asset, fields, &fact);
    if ((fields & FACT_FILE) && asset->part_count > 1)
        parts_etag(asset, etag);
    if (etag[0])
        fact.etag = etag;
    commit_fact(job, &fact);
}

void asset_save_part(struct job *job, struct asset *asset, const struct part *part)
{
    struct journal_fact fact = {
        .asset_id = asset->claim->asset_id,
        .fields = FACT_PART,
        .part_no = part->part_no,
        .part_start = part->start,
        .part_len = part->len,
        .etag = part->etag,
        .has_md5 = part->has_md5,
    };
    memcpy(fact.md5, part->md5, sizeof fact.md5);
    commit_fact(job, &fact);
}

/* Its bytes are still to be stored. */
static int is_unsent(enum asset_state state)
{
    return state == ASSET_DISCOVERED || state == ASSET_PREPARED || state == ASSET_REQUESTED;
}

void asset_set_state(struct job *job, struct asset *asset, enum asset_state state, unsigned fields)
{
    BUG_ON(!(transitions[asset->state] & (1u << state)));
    log_debug("asset %lld: %s -> %s", (long long)asset->claim->asset_id,
              asset_state_name(asset->state), asset_state_name(state));
    job->unsent_bytes += is_unsent(state) ? asset->stamp.size_bytes : 0;
    job->unsent_bytes -= is_unsent(asset->state) ? asset->stamp.size_bytes : 0;
    asset->state = state;
    asset_check(asset);
    asset_save(job, asset, fields | FACT_STATE);
}

int64_t asset_sent_bytes(const struct asset *asset)
{
    int64_t sent = 0;
    for (size_t i = 0; i < asset->part_count; i++) {
        const struct part *part = &asset->parts[i];
        if (part->status == PART_SENDING)
            sent += exchange_sent_bytes(part->transfer->exchange);
        else if (part->status != PART_TODO)
            sent += part->len;
    }
    return sent;
}

void asset_check(const struct asset *asset)
{
    int has_session = asset->state == ASSET_REQUESTED || asset->state == ASSET_STORED;
    BUG_ON(has_session && (!asset->file_path || !asset->part_count));
    if (asset->state == ASSET_STORED)
        for (size_t i = 0; i < asset->part_count; i++)
            BUG_ON(asset->parts[i].status != PART_DONE || !asset->parts[i].etag);
    BUG_ON(asset->exchange && asset->step == STEP_CONFIRM && !asset->intent_durable);
    BUG_ON(asset->state == ASSET_LINKED && !asset->file_id[0]);
}
