/*
 * link.c - what a file gets beside its bytes: its collections and attributes, by one PUT of the
 * whole set. A file that existed before is read first and what it has is merged in; one that was
 * made a moment ago has nothing yet. Both calls may be repeated at will. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer ago, somebody in PXM may have come across a new file and linked it. */
#define LINK_UNREAD_MS (10 * 60 * 1000)
/* What was read longer ago is read again before it is written back: others write, too. */
#define LINK_READ_MS 5000

/* 1 where nobody but us can have linked it: then there is nothing to merge, and nothing to read. */
static int is_untouched(const struct job *job, const struct asset *asset)
{
    const struct claim *claim = asset->claim;
    if (claim->state != ASSET_CONFIRMED)
        return asset->was_new && job->now_ms - asset->confirm_at_ms < LINK_UNREAD_MS;
    /* Taken up again, by this run or a later one: how long ago was that confirm? */
    int64_t age_ms = job->wall_ms - claim->done_ms;
    return claim->was_new && age_ms >= 0 && age_ms < LINK_UNREAD_MS;
}

void link_describe(const struct claim *claim, const char *file_id, struct wire_link *out)
{
    *out = (struct wire_link){
        .file_id = file_id,
        .folder_collection = claim->folder_collection,
        .collections = claim->wish_collections,
        .attributes = claim->wish_attributes,
    };
}

static void drop_body(struct asset *asset)
{
    free(asset->link_body);
    asset->link_body = NULL;
}

void link_release(struct asset *asset)
{
    drop_body(asset);
}

int link_is_wanted(const struct asset *asset)
{
    return asset->claim->wants_link;
}

/* The folder that it belongs in is not there: it waits in the journal, or has nowhere to go. */
static void leave_to_folder(struct job *job, struct asset *asset)
{
    const struct claim *claim = asset->claim;
    struct err error;
    if (claim->folder_failure) {
        (void)!err_set(&error, claim->folder_failure, "%s", claim->folder_failure_text);
        finish_failed(job, asset, &error);
        return;
    }
    if (journal_batch_unclaim(job->batch, claim->asset_id)) {
        (void)!err_set(&error, ERR_NOMEM, "no memory for a journal batch");
        commit_lost(job, &error);
    }
    folders_need(job);
    park(job, asset);
}

/* The confirm's reply named none, and the search did not show it then; perhaps it does by now. */
static void find_id(struct job *job, struct asset *asset)
{
    const struct claim *claim = asset->claim;
    int has_room = asset->file_name || (asset->file_name = strdup(claim->name));
    /* What is known of the bytes is written again, with the id. */
    if (has_room && !asset->part_count && (asset->parts = calloc(1, sizeof *asset->parts))) {
        asset->part_count = 1;
        asset->parts[0] = (struct part){.part_no = 1, .status = PART_DONE};
        asset->parts[0].has_md5 = claim->has_md5;
        memcpy(asset->parts[0].md5, claim->md5, sizeof claim->md5);
        asset->parts[0].etag = claim->etag ? strdup(claim->etag) : NULL;
    }
    if (has_room && asset->part_count) {
        step_enter(job, asset, STEP_IDENTIFY);
        return;
    }
    struct err error;
    err_set(&error, ERR_NOMEM, "no memory for a file's id");
    finish_failed(job, asset, &error);
}

void link_identified(struct job *job, struct asset *asset)
{
    struct err error;
    if (asset->file_id[0]) {
        asset_save(job, asset, FACT_FILE);
        link_enter(job, asset);
    } else if (job_is_draining(job)) {
        park(job, asset);
    } else {
        err_set(&error, ERR_BAD_REPLY, "PXM named no id for it, and its search shows none");
        finish_failed(job, asset, &error);
    }
}

void link_enter(struct job *job, struct asset *asset)
{
    if (asset->claim->folder_id && !asset->claim->folder_collection) {
        leave_to_folder(job, asset);
        return;
    }
    if (!asset->file_id[0]) {
        find_id(job, asset);
        return;
    }
    step_enter(job, asset, is_untouched(job, asset) ? STEP_LINK : STEP_READ);
}

/* Its path in the API; the call, where that can be made. */
static void call_file(struct job *job, struct asset *asset, enum exchange_method method,
                      const struct buf *body)
{
    struct buf path;
    buf_init(&path, LIMIT_URL_BYTES);
    if (wire_path(job->options->wire.file_path, asset->file_id, &path)) {
        struct err error;
        err_set(&error, ERR_CONFIG, "the file path of the wire profile is too long");
        remedy_apply(job, asset, NULL, &error);
    } else {
        call_start(job, asset, method, buf_str(&path), body);
    }
    buf_release(&path);
}

void read_start(struct job *job, struct asset *asset)
{
    call_file(job, asset, EXCHANGE_GET, NULL);
}

/* The body of the PUT into asset->link_body; reply NULL: the file is new. */
static int merge(struct asset *asset, const struct exchange_reply *reply, int *out_needed,
                 struct err *err)
{
    struct wire_link link;
    struct buf body;
    link_describe(asset->claim, asset->file_id, &link);
    buf_init(&body, LIMIT_REPLY_BYTES);
    int rc = wire_encode_link(&link, reply ? buf_str(&reply->body) : NULL,
                              reply ? reply->body.len : 0, &body, out_needed, err);
    drop_body(asset);
    if (!rc && !(asset->link_body = strdup(buf_str(&body))))
        rc = err_set(err, ERR_NOMEM, "no memory for the links of a file");
    buf_release(&body);
    return rc;
}

void read_done(struct job *job, struct asset *asset)
{
    struct err error;
    int needed = 1;
    call_classify(job, asset, &error);
    if (!error.code)
        (void)!merge(asset, exchange_reply_of(asset->exchange), &needed, &error);
    call_release(job, asset);
    int is_again = asset->read_ms > 0;
    if (!error.code)
        asset->read_ms = job->now_ms;
    if (error.code) {
        remedy_apply(job, asset, NULL, &error);
    } else if (!needed) {
        finish_linked(job, asset);
    } else if (is_again) { /* the link's failed tries count on */
        asset->step = STEP_LINK;
        step_again(job, asset);
    } else {
        step_enter(job, asset, STEP_LINK);
    }
}

/* Held back or tried again for so long that others may have linked the file meanwhile. */
static int is_stale(const struct job *job, const struct asset *asset)
{
    if (!asset->read_ms)
        return !is_untouched(job, asset);
    return job->now_ms - asset->read_ms > LINK_READ_MS;
}

void link_start(struct job *job, struct asset *asset)
{
    struct err error = ERR_INIT;
    int ignored;
    if (is_stale(job, asset)) {
        drop_body(asset);
        asset->step = STEP_READ;
        read_start(job, asset);
        return;
    }
    if (!asset->link_body && merge(asset, NULL, &ignored, &error)) {
        remedy_apply(job, asset, NULL, &error);
        return;
    }
    struct buf body;
    buf_init(&body, LIMIT_REPLY_BYTES);
    if (buf_puts(&body, asset->link_body)) {
        err_set(&error, ERR_NOMEM, "no memory for the links of a file");
        remedy_apply(job, asset, NULL, &error);
    } else {
        call_file(job, asset, EXCHANGE_API_PUT, &body);
    }
    buf_release(&body);
}

void link_done(struct job *job, struct asset *asset)
{
    struct err error;
    call_classify(job, asset, &error);
    call_release(job, asset);
    if (error.code)
        remedy_apply(job, asset, NULL, &error);
    else
        finish_linked(job, asset);
}

int job_each_collection(const struct journal_row *row, int (*fn)(const char *id, void *user),
                        void *user)
{
    if (row->state != ASSET_LINKED && row->state != ASSET_VERIFIED)
        return 0;
    int rc = row->collection_id ? fn(row->collection_id, user) : 0;
    return rc ? rc : wire_each_id(row->wish_collections, fn, user);
}
