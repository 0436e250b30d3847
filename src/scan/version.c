/* version.c - see scan.h. */
#include "scan/scan.h"

#include <magic.h>
#include <stdio.h>
#include <utf8proc.h>

const char *scan_version(void)
{
    static char text[64];
    int magic = magic_version();
    snprintf(text, sizeof text, "libmagic/%d.%02d utf8proc/%s", magic / 100, magic % 100,
             utf8proc_version());
    return text;
}
