/* string_list.c - see string_list.h. */
#include "cli/string_list.h"

#include <stdlib.h>
#include <string.h>

int string_list_add(struct string_list *list, const char *text)
{
    char *copy = strdup(text);
    char **items = copy ? reallocarray(list->items, list->count + 1, sizeof *items) : NULL;
    if (!items) {
        free(copy);
        return -ERR_NOMEM;
    }
    items[list->count++] = copy;
    list->items = items;
    return 0;
}

void string_list_release(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

/* Copies one item of text into out and returns what follows it: "" or the next item. */
static const char *read_item(const char *text, char *out)
{
    int quoted = *text == '"';
    text += quoted;
    for (; *text && (quoted || *text != ','); text++) {
        if (quoted && *text == '"' && text[1] != '"')
            break;
        text += quoted && *text == '"';
        *out++ = *text;
    }
    *out = '\0';
    if (quoted && *text == '"')
        text++;
    return *text == ',' ? text + 1 : text;
}

int string_list_from_csv(struct string_list *list, const char *text)
{
    char *item = malloc(strlen(text) + 1);
    int rc = item ? 0 : -ERR_NOMEM;
    while (!rc && *text) {
        text = read_item(text, item);
        if (*item)
            rc = string_list_add(list, item);
    }
    free(item);
    return rc;
}

int string_list_to_csv(const struct string_list *list, struct buf *out)
{
    int rc = 0;
    for (size_t i = 0; i < list->count && !rc; i++) {
        const char *item = list->items[i];
        int quoted = strpbrk(item, ",\"") != NULL;
        rc = buf_puts(out, i ? "," : "");
        if (!rc && quoted)
            rc = buf_puts(out, "\"");
        for (; *item && !rc; item++)
            rc = quoted && *item == '"' ? buf_puts(out, "\"\"") : buf_append(out, item, 1);
        if (!rc && quoted)
            rc = buf_puts(out, "\"");
    }
    return rc;
}
