/*
 * run.h - a job in the foreground, with signals, progress and what is printed at its end. Main
 * thread, once a process.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/task.h"

struct run_plan {
    enum journal_mode mode;
    /* Works on the open journal before the run; NULL: nothing. */
    int (*before)(struct task *task, struct err *err);
    /* Sets the credentials; NULL: task_load_credentials. */
    int (*credentials)(struct task *task, struct err *err);
    /* Prints the results and returns the exit code, `code` unless it knows better; NULL: summary.
     */
    int (*finish)(struct task *task, const struct job_result *result, int code);
    int is_bare; /* no object a file or status on stdout: what finish prints is all */
};

/* From loaded settings to the process's exit code. */
int run_task(struct settings *settings, const struct run_plan *plan);
/* Blocks the signals that end a run, so that they wait for one that is about to begin. */
void run_block_signals(void);

#endif
