/*
 * cmd_doctor.c - `pxload doctor`: what a job would meet, one line a check, with the remedy. Asks
 * the tenant three requests at most and leaves nothing behind. Main thread.
 */
#include "cli/commands.h"
#include "cli/credentials.h"
#include "cli/doctor_local.h"
#include "cli/doctor_remote.h"
#include "cli/exit.h"

#include <stdio.h>

/* 1 where there are credentials to go on with. */
static int check_credentials(const struct settings *settings, struct credentials *credentials,
                             struct findings *findings)
{
    struct err error = ERR_INIT;
    if (credentials_load(settings, credentials, &error)) {
        finding_put_error(findings, "credentials", NULL, &error);
        return 0;
    }
    if (credentials->client_id && credentials->client_secret)
        finding_put(findings, FINDING_OK, "credentials", NULL, "client id and secret from the %s",
                    credentials->from);
    else
        finding_put(findings, FINDING_WARN, "credentials",
                    "set PXM_CLIENT_ID and PXM_CLIENT_SECRET, too, for runs of any length",
                    "PXM_TOKEN alone: it cannot be renewed");
    return 1;
}

static void ask_tenant(const struct settings *settings, const struct credentials *credentials,
                       struct findings *findings)
{
    struct probe_result probe;
    struct err error = ERR_INIT;
    struct job_options options = {
        .base_url = settings->base_url,
        .credentials = {.client_id = credentials->client_id,
                        .client_secret = credentials->client_secret,
                        .token = credentials->token},
        .contimeout_ms = settings->contimeout_ms,
        .timeout_ms = settings->timeout_ms,
        .ca_cert = settings->ca_cert,
        .allow_http = settings->allow_http,
    };
    struct wire_url_rules rules = {.allow_http = settings->allow_http};
    int rc = wire_check_url(settings->base_url, &rules, &error);
    if (!rc)
        rc = settings_wire_profile(settings, &options.wire, &error);
    if (!rc)
        rc = job_probe(&options, &probe, &error);
    if (rc)
        finding_put_error(findings, "connection", NULL, &error);
    else
        doctor_remote_findings(settings, &probe, findings);
}

int cmd_doctor(struct settings *settings)
{
    struct findings findings = {.json = settings->json};
    struct credentials credentials = {0};
    int has_credentials = check_credentials(settings, &credentials, &findings);
    doctor_local_files(settings, &findings);
    doctor_local_network(settings, &findings);
    if (has_credentials)
        ask_tenant(settings, &credentials, &findings);
    credentials_release(&credentials);
    if (fflush(stdout))
        return EXIT_IS_FATAL;
    return findings.counts[FINDING_FAIL] ? EXIT_IS_PREFLIGHT : EXIT_IS_OK;
}
