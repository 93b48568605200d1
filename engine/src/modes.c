/* View spectrum: a few means, merged online by Ward's cost, and one scatter pooled over them. */
#include "models.h"

#include <string.h>

#include "block.h"
#include "maths.h"

#define PRIOR       2.0f  /* pseudo-samples of the total variance within every mode */
#define FEW_VISITS  5.0f  /* that say as much of a mode's own distances as all others do */
#define LEAST_SHARE 0.03f /* of all that was learned, that makes a mode a state of the machine */

/* The modes, and one more that is about to be learned. */
struct crowd {
    const struct habit_modes_parts *modes;
    const float *newcomer; /* may be NULL */
    float newcomer_count;
    bool newcomer_pinned;
};

struct pair {
    uint32_t a, b; /* a < b */
};

#define FARTHEST 1e38f

struct habit_modes_parts habit_modes_open(void *words, const struct habit_shape *shape)
{
    struct habit_modes *model = words;
    struct habit_modes_parts modes = { .model = model, .shape = shape };

    modes.count = model->arrays;
    modes.excess = modes.count + shape->points;
    modes.visits = modes.excess + shape->points;
    modes.tolerance = modes.visits + shape->points;
    modes.mean = modes.tolerance + shape->points;
    modes.scatter = modes.mean + shape->points * shape->dimension;
    modes.coupling = (struct habit_coupling *)(modes.scatter + shape->blocks * habit_triangle(shape->part));
    return modes;
}

static const float *crowd_mean(const struct crowd *crowd, uint32_t k)
{
    const struct habit_modes_parts *modes = crowd->modes;

    return k < modes->model->used ? modes->mean + k * modes->shape->dimension : crowd->newcomer;
}

static float crowd_count(const struct crowd *crowd, uint32_t k)
{
    return k < crowd->modes->model->used ? crowd->modes->count[k] : crowd->newcomer_count;
}

static uint32_t crowd_size(const struct crowd *crowd)
{
    return crowd->modes->model->used + (crowd->newcomer ? 1 : 0);
}

static bool crowd_pinned(const struct crowd *crowd, uint32_t k)
{
    return k < crowd->modes->model->used ? habit_is_pinned(crowd->modes->model->pinned, k) : crowd->newcomer_pinned;
}

/* What mode k counts among all: what an operator accepted says nothing about the others. */
static float crowd_weight(const struct crowd *crowd, uint32_t k)
{
    return crowd_pinned(crowd, k) ? 0.0f : crowd_count(crowd, k);
}

static float crowd_ordinary(const struct crowd *crowd)
{
    uint32_t ordinary = 0;

    for (uint32_t k = 0; k < crowd_size(crowd); k++)
        ordinary += !crowd_pinned(crowd, k);
    return (float)ordinary;
}

/* Mean of feature i over all, and the scatter of the modes around it. */
static float between(const struct crowd *crowd, uint32_t i, float *mean)
{
    const uint32_t size = crowd_size(crowd);
    const float origin = crowd_mean(crowd, 0)[i]; /* sums of differences stay exact where the values are large */
    float weight = 0.0f, sum = 0.0f, scatter = 0.0f;

    for (uint32_t k = 0; k < size; k++) {
        weight += crowd_weight(crowd, k);
        sum += crowd_weight(crowd, k) * (crowd_mean(crowd, k)[i] - origin);
    }
    *mean = origin + sum / weight;
    for (uint32_t k = 0; k < size; k++) {
        const float d = crowd_mean(crowd, k)[i] - *mean;

        scatter += crowd_weight(crowd, k) * d * d;
    }
    return scatter;
}

/* Variance of each feature within a mode. Few buffers say little about it: it is mixed with PRIOR samples of the total. */
static void within(const struct crowd *crowd, float *variance)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const float freedom = modes->model->freedom;
    const float total_freedom = habit_larger(freedom + crowd_ordinary(crowd) - 1.0f, 1.0f);

    habit_scatter_diagonal(modes->scatter, modes->shape, variance);
    for (uint32_t i = 0; i < modes->shape->dimension; i++) {
        float mean;
        const float total = (variance[i] + between(crowd, i, &mean)) / total_freedom;

        variance[i] = (variance[i] + PRIOR * total) / (freedom + PRIOR) + HABIT_FLOOR * HABIT_FLOOR;
    }
}

void habit_modes_mean(const struct habit_modes_parts *modes, float *mean)
{
    const struct crowd crowd = { .modes = modes };

    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        (void)between(&crowd, i, &mean[i]);
}

void habit_modes_variance(const struct habit_modes_parts *modes, float *variance)
{
    const struct crowd crowd = { .modes = modes };
    const float freedom = habit_larger(modes->model->freedom + crowd_ordinary(&crowd) - 1.0f, 1.0f);

    habit_scatter_diagonal(modes->scatter, modes->shape, variance);
    for (uint32_t i = 0; i < modes->shape->dimension; i++) {
        float unused;

        variance[i] = (variance[i] + between(&crowd, i, &unused)) / freedom + HABIT_FLOOR * HABIT_FLOOR;
    }
}

static float squared_apart(const struct crowd *crowd, const float *variance, struct pair pair)
{
    const float *a = crowd_mean(crowd, pair.a), *b = crowd_mean(crowd, pair.b);
    float sum = 0.0f;

    for (uint32_t i = 0; i < crowd->modes->shape->dimension; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]) / variance[i];
    return sum;
}

/* What merging two modes adds to the scatter, in variances. */
static float ward_cost(const struct crowd *crowd, const float *variance, struct pair pair)
{
    const float count_a = crowd_count(crowd, pair.a), count_b = crowd_count(crowd, pair.b);

    return squared_apart(crowd, variance, pair) * (count_a * count_b / (count_a + count_b));
}

static struct pair cheapest_pair(const struct crowd *crowd, const float *variance)
{
    const struct habit_modes *model = crowd->modes->model;
    const struct habit_room room = { model->used, model->pinned, crowd->newcomer_pinned };
    struct pair best = { 0, 1 };
    float least = FARTHEST;

    for (uint32_t a = 0; a < crowd_size(crowd); a++)
        for (uint32_t b = a + 1; b < crowd_size(crowd); b++) {
            const struct pair pair = { a, b };
            const float cost = habit_may_merge(&room, a, b) ? ward_cost(crowd, variance, pair) : FARTHEST;

            if (cost < least) {
                least = cost;
                best = pair;
            }
        }
    return best;
}

/* Two accepted states become one that reaches as far as both did. variance becomes the difference. */
static void widen(const struct crowd *crowd, struct pair pair, float *variance)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const float count_a = crowd_count(crowd, pair.a), count_b = crowd_count(crowd, pair.b);
    const float tolerance_b = pair.b < modes->model->used ? modes->tolerance[pair.b] : 1.0f;
    const float apart = sqrtf(squared_apart(crowd, variance, pair) / (float)modes->shape->dimension);

    modes->tolerance[pair.a] =
        habit_tolerance_merged(modes->tolerance[pair.a], tolerance_b, apart, count_b / (count_a + count_b));
}

/* Mode a takes b in. How accepted states differ is no scatter. */
static void merge(const struct crowd *crowd, struct pair pair, float *variance)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const bool states = crowd_pinned(crowd, pair.a) && crowd_pinned(crowd, pair.b);
    const float *b = crowd_mean(crowd, pair.b);
    const float count_b = crowd_count(crowd, pair.b);
    const float count = modes->count[pair.a] + count_b;
    float *a = modes->mean + pair.a * modes->shape->dimension, *difference = variance;

    if (states)
        widen(crowd, pair, variance);
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        difference[i] = b[i] - a[i];
    if (!states) {
        habit_scatter_add(modes->scatter, modes->shape, difference,
                          modes->count[pair.a] * count_b / count / modes->tolerance[pair.a]);
        modes->model->freedom += 1.0f;
    }
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        a[i] += count_b / count * difference[i];
    modes->count[pair.a] = habit_smaller(count, HABIT_COUNT_LIMIT);
    if (pair.b < modes->model->used) {
        modes->excess[pair.a] += modes->excess[pair.b];
        modes->visits[pair.a] += modes->visits[pair.b];
    }
}

/* The order in which modes came stays. */
static void drop(const struct habit_modes_parts *modes, uint32_t k)
{
    const uint32_t d = modes->shape->dimension, behind = --modes->model->used - k;

    memmove(modes->count + k, modes->count + k + 1, 4 * (size_t)behind);
    memmove(modes->excess + k, modes->excess + k + 1, 4 * (size_t)behind);
    memmove(modes->visits + k, modes->visits + k + 1, 4 * (size_t)behind);
    memmove(modes->tolerance + k, modes->tolerance + k + 1, 4 * (size_t)behind);
    memmove(modes->mean + k * d, modes->mean + (k + 1) * d, 4 * (size_t)behind * d);
    modes->model->pinned = habit_without_bit(modes->model->pinned, k);
}

static uint32_t append(const struct crowd *crowd)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const uint32_t k = modes->model->used++;

    modes->count[k] = crowd->newcomer_count;
    modes->excess[k] = modes->visits[k] = 0.0f;
    modes->tolerance[k] = 1.0f;
    memcpy(modes->mean + k * modes->shape->dimension, crowd->newcomer, 4 * (size_t)modes->shape->dimension);
    modes->model->pinned |= (crowd->newcomer_pinned ? 1u : 0u) << k;
    return k;
}

/* Returns the mode that the newcomer is, or is part of. */
static uint32_t take_in(const struct crowd *crowd, float *work)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const struct habit_room room = { modes->model->used, modes->model->pinned, crowd->newcomer_pinned };
    struct pair pair;

    if (habit_has_room(&room, modes->shape))
        return append(crowd);
    within(crowd, work);
    pair = cheapest_pair(crowd, work);
    merge(crowd, pair, work);
    if (pair.b == modes->model->used)
        return pair.a;
    drop(modes, pair.b);
    return append(crowd);
}

void habit_modes_learn(const struct habit_modes_parts *modes, const float *x, float weight, float *work)
{
    const struct crowd crowd = { modes, x, habit_larger(weight, HABIT_LEAST_COUNT), false };

    (void)take_in(&crowd, work);
}

uint32_t habit_modes_pin(const struct habit_modes_parts *modes, const float *x, float count, float *work)
{
    const struct crowd crowd = { modes, x, count, true };

    return take_in(&crowd, work);
}

void habit_modes_prepare(const struct habit_modes_parts *modes, struct habit_view *view, uint32_t count)
{
    const struct crowd crowd = { .modes = modes };
    const float freedom = modes->model->freedom;

    within(&crowd, view->inverse_sd);
    habit_view_invert(view);
    habit_blocks_factor(view->factor, modes->scatter, modes->shape, 1.0f / (freedom + PRIOR), view->inverse_sd,
                        habit_larger(freedom, 1.0f));
    for (uint32_t k = 0; k < modes->model->used; k++)
        view->discount[k] = modes->count[k] / (modes->count[k] + 1.0f) / modes->tolerance[k];
    *view->active = habit_supported(modes->count, modes->model->used, modes->model->pinned, LEAST_SHARE * (float)count);
}

float habit_modes_offset(const struct habit_modes_parts *modes, uint32_t k)
{
    return modes->model->used > 1 ? modes->excess[k] / (modes->visits[k] + FEW_VISITS) : 0.0f;
}

void habit_modes_visit(const struct habit_modes_parts *modes, uint32_t k, float excess)
{
    modes->excess[k] = habit_without_dust(modes->excess[k] + excess, HABIT_DUST);
    modes->visits[k] += 1.0f;
}

void habit_modes_halve(const struct habit_modes_parts *modes)
{
    modes->model->freedom *= 0.5f;
    habit_halve_support(modes->count, modes->model->used);
    habit_scale(modes->excess, 2 * modes->shape->points, 0.5f); /* visits too, which lie behind */
    habit_scale(modes->scatter,
                modes->shape->blocks * habit_triangle(modes->shape->part) + habit_coupling_words(modes->shape), 0.5f);
}
