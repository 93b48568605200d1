/* An operator says: this is normal. What was accepted becomes a state of its own, pinned so that it counts however rarely it
 * comes again. */
#include "call.h"

#include "maths.h"

#define SHARE       0.05f /* of all that was learned: the support that accepted buffers get together, at least */
#define SHARE_SHAPE 0.2f  /* the same in the waveform, which has one mean only: it must scatter that far */

static void clear(float *sum, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sum[i] = 0.0f;
}

/* Mean features of the buffers, in call->vector. Nothing is changed before all of them were looked at. */
static int average(struct habit_call *call, const float *buffers, size_t n)
{
    const size_t count = (size_t)call->layout.samples * call->layout.axes;
    const uint32_t words = call->layout.vector;

    clear(call->total, words);
    for (size_t k = 0; k < n; k++) {
        const struct habit_source source = { .floats = buffers + k * count };
        int result = habit_call_take(call, &source, count);

        if (result == HABIT_OK && habit_all_constant(call))
            result = HABIT_ECONSTANT;
        if (result != HABIT_OK)
            return result;
        for (uint32_t i = 0; i < words; i++)
            call->total[i] += (call->vector[i] - call->total[i]) / (float)(k + 1);
    }
    for (uint32_t i = 0; i < words; i++)
        call->vector[i] = call->total[i];
    return HABIT_OK;
}

static void adopt(struct habit_call *call, size_t n)
{
    float **x = call->features.view;
    const float learned = (float)call->ledger->count;
    const float weight = habit_larger((float)(n < HABIT_COUNT_LIMIT ? n : HABIT_COUNT_LIMIT), SHARE * learned);
    const float support = habit_smaller(weight, learned);

    habit_baseline_accept(call, support / (learned + support));
    if (habit_has_view(call, HABIT_SPECTRUM))
        habit_modes_learn(&call->modes, x[HABIT_SPECTRUM], support, true, call->whitened);
    habit_prototypes_learn(&call->prototypes, x[HABIT_LEVEL], support, true, call->ledger->count, call->rms,
                           call->whitened);
    if (habit_has_view(call, HABIT_WAVEFORM))
        habit_waveform_learn(&call->waveform, x[HABIT_WAVEFORM], habit_larger(support, SHARE_SHAPE * learned),
                             call->whitened);
    call->ledger->count++;
    habit_learn_rms(call);
    habit_age(call);
    call->ledger->weight = 1.0f;
}

/* Before the models have started there is nothing to compare with: the buffers are learned as any others. */
static int learn_each(struct habit_engine *engine, const float *buffers, size_t n, size_t count)
{
    int result = HABIT_OK;

    for (size_t k = 0; k < n && result == HABIT_OK; k++)
        result = habit_learn(engine, buffers + k * count, count, NULL);
    return result;
}

int habit_accept(struct habit_engine *engine, const float *buffers, size_t n)
{
    struct habit_call call;
    size_t count;
    int result;

    if (!engine || !buffers)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    habit_call_open(&call, engine);
    count = (size_t)call.layout.samples * call.layout.axes;
    if (n < 1 || n > SIZE_MAX / sizeof(float) / count)
        return HABIT_ECOUNT;
    result = average(&call, buffers, n);
    if (result != HABIT_OK)
        return result;
    if (!call.ledger->started)
        return learn_each(engine, buffers, n, count);
    adopt(&call, n);
    habit_count_learned(&call, n);
    habit_touch(engine, call.vector, call.layout.vector);
    return HABIT_OK;
}
