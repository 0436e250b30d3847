/*
 * put.c - the bytes to S3, part by part: transfers from a pool, the reader that libcurl pulls
 * from, the comparison of ETags with digests. Loop thread.
 *
 * Parts of a file begin in rising order. With --part-concurrency 1 part n+1 begins when part n
 * is answered, as the vendor's guide asks for; its ETag may still be waiting for the digest.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdlib.h>
#include <string.h>

static int read_body(void *user, void *out, size_t len, int64_t at, struct err *err)
{
    struct transfer *transfer = user;
    struct asset *asset = transfer->asset;
    struct part *part = transfer->part;
    struct window *window = &transfer->window;
    int64_t from = part->start + at;
    while (len) {
        int64_t window_end = window->offset + (int64_t)window->len;
        if (!transfer->window_open || from < window->offset || from >= window_end) {
            if (transfer->window_open)
                window_unmap(window, 0);
            int64_t left = part->start + part->len - from;
            size_t want =
                left < transfer->window_bytes ? (size_t)left : (size_t)transfer->window_bytes;
            window_map(window, asset->source, from, want);
            transfer->window_open = 1;
            window_end = from + (int64_t)want;
        }
        size_t n = window_end - from < (int64_t)len ? (size_t)(window_end - from) : len;
        int rc = window_copy(window, out, n, from, err);
        if (rc)
            return rc;
        out = (char *)out + n;
        from += (int64_t)n;
        len -= n;
    }
    return 0;
}

static struct transfer *transfer_acquire(struct job *job)
{
    struct transfer *transfer = TAILQ_FIRST(&job->spare_transfers);
    if (transfer) {
        TAILQ_REMOVE(&job->spare_transfers, transfer, link);
        return transfer;
    }
    transfer = calloc(1, sizeof *transfer);
    if (transfer && !(transfer->exchange = exchange_new(NULL))) {
        free(transfer);
        transfer = NULL;
    }
    return transfer;
}

static void transfer_release(struct job *job, struct transfer *transfer)
{
    if (transfer->window_open)
        window_unmap(&transfer->window, 0);
    transfer->window_open = 0;
    transfer->asset = NULL;
    transfer->part = NULL;
    TAILQ_INSERT_HEAD(&job->spare_transfers, transfer, link);
}

void put_release(struct job *job)
{
    struct transfer *transfer;
    while ((transfer = TAILQ_FIRST(&job->spare_transfers))) {
        TAILQ_REMOVE(&job->spare_transfers, transfer, link);
        exchange_free(transfer->exchange);
        free(transfer);
    }
}

static struct part *next_part(struct asset *asset)
{
    for (size_t i = 0; i < asset->part_count; i++)
        if (asset->parts[i].status == PART_TODO)
            return &asset->parts[i];
    return NULL;
}

/*
 * All PUTs together have LIMIT_SENDING_BYTES for libcurl's buffers and the windows of their files:
 * a third and two thirds. Where there are many, each has less; it is not the CPU that they are for.
 */
static int64_t share_of(const struct job *job, int thirds, int64_t most)
{
    int64_t share = LIMIT_SENDING_BYTES / 3 * thirds / job->climb.limit;
    share -= share % SEND_BUFFER_SMALL;
    return share > most ? most : share > SEND_BUFFER_SMALL ? share : SEND_BUFFER_SMALL;
}

static int digests_behind(const struct asset *asset)
{
    int behind = 0;
    for (size_t i = 0; i < asset->part_count; i++)
        behind += asset->parts[i].digesting && asset->parts[i].status != PART_SENDING;
    return behind;
}

/* Every part is stored: the confirm is next. */
static void all_stored(struct job *job, struct asset *asset)
{
    struct err error = ERR_INIT;
    session_close(job, asset);
    if (asset->source && source_check(asset->source, &error)) {
        remedy_apply(job, asset, NULL, &error);
        return;
    }
    asset_drop_source(job, asset);
    asset_set_state(job, asset, ASSET_STORED, FACT_TRIES);
    step_enter(job, asset, STEP_CONFIRM);
}

void put_settle(struct job *job, struct asset *asset)
{
    size_t done = 0;
    for (size_t i = 0; i < asset->part_count; i++)
        done += asset->parts[i].status == PART_DONE;
    if (done == asset->part_count) {
        all_stored(job, asset);
        return;
    }
    struct part *part = next_part(asset);
    if (job_is_parking(job) && !asset->parts_sending && !asset->works_out) {
        session_close(job, asset);
        park(job, asset);
    } else if (!part || asset->parts_sending >= job->options->part_concurrency ||
               job_is_parking(job)) {
        asset_wait(job, asset, asset->parts_sending ? WAIT_REPLY : WAIT_WORKER);
    } else if (digests_behind(asset) >= PUT_DIGESTS_BEHIND) {
        asset_wait(job, asset, WAIT_WORKER);
    } else if (part->due_ms > job->now_ms) {
        asset->due_ms = part->due_ms;
        asset_wait(job, asset, WAIT_RETRY);
    } else {
        asset_wait(job, asset, WAIT_PUT);
    }
}

static void start_digest(struct job *job, struct asset *asset, struct part *part)
{
    if (job->options->verify_etag == VERIFY_OFF || part->has_md5 || part->digesting)
        return;
    struct work *work = calloc(1, sizeof *work);
    if (!work) /* compare() tries again */
        return;
    work->kind = WORK_DIGEST;
    work->asset = asset;
    work->digest_source = asset->source;
    work->part_idx = (size_t)(part - asset->parts);
    work->start = part->start;
    work->len = part->len;
    part->digesting = 1;
    asset->works_out++;
    workers_submit(job->workers, work);
}

/* Begins the next part of an asset in WAIT_PUT. */
void put_start(struct job *job, struct asset *asset)
{
    struct part *part = next_part(asset);
    if (!part) { /* all are stored; the check of the file behind them was to be repeated */
        put_settle(job, asset);
        return;
    }
    struct err error = ERR_INIT;
    struct transfer *transfer = transfer_acquire(job);
    int rc = transfer ? 0 : err_set(&error, ERR_NOMEM, "no memory for a transfer");
    if (!rc && asset->source)
        rc = source_check(asset->source, &error);
    if (!rc) {
        transfer->asset = asset;
        transfer->part = part;
        transfer->window_bytes = share_of(job, 2, LIMIT_WINDOW_BYTES);
        exchange_set_user(transfer->exchange, NULL);
        struct exchange_request request = {
            .method = EXCHANGE_PUT,
            .url = part->url,
            .content_type = asset->mime_type,
            .body = asset->snapshot ? asset->snapshot + part->start : NULL,
            .body_len = (size_t)part->len,
            .read = read_body,
            .read_user = transfer,
            .read_bytes = part->len,
            .buffer_bytes = share_of(job, 1, SEND_BUFFER_LARGE),
            .reply_max = LIMIT_S3_ERROR_BYTES,
            .fresh = part->tries > 0 || job->now_ms < job->fresh_until_ms,
            /* A refusal over TLS can get lost in the reset behind it; asked first, it cannot. */
            .expect_continue = part->last_error == ERR_NETWORK && part->tries > 1 &&
                               !strncmp(part->url, "https:", 6),
        };
        rc = exchange_start(job->net, transfer->exchange, &request, &error);
    }
    if (rc) {
        if (transfer)
            transfer_release(job, transfer);
        remedy_apply(job, asset, part, &error);
        return;
    }
    exchange_set_user(transfer->exchange, transfer);
    part->status = PART_SENDING;
    part->transfer = transfer;
    asset->parts_sending++;
    job->puts_active++;
    start_digest(job, asset, part);
    put_settle(job, asset);
}

/* Compares where both sides are known. 0, or -ERR_ETAG_MISMATCH. */
static int compare(struct job *job, struct asset *asset, struct part *part, struct err *error)
{
    enum verify_etag verify = job->options->verify_etag;
    if (verify == VERIFY_OFF) {
        part->status = PART_DONE;
        return 0;
    }
    if (!part->has_md5) {
        start_digest(job, asset, part);
        if (part->digesting) /* put_digested comes back here */
            return 0;
        return err_set(error, ERR_NOMEM, "no memory for a digest");
    }
    int match = 0;
    int comparable =
        part->comparable && wire_etag_compare(part->etag, NULL, NULL, part->md5, &match);
    if (comparable && !match)
        return err_set(error, ERR_ETAG_MISMATCH,
                       "part %d: S3 answers with ETag %s, which is not the MD5 of the bytes sent",
                       part->part_no, part->etag);
    if (!comparable && verify == VERIFY_ALWAYS)
        return err_set(error, ERR_ETAG_MISMATCH,
                       "part %d: its ETag %s can't be compared (KMS or customer keys); "
                       "--verify-etag auto accepts that",
                       part->part_no, part->etag);
    part->status = PART_DONE;
    return 0;
}

static void part_answered(struct job *job, struct asset *asset, struct part *part)
{
    struct err error = ERR_INIT;
    if (compare(job, asset, part, &error)) {
        remedy_apply(job, asset, part, &error);
        return;
    }
    if (part->status == PART_DONE)
        asset_save_part(job, asset, part);
    put_settle(job, asset);
}

static void detach(struct job *job, struct transfer *transfer)
{
    transfer->part->transfer = NULL;
    transfer->part->status = PART_TODO;
    transfer->asset->parts_sending--;
    job->puts_active--;
    transfer_release(job, transfer);
}

static void cancel_transfer(struct job *job, struct transfer *transfer)
{
    exchange_cancel(job->net, transfer->exchange);
    detach(job, transfer);
}

void put_done(struct job *job, struct transfer *transfer)
{
    struct asset *asset = transfer->asset;
    struct part *part = transfer->part;
    const struct exchange_reply *reply = exchange_reply_of(transfer->exchange);
    struct err error;
    int rc = call_outcome(job, transfer->exchange, wire_classify_s3, part->url, &error);
    if (!rc && !reply->etag[0])
        rc = err_set(&error, ERR_BAD_REPLY, "S3's reply to the PUT has no ETag");
    if (!rc) {
        unsigned char none[16] = {0};
        int match = 0;
        free(part->etag);
        part->etag = strdup(reply->etag);
        part->comparable =
            wire_etag_compare(reply->etag, reply->encryption[0] ? reply->encryption : NULL,
                              reply->customer_key[0] ? reply->customer_key : NULL, none, &match);
        if (!part->etag)
            rc = err_set(&error, ERR_NOMEM, "no memory for an ETag");
    }
    if (!rc)
        meter_took(job, STEP_PUT, transfer->exchange);
    detach(job, transfer);
    if (rc) {
        remedy_apply(job, asset, part, &error);
        return;
    }
    job_note_success(job, PEER_S3);
    job->stored_bytes += part->len;
    part->status = PART_ANSWERED;
    part_answered(job, asset, part);
}

void put_digested(struct job *job, struct work *work)
{
    struct asset *asset = work->asset;
    struct part *part = &asset->parts[work->part_idx];
    asset->works_out--;
    part->digesting = 0;
    if (!work->rc) {
        part->has_md5 = 1;
        memcpy(part->md5, work->md5, sizeof part->md5);
    }
    if (asset->leaving) {
        if (!asset->works_out)
            remedy_leave(job, asset);
    } else if (work->rc) {
        if (part->transfer)
            cancel_transfer(job, part->transfer);
        remedy_apply(job, asset, part, &work->error);
    } else if (part->status == PART_ANSWERED) {
        part_answered(job, asset, part);
    } else if (asset->wait == WAIT_WORKER) {
        put_settle(job, asset);
    }
}

void put_cancel(struct job *job, struct asset *asset)
{
    for (size_t i = 0; i < asset->part_count; i++) {
        if (asset->parts[i].transfer)
            cancel_transfer(job, asset->parts[i].transfer);
    }
}
