/* doctor_remote.c - see doctor_remote.h. */
#include "cli/doctor_remote.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A Date header is cut to the second and takes its time to get here. */
#define SKEW_SMALL_MS (60 * 1000)
/* What certificates and presigned URLs bear. */
#define SKEW_LARGE_MS (15 * 60 * 1000)
/* The URL of a large file must live as long as its upload: 5 GiB at 100 Mbit/s are 7 minutes. */
#define URL_LIFE_SHORT_S   (15 * 60)
#define URL_LIFE_USELESS_S 60

static int is_transport(const struct err *error)
{
    return error->code && !error->http_status &&
           (error->code == ERR_NETWORK || error->code == ERR_TIMEOUT || error->code == ERR_TLS ||
            error->code == ERR_CONFIG);
}

/* The first call that was sent says whether the server can be reached. 0 where it cannot. */
static int put_connection(const struct settings *settings, const struct probe_result *probe,
                          struct findings *findings)
{
    const struct probe_call *call = probe->token.was_sent ? &probe->token : &probe->regions;
    int is_http = !strncasecmp(settings->base_url, "http:", 5);
    if (is_transport(&call->error)) {
        finding_put_error(findings, "connection", NULL, &call->error);
        return 0;
    }
    if (call->was_sent)
        finding_put(findings, FINDING_OK, "connection", NULL, "%s answers in %lld ms%s",
                    settings->base_url, (long long)call->took_ms,
                    is_http ? "" : ", its certificate is trusted");
    return 1;
}

static void put_clock(const struct probe_result *probe, struct findings *findings)
{
    long long skew_ms = llabs((long long)probe->skew_ms);
    const char *where = probe->skew_ms > 0 ? "behind" : "ahead of";
    if (!probe->skew_known)
        finding_put(findings, FINDING_WARN, "clock", NULL, "the server sent no Date to compare");
    else if (skew_ms >= SKEW_SMALL_MS)
        finding_put(findings, skew_ms >= SKEW_LARGE_MS ? FINDING_FAIL : FINDING_WARN, "clock",
                    "set this machine's clock (NTP)", "this clock is %lld s %s the server's",
                    skew_ms / 1000, where);
    else
        finding_put(findings, FINDING_OK, "clock", NULL, "within %lld s of the server's",
                    skew_ms / 1000 + 1);
}

static void put_token(const struct probe_result *probe, struct findings *findings)
{
    const struct probe_call *call = &probe->token;
    if (!call->was_sent)
        finding_put(findings, FINDING_OK, "token", NULL, "PXM_TOKEN is used as it is");
    else if (call->error.code) /* 400 and 403, too, are said about credentials */
        finding_put_error(findings, "token",
                          call->error.http_status / 100 == 4 ? err_advice(ERR_AUTH) : NULL,
                          &call->error);
    else if (probe->token_life_s)
        finding_put(findings, FINDING_OK, "token", NULL,
                    "fetched (one request), good for %lld days",
                    (long long)(probe->token_life_s / 86400));
    else
        finding_put(findings, FINDING_OK, "token", NULL, "fetched (one request)");
}

static void put_permission(const struct probe_result *probe, struct findings *findings)
{
    if (probe->regions.error.code)
        finding_put_error(findings, "permission", NULL, &probe->regions.error);
    else
        finding_put(findings, FINDING_OK, "permission", NULL,
                    "the account may list its %zu regions", probe->region_count);
}

static void put_rate(const struct settings *settings, const struct probe_result *probe,
                     struct findings *findings)
{
    long limit = strtol(probe->rate_limit, NULL, 10);
    if (limit <= 0)
        finding_put(findings, FINDING_OK, "rate", NULL,
                    "the server names no limit; --api-rate %d is used", settings->api_rate_per_min);
    else if (!settings->api_rate_per_min || settings->api_rate_per_min > limit)
        finding_put(findings, FINDING_WARN, "rate", "lower --api-rate to 95 % of it",
                    "the server allows %ld requests a minute, --api-rate is %d", limit,
                    settings->api_rate_per_min);
    else
        finding_put(findings, FINDING_OK, "rate", NULL,
                    "the server allows %ld requests a minute, --api-rate is %d", limit,
                    settings->api_rate_per_min);
}

static void put_url_life(const struct probe_result *probe, struct findings *findings)
{
    long long life_s = (long long)probe->url_life_s;
    if (probe->url_life_s < 0)
        finding_put(findings, FINDING_OK, "url lifetime", NULL, "the upload URL names none");
    else if (life_s < URL_LIFE_USELESS_S)
        finding_put(findings, FINDING_FAIL, "url lifetime",
                    "ask PXM support; no file of some size can be sent in this time",
                    "upload URLs live for %lld s", life_s);
    else if (life_s < URL_LIFE_SHORT_S)
        finding_put(findings, FINDING_WARN, "url lifetime", "few --transfers keep each one short",
                    "upload URLs live for %lld s", life_s);
    else
        finding_put(findings, FINDING_OK, "url lifetime", NULL, "upload URLs live for %lld s",
                    life_s);
}

static void put_upload(const struct probe_result *probe, struct findings *findings)
{
    const long long mib = 1024 * 1024;
    if (probe->upload.error.code) {
        finding_put_error(findings, "upload", NULL, &probe->upload.error);
        return;
    }
    if (!probe->part_count) {
        finding_put(findings, FINDING_WARN, "upload", "rename or remove that file and ask again",
                    "PXM has a file named %s and gives no upload instructions beside it",
                    PROBE_UPLOAD_NAME);
        return;
    }
    finding_put(findings, FINDING_OK, "upload", NULL,
                "%lld MiB would go in %zu %s of at most %lld KiB (asked for as %s; nothing was "
                "sent or confirmed)",
                PROBE_UPLOAD_BYTES / mib, probe->part_count, probe->is_multipart ? "parts" : "PUT",
                (long long)probe->part_bytes / 1024, PROBE_UPLOAD_NAME);
    put_url_life(probe, findings);
}

void doctor_remote_findings(const struct settings *settings, const struct probe_result *probe,
                            struct findings *findings)
{
    if (!put_connection(settings, probe, findings))
        return;
    put_clock(probe, findings);
    put_token(probe, findings);
    if (probe->regions.was_sent) {
        put_permission(probe, findings);
        put_rate(settings, probe, findings);
    }
    if (probe->upload.was_sent)
        put_upload(probe, findings);
}
