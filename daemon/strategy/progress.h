/* How far learning is, in words for people. Pure. */
#ifndef HABIT_STRATEGY_PROGRESS_H
#define HABIT_STRATEGY_PROGRESS_H

#include "record/machine.h"

/* "1 min of 24 h, still changing"; "" unless the machine learns. */
enum { PROGRESS_TEXT_SIZE = 96 };
void strategy_progress(const struct settings *settings, const struct strategy_state *state,
                       const struct learning *learning, int64_t now, char text[PROGRESS_TEXT_SIZE]);

/* What an alarm plan means, for people: "a fault that lasts raises an anomaly within 30 buffers (30 min); ..." */
enum { PROMISE_TEXT_SIZE = 240 };
void strategy_promise(const struct alarm_plan *plan, uint32_t learned, char text[PROMISE_TEXT_SIZE]);

#endif
