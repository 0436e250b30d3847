/* batch.c - the batch calls of journal.h. No I/O; whichever thread has the batch. */
#include "journal/batch.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 4096

struct journal_batch *journal_batch_new(void)
{
    struct journal_batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    batch->message.batch = batch;
    err_clear(&batch->message.err);
    return batch;
}

void journal_batch_free(struct journal_batch *batch)
{
    if (!batch)
        return;
    for (int lane = 0; lane < CLAIM_LANE_COUNT; lane++) {
        struct batch_request *request = &batch->requests[lane];
        for (size_t i = request->taken; i < request->list.count; i++)
            claim_free(request->list.items[i]);
        free(request->list.items);
    }
    while (batch->chunks) {
        struct batch_chunk *chunk = batch->chunks;
        batch->chunks = chunk->next;
        free(chunk);
    }
    for (size_t i = batch->folders.taken; i < batch->folders.count; i++)
        folder_task_free(batch->folders.tasks[i]);
    free(batch->folders.tasks);
    free(batch->folder_facts);
    free(batch->listed);
    free(batch->facts);
    free(batch->request_times);
    free(batch->unclaims);
    free(batch);
}

/* Room for `more` items; arrays double. */
static void *grow(void *items, size_t *cap, size_t want, size_t item_bytes)
{
    if (want <= *cap)
        return items;
    size_t wider = *cap ? *cap : 16;
    while (wider < want)
        wider *= 2;
    void *out = realloc(items, wider * item_bytes);
    if (out)
        *cap = wider;
    return out;
}

/* A copy that lives as long as the batch. */
static void *copy_bytes(struct journal_batch *batch, const void *bytes, size_t len)
{
    size_t need = (len + 15) & ~(size_t)15;
    struct batch_chunk *chunk = batch->chunks;
    if (!chunk || chunk->cap - chunk->used < need) {
        size_t cap = need > CHUNK_BYTES ? need : CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + cap);
        if (!chunk)
            return NULL;
        *chunk = (struct batch_chunk){.next = batch->chunks, .cap = cap};
        batch->chunks = chunk;
    }
    void *out = chunk->bytes + chunk->used;
    memcpy(out, bytes, len);
    chunk->used += need;
    return out;
}

static int copy_text(struct journal_batch *batch, const char **text)
{
    if (!*text)
        return 0;
    *text = copy_bytes(batch, *text, strlen(*text) + 1);
    return *text ? 0 : -ERR_NOMEM;
}

int journal_batch_fact(struct journal_batch *batch, const struct journal_fact *fact)
{
    struct journal_fact *facts =
        grow(batch->facts, &batch->fact_cap, batch->fact_count + 1, sizeof *facts);
    if (!facts)
        return -ERR_NOMEM;
    batch->facts = facts;
    struct journal_fact *copy = &facts[batch->fact_count];
    *copy = *fact;
    /* Only what `fields` names is read: the rest may point anywhere. */
    if (!(fact->fields & FACT_PREPARED))
        copy->mime_type = NULL;
    if (!(fact->fields & FACT_SESSION))
        copy->file_path = copy->file_name = copy->upload_id = copy->conflict_id = NULL;
    if (!(fact->fields & (FACT_PART | FACT_FILE)))
        copy->etag = NULL;
    if (!(fact->fields & FACT_FILE))
        copy->file_id = copy->version = copy->cdn_url = NULL;
    const char **texts[] = {&copy->mime_type, &copy->file_path,   &copy->file_name,
                            &copy->upload_id, &copy->conflict_id, &copy->etag,
                            &copy->file_id,   &copy->version,     &copy->cdn_url};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (copy_text(batch, texts[i]))
            return -ERR_NOMEM;
    if (!(fact->fields & FACT_ERROR))
        copy->error = NULL;
    else if (!(copy->error = copy_bytes(batch, fact->error, sizeof *fact->error)))
        return -ERR_NOMEM;
    batch->fact_count++;
    return 0;
}

int journal_batch_requests(struct journal_batch *batch, const int64_t *at_ms, size_t count)
{
    int64_t *times = grow(batch->request_times, &batch->request_cap, batch->request_count + count,
                          sizeof *times);
    if (!times)
        return count ? -ERR_NOMEM : 0;
    batch->request_times = times;
    if (count)
        memcpy(times + batch->request_count, at_ms, count * sizeof *at_ms);
    batch->request_count += count;
    return 0;
}

void journal_batch_moment(struct journal_batch *batch, const struct journal_moment *moment)
{
    BUG_ON(batch->has_moment);
    batch->moment = *moment;
    batch->has_moment = 1;
}

int journal_batch_claim(struct journal_batch *batch, enum claim_lane lane, size_t max,
                        int64_t boundary_bytes)
{
    struct batch_request *request = &batch->requests[lane];
    BUG_ON(request->asked);
    struct claim **items = calloc(max ? max : 1, sizeof(struct claim *));
    if (!items)
        return -ERR_NOMEM;
    *request = (struct batch_request){
        .asked = 1, .max = max, .boundary_bytes = boundary_bytes, .list = {.items = items}};
    return 0;
}

int journal_batch_unclaim(struct journal_batch *batch, int64_t asset_id)
{
    int64_t *ids =
        grow(batch->unclaims, &batch->unclaim_cap, batch->unclaim_count + 1, sizeof *ids);
    if (!ids)
        return -ERR_NOMEM;
    batch->unclaims = ids;
    ids[batch->unclaim_count++] = asset_id;
    return 0;
}

void journal_batch_folders(struct journal_batch *batch, const struct journal_folder_ask *ask)
{
    BUG_ON(batch->folders.asked);
    batch->folders = (struct folder_request){.asked = 1, .ask = *ask};
}

int journal_batch_folder_fact(struct journal_batch *batch, const struct journal_folder_fact *fact)
{
    struct journal_folder_fact *facts = grow(batch->folder_facts, &batch->folder_fact_cap,
                                             batch->folder_fact_count + 1, sizeof *facts);
    if (!facts)
        return -ERR_NOMEM;
    batch->folder_facts = facts;
    struct journal_folder_fact *copy = &facts[batch->folder_fact_count];
    *copy = *fact;
    if (copy_text(batch, &copy->remote_id))
        return -ERR_NOMEM;
    if (fact->error && !(copy->error = copy_bytes(batch, fact->error, sizeof *fact->error)))
        return -ERR_NOMEM;
    batch->folder_fact_count++;
    return 0;
}

void journal_batch_list(struct journal_batch *batch, int64_t began_ms)
{
    BUG_ON(batch->listed_count);
    batch->list_began_ms = began_ms;
}

int journal_batch_listed(struct journal_batch *batch, enum folder_kind kind, const char *parent,
                         const char *name, const char *id)
{
    struct folder_listed *rows =
        grow(batch->listed, &batch->listed_cap, batch->listed_count + 1, sizeof *rows);
    if (!rows)
        return -ERR_NOMEM;
    batch->listed = rows;
    struct folder_listed *row = &rows[batch->listed_count];
    *row = (struct folder_listed){kind, parent, name, id};
    if (copy_text(batch, &row->parent) || copy_text(batch, &row->name) ||
        copy_text(batch, &row->id))
        return -ERR_NOMEM;
    batch->listed_count++;
    return 0;
}

struct folder_task *journal_batch_take_folder(struct journal_batch *batch)
{
    struct folder_request *request = &batch->folders;
    return request->taken < request->count ? request->tasks[request->taken++] : NULL;
}

int journal_batch_folders_held(const struct journal_batch *batch)
{
    return batch->folders.held;
}

void journal_batch_set_user(struct journal_batch *batch, void *user)
{
    batch->user = user;
}

void *journal_batch_user(const struct journal_batch *batch)
{
    return batch->user;
}

int journal_batch_is_empty(const struct journal_batch *batch)
{
    for (int lane = 0; lane < CLAIM_LANE_COUNT; lane++)
        if (batch->requests[lane].asked)
            return 0;
    if (batch->folders.asked || batch->folder_fact_count || batch->list_began_ms ||
        batch->listed_count)
        return 0;
    return !batch->fact_count && !batch->request_count && !batch->unclaim_count &&
           !batch->has_moment;
}

struct claim *journal_batch_take_claim(struct journal_batch *batch, enum claim_lane lane)
{
    struct batch_request *request = &batch->requests[lane];
    return request->taken < request->list.count ? request->list.items[request->taken++] : NULL;
}

int journal_batch_lane_dry(const struct journal_batch *batch, enum claim_lane lane)
{
    return batch->requests[lane].list.dry;
}
