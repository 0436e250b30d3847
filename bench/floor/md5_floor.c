/*
 * md5_floor.c - hashes the files of a folder on one thread and does nothing else: the CPU time
 * that checking ETags costs at least. The URL is not used.
 */
#include <stdio.h>

#include "floor/floor.h"

int main(int argc, char **argv)
{
    struct floor_options options;
    size_t count;
    int64_t bytes = 0;
    floor_parse(argc, argv, &options);
    options.md5 = 1;
    struct floor_file *files = floor_list(options.folder, &count);
    for (size_t i = 0; i < count; i++) {
        struct floor_slice slice;
        int64_t len;
        for (int64_t at = 0; at < files[i].size; at += len) {
            len = files[i].size - at < options.part_bytes ? files[i].size - at : options.part_bytes;
            floor_open(&slice, &options, &files[i], at, len);
            EVP_DigestUpdate(slice.md5, slice.map, slice.map_len);
            floor_close(&slice);
        }
        bytes += files[i].size;
    }
    floor_summary(count, bytes);
    return 0;
}
