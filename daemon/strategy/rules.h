/* Rules: a condition on context that holds for some time makes a machine that is well learn some buffers more. Pure. */
#ifndef HABIT_STRATEGY_RULES_H
#define HABIT_STRATEGY_RULES_H

#include "strategy/run.h"

/* Brings all rules up to date: when a buffer or a context number came. Whether the machine is well is judged when a condition
 * first becomes true. */
void rules_see(const struct settings *settings, struct strategy_state *state, const struct sight *sight);

/* Index of the rule that wants the next buffer learned; -1 = none does. */
int rules_wanting(const struct settings *settings, const struct strategy_state *state);

/* Raising waits: a condition holds, and what will be learned of it is not learned yet. */
bool rules_hold(const struct settings *settings, const struct strategy_state *state);

/* A buffer was learned for a rule, and moved the baseline by `drift` standard deviations. Returns whether that was the last. */
bool rules_learned(const struct settings *settings, struct strategy_state *state, int index, float drift);

/* What a rule may still move the baseline. */
float rules_budget(const struct settings *settings, const struct strategy_state *state, int index);

/* The rule would have moved it further: it learns no more. */
void rules_spend(struct strategy_state *state, int index);

/* "rests", "waits", "learns", "done", "unwell", "spent" */
const char *rule_stage_name(const struct settings *settings, const struct strategy_state *state, uint32_t index);

#endif
