/*
 * fuzz_manifest.c - any bytes as a manifest. What is read has a key in composed UTF-8 or says why
 * not, and cells that are whole.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cell(const struct manifest_cell *cell)
{
    BUG_ON((unsigned)cell->column >= MANIFEST_COLUMN_COUNT || !cell->item_count);
    BUG_ON((cell->column == MANIFEST_ATTRIBUTE) != (cell->attribute != NULL));
    BUG_ON(!cell->is_array && cell->item_count != 1);
    for (size_t i = 0; i < cell->item_count; i++)
        BUG_ON(!cell->items[i]);
}

static int on_row(const struct manifest_row *row, void *user)
{
    int64_t *last_line = user;
    struct err err = ERR_INIT;
    struct buf key;
    BUG_ON(row->line < *last_line || (!row->path && !row->name && !row->error));
    *last_line = row->line;
    if (row->error)
        return 0;
    BUG_ON(row->path && row->name);
    buf_init(&key, 16 * LIMIT_MANIFEST_ROW_BYTES);
    BUG_ON(manifest_key(row->path ? row->path : row->name, &key, &err));
    BUG_ON(strcmp(buf_str(&key), row->path ? row->path : row->name) != 0);
    BUG_ON(row->file_name && strlen(row->file_name) > LIMIT_NAME_BYTES);
    for (size_t i = 0; i < row->cell_count; i++)
        check_cell(&row->cells[i]);
    buf_release(&key);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest_info info;
    struct err err = ERR_INIT;
    char path[64];
    int64_t last_line = 0;
    int fd = memfd_create("manifest", MFD_CLOEXEC);
    BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int rc = manifest_read(path, on_row, &last_line, &info, &err);
    BUG_ON(rc && rc != -ERR_MANIFEST);
    BUG_ON(rc && !err.text[0]);
    close(fd);
    return 0;
}
