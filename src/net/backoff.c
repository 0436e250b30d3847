/* backoff.c - how long to wait before another try. Loop thread only; see net.h. */
#include "net/net.h"

/* The proportions of the AWS SDKs' standard retry mode: a full budget is 100 retries. */
#define BUDGET_FULL    500
#define BUDGET_RETRY   5
#define BUDGET_SUCCESS 1

int64_t backoff_ms(struct rng *rng, int tries)
{
    int64_t ceiling = RETRY_BASE_MS;
    for (int i = 0; i < tries && ceiling < RETRY_CAP_MS; i++)
        ceiling *= 2;
    if (ceiling > RETRY_CAP_MS)
        ceiling = RETRY_CAP_MS;
    return (int64_t)rng_below(rng, (uint64_t)ceiling + 1);
}

void retry_budget_init(struct retry_budget *budget)
{
    budget->tokens = BUDGET_FULL;
}

void retry_budget_success(struct retry_budget *budget)
{
    if (budget->tokens < BUDGET_FULL)
        budget->tokens += BUDGET_SUCCESS;
}

int retry_budget_take(struct retry_budget *budget)
{
    if (budget->tokens < BUDGET_RETRY)
        return 0;
    budget->tokens -= BUDGET_RETRY;
    return 1;
}
