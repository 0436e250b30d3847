/* Client credentials and the tokens given for them. Any thread. */
#ifndef SIM_TOKEN_H
#define SIM_TOKEN_H

#include <stdbool.h>

/* All tokens begin so, which lets the S3 side find one that strayed there. */
#define TOKEN_PREFIX "pxmsim_"
#define TOKEN_BYTES  72

/* Whether an Authorization header is Basic with the right secret. */
bool token_basic_ok(const char *authorization);
void token_issue(char out[TOKEN_BYTES]);
/* Whether an Authorization header bears a token that is valid now. */
bool token_bearer_ok(const char *authorization);
/* Revokes one token, or all of them when token is NULL; returns how many. */
unsigned token_revoke(const char *token);
void token_teardown(void);

#endif
