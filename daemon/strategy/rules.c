#include "strategy/rules.h"

#include <string.h>

/* FNV-1a over the rule as settings hold it, padding zeroed: another rule does not go on where this one was. */
static uint32_t checksum(const struct rule *rule)
{
    const unsigned char *bytes = (const unsigned char *)rule;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < sizeof(*rule); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* Whether the condition holds. A number that is gone still says for context_ttl what it said last: so a restart, which forgets
 * numbers, forgets no condition. */
static bool holds(const struct settings *settings, const struct rule *rule, struct rule_memory *memory,
                  const struct sight *sight)
{
    double value;

    if (context_known(settings, sight, rule->condition.name, &value)) {
        memory->known_at = sight->at;
        memory->holds = condition_holds(&rule->condition, value);
    }
    return memory->holds != 0 && sight->at - memory->known_at <= (int64_t)settings->context_ttl;
}

static bool is_well(const struct strategy_state *state)
{
    return state->anomaly == 0 && state->memory.below == 0;
}

static void begin(const struct strategy_state *state, struct rule_memory *memory, int64_t at)
{
    memory->since = at;
    memory->learned = 0;
    memory->stage = is_well(state) ? RULE_WAITS : RULE_UNWELL;
}

static void see(const struct settings *settings, const struct strategy_state *state, const struct rule *rule,
                struct rule_memory *memory, const struct sight *sight)
{
    if (memory->of != checksum(rule))
        *memory = (struct rule_memory){ .of = checksum(rule) };
    if (memory->stage == RULE_SPENT)
        return;
    if (!holds(settings, rule, memory, sight) || state->phase != PHASE_WATCHING) {
        memory->stage = RULE_RESTS;
        return;
    }
    if (memory->stage == RULE_RESTS)
        begin(state, memory, sight->at);
    if (sight->at < memory->since) /* a clock that was ahead */
        memory->since = sight->at;
    if (memory->stage == RULE_WAITS && (uint64_t)(sight->at - memory->since) >= rule->hold)
        memory->stage = RULE_LEARNS;
}

void rules_see(const struct settings *settings, struct strategy_state *state, const struct sight *sight)
{
    for (uint32_t i = 0; i < settings->rule.count; i++)
        see(settings, state, &settings->rule.rule[i], &state->memory.rule[i], sight);
}

/* The stage, as far as it is of the rule that is set now. */
static enum rule_stage stage_of(const struct settings *settings, const struct strategy_state *state, uint32_t index)
{
    const struct rule_memory *memory = &state->memory.rule[index];

    return memory->of == checksum(&settings->rule.rule[index]) ? (enum rule_stage)memory->stage : RULE_RESTS;
}

int rules_wanting(const struct settings *settings, const struct strategy_state *state)
{
    for (uint32_t i = 0; i < settings->rule.count; i++)
        if (stage_of(settings, state, i) == RULE_LEARNS)
            return (int)i;
    return -1;
}

bool rules_hold(const struct settings *settings, const struct strategy_state *state)
{
    for (uint32_t i = 0; i < settings->rule.count; i++)
        if (stage_of(settings, state, i) == RULE_WAITS || stage_of(settings, state, i) == RULE_LEARNS)
            return true;
    return false;
}

bool rules_learned(const struct settings *settings, struct strategy_state *state, int index, float drift)
{
    struct rule_memory *memory = &state->memory.rule[index];

    memory->drift += drift > 0 ? drift : 0;
    if (++memory->learned < settings->rule.rule[index].buffers)
        return false;
    memory->stage = RULE_DONE;
    return true;
}

float rules_budget(const struct settings *settings, const struct strategy_state *state, int index)
{
    return settings->drift_budget - state->memory.rule[index].drift;
}

void rules_spend(struct strategy_state *state, int index)
{
    state->memory.rule[index].stage = RULE_SPENT;
}

const char *rule_stage_name(const struct settings *settings, const struct strategy_state *state, uint32_t index)
{
    static const char *const names[] = { "rests", "waits", "learns", "done", "unwell", "spent" };
    enum rule_stage stage = stage_of(settings, state, index);

    return (size_t)stage < sizeof(names) / sizeof(names[0]) ? names[stage] : names[0];
}
