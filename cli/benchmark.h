/* The parts of `habit benchmark`: each adds what it measured to the result. */
#ifndef HABIT_CLI_BENCHMARK_H
#define HABIT_CLI_BENCHMARK_H

#include <jansson.h>
#include <stdint.h>

#include "progress.h"

struct benchmark {
    const char *directory; /* on the disk that is to be measured */
    double seconds;        /* of each measurement */
    json_t *result;
    struct progress progress;
    uint64_t step; /* of the bar */
};

enum { BENCHMARK_STEPS = 7 };

/* "engine": microseconds of detect and learn at the usual sizes, and the bytes of a machine. Returns 0 or an exit code, all said. */
int benchmark_engine(struct benchmark *benchmark);

/* "durable" and "bytes_per_machine", with a store of its own in the directory, which is deleted. The same. */
int benchmark_store(struct benchmark *benchmark);

/* Monotonic seconds. */
double benchmark_now(void);

/* Sorts, and gives the figure below which this share of them lies; 0 where there are none. */
void benchmark_sort(double *figures, size_t count);
double benchmark_quantile(const double *sorted, size_t count, double share);

#endif
