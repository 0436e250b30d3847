/* objects.c - see objects.h. An open-addressed table of hashes: names are not kept. */
#include "server/objects.h"

#include <stdlib.h>
#include <string.h>

static struct object {
    uint64_t hash; /* 0: free */
    uint64_t bytes;
    int in_parts;
} * objects;
static size_t room; /* a power of two */
static size_t count;

static uint64_t hash_of(const char *target)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *target && *target != '?'; target++)
        hash = (hash ^ (unsigned char)*target) * 0x100000001b3u;
    return hash ? hash : 1;
}

static struct object *slot_of(uint64_t hash)
{
    size_t slot = (size_t)(hash ^ hash >> 32) & (room - 1);
    while (objects[slot].hash && objects[slot].hash != hash)
        slot = (slot + 1) & (room - 1);
    return &objects[slot];
}

static void grow(void)
{
    struct object *old = objects;
    size_t old_room = room;
    room = room ? 2 * room : 1 << 15;
    objects = calloc(room, sizeof *objects);
    if (!objects)
        abort();
    for (size_t i = 0; i < old_room; i++)
        if (old[i].hash)
            *slot_of(old[i].hash) = old[i];
    free(old);
}

void objects_add(const char *target, int is_part, uint64_t bytes)
{
    if (2 * count >= room)
        grow();
    uint64_t hash = hash_of(target);
    struct object *object = slot_of(hash);
    count += object->hash == 0;
    object->hash = hash;
    object->in_parts = is_part;
    object->bytes = is_part ? object->bytes + bytes : bytes;
}

int objects_find(const char *target, uint64_t *out_bytes, int *out_in_parts)
{
    if (!room)
        return 0;
    const struct object *object = slot_of(hash_of(target));
    *out_bytes = object->bytes;
    *out_in_parts = object->in_parts;
    return object->hash != 0;
}

void objects_clear(void)
{
    free(objects);
    objects = NULL;
    room = count = 0;
}
