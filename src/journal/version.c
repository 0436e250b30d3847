/* version.c - see journal.h. */
#include "journal/journal.h"

#include <sqlite3.h>

const char *journal_version(void)
{
    return "SQLite/" SQLITE_VERSION;
}
