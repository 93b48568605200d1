/* The Ledoit-Wolf model of a machine with its alarm line: the 99 % quantile of the distances that five folds of the learned
 * buffers have from a model of the other four. */
#ifndef HABIT_BED_DETECTOR_LEDOIT_WOLF_H
#define HABIT_BED_DETECTOR_LEDOIT_WOLF_H

#include "ledoit_wolf.h"
#include "trial.h"

struct ledoit_wolf_alarm {
    struct ledoit_wolf model;
    double line; /* a larger distance alarms */
};

void ledoit_wolf_alarm_learn(struct ledoit_wolf_alarm *alarm, const struct trial *trial, unsigned int learned);

#endif
