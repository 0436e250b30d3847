/*
 * xml.h - just enough XML to read an S3 error, and the title of a proxy's HTML page. Internal to
 * wire/; no state.
 */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include "base/buf.h"

/* Is the root element named so? Space, a byte order mark, <?..?> and <!..> may stand before it. */
int xml_root_is(const char *body, size_t len, const char *name);
/*
 * Appends the text of the first element of that name, entities decoded, as far as out has room.
 * Returns 1, or 0 where there is none. Names of elements match in any case of letters, as HTML
 * has it. The result is not cleaned.
 */
int xml_text(const char *body, size_t len, const char *name, struct buf *out);

#endif
