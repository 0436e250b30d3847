/*
 * folder_task.h - which folders are to be made in PXM next, and what became of them. On the
 * writer's thread.
 */
#ifndef JOURNAL_FOLDER_TASK_H
#define JOURNAL_FOLDER_TASK_H

#include "journal/journal.h"

struct store;

/* One asked-for handful, in a batch. */
struct folder_request {
    int asked;
    struct journal_folder_ask ask;
    struct folder_task **tasks;
    size_t count;
    size_t taken; /* of the tasks, by the loop */
    int held;     /* files wait for a folder */
};

/* One folder that a listing showed. */
struct folder_listed {
    enum folder_kind kind;
    const char *parent;
    const char *name;
    const char *id;
};

int folder_task_take(struct store *store, struct folder_request *request,
                     struct err *err) WARN_UNUSED;
int folder_task_fact(struct store *store, const struct journal_folder_fact *fact,
                     struct err *err) WARN_UNUSED;
/* A new listing that began at this time; what the one before it showed is forgotten. */
int folder_task_list(struct store *store, int64_t began_ms, struct err *err) WARN_UNUSED;
int folder_task_listed(struct store *store, const struct folder_listed *listed,
                       struct err *err) WARN_UNUSED;

#endif
