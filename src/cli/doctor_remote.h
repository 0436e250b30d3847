/* doctor_remote.h - what a probe of the tenant means, for `pxload doctor`. Main thread. */
#ifndef CLI_DOCTOR_REMOTE_H
#define CLI_DOCTOR_REMOTE_H

#include "cli/finding.h"
#include "cli/settings.h"
#include "pipeline/pipeline.h"

void doctor_remote_findings(const struct settings *settings, const struct probe_result *probe,
                            struct findings *findings);

#endif
