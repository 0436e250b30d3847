/*
 * fuzz_mime.c - any name with any head. The input is name, NUL, head. The type must be one, and
 * never libmagic's "inode/..."; without libmagic's help it must be as cheap as it says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mime *mime;
    if (!mime && !(mime = mime_new()))
        abort();
    const uint8_t *nul = memchr(data, 0, size);
    if (!nul)
        return 0;
    const char *name = (const char *)data;
    size_t head_len = size - (size_t)(nul - data) - 1;
    /* A copy of its very size, so that a sanitizer sees one byte too far. */
    uint8_t *head = malloc(head_len ? head_len : 1);
    if (!head)
        abort();
    memcpy(head, nul + 1, head_len);
    char type[MIME_MAX];
    int contradicted = -1;
    mime_type(mime, name, head, head_len, type, &contradicted);
    if (!strchr(type, '/') || strncmp(type, "inode/", 6) == 0)
        abort();
    if (contradicted != 0 && (contradicted != 1 || !mime_by_extension(name)))
        abort();
    if (head_len == 0 && !mime_is_cheap(name, head, head_len))
        abort();
    free(head);
    return 0;
}
