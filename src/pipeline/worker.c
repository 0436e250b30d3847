/* worker.c - see worker.h. Each thread owns a libmagic cookie and a digest. */
#include "pipeline/worker.h"

#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX  16
#define DIGEST_CHUNK (DIGEST_LANES * DIGEST_LANE_BYTES)
/* digest_many is faster than one after the other where all are so much longer than the longest. */
#define DIGEST_TOGETHER 3

struct workers {
    struct queue *todo;
    struct queue *done;
    int count;
    pthread_t threads[WORKERS_MAX];
};

struct tools {
    struct mime *mime;
    struct digest digest;
    char *chunk;
    struct source_root root;
};

static void digest_range(struct work *work, struct source *source, int64_t start, int64_t len,
                         struct tools *tools)
{
    digest_reset(&tools->digest);
    int64_t done = 0;
    while (!work->rc && done < len) {
        int64_t left = len - done;
        size_t n = left < DIGEST_CHUNK ? (size_t)left : DIGEST_CHUNK;
        work->rc = source_read(source, tools->chunk, n, start + done, &work->error);
        if (!work->rc)
            digest_update(&tools->digest, tools->chunk, n);
        done += (int64_t)n;
    }
    if (!work->rc)
        digest_final(&tools->digest, work->md5);
}

/* A file that was copied anew has a new time and often the same bytes: worth reading once more. */
static void compare_former(struct work *work, struct source *source, struct tools *tools)
{
    if (!work->former_md5 || work->former_bytes != work->stamp.size_bytes)
        return;
    digest_range(work, source, 0, work->stamp.size_bytes, tools);
    work->is_former = !work->rc && !memcmp(work->md5, work->former_md5, sizeof work->md5);
}

/* The usual small file: the one that the walk saw, read once. 0: it takes the long way. */
static int prepare_small(struct work *work, struct tools *tools)
{
    int64_t size = work->expected->size_bytes;
    if (!work->want_snapshot || work->former_md5 || size <= 0 || size > LIMIT_SNAPSHOT_BYTES)
        return 0;
    char *snapshot = malloc((size_t)size);
    if (!snapshot || !source_slurp(&tools->root, work->root, work->path, work->copy_links,
                                   work->expected, snapshot)) {
        free(snapshot);
        return 0;
    }
    work->stamp = *work->expected;
    work->snapshot = snapshot;
    mime_type(tools->mime, work->name, snapshot, (size_t)size, work->mime_type,
              &work->mime_contradicted);
    return 1;
}

static void prepare(struct work *work, struct tools *tools)
{
    struct source *source = NULL;
    work->rc =
        source_open(work->root, work->path, work->copy_links, &source, &work->stamp, &work->error);
    if (work->rc)
        return;
    int64_t size = work->stamp.size_bytes;
    int whole = work->want_snapshot && size <= LIMIT_SNAPSHOT_BYTES;
    size_t head = size < LIMIT_SNIFF_BYTES ? (size_t)size : LIMIT_SNIFF_BYTES;
    char *snapshot = whole ? malloc(head ? head : 1) : NULL;
    whole = snapshot != NULL;
    char *bytes = whole ? snapshot : tools->chunk;
    work->rc = source_read(source, bytes, head, 0, &work->error);
    if (!work->rc) {
        mime_type(tools->mime, work->name, bytes, head, work->mime_type, &work->mime_contradicted);
        compare_former(work, source, tools);
    }
    if (!work->rc && (whole || work->is_former))
        work->rc = source_check(source, &work->error);
    if (work->rc || whole) {
        source_close(source);
        source = NULL;
    }
    if (work->rc) {
        free(snapshot);
        snapshot = NULL;
    }
    work->source = source;
    work->snapshot = snapshot;
}

/* Of the files that were read whole. Together they take a fraction of what each takes alone. */
static void digest_snapshots(struct work *const *group, size_t count, struct tools *tools)
{
    struct work *works[DIGEST_LANES];
    const void *data[DIGEST_LANES] = {0};
    size_t len[DIGEST_LANES] = {0};
    unsigned char md5[DIGEST_LANES][16];
    size_t n = 0;
    size_t sum = 0;
    size_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        if (group[i]->rc || !group[i]->snapshot || !group[i]->want_md5)
            continue;
        works[n] = group[i];
        data[n] = group[i]->snapshot;
        len[n] = (size_t)group[i]->stamp.size_bytes;
        longest = len[n] > longest ? len[n] : longest;
        sum += len[n++];
    }
    if (sum >= DIGEST_TOGETHER * longest) {
        digest_many(data, len, n, md5);
    } else {
        for (size_t i = 0; i < n; i++) {
            digest_reset(&tools->digest);
            digest_update(&tools->digest, data[i], len[i]);
            digest_final(&tools->digest, md5[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        works[i]->has_md5 = 1;
        memcpy(works[i]->md5, md5[i], sizeof md5[i]);
    }
}

/* The capacity covers everything that is out, and done is closed last. */
static void hand_back(struct workers *workers, struct work *work)
{
    BUG_ON(queue_send(workers->done, work));
}

static void prepare_alone(struct workers *workers, struct work *work, struct tools *tools)
{
    if (!prepare_small(work, tools))
        prepare(work, tools);
    digest_snapshots(&work, 1, tools);
    hand_back(workers, work);
}

/* Adds what waits of the kind of group[0]; returns what came after it of another kind, or NULL. */
static struct work *gather(struct workers *workers, struct work *group[DIGEST_LANES], size_t most,
                           size_t *out_count)
{
    size_t count = 1;
    struct work *other = NULL;
    while (count < most && count < DIGEST_LANES && !other) {
        struct work *next = queue_try_recv(workers->todo);
        if (!next)
            break;
        if (next->kind == group[0]->kind)
            group[count++] = next;
        else
            other = next;
    }
    *out_count = count;
    return other;
}

/*
 * first, and of the files that wait behind it a share that leaves the others theirs. Returns what
 * came after them and is no file to prepare.
 */
static struct work *prepare_group(struct workers *workers, struct work *first, struct tools *tools)
{
    struct work *group[DIGEST_LANES] = {first};
    size_t count;
    size_t share = queue_length(workers->todo) / (size_t)workers->count + 1;
    struct work *other = gather(workers, group, share, &count);
    for (size_t i = 0; i < count; i++)
        if (!prepare_small(group[i], tools))
            prepare(group[i], tools);
    digest_snapshots(group, count, tools);
    for (size_t i = 0; i < count; i++)
        hand_back(workers, group[i]);
    return other;
}

static void digest_parts(struct work *const *group, size_t count, struct tools *tools)
{
    struct digest_range ranges[DIGEST_LANES];
    int64_t sum = 0;
    int64_t longest = 0;
    for (size_t i = 0; i < count; i++) {
        ranges[i] = (struct digest_range){.source = group[i]->digest_source,
                                          .start = group[i]->start,
                                          .len = group[i]->len,
                                          .error = &group[i]->error,
                                          .md5 = group[i]->md5};
        longest = group[i]->len > longest ? group[i]->len : longest;
        sum += group[i]->len;
    }
    if (sum >= DIGEST_TOGETHER * longest) {
        digest_ranges(ranges, count, tools->chunk);
        for (size_t i = 0; i < count; i++)
            group[i]->rc = ranges[i].rc;
        return;
    }
    for (size_t i = 0; i < count; i++)
        digest_range(group[i], group[i]->digest_source, group[i]->start, group[i]->len, tools);
}

/* All parts that wait. Where few do, each worker finds one. */
static void digest_group(struct workers *workers, struct work *first, struct tools *tools)
{
    struct work *group[DIGEST_LANES] = {first};
    size_t count;
    struct work *other = gather(workers, group, DIGEST_LANES, &count);
    /* A file to be prepared takes no time beside parts. */
    if (other)
        prepare_alone(workers, other, tools);
    digest_parts(group, count, tools);
    for (size_t i = 0; i < count; i++)
        hand_back(workers, group[i]);
}

static void *work_on(void *user)
{
    struct workers *workers = user;
    struct tools tools = {.mime = mime_new(), .chunk = malloc(DIGEST_CHUNK)};
    int ready = tools.mime && tools.chunk && !digest_init(&tools.digest);
    source_root_init(&tools.root);
    struct work *work;
    while ((work = queue_recv(workers->todo))) {
        if (!ready) {
            work->rc = err_set(&work->error, ERR_NOMEM, "a worker could not start");
            hand_back(workers, work);
            continue;
        }
        if (work->kind == WORK_PREPARE)
            work = prepare_group(workers, work, &tools);
        if (work)
            digest_group(workers, work, &tools);
    }
    if (ready)
        digest_release(&tools.digest);
    source_root_release(&tools.root);
    mime_free(tools.mime);
    free(tools.chunk);
    return NULL;
}

int workers_new(int threads, size_t capacity, void (*wake)(void *user), void *user,
                struct workers **out, struct err *err)
{
    struct workers *workers = calloc(1, sizeof *workers);
    if (!workers)
        return err_set(err, ERR_NOMEM, "no memory for the workers");
    workers->todo = queue_new(capacity, NULL, NULL);
    workers->done = queue_new(capacity, wake, user);
    if (!workers->todo || !workers->done) {
        workers_free(workers);
        return err_set(err, ERR_NOMEM, "no memory for the workers' queues");
    }
    if (threads > WORKERS_MAX)
        threads = WORKERS_MAX;
    for (; workers->count < threads; workers->count++)
        if (pthread_create(&workers->threads[workers->count], NULL, work_on, workers))
            break;
    if (!workers->count) {
        workers_free(workers);
        return err_set(err, ERR_NOMEM, "no worker thread could be started");
    }
    *out = workers;
    return 0;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    if (workers->todo)
        queue_close(workers->todo);
    for (int i = 0; i < workers->count; i++)
        pthread_join(workers->threads[i], NULL);
    if (workers->done)
        BUG_ON(queue_length(workers->done));
    queue_free(workers->todo);
    queue_free(workers->done);
    free(workers);
}

void workers_submit(struct workers *workers, struct work *work)
{
    BUG_ON(queue_try_send(workers->todo, work));
}

struct work *workers_next(struct workers *workers)
{
    return queue_try_recv(workers->done);
}
