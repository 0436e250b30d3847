/*
 * pxm-sim: a stand-in for a PXM tenant and its S3.
 *
 * main() reads the flags, starts both sides, prints the ready line and waits for a
 * signal; everything else happens on the threads of server.h.
 */
#include <curl/curl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/api.h"
#include "sim/attribute.h"
#include "sim/audit.h"
#include "sim/digest.h"
#include "sim/fault.h"
#include "sim/folder.h"
#include "sim/ident.h"
#include "sim/mem.h"
#include "sim/options.h"
#include "sim/rate.h"
#include "sim/s3.h"
#include "sim/server.h"
#include "sim/session.h"
#include "sim/stats.h"
#include "sim/store.h"
#include "sim/tenant.h"
#include "sim/token.h"
#include "sim/upload.h"

#define EXIT_USAGE 2

static bool read_file(const char *path, struct text *out)
{
    char window[65536];
    size_t n = 0;
    FILE *in = fopen(path, "rbe");

    if (in == NULL) {
        perror(path);
        return false;
    }
    text_puts(out, "");
    while ((n = fread(window, 1, sizeof window, in)) > 0)
        text_add(out, window, n);
    bool ok = ferror(in) == 0;
    fclose(in);
    return ok;
}

static bool load_faults(const char *path)
{
    struct text json = {0};
    struct text why = {0};
    bool ok = path == NULL || (read_file(path, &json) && fault_load(json.data, json.len, &why));

    if (why.len > 0)
        fprintf(stderr, "pxm-sim: %s: %s\n", path, why.data);
    text_release(&json);
    text_release(&why);
    return ok;
}

static bool load_preload(const char *path)
{
    char *line = NULL;
    size_t cap = 0;
    struct text why = {0};
    FILE *in = path == NULL ? NULL : fopen(path, "re");

    if (path != NULL && in == NULL) {
        perror(path);
        return false;
    }
    while (in != NULL && why.len == 0 && getline(&line, &cap, in) > 0) {
        json_object *object = json_tokener_parse(line);
        if (object != NULL)
            sim_preload_line(object, &why);
        json_object_put(object);
    }
    if (in != NULL)
        fclose(in);
    free(line);
    bool ok = why.len == 0;
    if (!ok)
        fprintf(stderr, "pxm-sim: %s: %s\n", path, why.data);
    text_release(&why);
    return ok;
}

struct servers {
    struct side *api;
    struct side *s3;
    struct presigner *presigner;
    struct text cert;
    struct text key;
    char s3_origin[512];
    char api_origin[512];
};

/* --s3-listen, else the API's host with port 0 or its port + 1. */
static void s3_address(const struct options *opt, char *out, size_t out_bytes)
{
    const char *colon = strrchr(opt->listen, ':');
    int host_len = colon == NULL ? (int)strlen(opt->listen) : (int)(colon - opt->listen);
    long port = colon == NULL ? 0 : strtol(colon + 1, NULL, 10);

    if (opt->s3_listen != NULL)
        snprintf(out, out_bytes, "%s", opt->s3_listen);
    else
        snprintf(out, out_bytes, "%.*s:%ld", host_len, opt->listen, port == 0 ? 0 : port + 1);
}

static void origin(const struct side *side, bool tls, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s://%s:%u", tls ? "https" : "http", side_host(side),
             side_port(side));
}

static bool start_s3(const struct options *opt, struct servers *s)
{
    const char *access_key = getenv("AWS_ACCESS_KEY_ID");
    const char *secret_key = getenv("AWS_SECRET_ACCESS_KEY");
    const char *env_region = getenv("AWS_REGION");
    const char *region = opt->s3_region != NULL ? opt->s3_region
                         : env_region != NULL   ? env_region
                                                : "us-east-1";
    char address[256];

    if (opt->s3_endpoint != NULL) {
        if (access_key == NULL || secret_key == NULL) {
            fputs("pxm-sim: --s3-endpoint needs AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY\n",
                  stderr);
            return false;
        }
        snprintf(s->s3_origin, sizeof s->s3_origin, "%s", opt->s3_endpoint);
        size_t len = strlen(s->s3_origin);
        if (len > 0 && s->s3_origin[len - 1] == '/')
            s->s3_origin[len - 1] = '\0';
        s->presigner = presigner_new(s->s3_origin, access_key, secret_key, region);
        return true;
    }
    s3_address(opt, address, sizeof address);
    struct server_config config = {.listen = address,
                                   .ops = &s3_ops,
                                   .threads = (unsigned)opt->threads,
                                   .latency_ms = opt->s3_latency_ms,
                                   .rtt_ms = opt->s3_rtt_ms,
                                   .bytes_per_s = opt->s3_bytes_per_s,
                                   .connection_bytes_per_s = opt->s3_connection_bytes_per_s,
                                   .tls_cert = s->cert.data,
                                   .tls_key = s->key.data};
    s->s3 = side_start(&config);
    if (s->s3 == NULL)
        return false;
    origin(s->s3, opt->tls_cert != NULL, s->s3_origin, sizeof s->s3_origin);
    s->presigner =
        presigner_new(s->s3_origin, "PXMSIMACCESSKEY", "pxm-sim-signing-key", "us-east-1");
    return true;
}

static bool start(const struct options *opt, struct servers *s)
{
    if (opt->tls_cert != NULL &&
        !(read_file(opt->tls_cert, &s->cert) && read_file(opt->tls_key, &s->key)))
        return false;
    if (!start_s3(opt, s))
        return false;
    upload_set_presigner(s->presigner);
    struct server_config config = {.listen = opt->listen,
                                   .ops = &api_ops,
                                   .threads = 1,
                                   .latency_ms = opt->api_latency_ms,
                                   .is_api = true,
                                   .tls_cert = s->cert.data,
                                   .tls_key = s->key.data};
    s->api = side_start(&config);
    if (s->api == NULL)
        return false;
    api_set_sides(s->api, s->s3);
    origin(s->api, opt->tls_cert != NULL, s->api_origin, sizeof s->api_origin);
    return true;
}

static void stop(struct servers *s)
{
    server_quiet();
    side_stop(s->api);
    side_stop(s->s3);
    presigner_free(s->presigner);
    text_release(&s->cert);
    text_release(&s->key);
}

static void set_up(const struct options *opt)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    digest_setup();
    ident_setup((uint64_t)opt->seed);
    audit_setup();
    stats_setup();
    attribute_setup();
    tenant_setup();
    fault_setup();
    api_setup();
    server_setup();
}

static void tear_down(void)
{
    api_teardown();
    fault_teardown();
    session_teardown();
    folder_teardown();
    tenant_teardown();
    token_teardown();
    stats_teardown();
    audit_teardown();
    digest_teardown();
    curl_global_cleanup();
}

/* Signals are taken by sigwait() here, so that no handler runs anywhere. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    static struct options opt;
    struct servers servers = {0};
    sigset_t signals;
    int signal_no = 0;

    if (argc == 2 && strcmp(argv[1], "--help-faults") == 0) {
        fault_print_help();
        return EXIT_SUCCESS;
    }
    enum options_outcome outcome = options_parse(argc, argv, &opt);
    if (outcome != OPTIONS_RUN)
        return outcome == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_USAGE;
    options_set_current(&opt);
    block_signals(&signals);
    set_up(&opt);
    bool ok = store_setup() && load_faults(opt.faults) && load_preload(opt.preload) &&
              start(&opt, &servers);
    if (ok) {
        printf("pxm-sim ready api=%s s3=%s\n", servers.api_origin, servers.s3_origin);
        fflush(stdout);
        sigwait(&signals, &signal_no);
    }
    stop(&servers);
    tear_down();
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
