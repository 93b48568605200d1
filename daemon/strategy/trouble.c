#include "strategy/trouble.h"

#include "strategy/strategy.h"

#define TOO_FAST 0.9 /* of the time that a buffer takes to be measured: clocks are never quite right */

enum { IN_A_ROW = 3, RATE_IN_A_ROW = 10, AHEAD_MS = 300000 };

static void set(struct strategy_state *state, enum trouble trouble, bool present)
{
    uint32_t bit = 1u << trouble;

    state->memory.present = present ? state->memory.present | bit : state->memory.present & ~bit;
}

/* Counts up to `enough` while something is so and down while it is not: begins at the one end, ends at the other. */
static void count(struct strategy_state *state, enum trouble trouble, uint32_t *counter, bool is_so, uint32_t enough)
{
    if (is_so)
        *counter += *counter < enough;
    else
        *counter -= *counter > 0;
    if (*counter == enough || *counter == 0)
        set(state, trouble, *counter == enough);
}

void trouble_sensor(struct strategy_state *state, enum trouble trouble, bool shown)
{
    uint32_t *counter = trouble == TROUBLE_DEAD ? &state->memory.dead : &state->memory.clipped;

    count(state, trouble, counter, shown, IN_A_ROW);
}

void trouble_rate(const struct settings *settings, struct strategy_state *state, int64_t interval)
{
    double takes = settings->sampling_hz > 0 ? 1000.0 * settings->buffer_size / (double)settings->sampling_hz : 0;

    if (interval > 0)
        count(state, TROUBLE_RATE, &state->memory.fast, (double)interval < TOO_FAST * takes - 1, RATE_IN_A_ROW);
}

void trouble_context(struct strategy_state *state, bool missing)
{
    set(state, TROUBLE_CONTEXT, missing);
}

static bool stands_too_long(const struct settings *settings, const struct strategy_state *state, int64_t now)
{
    const struct run_memory *run = &state->memory.run;

    return settings->stopped_after > 0 && run->status == RUN_STANDS &&
           now - run->since >= (int64_t)settings->stopped_after;
}

/* What was silent before a restart still is. What was heard by a clock that was far ahead of this one was heard before the start. */
static bool is_silent(const struct settings *settings, const struct strategy_state *state, int64_t listening,
                      int64_t now)
{
    bool told = (state->memory.told & 1u << TROUBLE_SILENT) != 0, ahead = state->last_seen - now > AHEAD_MS;
    int64_t heard = !ahead && (told || state->last_seen > listening) ? state->last_seen : listening;

    return (told && ahead) || now - heard > strategy_patience(settings, state);
}

uint32_t troubles_now(const struct settings *settings, const struct strategy_state *state, int64_t listening,
                      int64_t now)
{
    uint32_t troubles = state->memory.present;

    if (state->last_seen == 0 || settings->paused)
        return 0;
    if (is_silent(settings, state, listening, now))
        troubles |= 1u << TROUBLE_SILENT;
    if (stands_too_long(settings, state, now))
        troubles |= 1u << TROUBLE_STOPPED;
    return troubles;
}
