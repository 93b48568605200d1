/* Troubles: what the sender, the sensor or the machine's drive does, beside what the engine finds strange. Pure. */
#ifndef HABIT_STRATEGY_TROUBLE_H
#define HABIT_STRATEGY_TROUBLE_H

#include "record/machine.h"

/* Whether a buffer shows that its sensor is dead or clipped: three in a row begin a trouble, three without end it. */
void trouble_sensor(struct strategy_state *state, enum trouble trouble, bool shown);

/* A buffer whose sender said when it measured it came `interval` ms after the one before. */
void trouble_rate(const struct settings *settings, struct strategy_state *state, int64_t interval);

/* run_when's context is known, or not. */
void trouble_context(struct strategy_state *state, bool missing);

/* Bit per trouble that there is now. A machine that was never heard, or is paused, has none. listening: since when somebody
 * would have heard it; it is not silent for what it said before. */
uint32_t troubles_now(const struct settings *settings, const struct strategy_state *state, int64_t listening,
                      int64_t now);

#endif
