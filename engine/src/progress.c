/* How far learning is. */
#include "call.h"

#include <string.h>

#include "maths.h"

#define SETTLED_AFTER 60.0f
#define RESTLESS      0.05f /* share of alarms while learning above which nothing is settled */
#define RESTLESS_MOST 0.9f

uint32_t habit_needed(const struct habit_call *call)
{
    const uint32_t scores = call->ledger->calibration.scores;

    if (!call->ledger->started)
        return HABIT_START - call->ledger->count;
    return scores < HABIT_SCORES_NEEDED ? HABIT_SCORES_NEEDED - scores : 0;
}

static uint32_t judging_views(const struct habit_call *call)
{
    uint32_t views = 0;

    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        views += habit_has_view(call, v);
    return views;
}

static enum habit_missing missing(const struct habit_progress *progress, bool restless)
{
    if (progress->needed > 0)
        return HABIT_MISSING_BUFFERS;
    if (progress->learned < (uint32_t)SETTLED_AFTER)
        return HABIT_MISSING_MORE;
    return restless ? HABIT_MISSING_QUIET : HABIT_MISSING_NOTHING;
}

void habit_report(const struct habit_call *call, struct habit_progress *progress)
{
    const bool restless = call->ledger->alarms > RESTLESS;

    memset(progress, 0, sizeof(*progress));
    progress->learned = call->header->learned;
    progress->needed = habit_needed(call);
    progress->weight = call->ledger->weight;
    progress->settled = habit_smaller((float)progress->learned / SETTLED_AFTER, restless ? RESTLESS_MOST : 1.0f);
    progress->false_alarms = habit_larger(habit_tail(HABIT_ALARM_SIGMAS, judging_views(call)), call->ledger->alarms);
    progress->extrapolated = habit_extrapolates(progress->false_alarms, progress->learned);
    progress->missing = missing(progress, restless);
}

int habit_status(struct habit_engine *engine, struct habit_progress *progress)
{
    struct habit_call call;
    int result;

    if (!engine || !progress)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    habit_call_open(&call, engine);
    habit_report(&call, progress);
    return HABIT_OK;
}
