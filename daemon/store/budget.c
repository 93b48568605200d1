#include "store/budget.h"

#include <math.h>

#define DAY_MS  86400000.0
#define AT_ONCE 0.1 /* of a day's bytes: a start, a commissioning */
#define NEAR    0.8

double budget_strain(uint64_t daily, int64_t elapsed, int64_t written)
{
    double share = fmin((double)elapsed / DAY_MS, 1), allowed = (double)daily * (AT_ONCE + (1 - AT_ONCE) * share);

    if (daily == 0 || written <= 0)
        return 0;
    return fmax(0, fmin(1, ((double)written / allowed - NEAR) / (1 - NEAR)));
}

void budget_begin(struct budget *budget, uint64_t daily, int64_t now, int64_t written)
{
    *budget = (struct budget){ .daily = daily, .began = now, .before = written };
}

double budget_look(struct budget *budget, int64_t now, int64_t written)
{
    if ((double)(now - budget->began) >= DAY_MS)
        budget_begin(budget, budget->daily, now, written);
    return budget_strain(budget->daily, now - budget->began, written - budget->before);
}
