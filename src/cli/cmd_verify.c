/* cmd_verify.c - `pxload verify`: what PXM has, against the journal. Main thread. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "cli/task.h"
#include "report/report.h"

#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t stopped_by; /* the signal; 0: none */

static void on_signal(int number)
{
    stopped_by = number;
}

static int is_stopped(void *user)
{
    (void)user;
    return stopped_by != 0;
}

/* The first one ends the verification in good order, a second one at once. */
static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static int stopped(void)
{
    log_notice("stopped before all was compared; nothing was queued");
    return stopped_by == SIGINT ? EXIT_IS_SIGINT : EXIT_IS_SIGTERM;
}

static int fail(const struct err *error)
{
    log_error("%s", error->text);
    return (int)exit_of_error(error->code);
}

/* What only takes time is a temporary condition. */
static int exit_of(const struct verify_result *result)
{
    for (int kind = 0; kind < VERIFY_FINDING_COUNT; kind++)
        if (kind != VERIFY_CONVERTING && result->found[kind])
            return EXIT_IS_SOME_FAILED;
    return result->found[VERIFY_CONVERTING] ? EXIT_IS_TEMPORARY : EXIT_IS_OK;
}

static int verify(struct task *task)
{
    const struct settings *settings = task->settings;
    struct verify_report report = {
        .out = stdout,
        .json = settings->json,
        .quiet = settings->quiet,
        .stats_ms = settings->stats_ms,
    };
    struct verify_options options = {
        .repair = settings->repair,
        .publish = task->options.publish,
        .wait_processed_ms = settings->wait_processed_ms,
        .user = &report,
        .found = settings->wait_processed_ms ? NULL : verify_report_found,
        .is_stopped = is_stopped,
        .tick = verify_report_tick,
    };
    struct verify_result result;
    struct job_observer observer = {.user = &report, .notice = verify_report_notice};
    struct err error = ERR_INIT;
    int rc = task_open(task, JOURNAL_OPEN, &observer, &error);
    if (!rc)
        rc = verify_report_begin(&report, &error);
    watch_signals();
    if (!rc)
        rc = job_verify(task->job, task->journal, &options, &result, &error);
    verify_report_done(&report);
    if (rc == -ERR_STOPPED && stopped_by)
        return stopped();
    if (rc)
        return fail(&error);
    int code = exit_of(&result);
    if (verify_report_end(&report, &result, task->journal_path, code, &error))
        return fail(&error);
    if (code)
        log_error("%s", code == EXIT_IS_TEMPORARY ? "PXM is still converting some of the files"
                                                  : "PXM and the journal differ");
    return code;
}

int cmd_verify(struct settings *settings)
{
    struct task task;
    struct err error = ERR_INIT;
    if (task_load_job(settings, settings->args[0], &error))
        return fail(&error);
    int rc = task_init(&task, settings, &error);
    int code;
    if (rc) {
        code = fail(&error);
    } else if (task_load_credentials(&task, &error)) {
        log_error("%s", error.text);
        code = EXIT_IS_PREFLIGHT;
    } else {
        code = verify(&task);
    }
    task_release(&task);
    return code;
}
