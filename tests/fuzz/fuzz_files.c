/* fuzz_files.c - lists of files, regions and folders: every item that is taken has an id. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_files files;
    struct wire_regions regions;
    int rc = wire_decode_files((const char *)data, size, &files, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    for (size_t i = 0; i < files.count; i++)
        BUG_ON(!*files.items[i].id || files.items[i].size_bytes < -1);
    wire_files_release(&files);
    rc = wire_decode_regions((const char *)data, size, &regions, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    for (size_t i = 0; i < regions.count; i++)
        BUG_ON(!*regions.items[i].id || !regions.items[i].name);
    wire_regions_release(&regions);
    struct wire_folders folders;
    rc = wire_decode_folders((const char *)data, size, &folders, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    BUG_ON(folders.count > folders.rows);
    for (size_t i = 0; i < folders.count; i++)
        BUG_ON(!*folders.items[i].id || !folders.items[i].name);
    wire_folders_release(&folders);
    char id[LIMIT_ID_BYTES];
    rc = wire_decode_created((const char *)data, size, id, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    return 0;
}
