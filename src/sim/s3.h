/* The S3 side: presigned PUTs and nothing else. */
#ifndef SIM_S3_H
#define SIM_S3_H

#include "sim/server.h"

extern const struct side_ops s3_ops;

#endif
