#include "strategy/run.h"

#include <math.h>
#include <string.h>

#include "strategy/strategy.h"

#define FOURFOLD 2.0f /* binary logarithm: standing and running differ by at least so much */
#define FLOOR    (-40.0f)
#define SLOWNESS 16.0f /* buffers after which a usual level has followed by 1 - 1/e */

enum { FAR_IN_A_ROW = 3, FIRST_GAP_MS = 3600000 };

bool context_known(const struct settings *settings, const struct sight *sight, const char *name, double *value)
{
    for (uint32_t i = 0; i < sight->context_count; i++) {
        const struct named_number *number = &sight->context[i];

        if (strcmp(number->name, name) != 0)
            continue;
        *value = number->value;
        return sight->at - number->at <= (int64_t)settings->context_ttl;
    }
    return false;
}

/* ------------------------------------------------------------------------------------------------------- level auto */

static void follow(float *usual, float level)
{
    *usual += (level - *usual) / SLOWNESS;
}

static float border(const struct run_memory *run)
{
    return run->levels == 2 ? (run->running + run->standing) / 2 : run->running - FOURFOLD;
}

/* What was taken for running was standing: this is running. One shock is not: it must stay. */
static bool found_running(struct run_memory *run, float level)
{
    run->far = level > run->running + FOURFOLD ? run->far + 1 : 0;
    if (run->far < FAR_IN_A_ROW)
        return false;
    run->far = 0;
    if (run->levels == 1)
        run->standing = run->running;
    run->running = level;
    run->levels = 2;
    return true;
}

/* Learns the two levels. Returns whether what was learned as running stood. */
static bool learn_levels(struct run_memory *run, float level)
{
    if (run->levels == 0) {
        run->running = level;
        run->levels = 1;
        return false;
    }
    if (found_running(run, level))
        return run->learned_low > 0;
    if (run->far > 0)
        return false;
    if (level >= border(run)) {
        follow(&run->running, level);
    } else if (run->levels == 1) {
        run->standing = level;
        run->levels = 2;
    } else {
        follow(&run->standing, level);
    }
    return false;
}

static enum run_verdict by_own_level(struct strategy_state *state, float rms, bool *mistaken)
{
    struct run_memory *run = &state->memory.run;
    float level = rms > 0 ? fmaxf(log2f(rms), FLOOR) : FLOOR;

    if (state->phase != PHASE_WATCHING || run->levels == 0)
        *mistaken = learn_levels(run, level);
    if (*mistaken)
        run->learned_low = 0;
    return level >= border(run) ? RUN_YES : RUN_NO;
}

/* ------------------------------------------------------------------------------------------------------------ buffers */

static enum run_verdict by_context(const struct settings *settings, const struct sight *sight)
{
    const struct condition *condition = &settings->run_when.condition;
    double value;

    if (!context_known(settings, sight, condition->name, &value))
        return RUN_NOT_KNOWN;
    return condition_holds(condition, value) ? RUN_YES : RUN_NO;
}

static enum run_verdict judge(const struct settings *settings, struct strategy_state *state, const struct sight *sight,
                              bool *mistaken)
{
    switch ((enum run_mode)settings->run_when.mode) {
    case RUN_LEVEL_AUTO:
        return by_own_level(state, sight->level, mistaken);
    case RUN_LEVEL:
        return condition_holds(&settings->run_when.condition, (double)sight->level) ? RUN_YES : RUN_NO;
    case RUN_CONTEXT:
        return by_context(settings, sight);
    default:
        return RUN_YES;
    }
}

/* A long silence is no running time: nobody knows what the machine did. */
static uint64_t since_last(const struct settings *settings, const struct strategy_state *state, int64_t at)
{
    int64_t gap = at - state->memory.run.last, longest = strategy_patience(settings, state);

    if (state->interval == 0 && longest < FIRST_GAP_MS) /* of one that has sent once nobody knows how often it will */
        longest = FIRST_GAP_MS;
    return state->memory.run.last != 0 && gap > 0 && gap <= longest ? (uint64_t)gap : 0;
}

struct run_result run_see(const struct settings *settings, struct strategy_state *state, const struct sight *sight)
{
    struct run_memory *run = &state->memory.run;
    struct run_result result = { 0 };
    uint32_t before = run->status;
    uint64_t passed = since_last(settings, state, sight->at);

    run->last = sight->at;
    result.verdict = judge(settings, state, sight, &result.mistaken);
    if (result.verdict == RUN_NOT_KNOWN)
        return result;
    run->status = result.verdict == RUN_YES ? RUN_RUNS : RUN_STANDS;
    result.started = before != RUN_RUNS && run->status == RUN_RUNS;
    result.running_ms = before == RUN_RUNS ? passed : 0;
    if (run->status != before) /* whatever ran when it was first seen has settled */
        run->since = before == RUN_UNKNOWN && run->status == RUN_RUNS ? 0 : sight->at;
    if (sight->at < run->since) /* a clock that was ahead */
        run->since = sight->at;
    if (result.verdict == RUN_YES && run->since != 0 && (uint64_t)(sight->at - run->since) < settings->settle)
        result.verdict = RUN_SETTLING;
    return result;
}

void run_learned(const struct settings *settings, struct strategy_state *state)
{
    if (settings->run_when.mode == RUN_LEVEL_AUTO && state->phase == PHASE_LEARNING && state->memory.run.levels == 1)
        state->memory.run.learned_low++;
}
