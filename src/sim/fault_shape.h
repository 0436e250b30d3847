/* What a fault does to a reply on its way out. On the exchange's MHD thread. */
#ifndef SIM_FAULT_SHAPE_H
#define SIM_FAULT_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/server.h"

/* Whether the exchange's fault gives a status of its own, before (or after) processing. */
bool fault_shape_replaces(const struct exch *x, bool after);

/* Fills the reply with the fault's status and body. */
void fault_shape_fill(struct exch *x);

/* Bends the finished reply: body, headers. */
void fault_shape_reply(struct exch *x);

/* Whether the body is sent slowly or cut, and where. */
bool fault_shape_is_piecewise(const struct exch *x);
uint64_t fault_shape_cut(const struct exch *x);

#endif
