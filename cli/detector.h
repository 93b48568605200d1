/* An engine with its memory on the heap. */
#ifndef HABIT_CLI_DETECTOR_H
#define HABIT_CLI_DETECTOR_H

#include "habit/engine.h"

struct detector {
    struct habit_engine engine;
    struct habit_memory memory;
};

/* Makes one that has learned nothing. Returns 0, or an exit code after saying why: HABIT_ECONFIG is EXIT_USAGE. */
int detector_init(struct detector *detector, const struct habit_config *config);

/* Fine on one that is all zeros. */
void detector_deinit(struct detector *detector);

#endif
