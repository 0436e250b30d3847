/*
 * config.h - the config file, INI: one section a profile, keys named like the options (`-` or
 * `_`), fields of the wire profile, and the credentials' keys. Main thread (inih is told its
 * limits through globals).
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "cli/settings.h"

/*
 * Takes the section of settings->profile into settings (ORIGIN_PROFILE), after dropping what an
 * earlier call took. No file is no error, unless a profile other than "default" was asked for.
 * The whole file is checked for unknown keys, the chosen section for bad values. Refused with
 * -ERR_CONFIG, naming file and line: unknown keys, keys outside of a section or set twice, lines
 * that are too long; a file with a secret that others can read, or one with any secret setting
 * that is not ours or that others can write.
 */
int config_load(struct settings *settings, struct err *err) WARN_UNUSED;

/* The n-th key that is no option and no wire field (client_id ...), NULL past the last. */
const char *config_credential_key(size_t n);

#endif
