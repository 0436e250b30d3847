/*
 * manifest.h - inside pipeline/: a manifest on its way from its file into the journal, where the
 * walk finds its rows. On the walker's thread.
 */
#ifndef PIPELINE_MANIFEST_H
#define PIPELINE_MANIFEST_H

#include "pipeline/catalog.h"
#include "pipeline/pipeline.h"

/* A walk without a manifest: what the journal has of one is no more. */
int manifest_forget(struct journal *journal, struct err *err) WARN_UNUSED;
/* Whether the journal has this very manifest already, with every row in order: 1, 0, negative. */
int manifest_is_loaded(struct journal *journal, const struct manifest_info *info,
                       struct err *err) WARN_UNUSED;
/*
 * Checks every row against the catalog (NULL: as far as that goes without) and writes it into the
 * journal in place of what was there. A bad row is kept with what is wrong with it. stop is polled.
 * 0, -ERR_MANIFEST (as a whole), -ERR_STOPPED, -ERR_NOMEM, or the journal's.
 */
int manifest_load(const struct job_options *options, const struct catalog *catalog,
                  struct journal *journal, const int *stop, struct err *err) WARN_UNUSED;

#endif
