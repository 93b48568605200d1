/* View waveform: mean and covariance of the coarse waveform, and the mean of what was accepted. */
#include "models.h"

#include "block.h"
#include "maths.h"

enum { ACCEPTED = 1 }; /* point; 0 is the mean of what was learned */

struct habit_waveform_parts habit_waveform_open(void *words, const struct habit_shape *shape)
{
    struct habit_waveform *model = words;
    struct habit_waveform_parts waveform = { .model = model, .shape = shape };

    waveform.mean = model->arrays;
    waveform.scatter = waveform.mean + shape->points * shape->dimension;
    return waveform;
}

static float scatter_scale(const struct habit_weights *weights)
{
    const float worth = habit_weights_worth(weights);

    return worth / (habit_larger(worth - 1.0f, 0.5f) * weights->sum);
}

static void variance_of(const struct habit_waveform_parts *waveform, const float *rms, float *variance)
{
    const struct habit_shape *shape = waveform->shape;
    const float scale = scatter_scale(&waveform->model->weights);

    habit_scatter_diagonal(waveform->scatter, shape, variance);
    for (uint32_t i = 0; i < shape->dimension; i++) {
        const float least = HABIT_FLOOR * rms[i / shape->part] + 1e-12f;

        variance[i] = variance[i] * scale + least * least;
    }
}

void habit_waveform_prepare(const struct habit_waveform_parts *waveform, struct habit_view *view, const float *rms)
{
    const struct habit_weights *weights = &waveform->model->weights;

    variance_of(waveform, rms, view->inverse_sd);
    habit_view_invert(view);
    habit_blocks_factor(view->factor, waveform->scatter, waveform->shape, scatter_scale(weights), view->inverse_sd,
                        habit_weights_worth(weights));
    *view->active = 1;
    view->discount[0] = 1.0f;
    if (waveform->model->accepted > 0.0f) {
        *view->active |= 1u << ACCEPTED;
        view->discount[ACCEPTED] = 1.0f / waveform->model->tolerance;
    }
}

/* What a second accepted state adds to the first. */
static float widened(const struct habit_waveform_parts *waveform, const float *x, const float *variance, float share)
{
    const uint32_t d = waveform->shape->dimension;
    const float *mean = waveform->mean + ACCEPTED * d;
    float sum = 0.0f;

    for (uint32_t i = 0; i < d; i++) {
        const float z = habit_within((x[i] - mean[i]) / sqrtf(variance[i]), 1e12f);

        sum += z * z;
    }
    return habit_tolerance_merged(waveform->model->tolerance, 1.0f, sqrtf(sum / (float)d), share);
}

uint32_t habit_waveform_pin(const struct habit_waveform_parts *waveform, const float *x, float count, const float *rms,
                            float *work)
{
    struct habit_waveform *model = waveform->model;
    const float share = count / (model->accepted + count);
    float *mean = waveform->mean + ACCEPTED * waveform->shape->dimension;

    variance_of(waveform, rms, work);
    model->tolerance = model->accepted > 0.0f ? widened(waveform, x, work, share) : 1.0f;
    model->accepted = habit_smaller(model->accepted + count, HABIT_COUNT_LIMIT);
    for (uint32_t i = 0; i < waveform->shape->dimension; i++)
        mean[i] = habit_without_dust(mean[i] + share * (x[i] - mean[i]), HABIT_DUST);
    return ACCEPTED;
}

void habit_waveform_learn(const struct habit_waveform_parts *waveform, const float *x, float weight, float *work)
{
    struct habit_weights *weights = &waveform->model->weights;
    float share;

    habit_weights_add(weights, weight);
    share = weight / weights->sum;
    for (uint32_t i = 0; i < waveform->shape->dimension; i++)
        work[i] = x[i] - waveform->mean[i];
    habit_scatter_add(waveform->scatter, waveform->shape, work, weight * (1.0f - share));
    for (uint32_t i = 0; i < waveform->shape->dimension; i++)
        waveform->mean[i] = habit_without_dust(waveform->mean[i] + share * work[i], HABIT_DUST);
}

float habit_waveform_coherence(const struct habit_waveform_parts *waveform)
{
    const float scale = scatter_scale(&waveform->model->weights);
    const float *mean = waveform->mean, *scatter = waveform->scatter;
    float coherence = 0.0f;

    for (uint32_t axis = 0; axis < waveform->shape->blocks; axis++) {
        float repeated = 0.0f, varying = 0.0f;

        for (uint32_t i = 0; i < waveform->shape->part; i++) {
            scatter += i;
            repeated += mean[i] * mean[i];
            varying += *scatter++ * scale;
        }
        mean += waveform->shape->part;
        coherence = habit_larger(coherence, repeated / (repeated + varying + 1e-30f));
    }
    return coherence;
}

void habit_waveform_halve(const struct habit_waveform_parts *waveform)
{
    waveform->model->weights.sum *= 0.5f;
    waveform->model->weights.squares *= 0.5f;
    habit_scale(waveform->scatter, waveform->shape->blocks * habit_triangle(waveform->shape->part), 0.5f);
}
