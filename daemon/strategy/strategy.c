#include "strategy/strategy.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

/* ---------------------------------------------------------------------------------------------------------- phases */

static void enter(struct strategy_state *state, enum phase phase, int64_t at)
{
    state->phase = phase;
    state->phase_since = at;
    state->phase_learned = 0;
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
}

enum phase strategy_phase(const struct settings *settings, const struct strategy_state *state)
{
    return settings->paused ? PHASE_PAUSED : (enum phase)state->phase;
}

/* -------------------------------------------------------------------------------------------------------- decisions */

/* Whether `every` has passed since `last`. A clock that went back counts as passed: better one buffer too many than none
 * for hours. */
static bool due(uint64_t every, int64_t last, int64_t at)
{
    return every == 0 || last == 0 || at < last || (uint64_t)(at - last) >= every;
}

static enum strategy_action by_phase(const struct settings *settings, const struct strategy_state *state, int64_t at,
                                     const char **note)
{
    bool learning = state->phase == PHASE_LEARNING;

    if (state->phase == PHASE_NEW) {
        *note = "nobody has told this machine to learn yet: POST .../commission, or set start to auto";
        return ACTION_IDLE;
    }
    if (!due(learning ? settings->learn_every : settings->detect_every,
             learning ? state->last_learn : state->last_detect, at)) {
        *note = learning ? "learn_every has not passed" : "detect_every has not passed";
        return ACTION_SKIP;
    }
    return learning ? ACTION_LEARN : ACTION_DETECT;
}

enum strategy_action strategy_decide(const struct settings *settings, struct strategy_state *state,
                                     enum strategy_wish wish, int64_t at, const char **note)
{
    *note = NULL;
    if (settings->paused) {
        *note = "this machine is paused";
        return ACTION_IDLE;
    }
    if (state->phase == PHASE_NEW && (wish == WISH_LEARN || (wish == WISH_AUTOMATIC && settings->start == START_AUTO)))
        enter(state, PHASE_LEARNING, at);
    if (wish == WISH_LEARN)
        return ACTION_LEARN;
    if (wish == WISH_DETECT)
        return ACTION_DETECT;
    return by_phase(settings, state, at, note);
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
    if (average->similarity >= settings->clear)
        return ANOMALY_CLEARED;
    return worsened ? ANOMALY_WORSENED : ANOMALY_NONE;
}

enum anomaly_event strategy_judged(const struct settings *settings, struct strategy_state *state,
                                   const struct average *average, int64_t at)
{
    state->last_detect = at;
    if (!average->known)
        return ANOMALY_NONE;
    if (state->anomaly != 0)
        return while_open(settings, state, average);
    if (average->similarity >= settings->threshold)
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
