/* From 'one false alarm in 90 days' to a line and to how long a machine must stay beyond it. Pure. */
#ifndef HABIT_STRATEGY_ALARMS_H
#define HABIT_STRATEGY_ALARMS_H

#include "record/machine.h"

/* What the order is worked out from. */
struct alarm_figures {
    struct alarm_order order; /* count 0 = the bare threshold */
    uint32_t learned;         /* buffers */
    uint32_t window;          /* K */
    float window_rate;        /* the engine's: share of nominal windows beyond distance 1 */
    double interval;          /* ms between judgements; 0 = not known */
};

/* Works out the plan. Some two thousand calls of erfc: not for every buffer. */
struct alarm_plan alarm_plan_make(const struct alarm_figures *figures);

/* Notes a judgement at `at` in the mean of the intervals. Backlogs that come at once count as fast as they were measured;
 * of one time, the buffers of a batch say, each counts as a part of the time to the next one. */
void alarm_interval_note(struct strategy_state *state, int64_t at);

/* Mean interval between judgements as far as it is known: learned, else what the settings and the buffers say; 0 = unknown. */
double alarm_interval(const struct settings *settings, const struct strategy_state *state);

#endif
