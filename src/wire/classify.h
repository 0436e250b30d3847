/*
 * classify.h - what the API's and S3's reply classes share. Internal to wire/.
 */
#ifndef WIRE_CLASSIFY_H
#define WIRE_CLASSIFY_H

#include "wire/wire.h"

/* A server's own words about a failure, cleaned; empty where it said nothing. */
struct classify_words {
    char code[96];
    char message[LIMIT_SERVER_TEXT + 1];
    int64_t retry_after_ms; /* said inside the body; -1: not */
};

/* "90", "1.5", "-3" or an HTTP date to milliseconds, 0..RETRY_AFTER_MAX_MS; -1 where it is none. */
int64_t classify_retry_after(const char *value, int64_t wall_ms);

/* Fills *err from the reply and the words; returns -code. */
int classify_fail(const struct wire_reply *reply, enum err_code code,
                  const struct classify_words *words, struct err *err);

#endif
