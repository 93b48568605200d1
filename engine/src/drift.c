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

/* What an operator accepts is no drift: the baseline takes it in as the modes do, and scatters as far. Levels keep their mean. */
void habit_baseline_accept(struct habit_call *call, const float *x, float share)
{
    float *mean = baseline(call), *variance = mean + baseline_size(call);

    if (!call->ledger->baseline)
        return;
    for (uint32_t i = 0; i < call->layout.view[HABIT_SPECTRUM].dimension; i++) {
        const float apart = x[i] - mean[i];

        mean[i] = habit_without_dust(mean[i] + share * apart, HABIT_DUST);
        variance[i] += share * (1.0f - share) * apart * apart;
    }
}

int habit_drift(struct habit_engine *engine, float *drift)
{
    struct habit_call call;
    const float *mean, *variance;
    float largest = 0.0f;
    int result;

    if (!engine || !drift)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    habit_call_open(&call, engine);
    if (call.ledger->baseline) {
        mean = baseline(&call);
        variance = mean + baseline_size(&call);
        moments_now(&call, call.vector, call.total);
        for (uint32_t i = 0; i < baseline_size(&call); i++)
            largest = habit_larger(largest, fabsf(call.vector[i] - mean[i]) / sqrtf(variance[i]));
    }
    *drift = habit_smaller(largest, 1e9f);
    return HABIT_OK;
}
