/*
 * writer.h - the one thread that writes. It takes everything that waits, runs it in one
 * transaction, and hands all of it back: one sync for as many facts as came meanwhile.
 */
#ifndef JOURNAL_WRITER_H
#define JOURNAL_WRITER_H

#include "journal/batch.h"
#include "journal/store.h"

struct writer;

/* Takes over the store (connection open, counters loaded), also on failure. */
int writer_start(struct store *store, void (*wake)(void *user), void *user, struct writer **out,
                 struct err *err) WARN_UNUSED;
/* Commits what was submitted, marks the journal clean, closes the store, frees all. */
void writer_stop(struct writer *writer);

void writer_submit(struct writer *writer, struct journal_batch *batch);
struct journal_batch *writer_next_done(struct writer *writer, struct err *out_err);
/* Runs call(store, arg) on the thread and waits until it is committed, or only done (relaxed). */
int writer_call(struct writer *writer, batch_call_fn *call, void *arg, int relaxed,
                struct err *err) WARN_UNUSED;
/* The two halves of that; the message stays until the second returned. */
void writer_start_call(struct writer *writer, struct message *message);
int writer_wait_call(struct writer *writer, struct message *message, struct err *err) WARN_UNUSED;
/* The books as of the last commit or walk batch; costs no query. */
int writer_books(struct writer *writer, struct journal_books *out, struct err *err) WARN_UNUSED;

#endif
