/*
 * put_floor.c - a bare libcurl-multi program that PUTs the files of a folder and does nothing
 * else: what any uploader that uses libcurl could reach at most. Files above the threshold go in
 * parts, any parts of any files at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "floor/floor.h"

struct slot {
    CURL *easy;
    struct floor_slice slice;
};

/* The next thing to send. */
struct cursor {
    const struct floor_options *options;
    struct floor_file *files;
    size_t count;
    size_t file;
    int64_t at;
    int64_t bytes;
};

/* False at the end. */
static int start_next(struct cursor *cursor, CURLM *multi, struct slot *slot)
{
    char url[4096];
    if (cursor->file == cursor->count)
        return 0;
    const struct floor_options *options = cursor->options;
    const struct floor_file *file = &cursor->files[cursor->file];
    int64_t start = cursor->at;
    int64_t len = file->size - start;
    int in_parts = file->size > options->threshold;
    if (in_parts && len > options->part_bytes)
        len = options->part_bytes;
    if (in_parts)
        snprintf(url, sizeof url, "%s/bench/%s?partNumber=%lld&uploadId=1", options->url,
                 file->name, (long long)(start / options->part_bytes + 1));
    else
        snprintf(url, sizeof url, "%s/bench/%s", options->url, file->name);
    floor_open(&slot->slice, options, file, start, len);
    floor_put(slot->easy, url, &slot->slice);
    curl_multi_add_handle(multi, slot->easy);
    cursor->bytes += len;
    cursor->at = start + len;
    if (cursor->at == file->size) {
        cursor->file++;
        cursor->at = 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    struct floor_options options;
    floor_parse(argc, argv, &options);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct cursor cursor = {.options = &options};
    cursor.files = floor_list(options.folder, &cursor.count);
    CURLM *multi = curl_multi_init();
    struct slot *slots = calloc((size_t)options.conns, sizeof *slots);
    int active = 0;
    for (int i = 0; i < options.conns; i++) {
        slots[i].easy = floor_easy(&options);
        curl_easy_setopt(slots[i].easy, CURLOPT_PRIVATE, &slots[i]);
        active += start_next(&cursor, multi, &slots[i]);
    }
    while (active) {
        int running;
        int left;
        CURLMsg *message;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left))) {
            struct slot *slot = NULL;
            floor_check(message->easy_handle, message->data.result);
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
            curl_multi_remove_handle(multi, slot->easy);
            floor_close(&slot->slice);
            active -= !start_next(&cursor, multi, slot);
        }
        if (active)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    floor_summary(cursor.count, cursor.bytes);
    return 0;
}
