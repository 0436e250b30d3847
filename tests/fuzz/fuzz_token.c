/* fuzz_token.c - a token that is taken may stand in a header. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_token token;
    int rc = wire_decode_token((const char *)data, size, &token, NULL);
    BUG_ON(rc != 0 && rc != -ERR_BAD_REPLY);
    BUG_ON(!rc && (!*token.access_token || token.expires_in_s < 0));
    for (const char *p = token.access_token; p && *p; p++)
        BUG_ON(*p <= 0x20 || *p >= 0x7f);
    wire_token_release(&token);
    return 0;
}
