/* junk.c - see junk.h. No state, any thread. */
#include "scan/junk.h"

#include <string.h>
#include <strings.h>

enum junk_mark { JUNK_NAME, JUNK_PREFIX, JUNK_SUFFIX };

struct junk {
    const char *text;
    size_t len;
    enum junk_mark mark;
    int is_folder;
};

#define JUNK(text, mark, is_folder)                 \
    {                                               \
        text, sizeof(text) - 1, (mark), (is_folder) \
    }
static const struct junk junk[] = {
    JUNK("._", JUNK_PREFIX, 0),        /* AppleDouble halves */
    JUNK("~$", JUNK_PREFIX, 0),        /* locks of open Office documents */
    JUNK(".part", JUNK_SUFFIX, 0),     /* downloads under way */
    JUNK(".tmp", JUNK_SUFFIX, 0),      /* */
    JUNK(".DS_Store", JUNK_NAME, 0),   /* Finder */
    JUNK("Thumbs.db", JUNK_NAME, 0),   /* Explorer */
    JUNK("desktop.ini", JUNK_NAME, 0), /* Explorer */
    JUNK("__MACOSX", JUNK_NAME, 1),    /* of zips made on macOS */
    JUNK(".git", JUNK_NAME, 1),        /* */
};
#define JUNK_COUNT (sizeof junk / sizeof *junk)

/* The last component; a folder's without its slash. */
static const char *last_component(const char *path, size_t *out_len, int *out_is_folder)
{
    size_t end = strlen(path);
    *out_is_folder = end > 0 && path[end - 1] == '/';
    end -= (size_t)*out_is_folder;
    const char *slash = memrchr(path, '/', end);
    const char *name = slash ? slash + 1 : path;
    *out_len = (size_t)(path + end - name);
    return name;
}

static int is_marked(const struct junk *row, const char *name, size_t len)
{
    if (len < row->len)
        return 0;
    switch (row->mark) {
    case JUNK_NAME:
        return len == row->len && strncasecmp(name, row->text, len) == 0;
    case JUNK_PREFIX:
        return strncasecmp(name, row->text, row->len) == 0;
    case JUNK_SUFFIX:
        return strncasecmp(name + len - row->len, row->text, row->len) == 0;
    }
    return 0;
}

/* Cases are folded: the Windows names come in all of them. */
static const struct junk *find(const char *name, size_t len, int is_folder)
{
    for (size_t i = 0; i < JUNK_COUNT; i++) {
        if (junk[i].is_folder == is_folder && is_marked(&junk[i], name, len))
            return &junk[i];
    }
    return NULL;
}

int junk_is(const char *path)
{
    size_t len;
    int is_folder;
    const char *name = last_component(path, &len, &is_folder);
    return find(name, len, is_folder) != NULL;
}

int junk_unmarked(const char *path, struct buf *out)
{
    size_t len;
    int is_folder;
    const char *name = last_component(path, &len, &is_folder);
    const struct junk *row = find(name, len, is_folder);
    BUG_ON(!row);
    int rc = buf_append(out, path, (size_t)(name - path));
    if (row->mark == JUNK_PREFIX)
        rc |= buf_append(out, name + row->len, len - row->len);
    else if (row->mark == JUNK_SUFFIX)
        rc |= buf_append(out, name, len - row->len);
    else
        rc |= buf_puts(out, "x");
    return rc | buf_puts(out, is_folder ? "/" : "");
}
