/* Whether the machine runs. Pure, like strategy.h. */
#ifndef HABIT_STRATEGY_RUN_H
#define HABIT_STRATEGY_RUN_H

#include "record/machine.h"

/* What is known of a buffer before anything is done with it. */
struct sight {
    int64_t at;                         /* when it was measured */
    float level;                        /* rms around the mean, of all axes together, in the sensor's unit */
    const struct named_number *context; /* latest values */
    uint32_t context_count;
};

enum run_verdict {
    RUN_YES,
    RUN_NO,
    RUN_SETTLING, /* it has just started */
    RUN_NOT_KNOWN /* the context that would tell is missing */
};

struct run_result {
    enum run_verdict verdict;
    bool started;        /* with this buffer, or was first seen with it */
    uint64_t running_ms; /* since the buffer before */
    bool mistaken;       /* what was learned so far was a machine that stood: forget it */
};

/* Notes a buffer. The levels of standing and running are learned until the machine is watched; then they stay. */
struct run_result run_see(const struct settings *settings, struct strategy_state *state, const struct sight *sight);

/* A buffer was learned. */
void run_learned(const struct settings *settings, struct strategy_state *state);

/* The latest value of a context number that is not older than context_ttl; false = not known. A value of the future, where a
 * clock went back, counts. */
bool context_known(const struct settings *settings, const struct sight *sight, const char *name, double *value);

#endif
