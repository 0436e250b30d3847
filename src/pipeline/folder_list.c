/*
 * folder_list.c - listing PXM's categories and collections, page by page: once as a whole, into
 * the journal, before anything is made, and again for what is in doubt. Loop thread.
 *
 * A list ends with an empty page, a short one, or one without a new id. Each page begins with the
 * last row of the one before: where it does not, somebody deleted a row in between, what moved up
 * would not be seen, and would be made a second time. Then the list is read anew.
 */
#include "base/log.h"
#include "pipeline/job.h"

#include <stdio.h>
#include <string.h>

/* What every server takes as a limit: the vendor's own examples use it. */
#define PAGE_ROWS_SAFE 100
/* Lists that are read anew; a tenant may have an order that changes all the time. */
#define LIST_RESTARTS 5
/* Between two look-ups of the same folder. */
#define LOOK_AGAIN_MS 1000

void folder_list_release(struct folder_listing *listing)
{
    wire_folders_release(&listing->before);
}

static void restart(struct job *job)
{
    struct folder_listing *listing = &job->folders.listing;
    folder_list_release(listing);
    listing->offset = 0;
    listing->pages = 0;
    listing->most_rows = 0;
    listing->limit = job->folders.limit;
}

/* Where its next page begins: with the last row that is known. */
static int64_t first_row(const struct folder_listing *listing)
{
    return listing->offset > 0 ? listing->offset - 1 : 0;
}

/* What a listing for doubts is to find. */
static int is_meant(const struct folder_listing *listing, const struct folder_job *doubt)
{
    const char *parent = doubt->task->parent ? doubt->task->parent : "";
    return doubt->task->kind == listing->kind &&
           (!listing->parent[0] || !strcmp(parent, listing->parent));
}

void folder_list_begin(struct job *job, enum folder_kind kind, const char *parent, int is_whole)
{
    struct folder_listing *listing = &job->folders.listing;
    folder_list_release(listing);
    *listing = (struct folder_listing){
        .active = 1, .is_whole = is_whole, .kind = kind, .began_ms = job->wall_ms};
    snprintf(listing->parent, sizeof listing->parent, "%s", parent ? parent : "");
    restart(job);
    job->folders.list_call.tries = 0;
    job->folders.list_call.due_ms = job->now_ms;
    struct folder_job *doubt;
    TAILQ_FOREACH(doubt, &job->folders.doubts, link)
    {
        doubt->is_looked_up = !is_whole && is_meant(listing, doubt);
        doubt->found[0] = '\0';
    }
}

static const char *path_of(const struct job *job, enum folder_kind kind)
{
    const struct wire_profile *wire = &job->options->wire;
    return kind == FOLDER_CATEGORY ? wire->category_path : wire->collection_path;
}

/* ---- the end ----------------------------------------------------------------------------- */

static void settle_doubt(struct job *job, struct folder_job *doubt)
{
    struct folder_task *task = doubt->task;
    const struct folder_listing *listing = &job->folders.listing;
    if (task->intent_ms > listing->began_ms) /* the clock was set back */
        task->intent_ms = listing->began_ms;
    int64_t sure_ms = task->intent_ms + job->options->lookup_patience_ms;
    if (!doubt->found[0] && listing->began_ms < sure_ms) {
        int64_t wait = sure_ms - job->wall_ms;
        doubt->due_ms = job->now_ms + (wait < LOOK_AGAIN_MS && wait > 0 ? wait : LOOK_AGAIN_MS);
        return;
    }
    struct journal_folder_fact fact = {
        .folder_id = task->folder_id,
        .kind = task->kind,
        .remote_id = doubt->found[0] ? doubt->found : NULL,
        .looked_ms = listing->began_ms,
    };
    folders_fact(job, &fact);
    folders_doubt_settled(job, doubt);
}

static void end_list(struct job *job)
{
    struct folders *folders = &job->folders;
    struct folder_listing *listing = &folders->listing;
    struct folder_job *doubt, *next;
    listing->active = 0;
    if (listing->is_whole && listing->kind == FOLDER_CATEGORY) {
        folder_list_begin(job, FOLDER_COLLECTION, NULL, 1);
        return;
    }
    if (listing->is_whole) {
        folders->stage = FOLDERS_READY;
        folders->due_ms = job->now_ms;
        return;
    }
    for (doubt = TAILQ_FIRST(&folders->doubts); doubt; doubt = next) {
        next = TAILQ_NEXT(doubt, link);
        if (doubt->is_looked_up)
            settle_doubt(job, doubt);
    }
}

/* It cannot be listed: nothing may be made, as it could be there already. */
static void break_list(struct job *job, const struct err *error)
{
    struct folders *folders = &job->folders;
    struct folder_listing *listing = &folders->listing;
    const char *what = listing->kind == FOLDER_CATEGORY ? "categories" : "collections";
    struct folder_job *doubt, *next;
    listing->active = 0;
    (void)!err_set(&folders->error, error->code, "PXM's %s cannot be listed: %.300s", what,
                   error->text);
    folders->error.http_status = error->http_status;
    job_notice(job, NULL, &folders->error, folders->list_call.tries, 0);
    if (listing->is_whole) {
        folders->stage = FOLDERS_BROKEN;
        folders->due_ms = job->now_ms;
        return;
    }
    for (doubt = TAILQ_FIRST(&folders->doubts); doubt; doubt = next) {
        next = TAILQ_NEXT(doubt, link);
        if (!doubt->is_looked_up)
            continue;
        struct err failure = folders->error;
        failure.effect = EFFECT_MAYBE;
        struct journal_folder_fact fact = {
            .folder_id = doubt->task->folder_id, .kind = doubt->task->kind, .error = &failure};
        folders_fact(job, &fact);
        folders_doubt_settled(job, doubt);
    }
}

/* ---- pages ------------------------------------------------------------------------------- */

static int has_id(const struct wire_folders *page, const char *id)
{
    size_t k = 0;
    while (k < page->count && strcmp(page->items[k].id, id) != 0)
        k++;
    return k < page->count;
}

static int has_new_id(const struct wire_folders *page, const struct wire_folders *before)
{
    for (size_t i = 0; i < page->count; i++)
        if (!has_id(before, page->items[i].id))
            return 1;
    return 0;
}

/* It does not begin where the page before ended. */
static int is_torn(const struct wire_folders *page, const struct wire_folders *before)
{
    return before->count && !has_id(page, before->items[before->count - 1].id);
}

static void match_doubts(struct job *job, const char *parent, const char *name, const char *id)
{
    struct folder_job *doubt;
    TAILQ_FOREACH(doubt, &job->folders.doubts, link)
    {
        const struct folder_task *task = doubt->task;
        int is_it = doubt->is_looked_up && !strcmp(task->name, name) &&
                    !strcmp(task->parent ? task->parent : "", parent);
        if (is_it && (!doubt->found[0] || strcmp(id, doubt->found) < 0))
            snprintf(doubt->found, sizeof doubt->found, "%s", id);
    }
}

static int take_row(struct job *job, const struct wire_folder *row)
{
    const struct folder_listing *listing = &job->folders.listing;
    char name[LIMIT_NAME_BYTES + 1];
    /* Names are compared as ours are made; one that ours can never be is none of them. */
    if (name_of_folder(row->name, strlen(row->name), name, NULL))
        return 0;
    const char *parent = row->parent_id ? row->parent_id : listing->parent;
    if (!listing->is_whole) {
        match_doubts(job, parent, name, row->id);
        return 0;
    }
    return journal_batch_listed(job->batch, listing->kind, parent, name, row->id);
}

/* 1 where the list goes on behind this page. */
static int take_page(struct job *job, struct wire_folders *page)
{
    struct folder_listing *listing = &job->folders.listing;
    if (is_torn(page, &listing->before) && listing->restarts < LIST_RESTARTS) {
        log_info("a list changed while it was read: it is read anew");
        listing->restarts++;
        restart(job);
        return 1;
    }
    for (size_t i = 0; i < page->count; i++)
        if (take_row(job, &page->items[i])) {
            struct err error;
            err_set(&error, ERR_NOMEM, "no memory for a journal batch");
            commit_lost(job, &error);
            return 0;
        }
    int is_short = wire_page_is_short(page->rows, listing->limit, listing->most_rows);
    int goes_on = !is_short && has_new_id(page, &listing->before);
    if (page->rows > listing->most_rows)
        listing->most_rows = page->rows;
    listing->offset = first_row(listing) + (int64_t)page->rows;
    folder_list_release(listing);
    listing->before = *page;
    *page = (struct wire_folders){0};
    return goes_on;
}

void folder_list_start(struct job *job)
{
    struct folders *folders = &job->folders;
    struct folder_listing *listing = &folders->listing;
    const char *path = path_of(job, listing->kind);
    struct err error = ERR_INIT;
    struct buf url;
    buf_init(&url, LIMIT_URL_BYTES);
    int rc = listing->parent[0] ? wire_child_page_path(path, listing->parent, listing->limit,
                                                       first_row(listing), &url)
                                : wire_page_path(path, listing->limit, first_row(listing), &url);
    if (rc)
        rc = err_set(&error, ERR_CONFIG, "the path of a list is too long");
    if (!rc)
        rc = folder_call_send(job, &folders->list_call, EXCHANGE_GET, buf_str(&url), NULL, &error);
    buf_release(&url);
    if (rc)
        break_list(job, &error);
}

void folder_list_done(struct job *job)
{
    struct folders *folders = &job->folders;
    struct folder_listing *listing = &folders->listing;
    struct folder_call *call = &folders->list_call;
    const struct buf *body = &exchange_reply_of(call->exchange)->body;
    struct wire_folders page = {0};
    struct err error;
    folder_call_outcome(job, call, &error);
    if (!error.code && !wire_decode_folders(buf_str(body), body->len, &page, &error) &&
        ++listing->pages > LIMIT_LIST_PAGES)
        (void)!err_set(&error, ERR_BAD_REPLY, "it does not end after %d pages", LIMIT_LIST_PAGES);
    if (error.code == ERR_BAD_REQUEST && listing->limit > PAGE_ROWS_SAFE) {
        folders->limit = PAGE_ROWS_SAFE; /* some servers take no more rows at once */
        restart(job);
    } else if (error.code) {
        if (!folder_call_retry(job, call, &error))
            break_list(job, &error);
    } else {
        call->tries = 0;
        if (!take_page(job, &page))
            end_list(job);
    }
    wire_folders_release(&page);
}
