#include "strategy/strategy.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/alarms.h"
#include "strategy/rules.h"

/* ---------------------------------------------------------------------------------------------------------- phases */

static void enter(struct strategy_state *state, enum phase phase, int64_t at)
{
    state->phase = phase;
    state->phase_since = at;
    state->phase_learned = 0;
    state->memory.below = 0;
    state->memory.run.learned_low = 0;
}

void strategy_start_learning(struct strategy_state *state, int64_t at)
{
    if (state->phase != PHASE_LEARNING)
        enter(state, PHASE_LEARNING, at);
}

void strategy_start_watching(struct strategy_state *state, int64_t at)
{
    enter(state, PHASE_WATCHING, at);
}

void strategy_forget(struct strategy_state *state, int64_t at)
{
    enter(state, PHASE_NEW, at);
    state->last_learn = state->last_detect = 0;
    state->anomaly = 0;
    state->memory.present = state->memory.dead = state->memory.clipped = state->memory.fast = 0;
    memset(&state->memory.run, 0, sizeof(state->memory.run));
    memset(state->memory.rule, 0, sizeof(state->memory.rule));
}

void strategy_learn_anew(struct strategy_state *state, int64_t at)
{
    enter(state, PHASE_LEARNING, at);
    state->last_learn = 0;
}

void strategy_move(struct strategy_state *state, int64_t by)
{
    int64_t *times[] = { &state->phase_since,   &state->last_learn,       &state->last_detect,    &state->last_seen,
                         &state->last_measured, &state->memory.run.since, &state->memory.run.last };

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        *times[i] += *times[i] != 0 ? by : 0;
    for (size_t i = 0; i < LIMIT_RULES; i++) {
        state->memory.rule[i].since += by;
        state->memory.rule[i].known_at += by;
    }
}

enum phase strategy_phase(const struct settings *settings, const struct strategy_state *state)
{
    return settings->paused ? PHASE_PAUSED : (enum phase)state->phase;
}

/* -------------------------------------------------------------------------------------------------------- decisions */

/* No sender is exact: of one that sends once a minute, more or less, every second buffer would be left out were a minute a minute. Of
 * those around the due time the nearest is taken, at most a twentieth early. interval: usual time between two buffers, 0 = unknown. */
static uint64_t slack(uint64_t every, int64_t interval)
{
    uint64_t most = every / 20, half = (uint64_t)interval / 2;

    return interval > 0 && half < most ? half : most;
}

/* Whether `every` has passed since `last`. A clock that went back counts as passed: better one buffer too many than none
 * for hours. */
static bool due(uint64_t every, int64_t last, int64_t at, int64_t interval)
{
    return every == 0 || last == 0 || at < last || (uint64_t)(at - last) + slack(every, interval) >= every;
}

static const char *const not_running[] = {
    [RUN_NO] = "the machine stands still, by run_when",
    [RUN_SETTLING] = "the machine has just started: settle has not passed",
    [RUN_NOT_KNOWN] = "the context number that run_when asks for is missing, or older than context_ttl",
};

static enum strategy_action by_phase(const struct settings *settings, const struct strategy_state *state,
                                     enum run_verdict running, int64_t at, const char **note)
{
    bool by_rule = state->phase == PHASE_WATCHING && rules_wanting(settings, state) >= 0;
    bool learning = state->phase == PHASE_LEARNING || by_rule;

    if (running != RUN_YES) {
        *note = not_running[running];
        return ACTION_IDLE;
    }

    if (state->phase == PHASE_NEW) {
        *note = "nobody has told this machine to learn yet: POST .../commission, or set start to auto";
        return ACTION_IDLE;
    }
    if (!due(learning ? settings->learn_every : settings->detect_every,
             learning ? state->last_learn : state->last_detect, at, state->interval)) {
        *note = learning ? "learn_every has not passed" : "detect_every has not passed";
        return ACTION_SKIP;
    }
    if (!learning)
        return ACTION_DETECT;
    return by_rule ? ACTION_LEARN_BY_RULE : ACTION_LEARN;
}

enum strategy_action strategy_decide(const struct settings *settings, struct strategy_state *state,
                                     enum strategy_wish wish, enum run_verdict running, int64_t at, const char **note)
{
    bool begins = wish == WISH_LEARN || (wish == WISH_AUTOMATIC && settings->start == START_AUTO && running == RUN_YES);

    *note = NULL;
    if (settings->paused) {
        *note = "this machine is paused";
        return ACTION_IDLE;
    }
    if (state->phase == PHASE_NEW && begins)
        enter(state, PHASE_LEARNING, at);
    if (wish == WISH_LEARN)
        return ACTION_LEARN;
    if (wish == WISH_DETECT)
        return ACTION_DETECT;
    return by_phase(settings, state, running, at, note);
}

void strategy_seen(struct strategy_state *state, int64_t at, int64_t arrival)
{
    int64_t interval = at - state->last_measured;

    if (state->last_measured != 0 && interval > 0)
        state->interval = state->interval == 0 ? interval : state->interval + (interval - state->interval) / 8;
    state->last_measured = at; /* also back: after a clock that was ahead the machine would be heard for ever */
    state->last_seen = arrival;
}

/* --------------------------------------------------------------------------------------------------------- learning */

static bool goal_reached(const struct settings *settings, const struct strategy_state *state,
                         const struct learning *learning, int64_t at)
{
    uint64_t passed = at > state->phase_since ? (uint64_t)(at - state->phase_since) : 0;

    if (learning->needed > 0) /* watching without being able to judge helps nobody */
        return false;
    switch (settings->learn.mode) {
    case LEARN_BUFFERS:
        return state->phase_learned >= settings->learn.value;
    case LEARN_DURATION:
        return passed >= settings->learn.value;
    default:
        return (state->phase_learned >= settings->learn_min && learning->settled >= 1) || passed >= settings->learn_max;
    }
}

void strategy_learned(const struct settings *settings, struct strategy_state *state, const struct learning *learning,
                      int64_t at)
{
    state->last_learn = at;
    run_learned(settings, state);
    if (state->phase != PHASE_LEARNING)
        return;
    if (at < state->phase_since) /* the clock was ahead: without this the end would wait for that time */
        state->phase_since = at;
    state->phase_learned++;
    if (goal_reached(settings, state, learning, at))
        enter(state, PHASE_WATCHING, at);
}

/* -------------------------------------------------------------------------------------------------------- anomalies */

/* Each ten points of similarity are worth a message; at 0 each doubling of the distance is. Both in fixed steps, so that the
 * lowest and the largest so far say what was told already. */
static bool worse(const struct strategy_state *state, const struct average *average)
{
    if (average->similarity > 0)
        return average->similarity / 10 < state->anomaly_similarity / 10;
    return state->anomaly_similarity >= 10 || ilogbf(average->distance) > ilogbf(state->anomaly_distance);
}

static enum anomaly_event while_open(const struct settings *settings, struct strategy_state *state,
                                     const struct average *average)
{
    bool worsened = worse(state, average);

    state->anomaly_buffers++;
    if (average->similarity < state->anomaly_similarity)
        state->anomaly_similarity = average->similarity;
    if (average->distance > state->anomaly_distance)
        state->anomaly_distance = average->distance;
    if (average->similarity >= settings->clear) {
        state->memory.below = 0;
        return ANOMALY_CLEARED;
    }
    return worsened ? ANOMALY_WORSENED : ANOMALY_NONE;
}

/* Counts judgements in a row. Returns whether they are enough, and the last one is below the threshold and beyond the line. */
static bool persists(const struct settings *settings, struct strategy_state *state, const struct alarm_plan *plan,
                     const struct average *average)
{
    float distance = average->distance * settings->sensitivity;
    bool below = average->similarity < settings->threshold && (!plan->ordered || distance > plan->line);
    bool counts = below || (plan->ordered && distance > plan->hold);

    if (!counts)
        state->memory.below = 0;
    else if (state->memory.below < UINT32_MAX)
        state->memory.below++;
    return below && state->memory.below >= plan->persistence;
}

enum anomaly_event strategy_judged(const struct settings *settings, struct strategy_state *state,
                                   const struct alarm_plan *plan, const struct average *average, int64_t at)
{
    alarm_interval_note(state, at);
    state->last_detect = at;
    if (!average->known)
        return ANOMALY_NONE;
    if (state->anomaly != 0)
        return while_open(settings, state, average);
    if (!persists(settings, state, plan, average) || rules_hold(settings, state))
        return ANOMALY_NONE;
    state->anomaly_similarity = average->similarity;
    state->anomaly_distance = average->distance;
    state->anomaly_buffers = 1;
    return ANOMALY_RAISED;
}

/* ---------------------------------------------------------------------------------------------------------- silence */

int64_t strategy_patience(const struct settings *settings, const struct strategy_state *state)
{
    if (settings->silent_after > 0)
        return (int64_t)settings->silent_after;
    return state->interval > 6000 ? 10 * state->interval : 60000;
}

bool strategy_online(const struct settings *settings, const struct strategy_state *state, int64_t now)
{
    return state->last_seen != 0 && llabs(now - state->last_seen) <= strategy_patience(settings, state);
}
