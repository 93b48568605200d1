/* Strategy's time: the wall clock as it was when habitd started, carried on by the clock that nobody sets. A gateway without a
 * battery starts in 1970 and learns the time minutes later: a day of learning must not be over then. */
#include <stdint.h>
#include <stdlib.h>

#include "registry/internal.h"

enum { AHEAD_MS = 300000, STEADY_MS = 1000 };
static const int64_t longest_ms = INT64_C(400) * 86400000;

static int64_t ahead_of_steady(struct registry *registry, struct moment now)
{
    int64_t ahead = now.wall - now.mono, none = INT64_MIN;

    if (atomic_compare_exchange_strong(&registry->wall_ahead, &none, ahead))
        registry->began = now.wall;
    return ahead;
}

int64_t registry_skew(struct registry *registry, struct moment now)
{
    int64_t ahead = ahead_of_steady(registry, now);

    int64_t skew = ahead - registry->wall_ahead;

    if (llabs(skew - registry->skew) >
        STEADY_MS) /* the two clocks are not read at the same moment, and one is slewed */
        registry->skew = skew;
    return registry->skew;
}

int64_t registry_steady(struct registry *registry, struct moment now)
{
    return now.wall - registry_skew(registry, now);
}

static bool is_impossible(int64_t gap)
{
    return gap < -AHEAD_MS || gap > longest_ms;
}

/* It was begun by another clock: then it begins now. */
static void join_mute(struct mute *mute, int64_t steady)
{
    int64_t gap = steady - mute->since;

    if (!is_impossible(gap))
        return;
    mute->since += gap;
    mute->until += gap;
}

void state_join_time(struct strategy_state *state, int64_t steady)
{
    int64_t gap = steady - state->last_seen;

    if (state->last_seen != 0 && is_impossible(gap))
        strategy_move(state, gap);
}

void machine_join_time(struct machine *machine, int64_t steady)
{
    if (machine->fresh)
        state_join_time(&machine->state, steady);
    if (machine->fresh && machine->mute)
        join_mute(machine->mute, steady);
    machine->fresh = false;
}
