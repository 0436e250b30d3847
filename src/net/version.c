/* version.c - see net.h. */
#include "net/net.h"

#include <curl/curl.h>

const char *net_version(void)
{
    return curl_version();
}
