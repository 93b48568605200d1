/* Figures over machines, with the interval that they are known to. Buffers of one machine are not independent,
 * machines are: intervals come from drawing whole machines anew (bootstrap, Efron, Annals of Statistics 7, 1979). */
#ifndef PROMISES_STATISTICS_H
#define PROMISES_STATISTICS_H

#include <stddef.h>

#include "chance.h"

struct interval {
    double mean, low, high; /* 95 % */
};

/* One value for each machine. */
struct interval interval_of_mean(const double *value, size_t machines);

/* The same of a rate of events, each machine's counted in `tries`. Where hardly any event was seen, the upper end
 * is that of the rule of three. */
struct interval interval_of_rate(const double *rate, size_t machines, double tries);

/* Sum of one over the sum of the other, neither ever below 0. */
struct interval interval_of_ratio(const double *above, const double *below, size_t machines);

/* A stream of chance for machine `index` of a group: the same whatever else is measured in the same run. */
struct chance chance_of(uint64_t seed, uint64_t group, uint64_t index);

double mean_of(const double *value, size_t count);

#endif
