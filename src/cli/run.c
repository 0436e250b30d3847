/*
 * run.c - a job in the foreground: signals, progress, summary, exit code. The main thread runs
 * the loop; a thread of its own waits for signals, so that no handler interrupts anything.
 */
#include "cli/run.h"
#include "cli/commands.h"
#include "cli/exit.h"
#include "report/report.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

struct signals {
    pthread_t thread;
    sigset_t set;
    struct job *job;
    struct reporter *reporter;
    int stopped_by; /* the first stopping signal; 0: none. Atomic. */
    int done;       /* the run is over. Atomic. */
};

static void take_stop(struct signals *signals, int signal_no)
{
    if (!__atomic_exchange_n(&signals->stopped_by, signal_no, __ATOMIC_RELAXED)) {
        log_notice("%s: finishing what runs, starting nothing new%s",
                   signal_no == SIGINT ? "interrupted" : "terminated",
                   signal_no == SIGINT ? "; once more aborts" : "");
        job_stop(signals->job, signal_no == SIGINT ? JOB_DRAIN : JOB_DRAIN_DEADLINE);
    } else {
        log_notice("aborting; what is stored and confirmed is in the journal");
        job_stop(signals->job, JOB_ABORT);
    }
}

static void *wait_for_signals(void *user)
{
    struct signals *signals = user;
    int signal_no;
    while (!sigwait(&signals->set, &signal_no)) {
        if (__atomic_load_n(&signals->done, __ATOMIC_RELAXED))
            break;
        if (signal_no == SIGUSR1)
            reporter_ask_status(signals->reporter);
        else
            take_stop(signals, signal_no);
    }
    return NULL;
}

/* Blocks the signals for every thread that is started from now on. */
static void signals_block(struct signals *signals)
{
    struct sigaction hup;
    memset(signals, 0, sizeof *signals);
    sigemptyset(&signals->set);
    sigaddset(&signals->set, SIGINT);
    sigaddset(&signals->set, SIGTERM);
    sigaddset(&signals->set, SIGUSR1);
    /* nohup ignores it on purpose; otherwise a closed terminal is a SIGTERM. */
    if (!sigaction(SIGHUP, NULL, &hup) && hup.sa_handler != SIG_IGN)
        sigaddset(&signals->set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
}

void run_block_signals(void)
{
    struct signals signals;
    signals_block(&signals);
}

static int signals_start(struct signals *signals, struct job *job, struct reporter *reporter)
{
    signals->job = job;
    signals->reporter = reporter;
    return pthread_create(&signals->thread, NULL, wait_for_signals, signals) ? -ERR_NOMEM : 0;
}

static void signals_end(struct signals *signals)
{
    __atomic_store_n(&signals->done, 1, __ATOMIC_RELAXED);
    pthread_kill(signals->thread, SIGUSR1);
    pthread_join(signals->thread, NULL);
}

static int is_source_code(int code)
{
    return code == ERR_SOURCE_UNREADABLE || code == ERR_SOURCE_VANISHED ||
           code == ERR_SOURCE_CHANGED;
}

/* A run that came to its end: what its books say. */
static int exit_of_books(const struct journal_books *books, int64_t confirmed_now)
{
    int64_t source = 0, temporary = 0, failed = books->files[ASSET_FAILED];
    for (int code = 1; code < ERR_COUNT; code++) {
        int64_t n = books->failed_by_code[code];
        source += is_source_code(code) ? n : 0;
        temporary += err_is_temporary((enum err_code)code) ? n : 0;
    }
    if (books->failed_by_code[ERR_CONFLICT])
        return EXIT_IS_CONFLICT;
    if (failed && failed == source)
        return EXIT_IS_SOURCE;
    if (failed && failed == temporary && !confirmed_now)
        return EXIT_IS_TEMPORARY;
    if (failed)
        return EXIT_IS_SOME_FAILED;
    return books->issues ? EXIT_IS_SOURCE : EXIT_IS_OK;
}

static int exit_of_result(const struct job_result *result, int stopped_by)
{
    switch (result->end) {
    case JOB_COMPLETE:
        return exit_of_books(&result->books, result->confirmed_now);
    case JOB_END_STOPPED:
        return stopped_by == SIGINT ? EXIT_IS_SIGINT : EXIT_IS_SIGTERM;
    case JOB_END_DURATION:
        return EXIT_IS_DURATION;
    case JOB_END_TRANSFER:
    case JOB_END_ERRORS:
        return EXIT_IS_LIMIT;
    case JOB_END_OUTAGE:
        return EXIT_IS_TEMPORARY;
    case JOB_END_CANARY:
        return EXIT_IS_FATAL;
    case JOB_END_REFUSED:
        /* The other side would take nothing, or the folder could not be opened. */
        if (result->error.code == ERR_MANIFEST)
            return EXIT_IS_USAGE;
        return is_source_code(result->error.code) ? EXIT_IS_SOURCE : EXIT_IS_PREFLIGHT;
    case JOB_END_JOURNAL:
        return (int)exit_of_error(result->error.code);
    }
    return EXIT_IS_FATAL;
}

/* A journal that cannot be written any more can still be read. */
static int reopen_to_read(struct task *task, struct err *err)
{
    journal_close(task->journal);
    task->journal = NULL;
    return journal_open(task->journal_path, JOURNAL_READ, NULL, NULL, &task->journal, err);
}

static int summarise(struct task *task, const struct job_result *result, int code)
{
    struct summary *summary = NULL;
    struct err error = ERR_INIT;
    const char *why = "";
    int rc = result->end == JOB_END_JOURNAL ? reopen_to_read(task, &error) : 0;
    if (rc || summary_new(task->journal, result->end == JOB_COMPLETE, &summary, &error)) {
        log_error("no summary: %s", error.text);
        return code ? code : EXIT_IS_FATAL;
    }
    if (!summary_balanced(summary, &why)) {
        log_error("the books do not balance: %s", why);
        code = code ? code : EXIT_IS_FATAL;
    }
    struct summary_options options = {
        .result = result,
        .exit_code = code,
        .journal = task->journal_path,
        .json = task->settings->json,
        .quiet = task->settings->quiet,
    };
    if (summary_print(summary, &options, stdout, &error)) {
        log_error("%s", error.text);
        code = code ? code : EXIT_IS_FATAL;
    }
    summary_free(summary);
    return code;
}

static int fail(const struct err *error)
{
    log_error("%s", error->text);
    return (int)exit_of_error(error->code);
}

static int is_stopped(void *user)
{
    return __atomic_load_n(&((struct signals *)user)->stopped_by, __ATOMIC_RELAXED) != 0;
}

/*
 * --wait-processed: with a job of its own, so that its request budget is a small one and leaves
 * the rest to whoever works with the files by now. Processing that takes longer is no failure of
 * the upload: it is said, and `pxload verify` asks again.
 */
static int wait_processed(const struct task *task, struct signals *signals, struct err *err)
{
    struct job_options options = task->options;
    struct job_observer nobody = {0};
    struct verify_options verify = {
        .publish = options.publish,
        .wait_processed_ms = task->settings->wait_processed_ms,
        .user = signals,
        .is_stopped = is_stopped,
    };
    struct verify_result result = {0};
    struct job *job = NULL;
    if (!options.api_rate || options.api_rate > VERIFY_API_RATE)
        options.api_rate = VERIFY_API_RATE;
    log_notice("waiting until PXM has processed the files");
    int rc = job_new(&options, &nobody, &job, err);
    if (!rc)
        rc = job_verify(job, task->journal, &verify, &result, err);
    job_free(job);
    if (!rc && result.found[VERIFY_CONVERTING])
        log_warning("PXM is still converting %lld files; later: pxload verify %s",
                    (long long)result.found[VERIFY_CONVERTING], task->journal_path);
    else if (!rc)
        log_notice("PXM has processed all files (%lld requests)", (long long)result.requests);
    return rc;
}

/* Opens, runs, sums up. */
static int run_job(struct task *task, const struct run_plan *plan, struct signals *signals,
                   struct reporter *reporter)
{
    struct err error = ERR_INIT;
    struct job_result result;
    int rc = task_open(task, plan->mode, reporter_observer(reporter), &error);
    if (!rc && plan->before)
        rc = plan->before(task, &error);
    if (!rc && signals_start(signals, task->job, reporter))
        rc = err_set(&error, ERR_NOMEM, "the signal thread could not be started");
    if (rc)
        return fail(&error);
    rc = job_run(task->job, task->journal, &result, &error);
    reporter_finish(reporter);
    if (!rc)
        reporter_end_metrics(reporter, &result);
    int is_complete = !rc && result.end == JOB_COMPLETE;
    struct err waiting = ERR_INIT;
    if (is_complete && task->settings->wait_processed_ms &&
        wait_processed(task, signals, &waiting) && waiting.code != ERR_STOPPED)
        log_warning("not known whether PXM has processed the files: %s", waiting.text);
    signals_end(signals);
    if (rc)
        return fail(&error);
    if (result.end != JOB_COMPLETE && result.end != JOB_END_STOPPED)
        log_error("%s (%s)", result.error.text, err_advice(result.error.code));
    return (plan->finish ? plan->finish : summarise)(task, &result,
                                                     exit_of_result(&result, signals->stopped_by));
}

int run_task(struct settings *settings, const struct run_plan *plan)
{
    struct task task;
    struct err error = ERR_INIT;
    struct signals signals;
    struct reporter *reporter = NULL;
    struct reporter_options options = {
        .json = settings->json && !plan->is_bare,
        .progress = settings->progress ? PROGRESS_BLOCK : PROGRESS_AUTO,
        .stats_ms = settings->stats_ms,
        .quiet = settings->quiet,
        .color = 1,
        .metrics_file = settings->metrics_file,
    };
    signals_block(&signals);
    int code;
    int rc = task_init(&task, settings, &error);
    if (!rc) {
        const char *slash = strrchr(task.journal_path, '/');
        options.metrics_job = slash ? slash + 1 : task.journal_path;
    }
    int (*credentials)(struct task *, struct err *) =
        plan->credentials ? plan->credentials : task_load_credentials;
    if (!rc && credentials(&task, &error)) {
        code = EXIT_IS_PREFLIGHT;
        log_error("%s", error.text);
        goto done;
    }
    if (!rc)
        rc = reporter_new(&options, &reporter, &error);
    code = rc ? fail(&error) : run_job(&task, plan, &signals, reporter);
done:
    reporter_free(reporter);
    task_release(&task);
    return code;
}

int cmd_upload(struct settings *settings)
{
    static const struct run_plan plan = {.mode = JOURNAL_CREATE};
    return settings->dry_run ? cmd_plan(settings) : run_task(settings, &plan);
}

/* A job goes on as it was begun; flags of this command line come on top. */
static int continue_job(struct settings *settings,
                        int (*before)(struct task *task, struct err *err))
{
    struct err error = ERR_INIT;
    if (task_load_job(settings, settings->args[0], &error))
        return fail(&error);
    struct run_plan plan = {.mode = JOURNAL_OPEN, .before = before};
    return run_task(settings, &plan);
}

static int requeue(struct task *task, struct err *err)
{
    int64_t count = 0;
    struct journal_books books;
    enum err_code only = task->settings->only;
    int rc = journal_read_books(task->journal, &books, err);
    /* What failed by the manifest can be tried again only by reading that again. */
    int needs_walk = !rc && books.failed_by_code[ERR_MANIFEST] && (!only || only == ERR_MANIFEST);
    if (!rc)
        rc = needs_walk ? task_walk_again(task, err) : task_restore_walk(task, err);
    if (!rc)
        rc = journal_requeue_failed(task->journal, task->settings->only, &count, err);
    if (!rc)
        log_notice("%lld failed files are queued again", (long long)count);
    return rc;
}

int cmd_resume(struct settings *settings)
{
    return continue_job(settings, task_restore_walk);
}

/* What a retry would queue, from the books alone. */
static int show_retry(const struct settings *settings)
{
    struct journal *journal = NULL;
    struct journal_books books;
    struct err error = ERR_INIT;
    int rc = journal_open(settings->args[0], JOURNAL_READ, NULL, NULL, &journal, &error);
    if (!rc)
        rc = journal_read_books(journal, &books, &error);
    journal_close(journal);
    if (rc)
        return fail(&error);
    for (int code = 1; code < ERR_COUNT; code++) {
        int is_meant = !settings->only || (int)settings->only == code;
        if (is_meant && books.failed_by_code[code])
            printf(settings->json ? "{\"message_type\":\"retry\",\"error_class\":\"%s\","
                                    "\"files\":%lld}\n"
                                  : "would queue again: %s, %lld files\n",
                   err_name((enum err_code)code), (long long)books.failed_by_code[code]);
    }
    return fflush(stdout) ? EXIT_IS_FATAL : EXIT_IS_OK;
}

int cmd_retry(struct settings *settings)
{
    return settings->dry_run ? show_retry(settings) : continue_job(settings, requeue);
}
