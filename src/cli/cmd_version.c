/* cmd_version.c - `pxload version`. Main thread. */
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/settings.h"
#include "journal/journal.h"
#include "net/net.h"
#include "scan/scan.h"
#include "wire/wire.h"

#include <stdio.h>

int cmd_version(struct settings *settings)
{
    const char *const libraries[] = {net_version(), journal_version(), wire_version(),
                                     scan_version()};
    if (settings->json)
        printf("{\"message_type\":\"version\",\"version\":\"%s\",\"build\":\"%s\","
               "\"libraries\":\"",
               PXLOAD_VERSION, PXLOAD_BUILD);
    else
        printf("pxload %s%s%s\n", PXLOAD_VERSION, *PXLOAD_BUILD ? " " : "", PXLOAD_BUILD);
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        printf("%s%s", i ? " " : "", libraries[i]);
    puts(settings->json ? "\"}" : "");
    return fflush(stdout) ? EXIT_IS_FATAL : EXIT_IS_OK;
}
