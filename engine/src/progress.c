/* How far learning is. */
#include "call.h"

#include <string.h>

#include "maths.h"

#define SETTLED_AFTER 60.0f
#define UNREST        0.04f /* share of recent buffers beyond the line, above which what is normal is still changing */

#define UNSETTLED_MOST 0.5f

/* What is known of a machine before it is: stationary ones of all kinds were measured to alarm on this share of their
 * buffers. It counts as much as so many scores of the machine's own. */
#define USUAL_ALARMS 0.01f
#define USUAL_WORTH  100.0f

uint32_t habit_needed(const struct habit_call *call)
{
    const uint32_t scores = call->ledger->calibration.scores;

    if (!call->ledger->started)
        return HABIT_START - call->ledger->count;
    return scores < HABIT_SCORES_NEEDED ? HABIT_SCORES_NEEDED - scores : 0;
}

/* Share of alarms while learning, of buffers that were scored before they were learned, from what is usual to what was seen. */
static float false_alarms(const struct habit_ledger *ledger)
{
    const uint32_t scores = ledger->scatter.scores;
    const float seen = (float)(scores < HABIT_ALARM_MEMORY ? scores : HABIT_ALARM_MEMORY);

    return (USUAL_ALARMS * USUAL_WORTH + ledger->alarms * seen) / (USUAL_WORTH + seen);
}

static bool is_changing(const struct habit_call *call)
{
    return call->ledger->unrest > UNREST ||
           habit_prototypes_moving(&call->prototypes, call->ledger->count, call->rms, call->work);
}

static void count_states(const struct habit_call *call, struct habit_progress *progress)
{
    struct habit_census census = { .states = 1 };

    if (habit_has_view(call, HABIT_SPECTRUM))
        census = habit_modes_census(&call->modes, call->ledger->count, call->work);
    progress->states = census.states;
    progress->rare = census.rare;
}

/* A rare state explains unrest: it is said first. */
static enum habit_missing missing(const struct habit_call *call, struct habit_progress *progress)
{
    if (progress->needed > 0)
        return HABIT_MISSING_BUFFERS;
    if (progress->rare > 0)
        return HABIT_MISSING_STATE;
    if (is_changing(call))
        return HABIT_MISSING_REST;
    return progress->learned < (uint32_t)SETTLED_AFTER ? HABIT_MISSING_MORE : HABIT_MISSING_NOTHING;
}

static float settled(const struct habit_progress *progress)
{
    const bool unsettled = progress->missing == HABIT_MISSING_REST || progress->missing == HABIT_MISSING_STATE;

    return habit_smaller((float)progress->learned / SETTLED_AFTER, unsettled ? UNSETTLED_MOST : 1.0f);
}

void habit_report(const struct habit_call *call, struct habit_progress *progress)
{
    memset(progress, 0, sizeof(*progress));
    progress->learned = call->header->learned;
    progress->needed = habit_needed(call);
    progress->weight = call->ledger->weight;
    progress->false_alarms = false_alarms(call->ledger);
    progress->extrapolated = habit_extrapolates(progress->false_alarms, progress->learned);
    if (call->ledger->started)
        count_states(call, progress);
    progress->missing = missing(call, progress);
    progress->settled = settled(progress);
}

/* Never inline: see habit_call_open(). */
__attribute__((noinline)) static void look(struct habit_engine *engine, struct habit_progress *progress)
{
    struct habit_call call;

    habit_call_open(&call, engine);
    habit_report(&call, progress);
}

int habit_status(struct habit_engine *engine, struct habit_progress *progress)
{
    int result;

    if (!engine || !progress)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result == HABIT_OK)
        look(engine, progress);
    return result;
}
