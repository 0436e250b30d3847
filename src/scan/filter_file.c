/* filter_file.c - see filter_file.h. Called on the thread that builds a filter; no state. */
#include "scan/filter_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

#define BLANKS " \t\r"

/* One line into *out without its newline. 1, 0 at the end of the file, or a negative error. */
static int read_line(FILE *in, struct buf *out)
{
    buf_reset(out);
    for (;;) {
        int c = getc_unlocked(in);
        if (c == EOF)
            return out->len > 0;
        if (c == '\n')
            return 1;
        char byte = (char)c;
        if (c == '\0')
            return -ERR_USAGE;
        int rc = buf_append(out, &byte, 1);
        if (rc)
            return rc;
    }
}

/* rclone trims lines too; a name that ends in a blank is reached with a wildcard. */
static char *trim(char *line)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (strncmp(line, byte_order_mark, 3) == 0)
        line += 3;
    line += strspn(line, BLANKS);
    size_t len = strlen(line);
    while (len > 0 && strchr(BLANKS, line[len - 1]))
        len--;
    line[len] = '\0';
    return line;
}

static int read_lines(FILE *in, const char *file,
                      int (*fn)(void *user, char *line, struct err *err), void *user,
                      struct err *err)
{
    struct buf line;
    buf_init(&line, LIMIT_PATH_BYTES);
    int rc = 0;
    for (long line_no = 1; rc == 0; line_no++) {
        int got = read_line(in, &line);
        if (got < 0)
            rc = err_set(err, ERR_USAGE, "%s, line %ld: too long, or not text", file, line_no);
        if (got <= 0)
            break;
        if (!line.data)
            continue;
        char *text = trim(line.data);
        if (*text && *text != '#' && *text != ';')
            rc = fn(user, text, err);
    }
    if (rc == 0 && ferror(in))
        rc = err_set_errno(err, ERR_USAGE, errno, "cannot read %s", file);
    buf_release(&line);
    return rc;
}

int filter_file_lines(const char *file, int (*fn)(void *user, char *line, struct err *err),
                      void *user, struct err *err)
{
    if (strcmp(file, "-") == 0)
        return read_lines(stdin, "standard input", fn, user, err);
    FILE *in = fopen(file, "re");
    if (!in)
        return err_set_errno(err, ERR_USAGE, errno, "cannot open %s", file);
    int rc = read_lines(in, file, fn, user, err);
    fclose(in);
    return rc;
}
