#include "call.h"

#include <string.h>

#include "coupling.h"
#include "maths.h"

#define LEAST_WEIGHT 1e-6f
#define STEEPNESS    8.0f /* the weight falls with this power of the distance */

enum { COMMISSIONED = 60, UNREST_MEMORY = 64 };

/* A view that finds a buffer rather strange learns it with less weight: a few abnormal buffers among the learned ones hardly
 * widen what is normal. A new state that comes again is taken in all the same: modes and prototypes keep a least count. */
static float influence(const struct habit_calibration *calibration, uint32_t v, float log_distance, uint32_t count)
{
    const float beyond = habit_calibration_beyond(calibration, v, log_distance, count);

    return beyond > 0.0f ? habit_larger(habit_exp(-STEEPNESS * beyond), LEAST_WEIGHT) : 1.0f;
}

/* Share of the buffers that were so, of the last `memory` or so. */
static void count_share(float *share, bool so, uint32_t scores, uint32_t memory)
{
    *share += ((so ? 1.0f : 0.0f) - *share) / (float)(scores < memory ? scores : memory);
    *share = habit_without_dust(*share, 1e-12f);
}

static void count_alarm(struct habit_ledger *ledger, const struct habit_judgement *judgement)
{
    const uint32_t scores = ledger->scatter.scores + 1;

    count_share(&ledger->alarms, judgement->score > judgement->line, scores, HABIT_ALARM_MEMORY);
    count_share(&ledger->unrest, judgement->score > judgement->steady, scores, UNREST_MEMORY);
}

/* What the nearest mode says of a buffer that it did not learn yet: how far it usually misses, and what is common to axes. */
static void learn_spectrum_residual(struct habit_call *call, const struct habit_judgement *judgement, float weight)
{
    const struct habit_calibration *calibration = &call->ledger->calibration;
    const uint32_t nearest = judgement->nearest[HABIT_SPECTRUM];
    const struct habit_shape *shape = call->modes.shape;

    if (habit_is_coupled(shape))
        habit_coupling_add(call->modes.coupling, shape, call->whitened, weight / call->modes.tolerance[nearest],
                           call->work);
    if (calibration->scores >= HABIT_SCORES_BOUND) {
        const struct habit_prediction p = habit_calibration_predict(calibration, HABIT_SPECTRUM, call->ledger->count);
        const float offset = habit_modes_offset(&call->modes, nearest);
        const float excess = judgement->log_distance[HABIT_SPECTRUM] + offset - p.mean;

        habit_modes_visit(&call->modes, nearest, habit_within(excess, HABIT_BOUND_SIGMAS * p.spread));
    }
}

/* What was accepted is no reason to change what was learned: the mean of the waveform learns by the distance from itself. */
static float waveform_influence(struct habit_call *call, const struct habit_judgement *judgement)
{
    uint32_t nearest = judgement->nearest[HABIT_WAVEFORM];
    float log_distance = judgement->log_distance[HABIT_WAVEFORM];

    if (nearest > 0)
        log_distance = habit_log_of_square(HABIT_WAVEFORM, habit_square_to(call, HABIT_WAVEFORM, 1, &nearest));
    return influence(&call->ledger->calibration, HABIT_WAVEFORM, log_distance, call->ledger->count);
}

/* An honest score of the buffer before it is learned; weight[v] is what it may be learned with. */
static void score_first(struct habit_call *call, float weight[HABIT_VIEWS])
{
    struct habit_ledger *ledger = call->ledger;
    struct habit_judgement judgement;

    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        weight[v] = 1.0f;
    if (ledger->count < HABIT_FIRST_SCORED)
        return;
    habit_judge(call, &judgement, true);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        if (habit_has_view(call, v))
            weight[v] = influence(&ledger->calibration, v, judgement.log_distance[v], ledger->count);
    if (habit_has_view(call, HABIT_WAVEFORM))
        weight[HABIT_WAVEFORM] = waveform_influence(call, &judgement);
    if (judgement.views > 0) {
        count_alarm(ledger, &judgement);
        habit_scatter_score(&ledger->scatter, judgement.score, ledger->count);
    }
    if (habit_has_view(call, HABIT_SPECTRUM))
        learn_spectrum_residual(call, &judgement, weight[HABIT_SPECTRUM]);
    habit_calibration_add(&ledger->calibration, judgement.log_distance, ledger->count);
}

static void learn_models(struct habit_call *call, const float weight[HABIT_VIEWS])
{
    float **x = call->features.view;

    if (habit_has_view(call, HABIT_SPECTRUM))
        habit_modes_learn(&call->modes, x[HABIT_SPECTRUM], weight[HABIT_SPECTRUM], call->whitened);
    habit_prototypes_learn(&call->prototypes, x[HABIT_LEVEL], weight[HABIT_LEVEL], call->ledger->count, call->rms,
                           call->whitened);
    if (habit_has_view(call, HABIT_WAVEFORM))
        habit_waveform_learn(&call->waveform, x[HABIT_WAVEFORM], weight[HABIT_WAVEFORM], call->whitened);
}

void habit_learn_rms(struct habit_call *call)
{
    for (uint32_t a = 0; a < call->layout.axes; a++)
        call->rms[a] += (call->features.rms[a] - call->rms[a]) / (float)call->ledger->count;
}

/* At the limit everything that was learned counts half: sums never become so large that a buffer adds nothing. */
void habit_age(struct habit_call *call)
{
    if (call->ledger->count < HABIT_COUNT_LIMIT)
        return;
    call->ledger->count /= 2;
    if (habit_has_view(call, HABIT_SPECTRUM))
        habit_modes_halve(&call->modes);
    habit_prototypes_halve(&call->prototypes);
    if (habit_has_view(call, HABIT_WAVEFORM))
        habit_waveform_halve(&call->waveform);
}

void habit_absorb(struct habit_call *call)
{
    float weight[HABIT_VIEWS];

    score_first(call, weight);
    learn_models(call, weight);
    call->ledger->weight = habit_smaller(weight[0], habit_smaller(weight[1], weight[2]));
    call->ledger->count++;
    habit_learn_rms(call);
    habit_age(call);
    call->engine->cached = 0;
}

bool habit_all_constant(const struct habit_call *call)
{
    return call->features.constant == (uint16_t)((1u << call->layout.axes) - 1u);
}

void habit_count_learned(struct habit_call *call, size_t n)
{
    uint32_t *learned = &call->header->learned;

    *learned = n < UINT32_MAX - *learned ? *learned + (uint32_t)n : UINT32_MAX;
    if (call->ledger->started && !call->ledger->baseline && *learned >= COMMISSIONED)
        habit_baseline_take(call);
}

/* Never inline: see habit_call_open(). */
__attribute__((noinline)) int habit_take_in(struct habit_engine *engine, const struct habit_source *source,
                                            size_t count, struct habit_progress *progress)
{
    struct habit_call call;
    int result;

    habit_call_open(&call, engine);
    result = habit_call_take(&call, source, count);
    if (result == HABIT_OK && habit_all_constant(&call))
        result = HABIT_ECONSTANT;
    if (result != HABIT_OK)
        return result;
    if (call.ledger->started)
        habit_absorb(&call);
    else
        habit_keep(&call);
    habit_count_learned(&call, 1);
    habit_touch(engine, call.vector, call.layout.vector);
    if (progress) {
        habit_report(&call, progress);
        progress->clipped = call.features.clipped;
    }
    return HABIT_OK;
}

static int learn(struct habit_engine *engine, const struct habit_source *source, size_t count,
                 struct habit_progress *progress)
{
    int result;

    if (!engine)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    return result == HABIT_OK ? habit_take_in(engine, source, count, progress) : result;
}

int habit_learn(struct habit_engine *engine, const float *samples, size_t count, struct habit_progress *progress)
{
    const struct habit_source source = { .floats = samples };

    return learn(engine, &source, count, progress);
}

int habit_learn_i16(struct habit_engine *engine, const int16_t *samples, size_t count, struct habit_progress *progress)
{
    const struct habit_source source = { .integers = samples, .scale = engine ? engine->config.scale : 0.0f };

    return learn(engine, &source, count, progress);
}
