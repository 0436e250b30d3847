/*
 * prepare.c - the step from a claim to a typed, opened file; the work is a worker's. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wants_md5(const struct job *job)
{
    return job->options->verify_etag != VERIFY_OFF;
}

void prepare_start(struct job *job, struct asset *asset)
{
    struct work *work = calloc(1, sizeof *work);
    if (!work) {
        asset->due_ms = job->now_ms + RETRY_CAP_MS;
        asset_wait(job, asset, WAIT_RETRY);
        return;
    }
    asset_drop_source(job, asset);
    work->kind = WORK_PREPARE;
    work->asset = asset;
    work->root = asset->claim->root;
    work->path = asset->claim->path;
    work->name = asset->claim->name;
    work->expected = &asset->claim->stamp;
    work->copy_links = job->options->walk.copy_links;
    work->want_snapshot = job->snapshot_bytes < LIMIT_SNAPSHOTS_BYTES;
    work->want_md5 = wants_md5(job);
    if (asset->claim->has_former_md5)
        work->former_md5 = asset->claim->former_md5;
    work->former_bytes = asset->claim->former_bytes;
    asset->works_out++;
    asset_wait(job, asset, WAIT_WORKER);
    workers_submit(job->workers, work);
}

/* Parts that an earlier run stored are worth something only for the very same bytes. */
static int is_same_file(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns && a->ino == b->ino && a->dev == b->dev;
}

static void take_work(struct job *job, struct asset *asset, struct work *work)
{
    asset->source = work->source;
    asset->snapshot = work->snapshot;
    asset->stamp = work->stamp;
    memcpy(asset->mime_type, work->mime_type, sizeof asset->mime_type);
    if (asset->snapshot)
        job->snapshot_bytes += asset->stamp.size_bytes;
    if (work->mime_contradicted)
        log_info("%s: its bytes are %s, whatever its name says", asset->claim->path,
                 work->mime_type);
}

/* Nothing to send: PXM has these bytes from an earlier wave. */
static int keep_former(struct job *job, struct asset *asset, const unsigned char md5[16])
{
    const char *id = asset->claim->former_id;
    if (strlen(id) >= sizeof asset->file_id || !(asset->parts = calloc(1, sizeof *asset->parts)))
        return 0;
    asset->part_count = 1;
    asset->parts[0] = (struct part){.part_no = 1, .status = PART_DONE, .has_md5 = 1};
    memcpy(asset->parts[0].md5, md5, sizeof asset->parts[0].md5);
    snprintf(asset->file_id, sizeof asset->file_id, "%s", id);
    log_info("%s: a new time, but the bytes that PXM has", asset->claim->path);
    finish_confirmed(job, asset);
    return 1;
}

void prepare_done(struct job *job, struct work *work)
{
    struct asset *asset = work->asset;
    asset->works_out--;
    if (job_is_draining(job)) {
        if (!work->rc)
            take_work(job, asset, work);
        park(job, asset);
        return;
    }
    if (work->rc) {
        remedy_apply(job, asset, NULL, &work->error);
        return;
    }
    unsigned fields = FACT_PREPARED;
    if (!is_same_file(&asset->claim->stamp, &work->stamp)) {
        fields |= FACT_NO_SESSION;
        asset->claim->part_count = 0;
    }
    take_work(job, asset, work);
    asset->claim->stamp = asset->stamp;
    asset->claim->is_changed = 0;
    if (work->has_md5) {
        /* Kept on the one part that a snapshot will be sent as. */
        memcpy(asset->snapshot_md5, work->md5, sizeof asset->snapshot_md5);
        asset->has_snapshot_md5 = 1;
    }
    asset_set_state(job, asset, ASSET_PREPARED, fields);
    if (!work->is_former || !keep_former(job, asset, work->md5))
        step_enter(job, asset, STEP_REQUEST);
}
