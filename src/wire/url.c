/*
 * url.c - which URLs of a reply bytes may be sent to, and the making of request paths. Called by
 * session.c and by the steps, on any thread; no state. Invariants: what is accepted here means
 * the same host to every URL parser, as only plain ASCII without any ambiguity passes; no error
 * text holds a path or a query, where signatures are.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/date.h"
#include "wire/wire.h"

#define HOST_MAX        253 /* RFC 1035 */
#define PAGE_ROWS_LEAST 20  /* no server gives fewer rows at once: it is the usual default */

struct host {
    char name[HOST_MAX + 1]; /* without brackets */
    int is_ipv6;
};

static int check_bytes(const char *url, struct err *err)
{
    size_t len = strnlen(url, LIMIT_URL_BYTES + 1);
    if (len > LIMIT_URL_BYTES)
        return err_set(err, ERR_BAD_REPLY, "the URL is longer than %d bytes", LIMIT_URL_BYTES);
    for (const char *p = url; *p; p++) {
        unsigned char byte = (unsigned char)*p;
        if (byte <= 0x20 || byte >= 0x7f)
            return err_set(err, ERR_BAD_REPLY,
                           "the URL holds a space, a control byte or a byte that is no ASCII");
        /* Parsers do not agree on what these mean. */
        if (byte == '\\' || byte == '#')
            return err_set(err, ERR_BAD_REPLY, "the URL holds a '%c'", byte);
    }
    return 0;
}

static int check_port(const char *port, size_t len)
{
    int number = 0;
    if (len < 1 || len > 5 || strspn(port, "0123456789") < len)
        return 0;
    for (size_t i = 0; i < len; i++)
        number = number * 10 + (port[i] - '0');
    return number >= 1 && number <= 65535;
}

/* The host of authority[0..len), its port checked. */
static int read_host(const char *authority, size_t len, struct host *out, struct err *err)
{
    if (memchr(authority, '@', len))
        return err_set(err, ERR_BAD_REPLY, "the URL carries user information");
    const char *name = authority;
    size_t name_len = strcspn(authority, ":/?");
    size_t used = name_len;
    out->is_ipv6 = authority[0] == '[';
    if (out->is_ipv6) {
        const char *end = memchr(authority, ']', len);
        if (!end)
            return err_set(err, ERR_BAD_REPLY, "the URL's host has no closing bracket");
        name = authority + 1;
        name_len = (size_t)(end - name);
        used = name_len + 2;
    }
    if (!name_len || name_len > HOST_MAX)
        return err_set(err, ERR_BAD_REPLY, "the URL has no host, or one over %d bytes", HOST_MAX);
    if (used < len && (authority[used] != ':' || !check_port(authority + used + 1, len - used - 1)))
        return err_set(err, ERR_BAD_REPLY, "the URL's port is none");
    memcpy(out->name, name, name_len);
    out->name[name_len] = '\0';
    return 0;
}

static int check_host(const struct host *host, struct err *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    struct in6_addr address;
    if (host->is_ipv6) {
        if (inet_pton(AF_INET6, host->name, &address) != 1)
            return err_set(err, ERR_BAD_REPLY, "the URL's host is no IPv6 address");
        return 0;
    }
    for (const char *p = host->name; *p; p++)
        if (!strchr(allowed, *p) && !strchr("-._", *p))
            return err_set(err, ERR_BAD_REPLY, "the URL's host holds a '%c'", *p);
    if (!strpbrk(host->name, allowed))
        return err_set(err, ERR_BAD_REPLY, "the URL's host is no name");
    return 0;
}

/* Exact addresses and one exact name: 127.0.0.1.example.com and localhost.example.com are not. */
static int is_loopback(const struct host *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (host->is_ipv6)
        return inet_pton(AF_INET6, host->name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    if (inet_pton(AF_INET, host->name, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return !strcasecmp(host->name, "localhost");
}

int wire_check_url(const char *url, const struct wire_url_rules *rules, struct err *err)
{
    int rc = check_bytes(url, err);
    if (rc)
        return rc;
    int is_http = !strncasecmp(url, "http://", 7);
    if (!is_http && strncasecmp(url, "https://", 8) != 0)
        return err_set(err, ERR_BAD_REPLY, "the URL is not https");
    const char *authority = url + (is_http ? 7 : 8);
    struct host host;
    rc = read_host(authority, strcspn(authority, "/?"), &host, err);
    if (!rc)
        rc = check_host(&host, err);
    if (!rc && is_http && !rules->allow_http && !is_loopback(&host))
        rc = err_set(err, ERR_BAD_REPLY, "the URL of host %s is http, not https", host.name);
    return rc;
}

/* Where the value of a query parameter begins; "" where there is none. */
static const char *query_value(const char *url, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = strpbrk(url, "?#"); at && *at; at = strpbrk(at + 1, "&#"))
        if (!strncasecmp(at + 1, name, len) && at[1 + len] == '=')
            return at + 1 + len + 1;
    return "";
}

/* The whole number that a query parameter has, -1 where there is none. */
static int64_t query_number(const char *url, const char *name)
{
    const char *value = query_value(url, name);
    size_t count = strspn(value, "0123456789");
    return count && count < 15 ? strtoll(value, NULL, 10) : -1;
}

int64_t wire_url_life_s(const char *url, int64_t wall_ms)
{
    int64_t life_s = query_number(url, "X-Amz-Expires");
    int64_t ends_s = life_s < 0 ? query_number(url, "Expires") : -1;
    return ends_s < 0 ? life_s : ends_s - wall_ms / 1000;
}

int64_t wire_url_ends_ms(const char *url)
{
    int64_t life_s = query_number(url, "X-Amz-Expires");
    int64_t ends_s = life_s < 0 ? query_number(url, "Expires") : -1;
    int64_t signed_ms = 0;
    char date[DATE_TEXT_MAX];
    if (life_s < 0)
        return ends_s < 0 ? -1 : ends_s * 1000;
    /* 20261121T065124Z */
    const char *d = query_value(url, "X-Amz-Date");
    if (strspn(d, "0123456789") != 8 || d[8] != 'T' || strspn(d + 9, "0123456789") != 6)
        return -1;
    snprintf(date, sizeof date, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d, d + 4, d + 6, d + 9, d + 11,
             d + 13);
    return date_parse(date, &signed_ms) ? -1 : signed_ms + life_s * 1000;
}

/* Everything but RFC 3986's unreserved characters is encoded. */
static int append_encoded(const char *value, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    for (const char *p = value; *p;) {
        size_t run = strspn(p, plain);
        int rc = buf_append(out, p, run);
        p += run;
        if (!rc && *p) {
            unsigned char byte = (unsigned char)*p++;
            char code[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            rc = buf_append(out, code, sizeof code);
        }
        if (rc)
            return rc;
    }
    return 0;
}

/* Whether a query hands out rights: whoever has the URL has the file, for a while. */
static int is_signed(const char *url)
{
    static const char *const marks[] = {"x-amz-", "signature", "sig=", "policy=", "token"};
    const char *query = strchr(url, '?');
    for (size_t i = 0; query && i < sizeof marks / sizeof *marks; i++)
        if (strcasestr(query, marks[i]))
            return 1;
    return 0;
}

int wire_public_url(const char *text, char out[LIMIT_CDN_URL_BYTES])
{
    static const struct wire_url_rules rules = {.allow_http = 1};
    size_t len = 0;
    out[0] = '\0';
    for (const char *p = text; *p && len + 4 <= LIMIT_CDN_URL_BYTES; p++) {
        unsigned char byte = (unsigned char)*p;
        int is_plain = byte > 0x20 && byte < 0x7f && !strchr("\"<>\\^`{|}", byte);
        len += (size_t)snprintf(out + len, 4, is_plain ? "%c" : "%%%02X", byte);
    }
    if (len + 4 > LIMIT_CDN_URL_BYTES || is_signed(out) || wire_check_url(out, &rules, NULL))
        out[0] = '\0';
    return out[0] != '\0';
}

int wire_path(const char *path_template, const char *value, struct buf *out)
{
    const char *open = strchr(path_template, '{');
    const char *close = open ? strchr(open, '}') : NULL;
    if (!close || !value)
        return buf_puts(out, path_template);
    int rc = buf_append(out, path_template, (size_t)(open - path_template));
    if (!rc)
        rc = append_encoded(value, out);
    return rc ? rc : buf_puts(out, close + 1);
}

int wire_page_path(const char *path, int limit, int64_t offset, struct buf *out)
{
    /* A profile's path may have a query of its own. */
    return buf_printf(out, "%s%slimit=%d&offset=%lld", path, strchr(path, '?') ? "&" : "?", limit,
                      (long long)offset);
}

int wire_page_is_short(size_t rows, int limit, size_t most_rows)
{
    return rows < (size_t)limit && (rows < most_rows || rows < PAGE_ROWS_LEAST);
}

int wire_child_page_path(const char *path, const char *parent_id, int limit, int64_t offset,
                         struct buf *out)
{
    int rc = buf_printf(out, "%s%sparent_id=", path, strchr(path, '?') ? "&" : "?");
    if (!rc)
        rc = append_encoded(parent_id, out);
    return rc ? rc : buf_printf(out, "&limit=%d&offset=%lld", limit, (long long)offset);
}
