/*
 * verify.c - the journal against PXM. Pages of PXM's list say it of most files at a few requests
 * for thousands; a file that no page showed is asked for by its id, one request each, as a list
 * that changes while it is read may leave some out. Loop thread.
 */
#include "base/log.h"
#include "pipeline/errand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_FILES       500
#define PAGE_FILES_LEAST 20
/* Between two looks at files that are still converting. */
#define PROCESSED_POLL_MS 5000

static const char *const finding_names[] = {
#define X(sym, name, advice) name,
    VERIFY_FINDINGS(X)
#undef X
};
static const char *const finding_advice[] = {
#define X(sym, name, advice) advice,
    VERIFY_FINDINGS(X)
#undef X
};

const char *verify_finding_name(enum verify_finding_kind kind)
{
    return finding_names[kind];
}

const char *verify_finding_advice(enum verify_finding_kind kind)
{
    return finding_advice[kind];
}

/* Numbers of assets, one bit each. */
struct bits {
    unsigned char *bytes;
    size_t size;
};

struct id_list {
    int64_t *ids;
    size_t count;
    size_t cap;
};

struct verify {
    struct errand errand;
    struct journal *journal;
    const struct verify_options *options;
    struct verify_result *result;
    struct journal_batch *repairs; /* NULL: none yet */
    struct bits seen;
    struct id_list rest; /* to be asked for one by one */
    struct id_list converting;
    int64_t wave;
};

static int set_bit(struct bits *bits, int64_t id)
{
    size_t at = (size_t)id / 8;
    if (at >= bits->size) {
        size_t size = at + at / 2 + 4096;
        unsigned char *bytes = realloc(bits->bytes, size);
        if (!bytes)
            return -ERR_NOMEM;
        memset(bytes + bits->size, 0, size - bits->size);
        bits->bytes = bytes;
        bits->size = size;
    }
    bits->bytes[at] |= (unsigned char)(1 << (id % 8));
    return 0;
}

static int has_bit(const struct bits *bits, int64_t id)
{
    size_t at = (size_t)id / 8;
    return at < bits->size && (bits->bytes[at] >> (id % 8) & 1);
}

static int add_id(struct id_list *list, int64_t id)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 1024;
        int64_t *ids = realloc(list->ids, cap * sizeof *ids);
        if (!ids)
            return -ERR_NOMEM;
        list->ids = ids;
        list->cap = cap;
    }
    list->ids[list->count++] = id;
    return 0;
}

static int is_in_pxm(enum asset_state state)
{
    return state == ASSET_CONFIRMED || state == ASSET_LINKED || state == ASSET_VERIFIED;
}

/* ---- what is found ------------------------------------------------------------------------- */

/* What makes it right again, where pxload can: the file is sent again, or linked again. */
static int repair(struct verify *verify, const struct claim *claim, enum verify_finding_kind kind,
                  struct err *err)
{
    struct journal_fact fact = {.asset_id = claim->asset_id};
    if (kind == VERIFY_MISSING || kind == VERIFY_DIFFERENT) {
        fact.fields = FACT_LOST;
    } else if (kind == VERIFY_UNLINKED) {
        fact.fields = FACT_STATE;
        fact.state = ASSET_CONFIRMED;
    } else {
        return 0;
    }
    if (!verify->repairs)
        verify->repairs = journal_batch_new();
    if (!verify->repairs || journal_batch_fact(verify->repairs, &fact))
        return err_set(err, ERR_NOMEM, "no memory for a repair");
    verify->result->repaired++;
    return 0;
}

static int found(struct verify *verify, const struct claim *claim, enum verify_finding_kind kind,
                 const char *other_id, int64_t size_bytes, struct err *err)
{
    struct verify_finding finding = {
        .kind = kind,
        .root = claim->root,
        .path = claim->path,
        .name = claim->name,
        .file_id = claim->file_id,
        .other_id = other_id,
        .local_bytes = claim->stamp.size_bytes,
        .pxm_bytes = size_bytes,
    };
    verify->result->found[kind]++;
    if (verify->options->found)
        verify->options->found(verify->options->user, &finding);
    return verify->options->repair ? repair(verify, claim, kind, err) : 0;
}

/* 1 where the file lacks a collection or an attribute that it was to get. */
static int is_unlinked(const struct claim *claim, const struct wire_file *file)
{
    struct wire_link link;
    const char *json = wire_file_json(file);
    struct err ignored;
    struct buf body;
    int is_needed = 0;
    /* Its folder's place is being looked for again: until that is found nothing shows the link. */
    if (claim->folder_id && !claim->folder_collection)
        return 1;
    link_describe(claim, file->id, &link);
    buf_init(&body, LIMIT_REPLY_BYTES);
    int rc = wire_encode_link(&link, json, strlen(json), &body, &is_needed, &ignored);
    buf_release(&body);
    return !rc && is_needed;
}

/* What became of a file; a record that was read of it. */
typedef int take_fn(struct verify *verify, const struct claim *claim, const struct wire_file *file,
                    struct err *err);

static int take_converting(struct verify *verify, const struct claim *claim,
                           const struct wire_file *file, struct err *err)
{
    if (file->is_converting != 1)
        return 0;
    if (add_id(&verify->converting, claim->asset_id))
        return err_set(err, ERR_NOMEM, "no memory for the files that are converting");
    return found(verify, claim, VERIFY_CONVERTING, NULL, file->size_bytes, err);
}

/* PXM's record of the file that the journal has. */
static int compare(struct verify *verify, const struct claim *claim, const struct wire_file *file,
                   struct err *err)
{
    int rc = 0;
    int64_t different = verify->result->found[VERIFY_DIFFERENT];
    verify->result->checked++;
    if (file->size_bytes >= 0 && file->size_bytes != claim->stamp.size_bytes)
        rc = found(verify, claim, VERIFY_DIFFERENT, NULL, file->size_bytes, err);
    if (!rc && file->name && strcmp(file->name, claim->name) != 0)
        rc = found(verify, claim, VERIFY_RENAMED, file->name, file->size_bytes, err);
    /* What is sent again is linked after that. */
    int is_sent_again = rc || verify->result->found[VERIFY_DIFFERENT] > different;
    if (!is_sent_again && claim->wants_link && is_unlinked(claim, file))
        rc = found(verify, claim, VERIFY_UNLINKED, NULL, file->size_bytes, err);
    int is_to_be_published = claim->published < 0 ? verify->options->publish : claim->published;
    if (!rc && is_to_be_published && !file->published)
        rc = found(verify, claim, VERIFY_UNPUBLISHED, NULL, file->size_bytes, err);
    return rc ? rc : take_converting(verify, claim, file, err);
}

/* A file of the list; one whose name the journal does not know is not this job's business. */
static int take_file(struct verify *verify, const struct wire_file *file, struct err *err)
{
    struct claim *claim = NULL;
    if (!file->name)
        return 0;
    int rc = journal_look_up_name(verify->journal, file->name, &claim, err);
    if (rc <= 0)
        return rc;
    int is_ours = !claim->file_id || !strcmp(claim->file_id, file->id);
    rc = 0;
    if (!is_in_pxm(claim->state) || (is_ours && has_bit(&verify->seen, claim->asset_id)))
        ; /* not sent yet, or on two pages of a list that moved */
    else if (!is_ours)
        rc = found(verify, claim, VERIFY_DOUBLED, file->id, file->size_bytes, err);
    else if (set_bit(&verify->seen, claim->asset_id))
        rc = err_set(err, ERR_NOMEM, "no memory for the files that were seen");
    else
        rc = compare(verify, claim, file, err);
    claim_free(claim);
    return rc;
}

/* ---- by pages ------------------------------------------------------------------------------ */

/*
 * The number of files of a page that were worth having; negative on failure. A page that begins
 * like the one before is a server that knows no offset: the end.
 */
static int take_page(struct verify *verify, int limit, int64_t offset,
                     char first_id[LIMIT_ID_BYTES], struct err *err)
{
    const struct exchange_reply *reply;
    struct wire_files files = {0};
    struct buf path;
    buf_init(&path, LIMIT_URL_BYTES);
    int rc = wire_page_path(verify->errand.job->options->wire.list_path, limit, offset, &path);
    if (rc)
        err_set(err, ERR_CONFIG, "the list path of the wire profile is too long");
    else
        rc = errand_get(&verify->errand, buf_str(&path), &reply, err);
    buf_release(&path);
    if (!rc)
        rc = wire_decode_files(buf_str(&reply->body), reply->body.len, &files, err);
    if (rc)
        return rc;
    int count = (int)files.count;
    if (count && !strcmp(files.items[0].id, first_id))
        count = 0;
    if (count)
        snprintf(first_id, LIMIT_ID_BYTES, "%s", files.items[0].id);
    for (int i = 0; !rc && i < count; i++)
        rc = take_file(verify, &files.items[i], err);
    wire_files_release(&files);
    verify->result->pages++;
    return rc ? rc : count;
}

/*
 * To the first empty page: a server may have a smaller limit than the one that was asked for. Some
 * refuse an offset that is too large, and a list may be one that never ends: what was not seen by
 * then is asked for.
 */
static int read_list(struct verify *verify, struct err *err)
{
    char first_id[LIMIT_ID_BYTES] = "";
    int64_t offset = 0;
    int limit = PAGE_FILES;
    int count = 1;
    for (int pages = 0; count > 0 && pages < LIMIT_LIST_PAGES; pages++) {
        count = take_page(verify, limit, offset, first_id, err);
        offset += count > 0 ? count : 0;
        /* Records with many attributes make a page that is more than a reply may be. */
        if (count == -ERR_BAD_REPLY && limit > PAGE_FILES_LEAST) {
            limit /= 8;
            count = 1;
        }
    }
    int is_end = offset > 0 && count == -ERR_BAD_REQUEST;
    if (is_end)
        log_info("PXM lists no more than %lld files (%s)", (long long)offset, err->text);
    return is_end || count > 0 ? 0 : count;
}

/* ---- one by one ------------------------------------------------------------------------------ */

static int collect_unseen(const struct journal_row *row, void *user)
{
    struct verify *verify = user;
    if (row->wave != verify->wave || !is_in_pxm(row->state))
        return 0;
    verify->result->planned++;
    return has_bit(&verify->seen, row->asset_id) ? 0 : add_id(&verify->rest, row->asset_id);
}

/* The one record of a reply that is this file's, or NULL. */
static const struct wire_file *pick(const struct wire_files *files, const struct claim *claim)
{
    for (size_t i = 0; i < files->count; i++)
        if (claim->file_id ? !strcmp(files->items[i].id, claim->file_id)
                           : files->items[i].name && !strcmp(files->items[i].name, claim->name))
            return &files->items[i];
    return NULL;
}

/* By its id, or by its name where the id was never learned. */
static int ask_for(struct verify *verify, const struct claim *claim, take_fn *take, struct err *err)
{
    const struct wire_profile *wire = &verify->errand.job->options->wire;
    const struct exchange_reply *reply = NULL;
    struct wire_files files = {0};
    struct buf path;
    buf_init(&path, LIMIT_URL_BYTES);
    int rc = claim->file_id ? wire_path(wire->file_path, claim->file_id, &path)
                            : wire_path(wire->search_path, claim->name, &path);
    if (rc)
        err_set(err, ERR_CONFIG, "a file's path of the wire profile is too long");
    else
        rc = errand_get(&verify->errand, buf_str(&path), &reply, err);
    buf_release(&path);
    if (!rc)
        rc = wire_decode_files(buf_str(&reply->body), reply->body.len, &files, err);
    else if (call_is_not_found(err, reply))
        rc = 0;
    const struct wire_file *file = rc ? NULL : pick(&files, claim);
    if (file)
        rc = take(verify, claim, file, err);
    else if (!rc)
        rc = found(verify, claim, VERIFY_MISSING, NULL, -1, err);
    wire_files_release(&files);
    return rc;
}

static int ask_each(struct verify *verify, const struct id_list *list, take_fn *take,
                    struct err *err)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < list->count; i++) {
        struct claim *claim = NULL;
        rc = journal_look_up(verify->journal, list->ids[i], &claim, err);
        if (rc > 0)
            rc = ask_for(verify, claim, take, err);
        claim_free(claim);
    }
    return rc;
}

/* ---- the runs ----------------------------------------------------------------------------------
 */

/* What was found in the round before is found again, or has come right. */
static void begin_round(struct verify *verify)
{
    *verify->result = (struct verify_result){0};
    journal_batch_free(verify->repairs);
    verify->repairs = NULL;
    verify->rest.count = 0;
    if (verify->seen.size)
        memset(verify->seen.bytes, 0, verify->seen.size);
}

static int verify_all(struct verify *verify, struct err *err)
{
    struct journal_books books;
    begin_round(verify);
    verify->converting.count = 0;
    int rc = journal_read_books(verify->journal, &books, err);
    verify->wave = rc ? 0 : books.wave;
    for (int state = 0; !rc && state < ASSET_STATE_COUNT; state++)
        if (is_in_pxm((enum asset_state)state))
            verify->result->expected += books.files[state];
    if (!rc)
        rc = read_list(verify, err);
    if (!rc && (rc = journal_each_row(verify->journal, collect_unseen, verify, err)) == -ERR_NOMEM)
        err_set(err, ERR_NOMEM, "no memory for the files that no page showed");
    return rc ? rc : ask_each(verify, &verify->rest, compare, err);
}

/* Only those that were converting when they were looked at last. */
static int verify_converting(struct verify *verify, struct err *err)
{
    struct id_list before = verify->converting;
    verify->converting = (struct id_list){0};
    verify->result->found[VERIFY_CONVERTING] = 0;
    int rc = ask_each(verify, &before, take_converting, err);
    free(before.ids);
    return rc;
}

static int wait_processed(struct verify *verify, struct err *err)
{
    int64_t until_ms = clock_now_ms() + verify->options->wait_processed_ms;
    int rc = 0;
    while (!rc && verify->converting.count) {
        int64_t left_ms = until_ms - clock_now_ms();
        if (left_ms <= 0)
            break;
        rc = errand_rest(&verify->errand, left_ms < PROCESSED_POLL_MS ? left_ms : PROCESSED_POLL_MS,
                         err);
        /* The list tells of all of them at the price of its pages. */
        int one_by_one = (int64_t)verify->converting.count <= verify->result->pages;
        if (!rc)
            rc = one_by_one ? verify_converting(verify, err) : verify_all(verify, err);
    }
    return rc;
}

static int save_repairs(struct verify *verify, struct err *err)
{
    struct err failed = ERR_INIT;
    struct journal_batch *done;
    if (!verify->repairs)
        return 0;
    journal_submit(verify->journal, verify->repairs);
    verify->repairs = NULL;
    int rc = journal_flush(verify->journal, err);
    while ((done = journal_next_done(verify->journal, &failed))) {
        if (failed.code && !rc) {
            *err = failed;
            rc = -(int)failed.code;
        }
        journal_batch_free(done);
    }
    return rc;
}

/* The errand asks this several times a second, whatever it waits for. */
static int is_stopped(void *user)
{
    const struct verify *verify = user;
    const struct verify_options *options = verify->options;
    if (options->tick)
        options->tick(options->user, verify->errand.job, verify->result);
    return options->is_stopped && options->is_stopped(options->user);
}

int job_verify(struct job *job, struct journal *journal, const struct verify_options *options,
               struct verify_result *result, struct err *err)
{
    struct verify verify = {
        .errand = {.is_stopped = is_stopped, .user = &verify},
        .journal = journal,
        .options = options,
        .result = result,
    };
    *result = (struct verify_result){0};
    int rc = errand_open(&verify.errand, job, journal, err);
    if (!rc)
        rc = verify_all(&verify, err);
    if (!rc)
        rc = wait_processed(&verify, err);
    result->requests = job->requests;
    errand_close(&verify.errand);
    if (!rc)
        rc = save_repairs(&verify, err);
    journal_batch_free(verify.repairs);
    free(verify.seen.bytes);
    free(verify.rest.ids);
    free(verify.converting.ids);
    return rc;
}
