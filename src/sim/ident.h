/*
 * Seeded randomness and the identifiers made of it. The same seed gives the same
 * tokens and ids in the same order of requests. Any thread (one short lock).
 */
#ifndef SIM_IDENT_H
#define SIM_IDENT_H

#include <stdbool.h>
#include <stdint.h>

#define IDENT_UUID_BYTES 16
#define IDENT_UUID_TEXT  37

void ident_setup(uint64_t seed);
uint64_t ident_random(void);
double ident_fraction(void); /* [0, 1) */

/* A mix of seed and n that a client can't guess by counting; same n, same value. */
uint64_t ident_mix(uint64_t n);

void ident_uuid(uint8_t out[IDENT_UUID_BYTES]); /* version 4 */
void ident_uuid_text(const uint8_t uuid[IDENT_UUID_BYTES], char out[IDENT_UUID_TEXT]);
bool ident_uuid_parse(const char *text, uint8_t out[IDENT_UUID_BYTES]);

#endif
