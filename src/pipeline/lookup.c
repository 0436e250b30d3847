/*
 * lookup.c - the three steps that read a file back by its name: after a lost confirm (resolve),
 * for a missing id (identify), for a canary. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"
#include "pipeline/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often an id that the confirm's reply left out is looked for. */
#define IDENTIFY_TRIES 3
/* Without one the server's clock may be anything near ours. */
#define SLACK_UNKNOWN_MS (10 * 60 * 1000)

void lookup_start(struct job *job, struct asset *asset)
{
    struct buf path;
    buf_init(&path, LIMIT_URL_BYTES);
    if (wire_path(job->options->wire.search_path, asset->file_name, &path)) {
        struct err error;
        err_set(&error, ERR_CONFIG, "the search path of the wire profile is too long");
        remedy_apply(job, asset, NULL, &error);
    } else {
        call_start(job, asset, EXCHANGE_GET, buf_str(&path), NULL);
    }
    buf_release(&path);
}

/*
 * When an earlier run's intent was, on the server's clock. Our clock may have been set since, and
 * the server's Date may have been wrong then: so by both, but not after this run's start. What is
 * there since the earliest may be ours, since the latest it is.
 */
static void earlier_intent(const struct job *job, const struct asset *asset, int64_t *out_earliest,
                           int64_t *out_latest)
{
    int64_t start = job->started_ms + job->server_ahead_ms;
    int64_t by_us = asset->intent_ms - job->wall_ms + job_server_ms(job);
    int64_t by_server = asset->intent_server_ms ? asset->intent_server_ms : by_us;
    int64_t latest = by_us > by_server ? by_us : by_server;
    int64_t earliest = by_us < by_server ? by_us : by_server;
    *out_latest = latest < start ? latest : start;
    *out_earliest = earliest < start ? earliest : start;
}

/* What the file that an earlier run was about to replace had before, where we know it. */
static int64_t former_bytes(const struct asset *asset)
{
    const struct claim *claim = asset->claim;
    int is_ours = asset->conflict_id && claim->former_id && !asset->former_id[0] &&
                  !strcmp(asset->conflict_id, claim->former_id);
    return is_ours ? claim->former_bytes : -1;
}

static void describe(const struct job *job, const struct asset *asset, struct verdict_about *about)
{
    *about = (struct verdict_about){
        .name = asset->file_name,
        .size_bytes = asset->stamp.size_bytes,
        .conflict_id = asset->conflict_id,
        .is_version = confirm_kind(job, asset) == WIRE_CONFLICT_VERSION,
        .is_uncounted = job->options->on_conflict != CONFLICT_VERSION,
        .is_resumed = !asset->intent_at_ms,
        .former_bytes = former_bytes(asset),
        .intent_ms = asset->intent_at_ms + job->server_ahead_ms,
        .confirm_ms = asset->confirm_at_ms + job->server_ahead_ms,
        .slack_ms = job->server_clock_known ? LOOKUP_SLACK_MS : SLACK_UNKNOWN_MS,
        .now_ms = job_server_ms(job),
        .patience_ms = job->options->lookup_patience_ms,
    };
    about->sure_ms = about->intent_ms;
    if (!asset->intent_at_ms)
        earlier_intent(job, asset, &about->intent_ms, &about->sure_ms);
    /* The journal has the first intent's time; another confirm may have followed, until now. */
    if (!asset->confirm_at_ms)
        about->confirm_ms = job->started_ms + job->server_ahead_ms;
}

/* 0 with *out_files to be released, or the error was handed to the remedy table. */
static int read_files(struct job *job, struct asset *asset, struct wire_files *out_files)
{
    const struct exchange_reply *reply = exchange_reply_of(asset->exchange);
    struct err error;
    *out_files = (struct wire_files){0};
    call_classify(job, asset, &error);
    /* Some tenants say so where others send an empty list. */
    if (call_is_not_found(&error, reply))
        err_clear(&error);
    else if (!error.code)
        (void)!wire_decode_files(buf_str(&reply->body), reply->body.len, out_files, &error);
    call_release(job, asset);
    if (!error.code)
        return 0;
    remedy_apply(job, asset, NULL, &error);
    return -(int)error.code;
}

static void look_again(struct job *job, struct asset *asset)
{
    if (job_is_parking(job)) {
        park(job, asset);
        return;
    }
    /* Not a failed try: the index has its time, at the pace of a backoff. */
    asset->due_ms = job->now_ms + RETRY_BASE_MS + backoff_ms(&job->rng, 2);
    asset_wait(job, asset, WAIT_RETRY);
}

static void take_id(struct asset *asset, const char *id, const struct wire_files *files)
{
    char url[LIMIT_CDN_URL_BYTES] = "";
    snprintf(asset->file_id, sizeof asset->file_id, "%s", id);
    for (size_t i = 0; i < files->count; i++)
        if (!strcmp(files->items[i].id, id) && files->items[i].cdn_url)
            (void)wire_public_url(files->items[i].cdn_url, url);
    free(asset->cdn_url);
    asset->cdn_url = url[0] ? strdup(url) : NULL;
}

void resolve_done(struct job *job, struct asset *asset)
{
    struct wire_files files;
    struct verdict_about about;
    const char *id = NULL;
    struct err error;
    if (read_files(job, asset, &files))
        return;
    describe(job, asset, &about);
    switch (verdict_resolve(&about, &files, &id)) {
    case VERDICT_APPLIED:
        take_id(asset, id, &files);
        if (asset->conflict_id && job->canary[confirm_kind(job, asset)] != CANARY_PROVEN)
            step_enter(job, asset, STEP_CANARY);
        else
            finish_confirmed(job, asset);
        break;
    case VERDICT_NOT_YET:
        look_again(job, asset);
        break;
    case VERDICT_ABSENT:
        if (++asset->restarts > job->options->retries) {
            error = asset->error; /* why it was lost; it surely is not there */
            finish_failed(job, asset, &error);
            break;
        }
        asset->intent_durable = 0; /* a new intent, with its own time */
        asset->step = STEP_CONFIRM;
        asset->tries = 0;
        asset_wait(job, asset, WAIT_API);
        break;
    case VERDICT_SUPERSEDED:
        session_begin_anew(job, asset, "another file took the name while the confirm was lost");
        break;
    case VERDICT_UNKNOWN:
        err_set(&error, ERR_OUTCOME_UNKNOWN,
                "the confirm's reply was lost, and PXM does not show whether file %s got a new "
                "version",
                asset->conflict_id);
        finish_failed(job, asset, &error);
        break;
    }
    wire_files_release(&files);
}

void identify_done(struct job *job, struct asset *asset)
{
    struct wire_files files;
    struct verdict_about about;
    if (read_files(job, asset, &files))
        return;
    describe(job, asset, &about);
    const char *id = verdict_identify(&about, &files);
    if (id)
        take_id(asset, id, &files);
    if (!id && ++asset->tries < IDENTIFY_TRIES && !job_is_draining(job))
        look_again(job, asset);
    else if (asset->state == ASSET_CONFIRMED)
        link_identified(job, asset);
    else
        finish_confirmed(job, asset);
    wire_files_release(&files);
}

static void canary_broken(struct job *job, struct asset *asset)
{
    enum wire_conflict kind = confirm_kind(job, asset);
    int is_version = kind == WIRE_CONFLICT_VERSION;
    struct err error;
    err_set(&error, ERR_CANARY,
            "--on-conflict %s did not take effect on file %s: it does not read back as the one "
            "file of that name with %lld bytes; this tenant wants another conflict_%s",
            is_version ? "version" : "overwrite", asset->conflict_id,
            (long long)asset->stamp.size_bytes, is_version ? "version" : "overwrite");
    job->canary[kind] = CANARY_BROKEN;
    job->canary_asset[kind] = NULL;
    job_end(job, JOB_END_CANARY, &error);
    finish_failed(job, asset, &error);
}

void canary_done(struct job *job, struct asset *asset)
{
    struct wire_files files;
    struct verdict_about about;
    enum wire_conflict kind = confirm_kind(job, asset);
    if (read_files(job, asset, &files))
        return;
    describe(job, asset, &about);
    switch (verdict_canary(&about, &files)) {
    case VERDICT_APPLIED:
        job->canary[kind] = CANARY_PROVEN;
        job->canary_asset[kind] = NULL;
        if (!asset->file_id[0])
            take_id(asset, asset->conflict_id, &files);
        finish_confirmed(job, asset);
        break;
    case VERDICT_NOT_YET:
        look_again(job, asset);
        break;
    case VERDICT_ABSENT:
    case VERDICT_SUPERSEDED:
    case VERDICT_UNKNOWN:
        canary_broken(job, asset);
        break;
    }
    wire_files_release(&files);
}
