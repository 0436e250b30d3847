/* Request counts and the ring; see stats.h. */
#include "sim/stats.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mem.h"
#include "sim/when.h"

#define SLOT_MAX        64
#define STATUS_MAX      600
#define RING_LENGTH     16384
#define RING_NAME_BYTES 64

struct ring_row {
    int64_t at_ms;
    const char *endpoint;
    int status;
    char name[RING_NAME_BYTES];
};

static _Atomic(const char *) slot_names[SLOT_MAX];
static atomic_uint_fast64_t counts[SLOT_MAX][STATUS_MAX];
static atomic_uint_fast64_t bytes_received;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ring_row *ring;
static uint64_t ring_next;

void stats_setup(void)
{
    ring = mem_new(RING_LENGTH, sizeof *ring);
}

void stats_teardown(void)
{
    free(ring);
    ring = NULL;
}

void stats_request(unsigned slot, const char *endpoint, int status, const char *name)
{
    unsigned column = status > 0 && status < STATUS_MAX ? (unsigned)status : 0;

    if (slot >= SLOT_MAX)
        return;
    atomic_store_explicit(&slot_names[slot], endpoint, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts[slot][column], 1, memory_order_relaxed);
    pthread_mutex_lock(&lock);
    struct ring_row *row = &ring[ring_next++ % RING_LENGTH];
    row->at_ms = when_now_ms();
    row->endpoint = endpoint;
    row->status = status;
    snprintf(row->name, sizeof row->name, "%s", name == NULL ? "" : name);
    text_clip_utf8(row->name);
    pthread_mutex_unlock(&lock);
}

void stats_bytes(uint64_t n)
{
    atomic_fetch_add_explicit(&bytes_received, n, memory_order_relaxed);
}

uint64_t stats_bytes_received(void)
{
    return atomic_load_explicit(&bytes_received, memory_order_relaxed);
}

static void slot_json(struct text *out, unsigned slot)
{
    const char *comma = "";

    for (unsigned s = 0; s < STATUS_MAX; s++) {
        uint64_t n = atomic_load_explicit(&counts[slot][s], memory_order_relaxed);
        if (n == 0)
            continue;
        if (s == 0)
            text_addf(out, "%s\"none\":%llu", comma, (unsigned long long)n);
        else
            text_addf(out, "%s\"%u\":%llu", comma, s, (unsigned long long)n);
        comma = ",";
    }
}

void stats_counts_json(struct text *out)
{
    const char *comma = "";

    text_add(out, "{", 1);
    for (unsigned slot = 0; slot < SLOT_MAX; slot++) {
        const char *name = atomic_load_explicit(&slot_names[slot], memory_order_relaxed);
        if (name == NULL)
            continue;
        text_addf(out, "%s\"%s\":{", comma, name);
        slot_json(out, slot);
        text_add(out, "}", 1);
        comma = ",";
    }
    text_add(out, "}", 1);
}

void stats_ring_json(struct text *out, uint64_t since)
{
    const char *comma = "";

    pthread_mutex_lock(&lock);
    uint64_t first = ring_next > RING_LENGTH ? ring_next - RING_LENGTH : 0;
    text_addf(out, "{\"next\":%llu,\"requests\":[", (unsigned long long)ring_next);
    for (uint64_t n = since > first ? since : first; n < ring_next; n++) {
        const struct ring_row *row = &ring[n % RING_LENGTH];
        text_addf(out, "%s{\"n\":%llu,\"time_ms\":%lld,\"endpoint\":\"%s\",\"status\":%d,\"name\":",
                  comma, (unsigned long long)n, (long long)row->at_ms, row->endpoint, row->status);
        text_json(out, row->name);
        text_add(out, "}", 1);
        comma = ",";
    }
    pthread_mutex_unlock(&lock);
    text_add(out, "]}", 2);
}
