/* Counts of how often a measure was below each of some bounds, for Prometheus. Any thread may observe and read. */
#ifndef HABIT_BASE_HISTOGRAM_H
#define HABIT_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_BOUNDS = 12 };

/* What is measured: upper bounds in rising order, unused ones 0; divided by unit they are what is shown. */
struct histogram_scale {
    int64_t bound[HISTOGRAM_BOUNDS];
    double unit; /* 1e9: nanoseconds are shown as seconds */
};

extern const struct histogram_scale histogram_microseconds; /* of ns: 10 us to 100 ms */
extern const struct histogram_scale histogram_milliseconds; /* of ns: 1 ms to 10 s */
extern const struct histogram_scale histogram_sizes;        /* 1 to 1024 */

/* All 0 is an empty one. */
struct histogram {
    _Atomic uint64_t count[HISTOGRAM_BOUNDS + 1]; /* at most bound[i], more than the one before; the last: beyond all */
    _Atomic int64_t sum;
};

void histogram_observe(struct histogram *histogram, const struct histogram_scale *scale, int64_t value);

#endif
