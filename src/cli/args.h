/*
 * args.h - the command line. Main thread (getopt_long keeps global state).
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/settings.h"

/*
 * pxload [OPTION]... VERB [OPTION | ARG]... [-- ARG...]: sets what flags say (ORIGIN_FLAG), the
 * verb, args, wants_help and wants_version. Where help or the version is wanted, nothing that
 * is missing is an error. 0, -ERR_USAGE with the nearest right spelling, or -ERR_NOMEM.
 */
int args_parse(struct settings *settings, int argc, char **argv, struct err *err) WARN_UNUSED;

#endif
