#include "statistics.h"

#include <math.h>
#include <stdlib.h>

enum { DRAWS = 2000, TAIL = DRAWS / 40 };

double mean_of(const double *value, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += value[i];
    return count > 0 ? sum / (double)count : 0;
}

static double ratio(double above, double below)
{
    return below > 0 ? above / below : 0;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The bootstrap of few machines is too narrow: widened as Student's interval is beside the normal one.
 * Cornish-Fisher expansion of its quantile; the variance of a draw lacks the factor n / (n - 1). */
static double widening(size_t machines)
{
    const double z = 1.96, freedom = machines > 2 ? (double)machines - 1 : 1;
    const double first = (z * z + 1) / (4 * freedom);
    const double second = (5 * pow(z, 4) + 16 * z * z + 3) / (96 * freedom * freedom);

    return (1 + first + second) * sqrt((freedom + 1) / freedom);
}

/* below NULL: 1 for each machine. */
static struct interval bootstrap(const double *above, const double *below, size_t machines)
{
    static double drawn[DRAWS];
    struct chance chance = { 20 };
    const double wider = widening(machines);
    struct interval interval;

    for (int d = 0; d < DRAWS; d++) {
        double a = 0, b = 0;

        for (size_t i = 0; i < machines; i++) {
            const size_t pick = (size_t)(chance_bits(&chance) % machines);

            a += above[pick];
            b += below ? below[pick] : 1;
        }
        drawn[d] = ratio(a, b);
    }
    qsort(drawn, DRAWS, sizeof(drawn[0]), ascending);
    interval.mean = ratio(mean_of(above, machines), below ? mean_of(below, machines) : 1);
    if (machines < 2) { /* says nothing about others */
        interval.low = -HUGE_VAL;
        interval.high = HUGE_VAL;
        return interval;
    }
    interval.low = interval.mean - wider * (interval.mean - drawn[TAIL]);
    interval.high = interval.mean + wider * (drawn[DRAWS - 1 - TAIL] - interval.mean);
    return interval;
}

struct interval interval_of_mean(const double *value, size_t machines)
{
    return bootstrap(value, NULL, machines);
}

struct interval interval_of_rate(const double *rate, size_t machines, double tries)
{
    struct interval interval = bootstrap(rate, NULL, machines);

    interval.low = fmax(interval.low, 0);
    interval.high = fmax(interval.high, 3 / (tries * (double)machines));
    return interval;
}

struct interval interval_of_ratio(const double *above, const double *below, size_t machines)
{
    struct interval interval = bootstrap(above, below, machines);

    interval.low = fmax(interval.low, 0);
    return interval;
}

struct chance chance_of(uint64_t seed, uint64_t group, uint64_t index)
{
    struct chance chance = { seed };

    chance.state = chance_bits(&chance) ^ (group << 32 | index);
    chance.state = chance_bits(&chance);
    return chance;
}
