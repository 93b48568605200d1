/* What to do with a buffer, and what follows from its result: pure functions of settings, state and the time they are given.
 * They read no clock, keep nothing, and lock nothing. Intervals follow the time of measurement (`at`), not of arrival. */
#ifndef HABIT_STRATEGY_STRATEGY_H
#define HABIT_STRATEGY_STRATEGY_H

#include "record/anomaly.h"
#include "record/machine.h"
#include "strategy/run.h"

enum strategy_action { ACTION_LEARN, ACTION_LEARN_BY_RULE, ACTION_DETECT, ACTION_SKIP, ACTION_IDLE };

enum strategy_wish { WISH_AUTOMATIC, WISH_LEARN, WISH_DETECT };

/* Decides what happens to a buffer measured at `at`. Learning or detecting by hand is always done, but while paused.
 * running: what run_see said of it. *note: why not, and what to do; NULL where something is done. May start learning
 * (start = auto, or by hand). */
enum strategy_action strategy_decide(const struct settings *settings, struct strategy_state *state,
                                     enum strategy_wish wish, enum run_verdict running, int64_t at, const char **note);

/* A buffer that was measured at `at` came, whatever became of it. */
void strategy_seen(struct strategy_state *state, int64_t at, int64_t arrival);

/* A buffer was learned: learning may end. */
void strategy_learned(const struct settings *settings, struct strategy_state *state, const struct learning *learning,
                      int64_t at);

/* A buffer was judged. average->known false: the window is not full. Returns what happened to the anomaly; for ANOMALY_RAISED
 * the caller gives state->anomaly its id, for ANOMALY_CLEARED it takes it away. WORSENED: another ten points lower (89 -> 79),
 * and at 0 another power of two of the distance. RAISED: below the threshold, and beyond the plan's line for as long as it says;
 * not while a rule holds. */
enum anomaly_event strategy_judged(const struct settings *settings, struct strategy_state *state,
                                   const struct alarm_plan *plan, const struct average *average, int64_t at);

/* An operator starts learning, or the knowledge is new. */
void strategy_start_learning(struct strategy_state *state, int64_t at);
void strategy_start_watching(struct strategy_state *state, int64_t at);
void strategy_forget(struct strategy_state *state, int64_t at);

/* What was learned in this phase is forgotten; the phase goes on from here. */
void strategy_learn_anew(struct strategy_state *state, int64_t at);

/* Moves all times: after a start with a clock that has nothing to do with the one before. */
void strategy_move(struct strategy_state *state, int64_t by);

/* The phase that is shown: paused is a setting that covers the others. */
enum phase strategy_phase(const struct settings *settings, const struct strategy_state *state);

/* How long after a buffer, in ms, the machine still counts as heard: silent_after, or ten of its own intervals, at least a
 * minute. */
int64_t strategy_patience(const struct settings *settings, const struct strategy_state *state);

/* Whether it is heard. */
bool strategy_online(const struct settings *settings, const struct strategy_state *state, int64_t now);

#endif
