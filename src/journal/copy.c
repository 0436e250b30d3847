/* copy.c - journal_copy, see journal.h. Any thread; it holds no lock that a run would wait for. */
#include "base/limits.h"
#include "journal/journal.h"
#include "journal/reader.h"

/* All pages in one step: of one moment, whatever a run writes meanwhile. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sqlite3_errcode(to);
    sqlite3_backup_step(backup, -1);
    return sqlite3_backup_finish(backup);
}

int journal_copy(const char *path, const char *to, struct err *err)
{
    struct sql from = {0};
    sqlite3 *copy = NULL;
    int rc = reader_open(&from, path, err);
    if (rc)
        return rc;
    int code = sqlite3_open(to, &copy);
    if (code == SQLITE_OK)
        code = copy_pages(from.db, copy);
    if (code != SQLITE_OK)
        rc = err_set(err, ERR_IO, "journal %.300s cannot be copied to %.300s: %s", path, to,
                     sqlite3_errstr(code));
    sqlite3_close(copy);
    sql_close(&from);
    return rc;
}
