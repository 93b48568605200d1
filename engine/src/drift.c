/* How far learning has moved what counts as normal since commissioning. */
#include "call.h"

#include <string.h>

#include "maths.h"

/* Mean and variance of the spectrum features, then of the levels, as they are now. */
static void moments_now(const struct habit_call *call, float *mean, float *variance)
{
    const uint32_t spectrum = call->layout.view[HABIT_SPECTRUM].dimension;

    if (spectrum > 0) {
        habit_modes_mean(&call->modes, mean);
        habit_modes_variance(&call->modes, variance);
    }
    memcpy(mean + spectrum, call->prototypes.mean, 4 * (size_t)call->layout.axes);
    habit_prototypes_variance(&call->prototypes, call->rms, variance + spectrum);
}

static uint32_t baseline_size(const struct habit_call *call)
{
    return call->layout.view[HABIT_SPECTRUM].dimension + call->layout.axes;
}

static float *baseline(const struct habit_call *call)
{
    return (float *)call->header + call->layout.baseline;
}

void habit_baseline_take(struct habit_call *call)
{
    moments_now(call, baseline(call), baseline(call) + baseline_size(call));
    call->ledger->baseline = 1;
}

/* How far a mean lies beyond all that is normal between the baseline and what an operator accepted: up to there it is no
 * drift. accepted: bits of points, each with `dimension` features; x: this feature of the first. */
static float beyond(float now, float mean, const float *x, uint32_t accepted, uint32_t dimension)
{
    float low = mean, high = mean;

    for (; accepted != 0; accepted >>= 1, x += dimension)
        if ((accepted & 1u) != 0) {
            low = habit_smaller(low, *x);
            high = habit_larger(high, *x);
        }
    return habit_larger(habit_larger(low - now, now - high), 0.0f);
}

/* The largest over the features, in standard deviations of the baseline. The means of the modes know nothing of what was
 * accepted, those of the levels do. */
static float drift_of(struct habit_call *call)
{
    const uint32_t spectrum = call->layout.view[HABIT_SPECTRUM].dimension;
    const float *mean = baseline(call), *variance = mean + baseline_size(call);
    const struct habit_prototypes_parts *levels = &call->prototypes;
    float largest = 0.0f;

    moments_now(call, call->vector, call->total);
    for (uint32_t i = 0; i < baseline_size(call); i++) {
        const uint32_t accepted = i < spectrum ? 0 : levels->model->pinned;
        const float *x = levels->position + (i < spectrum ? 0 : i - spectrum);
        const float far = beyond(call->vector[i], mean[i], x, accepted, levels->shape->dimension);

        largest = habit_larger(largest, far / sqrtf(variance[i]));
    }
    return habit_smaller(largest, 1e9f);
}

/* Never inline: see habit_call_open(). */
__attribute__((noinline)) static float look(struct habit_engine *engine)
{
    struct habit_call call;

    habit_call_open(&call, engine);
    return call.ledger->baseline ? drift_of(&call) : 0.0f;
}

int habit_drift(struct habit_engine *engine, float *drift)
{
    int result;

    if (!engine || !drift)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result == HABIT_OK)
        *drift = look(engine);
    return result;
}
