/* A fault rule out of its JSON. */
#ifndef SIM_FAULT_PARSE_H
#define SIM_FAULT_PARSE_H

#include <json-c/json.h>

#include "sim/fault.h"

struct fault_rule {
    unsigned points; /* bit per enum fault_point */
    char *name;      /* file name it is for, NULL: any */
    int64_t nth;     /* the n-th matching exchange only; 0: not so chosen */
    int64_t every;   /* every n-th */
    double probability;
    int64_t times; /* most often it fires; -1: no end */
    uint64_t matched;
    uint64_t fired;
    struct fault_action *action;
    json_object *source;
};

/* NULL with a reason. The rule holds its own reference to json. */
struct fault_rule *fault_parse_rule(json_object *json, struct text *why);

#endif
