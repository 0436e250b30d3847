/* version.c - see wire.h. */
#include "wire/wire.h"

#include <json-c/json.h>

const char *wire_version(void)
{
    return "json-c/" JSON_C_VERSION;
}
