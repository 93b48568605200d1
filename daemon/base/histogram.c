#include "base/histogram.h"

#define US INT64_C(1000) /* ns */
#define MS INT64_C(1000000)

const struct histogram_scale histogram_microseconds = {
    { 10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US, MS, 5 * MS, 10 * MS, 100 * MS }, 1e9
};
const struct histogram_scale histogram_milliseconds = { { MS, 2 * MS, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS,
                                                          250 * MS, 500 * MS, 1000 * MS, 2500 * MS, 10000 * MS },
                                                        1e9 };
const struct histogram_scale histogram_sizes = { { 1, 2, 4, 8, 16, 32, 64, 128, 256, 1024 }, 1 };

void histogram_observe(struct histogram *histogram, const struct histogram_scale *scale, int64_t value)
{
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && scale->bound[i] != 0 && value > scale->bound[i])
        i++;
    if (i < HISTOGRAM_BOUNDS && scale->bound[i] == 0)
        i = HISTOGRAM_BOUNDS;
    histogram->count[i]++;
    histogram->sum += value;
}
