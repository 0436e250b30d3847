/* fuzz_url.c - a URL that is taken is plain ASCII and https, or http to this machine. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_url_rules strict = {0};
    struct wire_url_rules lax = {.allow_http = 1};
    char *url = strndup((const char *)data, size);
    int rc = wire_check_url(url, &strict, NULL);
    BUG_ON(!rc && wire_check_url(url, &lax, NULL));
    BUG_ON(!rc && strpbrk(url, " \t\r\n\\\\#"));
    if (!rc && !strncasecmp(url, "http:", 5))
        BUG_ON(strncasecmp(url + 7, "localhost", 9) != 0 && strncmp(url + 7, "127.", 4) != 0 &&
               url[7] != '[');
    BUG_ON(wire_url_ends_ms(url) < -1);
    /* What is put into a path never ends it. */
    struct buf path;
    buf_init(&path, 3 * size + 16);
    BUG_ON(wire_path("/f/{id}", url, &path));
    BUG_ON(strpbrk(buf_str(&path) + 3, "/?#& "));
    buf_release(&path);
    free(url);
    return 0;
}
