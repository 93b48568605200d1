/* Why a buffer is strange, in the user's terms. Each cause that has a name would have a known effect on the features: a tone
 * that grows lifts its band, what leaks into the bands beside it, and the amplitude by its share of the energy. A cause weighs
 * as much as goes away of the squared distance when its effect, of whatever size fits best, is taken back (the
 * reconstruction-based contribution of Alcala and Qin, Automatica 45, 2009). The single deviations are not good enough: they
 * blame what is usually steadiest. What a reason says is not whitened: a figure that mixes all features could not be read. */
#include "call.h"

#include "block.h"
#include "maths.h"

#define WORTH_EXPLAINING 0.5f /* strangeness below which nothing is strange enough to ask why */
#define WORTH_TELLING    2.0f /* standard deviations of the reasons after the first */
#define NOTICEABLE       0.5f /* in proportion to the largest: deviation of a view, squared distance of an axis */
#define LARGEST_SIGMAS   1e9f
#define LEAST_SHARE      (-40.0f) /* logarithm of an energy in proportion to the largest: never subnormal */

#define LEAK      0.5f      /* of a bin's energy, by the window, to each side */
#define GENERAL   0.8f      /* of amplitude: a band that says nearly as much says where */
#define PEAKS     2.5f      /* of impulsiveness: shocks lift all bands a little, so no band tells of them */
#define FOLLOWING 0.25f     /* of impulsiveness that follows from something else */
#define SKEWED    0.5f      /* of asymmetry, which chance and tones that beat bring forth too */
#define GAUSSIAN  1.131402f /* log(3 + 0.1), as describe_shape() has it: the kurtosis of noise */

enum { AMPLITUDE, KURTOSIS, SKEWNESS, CREST, SHOCKS }; /* features of an axis after its bands */

static const uint8_t shape_kinds[HABIT_SHAPES] = { HABIT_KIND_AMPLITUDE, HABIT_KIND_IMPULSIVENESS, HABIT_KIND_ASYMMETRY,
                                                   HABIT_KIND_IMPULSIVENESS, HABIT_KIND_IMPULSIVENESS };
static const uint8_t peak_features[] = { KURTOSIS, CREST, SHOCKS };

static void name_band(const struct habit_call *call, uint32_t band, struct habit_reason *reason)
{
    const float rate = call->engine->config.sampling_hz;
    const uint16_t *edges = call->features.edges;
    float bin;

    reason->kind = HABIT_KIND_BAND;
    reason->in_hz = rate > 0.0f;
    bin = reason->in_hz ? rate / (float)call->layout.transform : 1.0f;
    reason->from = bin * (float)edges[band];
    reason->to = bin * (float)(edges[band + 1] - 1);
}

static void name_spectrum(const struct habit_call *call, uint32_t feature, struct habit_reason *reason)
{
    if (feature < call->layout.bands)
        name_band(call, feature, reason);
    else
        reason->kind = shape_kinds[feature - call->layout.bands];
}

static void name_level(const struct habit_call *call, uint32_t feature, struct habit_reason *reason)
{
    (void)call;
    reason->kind = HABIT_KIND_LEVEL;
    reason->axis = (uint8_t)feature;
}

/* First and last sample of a part, see describe_waveform() in feature.c. */
static void name_waveform(const struct habit_call *call, uint32_t feature, struct habit_reason *reason)
{
    const uint32_t parts = call->layout.view[HABIT_WAVEFORM].part, samples = call->layout.samples;
    const uint32_t first = (2 * feature * samples + parts) / (2 * parts);
    const uint32_t behind = (2 * (feature + 1) * samples + parts) / (2 * parts);

    reason->kind = HABIT_KIND_WAVEFORM;
    reason->from = (float)first;
    reason->to = (float)(behind - 1);
}

static void (*const name_feature[HABIT_VIEWS])(const struct habit_call *, uint32_t, struct habit_reason *) = {
    [HABIT_SPECTRUM] = name_spectrum,
    [HABIT_LEVEL] = name_level,
    [HABIT_WAVEFORM] = name_waveform,
};

/* ------------------------------------------------------------------------------------------------- the list of reasons */

/* A cause that may become a reason; those that stay get their names at the end. */
struct cause {
    float weight, sigmas;
    uint8_t view, block, feature;
};

struct causes {
    uint32_t count;
    struct cause cause[HABIT_MAX_REASONS];
};

static void insert(struct causes *causes, const struct cause *cause)
{
    uint32_t at = causes->count;

    if (at < HABIT_MAX_REASONS)
        causes->count++;
    else if (causes->cause[--at].weight >= cause->weight)
        return;
    for (; at > 0 && causes->cause[at - 1].weight < cause->weight; at--)
        causes->cause[at] = causes->cause[at - 1];
    causes->cause[at] = *cause;
}

/* The first `always` causes, and of the others those that are worth telling. */
static void name(const struct habit_call *call, const struct causes *causes, uint32_t always,
                 struct habit_result *result)
{
    for (uint32_t k = 0; k < causes->count; k++) {
        const struct cause *cause = &causes->cause[k];
        struct habit_reason *reason = &result->reason[result->reasons];

        if (k >= always && fabsf(cause->sigmas) < WORTH_TELLING)
            continue;
        reason->axis = cause->block;
        reason->sigmas = cause->sigmas;
        name_feature[cause->view](call, cause->feature, reason);
        result->reasons++;
    }
}

/* --------------------------------------------------------------------------------------------------- one block of a view */

struct block {
    const struct habit_call *call;
    uint32_t view, index;
    const float *x, *point, *inverse_sd, *factor, *white;
    float *weighted; /* work: D^-1 L^-1 of the deviations, for L D L' see block.h */
    float *effect;
    float *share; /* of each band in the energy */
    float scale;  /* from what goes away of the squared distance to the weight of a reason */
    struct causes *causes;
};

static float deviation(const struct block *block, uint32_t i)
{
    return habit_within((block->x[i] - block->point[i]) * block->inverse_sd[i], LARGEST_SIGMAS);
}

/* What is no number, as of a deviation beyond all numbers, weighs nothing. */
static void tell(const struct block *block, uint32_t i, float gone)
{
    const float weight = gone * block->scale;
    const struct cause cause = { .weight = weight > 0.0f ? weight : 0.0f,
                                 .sigmas = deviation(block, i),
                                 .view = (uint8_t)block->view,
                                 .block = (uint8_t)block->index,
                                 .feature = (uint8_t)i };

    insert(block->causes, &cause);
}

/* What an effect has to do with the deviations. */
struct fit {
    float product,
        square; /* of effect and deviations; of the effect: it fits best at product / square times its size */
};

/* The effect is on features from `first` on and before `size`; those behind are left open. */
static struct fit fit_effect(const struct block *block, uint32_t first, uint32_t size)
{
    const float *row = block->factor + habit_triangle(first) + first;
    struct fit fit = { 0.0f, 0.0f };

    for (uint32_t i = first; i < size; i++) {
        const float *factor = row;
        float rest = block->effect[i];

        for (uint32_t j = first; j < i; j++)
            rest -= *factor++ * block->effect[j];
        block->effect[i] = rest;
        fit.square += rest * rest * *factor;
        fit.product += rest * block->weighted[i];
        row += i + 1;
    }
    return fit;
}

static float gone_at_best(struct fit fit)
{
    return fit.product * fit.product / fit.square;
}

static void clear_effect(const struct block *block, uint32_t first, uint32_t size)
{
    for (uint32_t i = first; i < size; i++)
        block->effect[i] = 0.0f;
}

static void explain_single(const struct block *block, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        clear_effect(block, i, size);
        block->effect[i] = 1.0f;
        tell(block, i, gone_at_best(fit_effect(block, i, size)));
    }
}

/* ------------------------------------------------------------------------------------------------- an axis of the spectrum */

/* Of what is larger: the energy that is usual or the one that is there. */
static void share_energy(const struct block *block, uint32_t bands)
{
    float largest = block->x[0], sum = 0.0f;

    for (uint32_t b = 0; b < bands; b++) {
        block->share[b] = habit_larger(block->x[b], block->point[b]);
        largest = habit_larger(largest, block->share[b]);
    }
    for (uint32_t b = 0; b < bands; b++) {
        block->share[b] = habit_exp(habit_larger(block->share[b] - largest, LEAST_SHARE));
        sum += block->share[b];
    }
    for (uint32_t b = 0; b < bands; b++)
        block->share[b] /= sum;
}

/* Of the energy that a band gains, `leak` more appears in its neighbour, which cannot have more in common with it than all it
 * has. Returns what that adds to the energy of the axis. */
static float leak_into(const struct block *block, uint32_t neighbour, float leak)
{
    const float part = habit_smaller(leak / block->share[neighbour], 1.0f);

    block->effect[neighbour] = part * block->inverse_sd[neighbour];
    return part * block->share[neighbour];
}

/* The wider the band, the less of it is at its edge; zero-padding spreads a line over more bins. */
static struct fit fit_band(const struct block *block, uint32_t bands, uint32_t b)
{
    const struct habit_layout *layout = &block->call->layout;
    const uint16_t *edges = block->call->features.edges;
    const float width = (float)(layout->samples * (uint32_t)(edges[b + 1] - edges[b]));
    const float leak = LEAK * (float)layout->transform / width * block->share[b];
    const uint32_t first = b > 0 ? b - 1 : 0;
    float energy = block->share[b];

    clear_effect(block, first, bands);
    block->effect[b] = block->inverse_sd[b];
    if (b > 0)
        energy += leak_into(block, b - 1, leak);
    if (b + 1 < bands)
        energy += leak_into(block, b + 1, leak);
    block->effect[bands] = 0.5f * energy * block->inverse_sd[bands];
    return fit_effect(block, first, bands + 1);
}

/* Whether the band that explains most rises. */
static bool explain_bands(const struct block *block, uint32_t bands)
{
    float most = 0.0f;
    bool rises = false;

    for (uint32_t b = 0; b < bands; b++) {
        const struct fit fit = fit_band(block, bands, b);
        const float gone = gone_at_best(fit);

        if (gone > most) {
            most = gone;
            rises = fit.product > 0.0f;
        }
        tell(block, b, gone);
    }
    return rises;
}

/* All bands alike. A third counts when the amplitude goes back to where it was: many bands may be up that carry nothing. */
static void explain_amplitude(const struct block *block, uint32_t bands)
{
    const float change = 2.0f * (block->x[bands] - block->point[bands]);
    struct fit fit;
    float gone;

    for (uint32_t b = 0; b < bands; b++)
        block->effect[b] = block->inverse_sd[b];
    block->effect[bands] = 0.5f * block->inverse_sd[bands];
    fit = fit_effect(block, 0, bands + 1);
    gone = 2.0f * gone_at_best(fit) + change * (2.0f * fit.product - change * fit.square);
    tell(block, bands, GENERAL / 3.0f * gone);
}

/* Peaks against the trend of the energy follow from it: a tone that is lost uncovers them, one that comes covers them. So do
 * peaks of a signal that has fewer than noise has: they tell how few tones it is made of. */
static void explain_peaks(const struct block *block, uint32_t bands, bool rises)
{
    const float kurtosis = habit_larger(block->x[bands + KURTOSIS], block->x[bands + SHOCKS]);
    float gone = 0.0f, trend = 0.0f;
    uint32_t strongest = bands + KURTOSIS;

    for (uint32_t k = 0; k < sizeof(peak_features); k++) {
        const uint32_t i = bands + peak_features[k];

        gone += block->white[i] * block->white[i];
        trend += deviation(block, i);
        if (fabsf(deviation(block, i)) > fabsf(deviation(block, strongest)))
            strongest = i;
    }
    gone *= (trend > 0.0f) == rises ? PEAKS : FOLLOWING;
    tell(block, strongest, kurtosis > GAUSSIAN ? gone : FOLLOWING * gone);
}

static void explain_spectrum(const struct block *block)
{
    const uint32_t bands = block->call->layout.bands;
    bool rises;

    share_energy(block, bands);
    rises = explain_bands(block, bands);
    explain_amplitude(block, bands);
    if (bands == 0)
        return;
    explain_peaks(block, bands, rises);
    tell(block, bands + SKEWNESS, SKEWED * block->white[bands + SKEWNESS] * block->white[bands + SKEWNESS]);
}

/* -------------------------------------------------------------------------------------------------------- all of it */

static float square_of(const float *x, uint32_t count)
{
    float sum = 0.0f;

    for (uint32_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sum;
}

static void weigh(const struct block *block, uint32_t size)
{
    const float *diagonal = block->factor;

    for (uint32_t i = 0; i < size; i++) {
        block->weighted[i] = block->white[i] * sqrtf(*diagonal);
        diagonal += i + 2;
    }
}

/* Squares of larger deviations would be infinite, and shares of them subnormal: which reason came first would depend on how
 * the processor treats these. */
static void whiten(const struct habit_call *call, uint32_t v, const float *x, const float *point)
{
    const struct habit_view *view = &call->view[v];

    habit_blocks_whiten(view->factor, view->shape, view->inverse_sd, x, point, call->whitened);
    for (uint32_t i = 0; i < view->shape->dimension; i++)
        call->whitened[i] = habit_within(call->whitened[i], LARGEST_SIGMAS);
}

/* share: of the view in the score. The spectra of several axes are whitened since they were judged. */
static void explain_view(const struct habit_call *call, const struct habit_judgement *judgement, uint32_t v,
                         float share, struct causes *causes)
{
    const struct habit_view *view = &call->view[v];
    const struct habit_shape *shape = view->shape;
    const float *x = call->features.view[v], *point = view->positions + judgement->nearest[v] * shape->dimension;
    float largest = 0.0f, sum = 0.0f;

    if (!habit_is_coupled(shape))
        whiten(call, v, x, point);
    for (uint32_t b = 0; b < shape->blocks; b++) {
        const float square = square_of(call->whitened + b * shape->part, shape->part);

        largest = habit_larger(largest, square);
        sum += square;
    }
    for (uint32_t b = 0; b < shape->blocks; b++) {
        const uint32_t at = b * shape->part;
        const struct block block = { .call = call,
                                     .view = v,
                                     .index = b,
                                     .x = x + at,
                                     .point = point + at,
                                     .inverse_sd = view->inverse_sd + at,
                                     .factor = view->factor + b * habit_triangle(shape->part),
                                     .white = call->whitened + at,
                                     .weighted = call->work,
                                     .effect = call->work + shape->part,
                                     .share = call->work + 2 * shape->part,
                                     .scale = share / sum,
                                     .causes = causes };

        if (square_of(block.white, shape->part) < NOTICEABLE * largest)
            continue;
        weigh(&block, shape->part);
        if (v == HABIT_SPECTRUM)
            explain_spectrum(&block);
        else
            explain_single(&block, shape->part);
    }
}

/* What lifts the spectrum moves levels and waveforms too, but not the other way round. */
static const float credit[HABIT_VIEWS] = {
    [HABIT_SPECTRUM] = 1.0f, [HABIT_LEVEL] = FOLLOWING, [HABIT_WAVEFORM] = FOLLOWING
};

/* An alarm always has a reason, though it may be that many small ones add up; so has what a low sensitivity lets pass. */
void habit_explain(const struct habit_call *call, const struct habit_judgement *judgement, struct habit_result *result)
{
    const bool alarm = result->similarity < HABIT_THRESHOLD || result->distance > 1.0f;
    const float most = judgement->deviation[judgement->winner];
    struct causes causes = { .count = 0 };

    result->reasons = 0;
    if (!alarm && habit_strangeness(judgement) < WORTH_EXPLAINING)
        return;
    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        const float part = judgement->deviation[v] / most;

        if (v == judgement->winner || (most > 0.0f && part > NOTICEABLE))
            explain_view(call, judgement, v, credit[v] * part * part, &causes);
    }
    name(call, &causes, alarm ? 1 : 0, result);
}
