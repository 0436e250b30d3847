/* doctor_local.c - see doctor_local.h. */
#include "cli/doctor_local.h"

#include "base/clock.h"
#include "cli/paths.h"
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define HOST_MAX 256
#define MIB      (1024ull * 1024)
/* A journal takes about 0.5 KB a file, and its log 4 MiB beside it. */
#define DISK_TOO_SMALL (32 * MIB)
#define DISK_SMALL     (1024 * MIB)

/* ---- files ---------------------------------------------------------------------------------- */

static void check_config(const struct settings *settings, struct findings *findings)
{
    struct stat st;
    const char *path = settings->config_file ? settings->config_file : "";
    if (!settings->config_found || stat(path, &st))
        finding_put(findings, FINDING_OK, "config", NULL,
                    "%s is not there; built-in values and the environment count", path);
    else if (st.st_mode & 022)
        finding_put(findings, FINDING_WARN, "config", "chmod go-w it",
                    "%s can be written by others, who could redirect uploads", path);
    else
        finding_put(findings, FINDING_OK, "config", NULL, "%s, profile '%s'", path,
                    settings->profile);
}

/* 0 where a file can be made in the folder. */
static int try_write(const char *folder, struct err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/.pxload-doctor-XXXXXX", folder);
    int fd = mkostemp(path, O_CLOEXEC);
    int failed = fd < 0 || write(fd, "x", 1) != 1;
    if (failed)
        err_set_errno(err, ERR_IO, errno, "cannot write into %s", folder);
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    return failed ? -ERR_IO : 0;
}

static void check_disk(const char *check, const char *folder, struct findings *findings)
{
    struct statvfs fs;
    if (statvfs(folder, &fs)) {
        finding_put(findings, FINDING_WARN, check, NULL, "%s: its disk's free space is not known",
                    folder);
        return;
    }
    unsigned long long free_bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
    unsigned long long free_mib = free_bytes / MIB;
    if (free_bytes < DISK_TOO_SMALL)
        finding_put(findings, FINDING_FAIL, check,
                    "make room; a journal needs 500 MB a million files", "%s has %llu MiB free",
                    folder, free_mib);
    else if (free_bytes < DISK_SMALL)
        finding_put(findings, FINDING_WARN, check, "a journal needs 500 MB a million files",
                    "%s has %llu MiB free", folder, free_mib);
    else
        finding_put(findings, FINDING_OK, check, NULL, "%s can be written, %llu MiB free", folder,
                    free_mib);
}

static void check_folder(const char *check, enum paths_folder which, struct findings *findings)
{
    char *folder = NULL;
    char network[64] = "";
    struct err error = ERR_INIT;
    int rc = paths_make_folder(which, &folder, &error);
    if (!rc)
        rc = try_write(folder, &error);
    if (!rc && which == PATHS_JOBS)
        rc = journal_network_of(folder, network, &error);
    if (rc)
        finding_put_error(findings, check, NULL, &error);
    else if (*network)
        finding_put(findings, FINDING_FAIL, check,
                    "set XDG_STATE_HOME to a local disk, or give --journal FILE",
                    "%s lies on a network file system (%s), where a journal can be damaged", folder,
                    network);
    else
        check_disk(check, folder, findings);
    free(folder);
}

void doctor_local_files(const struct settings *settings, struct findings *findings)
{
    check_config(settings, findings);
    check_folder("state folder", PATHS_JOBS, findings);
    check_folder("cache folder", PATHS_CACHE, findings);
}

/* ---- network -------------------------------------------------------------------------------- */

/* Without user info: a proxy's may be a password. */
static void host_of(const char *url, char out[HOST_MAX])
{
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    const char *user_end = memrchr(at, '@', strcspn(at, "/?#"));
    at = user_end ? user_end + 1 : at;
    int is_ipv6 = *at == '[';
    at += is_ipv6;
    size_t len = strcspn(at, is_ipv6 ? "]" : ":/?#");
    snprintf(out, HOST_MAX, "%.*s", (int)(len < HOST_MAX ? len : HOST_MAX - 1), at);
}

/* The variable that libcurl takes for such a URL, NULL where none is set. */
static const char *proxy_variable(int is_http)
{
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY"};
    size_t count = is_http ? sizeof http / sizeof *http : sizeof https / sizeof *https;
    for (size_t i = 0; i < count; i++) {
        const char *name = is_http ? http[i] : https[i];
        const char *value = getenv(name);
        if (value && *value)
            return name;
    }
    return NULL;
}

static int is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static int check_proxy(int is_http, struct findings *findings)
{
    const char *name = proxy_variable(is_http);
    const char *value = name ? getenv(name) : NULL;
    char host[HOST_MAX];
    if (value) {
        host_of(value, host);
        finding_put(findings, FINDING_OK, "proxy", NULL, "%s names the host %s%s", name, host,
                    is_set("no_proxy") || is_set("NO_PROXY") ? "; no_proxy has exceptions" : "");
        return 1;
    }
    if (is_http && is_set("HTTP_PROXY"))
        finding_put(findings, FINDING_WARN, "proxy", "write it in lower case: http_proxy",
                    "HTTP_PROXY is set and not used");
    else
        finding_put(findings, FINDING_OK, "proxy", NULL, "none");
    return 0;
}

static void check_dns(const char *host, int has_proxy, struct findings *findings)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int count = 0;
    int64_t began_ms = clock_now_ms();
    int failed = getaddrinfo(host, NULL, &hints, &found);
    int took_ms = (int)(clock_now_ms() - began_ms);
    for (struct addrinfo *at = failed ? NULL : found; at; at = at->ai_next)
        count++;
    if (!failed)
        freeaddrinfo(found);
    if (failed && has_proxy)
        finding_put(findings, FINDING_WARN, "dns", NULL,
                    "%s has no address here (%s); the proxy may know it", host,
                    gai_strerror(failed));
    else if (failed)
        finding_put(findings, FINDING_FAIL, "dns", "check --base-url and the machine's name server",
                    "%s: %s", host, gai_strerror(failed));
    else
        finding_put(findings, took_ms > 1000 ? FINDING_WARN : FINDING_OK, "dns",
                    took_ms > 1000 ? "a name server that is slow delays every new connection"
                                   : NULL,
                    "%s has %d addresses, found in %d ms", host, count, took_ms);
}

void doctor_local_network(const struct settings *settings, struct findings *findings)
{
    char host[HOST_MAX];
    int has_proxy = check_proxy(!strncasecmp(settings->base_url, "http:", 5), findings);
    host_of(settings->base_url, host);
    check_dns(host, has_proxy, findings);
}
