/* What request-upload and confirm-upload share. */
#ifndef SIM_UPLOAD_H
#define SIM_UPLOAD_H

#include "sim/presign.h"
#include "sim/session.h"
#include "sim/text.h"

#define UPLOAD_BUCKET "pxm-uploads"

/* Signs for our own S3, or for the real one when there is one. */
void upload_set_presigner(struct presigner *p);
struct presigner *upload_presigner(void);

/* Adds the percent-encoded URL path of a session's object, bucket first. */
void upload_url_path(const struct session *s, struct text *out);

#endif
