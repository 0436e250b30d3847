/*
 * reply.c - the headers of a reply that somebody asks for. Called by exchange.c for every line of
 * a head, so what is not kept is left after its first letters. Loop thread.
 */
#include "net/exchange.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

struct kept {
    const char *name;
    size_t len;
    size_t at; /* in struct exchange_reply */
    size_t size;
};
#define KEPT(name, field)                                              \
    {                                                                  \
        name, sizeof name - 1, offsetof(struct exchange_reply, field), \
            sizeof((struct exchange_reply *)0)->field                  \
    }

static const struct kept kept[] = {
    KEPT("etag:", etag),
    KEPT("retry-after:", retry_after),
    KEPT("x-request-id:", request_id),
    KEPT("x-amz-request-id:", request_id),
    KEPT("x-ratelimit-limit:", rate_limit),
    KEPT("x-amz-server-side-encryption:", encryption),
    KEPT("x-amz-server-side-encryption-customer-algorithm:", customer_key),
};

static void keep(const char *value, size_t len, char *out, size_t out_size)
{
    while (len && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }
    while (len && strchr(" \t\r\n", value[len - 1]))
        len--;
    if (len >= out_size) /* too long to be what we look for; a cut value would be a wrong one */
        len = 0;
    memcpy(out, value, len);
    out[len] = '\0';
}

static int64_t read_date(const char *value, size_t len, struct reply_date *date)
{
    char text[sizeof date->text];
    keep(value, len, text, sizeof text);
    if (!text[0] || strcmp(text, date->text) != 0) {
        time_t seconds = curl_getdate(text, NULL);
        date->wall_ms = seconds < 0 ? -1 : (int64_t)seconds * 1000;
        memcpy(date->text, text, sizeof text);
    }
    return date->wall_ms;
}

void reply_take_header(struct exchange_reply *reply, const char *line, size_t len,
                       struct reply_date *date)
{
    int first = len ? line[0] | 0x20 : 0;
    if (first == 'd' && len > 5 && !strncasecmp(line, "date:", 5))
        reply->date_ms = read_date(line + 5, len - 5, date);
    if (first != 'e' && first != 'r' && first != 'x')
        return;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (len > kept[i].len && !strncasecmp(line, kept[i].name, kept[i].len))
            keep(line + kept[i].len, len - kept[i].len, (char *)reply + kept[i].at, kept[i].size);
}

void reply_clear_headers(struct exchange_reply *reply)
{
    reply->etag[0] = reply->retry_after[0] = reply->request_id[0] = '\0';
    reply->encryption[0] = reply->customer_key[0] = reply->rate_limit[0] = '\0';
    reply->date_ms = -1;
}
