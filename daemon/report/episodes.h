/* Anomalies of the machines of one asset that belong together in time: a pump's two bearings and its current are one story. */
#ifndef HABIT_REPORT_EPISODES_H
#define HABIT_REPORT_EPISODES_H

#include <stddef.h>
#include <stdint.h>

#include "record/anomaly.h"

/* How long after the end of one the next still belongs to it. */
enum { EPISODE_GAP_MS = 600000 };

/* Sorts anomalies by when they were raised, oldest first, and gives each the number of its episode, from 0 on by the beginning of
 * the episodes. Without an asset a machine stands for itself. Returns how many episodes there are. */
size_t episodes_group(struct anomaly *anomalies, size_t count, size_t *episode);

#endif
