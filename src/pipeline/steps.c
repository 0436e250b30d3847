/*
 * steps.c - the table of steps, and the ends of an asset's way. Loop thread.
 */
#include "pipeline/steps.h"

#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct step steps[STEP_COUNT] = {
    [STEP_PREPARE] = {"prepare", ASSET_DISCOVERED, ASSET_PREPARED, WAIT_WORKER, 1, 0, prepare_start,
                      NULL},
    [STEP_REQUEST] = {"request", ASSET_PREPARED, ASSET_REQUESTED, WAIT_SLOT, 1, 0, request_start,
                      request_done},
    [STEP_PUT] = {"put", ASSET_REQUESTED, ASSET_STORED, WAIT_PUT, 1, 0, put_start, NULL},
    [STEP_CONFIRM] = {"confirm", ASSET_STORED, ASSET_CONFIRMED, WAIT_API, 0, 1, confirm_start,
                      confirm_done},
    [STEP_RESOLVE] = {"resolve", ASSET_STORED, ASSET_CONFIRMED, WAIT_API, 1, 0, lookup_start,
                      resolve_done},
    [STEP_IDENTIFY] = {"identify", ASSET_STORED, ASSET_CONFIRMED, WAIT_API, 1, 0, lookup_start,
                       identify_done},
    [STEP_CANARY] = {"canary", ASSET_STORED, ASSET_CONFIRMED, WAIT_API, 1, 0, lookup_start,
                     canary_done},
    [STEP_READ] = {"read", ASSET_CONFIRMED, ASSET_LINKED, WAIT_API, 1, 0, read_start, read_done},
    [STEP_LINK] = {"link", ASSET_CONFIRMED, ASSET_LINKED, WAIT_API, 1, 0, link_start, link_done},
    [STEP_FINISH] = {"finish", ASSET_CONFIRMED, ASSET_CONFIRMED, WAIT_JOURNAL, 1, 0, NULL, NULL},
};

static const char *const wait_names[] = {
#define X(sym, name, text) name,
    WAIT_REASONS(X)
#undef X
};

const char *wait_reason_name(enum wait_reason reason)
{
    return wait_names[reason];
}

void step_again(struct job *job, struct asset *asset)
{
    if (asset->step == STEP_PREPARE)
        steps[STEP_PREPARE].start(job, asset); /* the workers' queue is its list */
    else
        asset_wait(job, asset, steps[asset->step].limiter);
}

void step_enter(struct job *job, struct asset *asset, enum step_id step)
{
    asset->step = step;
    asset->tries = 0;
    asset->failing_since_ms = 0;
    asset->token_refused = 0;
    step_again(job, asset);
}

static void finish(struct job *job, struct asset *asset)
{
    confirm_canary_lost(job, asset);
    asset_drop_source(job, asset);
    asset->step = STEP_FINISH;
    commit_wait(job, asset);
}

/* PXM has the file as it was. What it is now is another content of the same file in PXM. */
static void begin_changed(struct job *job, struct asset *asset)
{
    log_info("%s: PXM has it as it was before it changed", asset->claim->path);
    confirm_canary_lost(job, asset);
    snprintf(asset->former_id, sizeof asset->former_id, "%s", asset->file_id);
    asset->file_id[0] = asset->version[0] = '\0';
    free(asset->cdn_url);
    asset->cdn_url = NULL;
    asset->was_new = 0;
    asset->claim->has_former_md5 = 0;
    asset->claim->is_changed = 0;
    asset->claim->part_count = 0;
    asset->claim->intent_ms = 0;
    asset_drop_session(asset);
    asset_set_state(job, asset, ASSET_DISCOVERED, FACT_CHANGED);
    if (job_is_draining(job))
        park(job, asset);
    else
        step_enter(job, asset, STEP_PREPARE);
}

void finish_confirmed(struct job *job, struct asset *asset)
{
    /* A confirm of an earlier run may have been answered long ago. */
    asset->was_new = !asset->conflict_id && asset->confirm_at_ms;
    asset_set_state(job, asset, ASSET_CONFIRMED, FACT_FILE | FACT_NO_SESSION | FACT_TRIES);
    if (asset->claim->is_changed) {
        begin_changed(job, asset);
        return;
    }
    if (!link_is_wanted(asset)) {
        finish(job, asset);
        return;
    }
    confirm_canary_lost(job, asset);
    asset_drop_source(job, asset);
    link_enter(job, asset);
}

void finish_linked(struct job *job, struct asset *asset)
{
    asset_set_state(job, asset, ASSET_LINKED, FACT_TRIES);
    finish(job, asset);
}

/* PXM has the file, so only what comes after that has failed: nothing of its result is touched. */
static unsigned fail_link(struct asset *asset, const struct err *error)
{
    struct err *out = &asset->error;
    (void)!err_set(out, error->code, "uploaded as file %s, but not linked: %s",
                   asset->file_id[0] ? asset->file_id : "(unknown)", error->text);
    out->http_status = error->http_status;
    memcpy(out->request_id, error->request_id, sizeof out->request_id);
    return FACT_ERROR | FACT_TRIES;
}

/* Likewise, of a file that PXM may or may not have. */
static unsigned fail_upload(struct asset *asset, const struct err *error)
{
    unsigned fields = FACT_ERROR | FACT_TRIES;
    asset->error = *error;
    if (asset->file_id[0])
        fields |= FACT_FILE;
    /* What may be in PXM keeps its intent, so that a retry looks it up first. */
    if (error->code != ERR_OUTCOME_UNKNOWN)
        fields |= FACT_NO_SESSION;
    return fields;
}

void finish_skipped(struct job *job, struct asset *asset)
{
    asset_set_state(job, asset, ASSET_SKIPPED, FACT_FILE | FACT_NO_SESSION | FACT_TRIES);
    finish(job, asset);
}

void finish_failed(struct job *job, struct asset *asset, const struct err *error)
{
    const struct err copy = *error; /* it may be asset->error itself */
    unsigned fields =
        asset->state == ASSET_CONFIRMED ? fail_link(asset, &copy) : fail_upload(asset, &copy);
    asset_set_state(job, asset, ASSET_FAILED, fields);
    job->files_failed++;
    finish(job, asset);
    const struct job_options *options = job->options;
    if (options->max_errors && job->files_failed >= options->max_errors) {
        struct err limit;
        err_set(&limit, ERR_STOPPED, "%lld files failed, the limit of --max-errors",
                (long long)job->files_failed);
        job_end(job, JOB_END_ERRORS, &limit);
    }
}

void finish_durable(struct job *job, struct asset *asset)
{
    struct file_event event = {
        .asset_id = asset->claim->asset_id,
        .root = asset->claim->root,
        .path = asset->claim->path,
        .name = asset->claim->name,
        .mime_type = asset->mime_type[0] ? asset->mime_type : NULL,
        .size_bytes = asset->stamp.size_bytes,
        .state = asset->state,
        .file_id = asset->file_id[0] ? asset->file_id : NULL,
        .version = asset->version[0] ? asset->version : NULL,
        .cdn_url = asset->cdn_url,
        .tries = asset->tries_all,
        .duration_ms = job->now_ms - asset->claimed_ms,
        .error = asset->state == ASSET_FAILED ? &asset->error : NULL,
    };
    if (asset->part_count == 1) {
        event.etag = asset->parts[0].etag;
        event.has_md5 = asset->parts[0].has_md5;
        memcpy(event.md5, asset->parts[0].md5, sizeof event.md5);
    } else if (asset->claim->state == ASSET_CONFIRMED) { /* sent before, only linked now */
        event.etag = asset->claim->etag;
        event.has_md5 = asset->claim->has_md5;
        memcpy(event.md5, asset->claim->md5, sizeof event.md5);
    }
    job->files_done++;
    job->failed_durable += asset->state == ASSET_FAILED;
    job->files_confirmed += asset->state == ASSET_CONFIRMED || asset->state == ASSET_LINKED;
    if (job->observer.file)
        job->observer.file(job->observer.user, &event);
    asset_free(job, asset);
}

void park(struct job *job, struct asset *asset)
{
    log_debug("asset %lld: parked at %s", (long long)asset->claim->asset_id,
              steps[asset->step].name);
    confirm_canary_lost(job, asset);
    asset_free(job, asset);
}
