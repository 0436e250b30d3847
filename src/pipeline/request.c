/*
 * request.c - request-upload: its call, and what its reply makes of the asset. Loop thread.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void request_start(struct job *job, struct asset *asset)
{
    struct buf body;
    buf_init(&body, LIMIT_REPLY_BYTES);
    struct wire_upload upload = {
        .file_name = asset->claim->name,
        .mime_type = asset->mime_type,
        .size_bytes = asset->stamp.size_bytes,
    };
    job->open_sessions++;
    if (asset->is_large)
        job->large_sending++;
    asset->session_open = 1;
    if (wire_encode_request(&upload, &body)) {
        struct err error;
        err_set(&error, ERR_NOMEM, "no memory for request-upload");
        remedy_apply(job, asset, NULL, &error);
    } else {
        call_start(job, asset, EXCHANGE_POST, job->options->wire.request_path, &body);
    }
    buf_release(&body);
}

void session_close(struct job *job, struct asset *asset)
{
    if (!asset->session_open)
        return;
    asset->session_open = 0;
    job->open_sessions--;
    if (asset->is_large)
        job->large_sending--;
}

void session_begin_anew(struct job *job, struct asset *asset, const char *why)
{
    struct err error;
    err_set(&error, ERR_SESSION_LOST, "%s", why);
    log_info("%s: %s", asset->claim->path, error.text);
    asset->step = STEP_PUT; /* the step whose remedy is a new session */
    remedy_apply(job, asset, NULL, &error);
}

static struct part *same_slice(const struct asset *asset, const struct journal_part *stored)
{
    for (size_t i = 0; i < asset->part_count; i++) {
        struct part *part = &asset->parts[i];
        if (part->part_no == stored->part_no)
            return part->start == stored->start && part->len == stored->len ? part : NULL;
    }
    return NULL;
}

/*
 * Of the same upload id and cut into the same slices: the parts that an earlier run stored still
 * count. One that is cut otherwise shows that none of them can be trusted.
 */
static int restore_parts(struct asset *asset)
{
    struct claim *claim = asset->claim;
    if (!claim->part_count || !claim->upload_id || !asset->upload_id ||
        strcmp(claim->upload_id, asset->upload_id) != 0)
        return 0;
    for (size_t i = 0; i < claim->part_count; i++)
        if (!same_slice(asset, &claim->parts[i]))
            return 0;
    for (size_t i = 0; i < claim->part_count; i++) {
        struct part *part = same_slice(asset, &claim->parts[i]);
        part->etag = strdup(claim->parts[i].etag);
        part->has_md5 = claim->parts[i].has_md5;
        memcpy(part->md5, claim->parts[i].md5, sizeof part->md5);
        part->status = part->etag ? PART_DONE : PART_TODO;
    }
    return 1;
}

static int take_session(struct asset *asset, struct wire_session *session)
{
    asset_drop_session(asset);
    asset->parts = calloc(session->part_count, sizeof *asset->parts);
    if (!asset->parts)
        return -ERR_NOMEM;
    asset->part_count = session->part_count;
    for (size_t i = 0; i < session->part_count; i++) {
        struct wire_part *from = &session->parts[i];
        asset->parts[i] = (struct part){
            .part_no = from->part_no, .start = from->start, .len = from->len, .url = from->url};
        from->url = NULL;
    }
    asset->file_path = session->file_path;
    asset->file_name = session->file_name;
    asset->upload_id = session->upload_id;
    session->file_path = session->file_name = session->upload_id = NULL;
    if (session->is_conflict) {
        asset->conflict_id = session->conflict_file_id;
        session->conflict_file_id = NULL;
    }
    if (asset->has_snapshot_md5 && asset->part_count == 1) {
        memcpy(asset->parts[0].md5, asset->snapshot_md5, sizeof asset->parts[0].md5);
        asset->parts[0].has_md5 = 1;
    }
    return 0;
}

/*
 * The policy is about other people's files. What this job made itself in an earlier wave is not
 * left behind the local file; as a version, so that nothing in PXM is lost either.
 */
enum conflict_policy request_policy(const struct job *job, const struct asset *asset,
                                    const char *conflict_id)
{
    const char *former = asset->former_id[0] ? asset->former_id : asset->claim->former_id;
    enum conflict_policy policy = job->options->on_conflict;
    int is_ours = conflict_id && former && !strcmp(conflict_id, former);
    return policy == CONFLICT_SKIP && is_ours ? CONFLICT_VERSION : policy;
}

/* 1 where the conflict ended the asset's way. */
static int decide_conflict(struct job *job, struct asset *asset, const struct wire_session *session)
{
    const char *id = session->conflict_file_id;
    struct err error = ERR_INIT;
    if (!session->is_conflict)
        return 0;
    switch (request_policy(job, asset, id)) {
    case CONFLICT_SKIP:
        session_close(job, asset);
        snprintf(asset->file_id, sizeof asset->file_id, "%s", id ? id : "");
        finish_skipped(job, asset);
        return 1;
    case CONFLICT_FAIL:
        err_set(&error, ERR_CONFLICT, "PXM has a file named %s already%s%s", asset->claim->name,
                id ? ", id " : "", id ? id : "");
        break;
    case CONFLICT_OVERWRITE:
    case CONFLICT_VERSION:
        if (session->part_count && id)
            return 0;
        err_set(&error, ERR_CONFLICT_UNSENDABLE,
                "PXM has a file named %s already and gave no %s to replace it", asset->claim->name,
                id ? "upload instructions" : "id of it");
        break;
    }
    session_close(job, asset);
    finish_failed(job, asset, &error);
    return 1;
}

static void open_session(struct job *job, struct asset *asset, struct wire_session *session)
{
    if (decide_conflict(job, asset, session))
        return;
    struct err error;
    if (!session->part_count || take_session(asset, session)) {
        err_set(&error, session->part_count ? ERR_NOMEM : ERR_BAD_REPLY,
                "the reply to request-upload has no upload instructions");
        remedy_apply(job, asset, NULL, &error);
        return;
    }
    asset->session_ms = job->now_ms;
    int kept = restore_parts(asset);
    if (!kept && asset->claim->part_count)
        log_info("%s: a new upload session, its %zu stored parts are sent again",
                 asset->claim->path, asset->claim->part_count);
    asset->keep_parts = kept;
    asset_set_state(job, asset, ASSET_REQUESTED, FACT_SESSION);
    asset->step = STEP_PUT;
    asset->tries = 0;
    asset->failing_since_ms = 0;
    put_settle(job, asset);
}

void request_done(struct job *job, struct asset *asset)
{
    const struct exchange_reply *reply = exchange_reply_of(asset->exchange);
    struct wire_upload upload = {
        .file_name = asset->claim->name,
        .mime_type = asset->mime_type,
        .size_bytes = asset->stamp.size_bytes,
    };
    struct wire_url_rules rules = {.allow_http = job->options->allow_http};
    struct wire_session session = {0};
    struct err error;
    call_classify(job, asset, &error);
    /* A conflict may come as a 409 that carries the same body as a 200. */
    int is_session = !error.code;
    if (is_session || reply->status == 409) {
        struct err decoding = ERR_INIT;
        int rc = wire_decode_session(buf_str(&reply->body), reply->body.len, &upload, &rules,
                                     &session, &decoding);
        if (is_session && rc)
            error = decoding;
        else if (!rc && (is_session || session.is_conflict))
            err_clear(&error);
        else
            error.code = ERR_BAD_REQUEST; /* a 409 about something else than the name */
    }
    snprintf(error.request_id, sizeof error.request_id, "%s", reply->request_id);
    call_release(job, asset);
    if (error.code)
        remedy_apply(job, asset, NULL, &error);
    else
        open_session(job, asset, &session);
    wire_session_release(&session);
}
