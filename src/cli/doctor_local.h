/* doctor_local.h - the checks of `pxload doctor` that ask nobody but this machine. Main thread. */
#ifndef CLI_DOCTOR_LOCAL_H
#define CLI_DOCTOR_LOCAL_H

#include "cli/finding.h"
#include "cli/settings.h"

/* Config file, the folders and their disks. */
void doctor_local_files(const struct settings *settings, struct findings *findings);
/* Proxy variables, and the address of the base URL's host. */
void doctor_local_network(const struct settings *settings, struct findings *findings);

#endif
