/*
 * template.h - conflict templates: a JSON object of a wire profile whose members are added to the
 * confirm's body, {conflict_file_id} filled in. Internal to wire/.
 */
#ifndef WIRE_TEMPLATE_H
#define WIRE_TEMPLATE_H

#include "base/buf.h"

#define TEMPLATE_ID "{conflict_file_id}"

/*
 * Reads a JSON object that has no member which the confirm's body has itself, and writes it in
 * json-c's own spelling into out[cap]. 0 or -ERR_CONFIG, and then out is as before.
 */
int template_read(const char *text, char *out, size_t cap, struct err *err) WARN_UNUSED;
/*
 * Appends ",member,member" of a template that was read. 0; -ERR_CONFIG where it is no object;
 * -ERR_CONFLICT_UNSENDABLE where it needs an id and conflict_file_id is NULL. An append that
 * does not fit is seen by out->truncated.
 */
int template_append(const char *text, const char *conflict_file_id, struct buf *out,
                    struct err *err) WARN_UNUSED;

#endif
