/* face.h - inside journal/: what the files that make up its face share. Any thread. */
#ifndef JOURNAL_FACE_H
#define JOURNAL_FACE_H

#include "journal/batch.h"

/* Runs fn on the writer's thread and waits for it; relaxed: not for its commit. */
int face_call(struct journal *journal, batch_call_fn *fn, void *arg, int relaxed,
              struct err *err) WARN_UNUSED;
/* The two halves of it; the message stays until the second returned. */
void face_start(struct journal *journal, struct message *message);
int face_wait(struct journal *journal, struct message *message, struct err *err) WARN_UNUSED;

#endif
