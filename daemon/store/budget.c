#include "store/budget.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS  86400000.0
#define AT_ONCE 0.1 /* of a day's bytes: a start, a commissioning */
#define NEAR    0.8

enum { LOOK_MS = 1000 };

int64_t budget_written(void)
{
    FILE *file = fopen("/proc/self/io", "re");
    int64_t written = -1;
    char line[80];

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "write_bytes: ", 13) == 0)
            written = strtoll(line + 13, NULL, 10);
    if (file)
        fclose(file);
    return written;
}

double budget_strain(uint64_t daily, int64_t elapsed, int64_t written)
{
    double share = fmin((double)elapsed / DAY_MS, 1), allowed = (double)daily * (AT_ONCE + (1 - AT_ONCE) * share);

    if (daily == 0 || written <= 0)
        return 0;
    return fmax(0, fmin(1, ((double)written / allowed - NEAR) / (1 - NEAR)));
}

void budget_begin(struct budget *budget, uint64_t daily, int64_t now)
{
    int64_t written = budget_written();

    *budget = (struct budget){ .daily = daily, .began = now, .before = written, .looked = now, .written = written };
}

double budget_look(struct budget *budget, int64_t now)
{
    if (budget->daily == 0 || budget->before < 0)
        return 0;
    if (now - budget->looked >= LOOK_MS) {
        budget->written = budget_written();
        budget->looked = now;
    }
    if ((double)(now - budget->began) >= DAY_MS) {
        budget->before = budget->written;
        budget->began = now;
    }
    return budget_strain(budget->daily, now - budget->began, budget->written - budget->before);
}
