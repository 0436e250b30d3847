/*
 * cmd_bench.c - `pxload bench`: uploads generated files, as any upload does, and prints how fast
 * that went. Into a pxm-sim of its own, or into a tenant where both --base-url and --into-tenant
 * say so. Main thread.
 */
#include "base/log.h"
#include "cli/bench_data.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/run.h"
#include "cli/sim_child.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The vendor's margin: a budget of 950 of the tenant's 1,000. */
#define SIM_RATE_MARGIN_PERCENT 5

static struct sim_child sim; /* while the run lasts; what prints its end asks for its CPU time */
static int64_t cpu_before_ms;

static int64_t own_cpu_ms(void)
{
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used))
        return 0;
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static int fail(const struct err *error)
{
    log_error("%s", error->text);
    return (int)exit_of_error(error->code);
}

/* A tenant keeps what it gets: two flags must say that it is meant. */
static int check_target(const struct settings *settings, struct err *err)
{
    int has_url = settings->origins[OPT_base_url] == ORIGIN_FLAG;
    if (settings->into_tenant && !has_url)
        return err_set(err, ERR_USAGE, "--into-tenant: say which one with --base-url URL");
    if (has_url && !settings->into_tenant)
        return err_set(err, ERR_USAGE,
                       "--base-url: the files of a bench would stay in that tenant, as PXM "
                       "documents no call that deletes; if that is meant, add --into-tenant");
    return 0;
}

static int start_sim(struct settings *settings, struct err *err)
{
    char rate[32];
    const char *args[] = {"--store",      "null",    "--rate",          rate, "--wire",
                          settings->wire, "--quirk", "etag_quotes=any", NULL};
    snprintf(rate, sizeof rate, "%lld",
             (long long)settings->api_rate_per_min * 100 / (100 - SIM_RATE_MARGIN_PERCENT));
    setenv("no_proxy", "*", 1); /* a proxy does not see this machine's loopback */
    settings_drop_target(settings);
    int rc = sim_child_start(&sim, args, err);
    return rc ? rc : settings_set(settings, OPT_base_url, sim.api_url, ORIGIN_FLAG, "bench", err);
}

/* What the job is to do: all files of the folder in memory, with a journal of its own. */
static int take_data(struct settings *settings, struct bench_data *data, struct err *err)
{
    char **args = calloc(1, sizeof *args);
    settings->journal = args ? strdup(data->journal) : NULL;
    if (!settings->journal) {
        free(args);
        return err_set(err, ERR_NOMEM, "no memory for a path");
    }
    free(settings->args);
    args[0] = data->folder;
    settings->args = args;
    settings->arg_count = 1;
    return 0;
}

static int use_sim_credentials(struct task *task, struct err *err)
{
    (void)err;
    task->options.credentials = (struct job_credentials){
        .client_id = "pxload-bench",
        .client_secret = SIM_CHILD_SECRET,
    };
    task->options.token_cache_dir = NULL; /* this pxm-sim is gone in a moment, and so its tokens */
    return 0;
}

static int finish(struct task *task, const struct job_result *result, int code)
{
    const struct settings *settings = task->settings;
    struct err error = ERR_INIT;
    struct bench_options options = {
        .target = settings->into_tenant ? settings->base_url : NULL,
        .size_bytes = settings->bench_size_bytes,
        .files = settings->bench_files,
        .transfers = settings->transfers,
        .bwlimit_bytes_per_s = task->options.bwlimit_bytes_per_s,
        .cores = (int)sysconf(_SC_NPROCESSORS_ONLN),
        .cpu_ms = own_cpu_ms() - cpu_before_ms,
        .sim_cpu_ms = sim_child_cpu_ms(&sim),
        .json = settings->json,
    };
    if (bench_print(result, &options, stdout, &error))
        return fail(&error);
    return code;
}

static int run(struct settings *settings, const struct bench_data *data)
{
    struct run_plan plan = {
        .mode = JOURNAL_CREATE,
        .credentials = settings->into_tenant ? NULL : use_sim_credentials,
        .finish = finish,
        .is_bare = 1,
    };
    if (settings->into_tenant)
        log_warning("%d files named %s-*.bin will stay in %s: PXM documents no call that deletes",
                    settings->bench_files, data->id, settings->base_url);
    cpu_before_ms = own_cpu_ms();
    return run_task(settings, &plan);
}

int cmd_bench(struct settings *settings)
{
    struct bench_data data = {0};
    struct err error = ERR_INIT;
    int rc = check_target(settings, &error);
    if (!rc)
        rc = settings_drop_foreign(settings, &error);
    run_block_signals(); /* an interrupt must not leave folders or a pxm-sim behind */
    if (!rc && !settings->into_tenant)
        rc = start_sim(settings, &error);
    if (!rc)
        rc = bench_data_make(&data, settings->bench_files, settings->bench_size_bytes, &error);
    if (!rc)
        rc = take_data(settings, &data, &error);
    int code = rc ? fail(&error) : run(settings, &data);
    sim_child_stop(&sim);
    bench_data_release(&data);
    return code;
}
