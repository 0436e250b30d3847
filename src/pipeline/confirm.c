/*
 * confirm.c - confirm-upload: the one call that is not idempotent. A durable intent goes before
 * it; the first overwrite and the first version of a run are canaries. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum wire_conflict confirm_kind(const struct job *job, const struct asset *asset)
{
    if (!asset->conflict_id)
        return WIRE_CONFLICT_NONE;
    return job->options->on_conflict == CONFLICT_OVERWRITE ? WIRE_CONFLICT_OVERWRITE
                                                           : WIRE_CONFLICT_VERSION;
}

/* By the asset, not by its conflict: a session that began anew may have forgotten that. */
void confirm_canary_lost(struct job *job, const struct asset *asset)
{
    for (int kind = WIRE_CONFLICT_OVERWRITE; kind <= WIRE_CONFLICT_VERSION; kind++) {
        if (job->canary_asset[kind] != asset)
            continue;
        job->canary_asset[kind] = NULL;
        job->canary[kind] = CANARY_UNTRIED;
    }
}

/* 1 where the asset has to wait for the proof, or cannot go on at all. */
static int held_by_canary(struct job *job, struct asset *asset)
{
    enum wire_conflict kind = confirm_kind(job, asset);
    if (kind == WIRE_CONFLICT_NONE || job->canary_asset[kind] == asset)
        return 0;
    switch (job->canary[kind]) {
    case CANARY_PROVEN:
        return 0;
    case CANARY_UNTRIED:
        if (job->ended && job->end == JOB_END_CANARY) { /* no further one in the drain */
            park(job, asset);
            return 1;
        }
        job->canary[kind] = CANARY_RUNNING;
        job->canary_asset[kind] = asset;
        return 0;
    case CANARY_RUNNING:
        asset_wait(job, asset, WAIT_CANARY);
        return 1;
    case CANARY_BROKEN:
        park(job, asset);
        return 1;
    }
    return 0;
}

/* What an earlier run stored, as the claim has it. */
static int restore_stored(struct asset *asset)
{
    const struct claim *claim = asset->claim;
    if (!claim->part_count)
        return -ERR_JOURNAL;
    asset->parts = calloc(claim->part_count, sizeof *asset->parts);
    if (!asset->parts)
        return -ERR_NOMEM;
    asset->part_count = claim->part_count;
    for (size_t i = 0; i < claim->part_count; i++) {
        struct part *part = &asset->parts[i];
        part->part_no = claim->parts[i].part_no;
        part->start = claim->parts[i].start;
        part->len = claim->parts[i].len;
        part->has_md5 = claim->parts[i].has_md5;
        memcpy(part->md5, claim->parts[i].md5, sizeof part->md5);
        part->status = PART_DONE;
        if (!(part->etag = strdup(claim->parts[i].etag)))
            return -ERR_NOMEM;
    }
    return 0;
}

int confirm_restore(struct asset *asset, struct err *err)
{
    const struct claim *claim = asset->claim;
    const struct {
        char **to;
        const char *from;
    } copies[] = {
        {&asset->file_path, claim->file_path},
        {&asset->file_name, claim->file_name},
        {&asset->upload_id, claim->upload_id},
        {&asset->conflict_id, claim->conflict_id},
    };
    int rc = restore_stored(asset);
    for (size_t i = 0; !rc && i < sizeof copies / sizeof *copies; i++)
        if (copies[i].from && !(*copies[i].to = strdup(copies[i].from)))
            rc = -ERR_NOMEM;
    if (claim->mime_type)
        snprintf(asset->mime_type, sizeof asset->mime_type, "%s", claim->mime_type);
    asset->intent_ms = claim->intent_ms;
    asset->intent_server_ms = claim->intent_server_ms;
    if (rc == -ERR_NOMEM)
        return err_set(err, ERR_NOMEM, "no memory for an upload session");
    if (rc || !asset->file_path || !asset->file_name)
        return err_set(err, ERR_JOURNAL, "the journal lacks the upload session of this file");
    return 0;
}

/* The ids of a claim, one a line, cut in place; the array is the caller's. NULL: no memory. */
static const char **split_ids(char *lines, size_t *out_count)
{
    size_t count = 1;
    for (const char *at = lines; *at; at++)
        count += *at == '\n';
    const char **ids = calloc(count, sizeof *ids);
    *out_count = 0;
    for (char *id; ids && (id = strsep(&lines, "\n"));)
        ids[(*out_count)++] = id;
    return ids;
}

/* Publishing as the manifest says for this file, or else as the job does. */
static void fill_publishing(const struct job *job, const struct asset *asset, char *today,
                            struct wire_confirm *confirm)
{
    const struct job_options *options = job->options;
    const struct claim *claim = asset->claim;
    confirm->published = claim->published < 0 ? options->publish : claim->published;
    confirm->publish_start = claim->publish_start;
    confirm->publish_end = claim->publish_end;
    if (!confirm->published || confirm->publish_start)
        return;
    if (options->publish && options->publish_start)
        confirm->publish_start = options->publish_start;
    else
        confirm->publish_start = clock_format(job->wall_ms, today);
}

static int encode(struct job *job, struct asset *asset, struct buf *body, struct err *err)
{
    const struct job_options *options = job->options;
    struct wire_etag_of *parts = calloc(asset->part_count, sizeof *parts);
    if (!parts)
        return err_set(err, ERR_NOMEM, "no memory for confirm-upload");
    for (size_t i = 0; i < asset->part_count; i++)
        parts[i] =
            (struct wire_etag_of){.part_no = asset->parts[i].part_no, .etag = asset->parts[i].etag};
    struct wire_confirm confirm = {
        .file_path = asset->file_path,
        .file_name = asset->file_name,
        .size_bytes = asset->stamp.size_bytes,
        .upload_id = asset->upload_id,
        .parts = parts,
        .part_count = asset->part_count,
        .region_ids = (const char *const *)job->gate.region_ids,
        .region_count = job->gate.region_count,
        .conflict = confirm_kind(job, asset),
        .conflict_file_id = asset->conflict_id,
    };
    char today[CLOCK_TEXT_MAX];
    char *lines = asset->claim->region_ids ? strdup(asset->claim->region_ids) : NULL;
    const char **own_ids = lines ? split_ids(lines, &confirm.region_count) : NULL;
    int rc = 0;
    fill_publishing(job, asset, today, &confirm);
    if (own_ids)
        confirm.region_ids = own_ids;
    else if (asset->claim->region_ids)
        rc = err_set(err, ERR_NOMEM, "no memory for confirm-upload");
    if (!rc)
        rc = wire_encode_confirm(&options->wire, &confirm, body, err);
    free(own_ids);
    free(lines);
    free(parts);
    return rc;
}

/* A session that was opened under another policy must not replace what this one leaves alone. */
static int is_forbidden(const struct job *job, const struct asset *asset)
{
    if (!asset->conflict_id)
        return 0;
    enum conflict_policy policy = request_policy(job, asset, asset->conflict_id);
    return policy == CONFLICT_SKIP || policy == CONFLICT_FAIL;
}

/*
 * An earlier run wrote to this file in PXM, its links at last. A look-up after a lost confirm must
 * not take that time for the confirm's, so they are kept apart by what such times may be off.
 */
static int is_too_soon(const struct job *job, const struct asset *asset)
{
    int is_ours = asset->former_id[0] || asset->claim->former_id;
    return asset->conflict_id && is_ours && job->now_ms - job->started_ms < LOOKUP_APART_MS;
}

/*
 * Its turn in the request budget. Without a durable intent it writes one first and comes back when
 * that is committed; then, and only then, the call goes out.
 */
void confirm_start(struct job *job, struct asset *asset)
{
    if (!asset->intent_durable && is_forbidden(job, asset)) {
        session_begin_anew(job, asset, "it was stored to replace a file, which is not to be now");
        return;
    }
    if (held_by_canary(job, asset))
        return;
    if (!asset->intent_durable && is_too_soon(job, asset)) {
        asset->due_ms = job->started_ms + LOOKUP_APART_MS;
        asset_wait(job, asset, WAIT_RETRY);
        return;
    }
    if (!asset->intent_durable) {
        /* The first one's time stays: what it made must still look recent after a second. */
        if (!asset->intent_ms) {
            asset->intent_ms = job->wall_ms;
            asset->intent_server_ms = job->server_clock_known ? job_server_ms(job) : 0;
            asset->intent_at_ms = job->now_ms;
        }
        asset_save(job, asset, FACT_INTENT);
        commit_wait(job, asset);
        return;
    }
    asset->confirm_at_ms = job->now_ms;
    struct buf body;
    struct err error = ERR_INIT;
    buf_init(&body, LIMIT_REPLY_BYTES);
    if (encode(job, asset, &body, &error))
        remedy_apply(job, asset, NULL, &error);
    else
        call_start(job, asset, EXCHANGE_POST, job->options->wire.confirm_path, &body);
    buf_release(&body);
}

/* What the reply says of the file. A public URL that finds no memory is one that was not said. */
static int take_reply(struct asset *asset, struct err *err)
{
    const struct buf *body = &exchange_reply_of(asset->exchange)->body;
    struct wire_confirmed reply;
    int rc = wire_decode_confirm(buf_str(body), body->len, &reply, err);
    if (rc)
        return rc;
    memcpy(asset->file_id, reply.id, sizeof asset->file_id);
    memcpy(asset->version, reply.version, sizeof asset->version);
    free(asset->cdn_url);
    asset->cdn_url = reply.cdn_url[0] ? strdup(reply.cdn_url) : NULL;
    return 0;
}

void confirm_done(struct job *job, struct asset *asset)
{
    struct err error;
    call_classify(job, asset, &error);
    if (!error.code && take_reply(asset, &error))
        error.effect = EFFECT_MAYBE;
    call_release(job, asset);
    if (error.code) {
        remedy_apply(job, asset, NULL, &error);
        return;
    }
    enum wire_conflict kind = confirm_kind(job, asset);
    if (kind != WIRE_CONFLICT_NONE && job->canary[kind] != CANARY_PROVEN)
        step_enter(job, asset, STEP_CANARY);
    else if (!asset->file_id[0])
        step_enter(job, asset, STEP_IDENTIFY);
    else
        finish_confirmed(job, asset);
}
