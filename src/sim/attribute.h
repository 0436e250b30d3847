/* The tenant's attribute definitions (seeded), and values checked against them. */
#ifndef SIM_ATTRIBUTE_H
#define SIM_ATTRIBUTE_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "sim/text.h"

void attribute_setup(void);
size_t attribute_count(void);

/* Index of the definition with this id, or -1. */
int attribute_index(const char *id);

/* Whether value fits the type of definition no. `index`. */
bool attribute_accepts(int index, json_object *value);
const char *attribute_type(int index);

/* Adds one definition, or a value of it, as a JSON object. */
void attribute_json(struct text *out, size_t index);
void attribute_value_json(struct text *out, size_t index, json_object *value);

#endif
