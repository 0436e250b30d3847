/* worker.c - see worker.h. Each thread owns a libmagic cookie and a digest. */
#include "pipeline/worker.h"

#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX  16
#define DIGEST_CHUNK (256 * 1024)

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

/* What the first bytes say, and of a whole small file its digest. */
static void look_at(struct work *work, const char *bytes, size_t len, int whole,
                    struct tools *tools)
{
    mime_type(tools->mime, work->name, bytes, len, work->mime_type, &work->mime_contradicted);
    if (!whole || !work->want_md5)
        return;
    digest_reset(&tools->digest);
    digest_update(&tools->digest, bytes, len);
    digest_final(&tools->digest, work->md5);
    work->has_md5 = 1;
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
    look_at(work, snapshot, (size_t)size, 1, tools);
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
        look_at(work, bytes, head, whole, tools);
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

static void *work_on(void *user)
{
    struct workers *workers = user;
    struct tools tools = {.mime = mime_new(), .chunk = malloc(DIGEST_CHUNK)};
    int ready = tools.mime && tools.chunk && !digest_init(&tools.digest);
    source_root_init(&tools.root);
    struct work *work;
    while ((work = queue_recv(workers->todo))) {
        if (!ready)
            work->rc = err_set(&work->error, ERR_NOMEM, "a worker could not start");
        else if (work->kind == WORK_DIGEST)
            digest_range(work, work->digest_source, work->start, work->len, &tools);
        else if (!prepare_small(work, &tools))
            prepare(work, &tools);
        /* The capacity covers everything that is out, and done is closed last. */
        BUG_ON(queue_send(workers->done, work));
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
