/* mix.c - see mix.h. Called by plan.c. */
#include "report/mix.h"

#include <stdlib.h>
#include <string.h>

#define UNKNOWN_TYPE "(decided when read)"

static const struct {
    int64_t below; /* bytes, exclusive; 0: no end */
    const char *name;
} sizes[] = {
    {1, "empty"},
    {(64ll << 10) + 1, "up to 64 KiB"},
    {(1ll << 20) + 1, "up to 1 MiB"},
    {(16ll << 20) + 1, "up to 16 MiB"},
    {(128ll << 20) + 1, "up to 128 MiB"},
    {(1ll << 30) + 1, "up to 1 GiB"},
    {(5ll << 30) + 1, "up to 5 GiB"},
    {0, "over 5 GiB"},
};
_Static_assert(sizeof sizes / sizeof *sizes == MIX_SIZES, "one name a class of sizes");

void mix_init(struct mix *mix)
{
    *mix = (struct mix){0};
}

static void count(struct mix_count *counter, int64_t size_bytes)
{
    counter->files++;
    counter->bytes += size_bytes;
}

static struct mix_count *type_of(struct mix *mix, const char *name)
{
    for (size_t i = 0; i < mix->type_count; i++) {
        if (strcmp(mix->types[i].name, name) != 0)
            continue;
        if (!i)
            return &mix->types[0].count;
        /* One step forward with each hit: the few usual types end up in front. */
        struct mix_type swap = mix->types[i - 1];
        mix->types[i - 1] = mix->types[i];
        mix->types[i] = swap;
        return &mix->types[i - 1].count;
    }
    if (mix->type_count == MIX_TYPES)
        return &mix->other_types;
    struct mix_type *added = &mix->types[mix->type_count++];
    snprintf(added->name, sizeof added->name, "%s", name);
    return &added->count;
}

void mix_add(struct mix *mix, const char *mime_type, int64_t size_bytes)
{
    count(&mix->all, size_bytes);
    if (size_bytes > mix->largest_bytes)
        mix->largest_bytes = size_bytes;
    size_t n = 0;
    while (sizes[n].below && size_bytes >= sizes[n].below)
        n++;
    count(&mix->sizes[n], size_bytes);
    count(type_of(mix, mime_type ? mime_type : UNKNOWN_TYPE), size_bytes);
}

static int by_files(const void *a, const void *b)
{
    const struct mix_type *one = a;
    const struct mix_type *other = b;
    if (one->count.files != other->count.files)
        return one->count.files < other->count.files ? 1 : -1;
    return strcmp(one->name, other->name);
}

void mix_sort(struct mix *mix)
{
    qsort(mix->types, mix->type_count, sizeof *mix->types, by_files);
}

const char *mix_size_name(size_t n)
{
    return sizes[n].name;
}
