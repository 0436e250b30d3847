/* Calls to a real S3 server, by presigned URLs and libcurl. Job threads only. */
#ifndef SIM_S3_REMOTE_H
#define SIM_S3_REMOTE_H

#include <stdint.h>

#include "sim/text.h"

/* Starts a multipart upload; its id (free() it), or NULL with a reason. */
char *s3_remote_create(const char *path, const char *mime, struct text *why);

/* Completes it with the XML list of parts; the HTTP status, 0 when none came. */
int s3_remote_complete(const char *path, const char *upload_id, const struct text *xml,
                       struct text *why);

/* Size of an object, or -1 when it isn't there. */
int64_t s3_remote_size(const char *path, struct text *why);

#endif
