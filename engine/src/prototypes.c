/* View level: the corners of what was seen, in a space whitened by the total covariance. */
#include "models.h"

#include <string.h>

#include "block.h"
#include "maths.h"

#define LEAST_SHARE 0.02f /* of all that was learned, that makes a prototype count */
#define MOVED       0.75f /* standard deviations between two parts of what was learned: the level is moving */
#define CHANCE      3.0f  /* standard deviations of that which are chance */

struct habit_prototypes_parts habit_prototypes_open(void *words, const struct habit_shape *shape)
{
    struct habit_prototypes *model = words;
    struct habit_prototypes_parts p = { .model = model, .shape = shape };

    p.mean = model->arrays;
    p.older_mean = p.mean + shape->dimension;
    p.newer_mean = p.older_mean + shape->dimension;
    p.scatter = p.newer_mean + shape->dimension;
    p.count = p.scatter + habit_triangle(shape->part);
    p.tolerance = p.count + shape->points;
    p.position = p.tolerance + shape->points;
    p.age = (uint32_t *)(p.position + shape->points * shape->dimension);
    return p;
}

/* Sum of squares to variance, without bias where weights differ. */
static float scatter_scale(const struct habit_weights *weights)
{
    const float worth = habit_weights_worth(weights);

    return worth / (habit_larger(worth - 1.0f, 0.5f) * weights->sum);
}

/* Below the floors nothing is known: rounding of a large mean, and a share of what the axis does within a buffer. */
void habit_prototypes_variance(const struct habit_prototypes_parts *p, const float *rms, float *variance)
{
    const float scale = scatter_scale(&p->model->weights);

    habit_scatter_diagonal(p->scatter, p->shape, variance);
    for (uint32_t i = 0; i < p->shape->dimension; i++) {
        const float rounding = 1e-6f * p->mean[i];
        const float least = HABIT_FLOOR * rms[i] + 1e-12f;

        variance[i] = variance[i] * scale + rounding * rounding + least * least;
    }
}

/* All that was learned in two parts. */
struct halves {
    const float *before; /* mean of the first */
    float
        whole; /* count of all over that of the second: what the second moved the mean by, times this, is how far it is */
    float uncertainty; /* variance of the difference of their means, in variances */
};

/* False while there is too little. */
static bool halve(const struct habit_prototypes_parts *p, uint32_t count, struct halves *halves)
{
    const bool late = 2 * count >= 3 * p->model->newer;
    const float first = (float)(late ? p->model->newer : p->model->older);
    const float rest = (float)count - first;

    if (p->model->older < 4 || rest < 1.0f)
        return false;
    halves->before = late ? p->newer_mean : p->older_mean;
    halves->whole = (float)count / rest;
    halves->uncertainty = 1.0f / first + 1.0f / rest;
    return true;
}

/* Square of the distance of the two means of a level, in variances. */
static float moved(const struct habit_prototypes_parts *p, const struct halves *halves, uint32_t i, float inverse_sd)
{
    const float z = habit_within((p->mean[i] - halves->before[i]) * halves->whole * inverse_sd, 1e6f);

    return z * z;
}

/* A level that wandered will wander on: where the mean of the later part differs from that of the first by more than its
 * uncertainty, that axis' standard deviation grows in proportion. */
static void inflate(const struct habit_prototypes_parts *p, float *inverse_sd, uint32_t count)
{
    struct halves halves;

    if (!halve(p, count, &halves))
        return;
    for (uint32_t i = 0; i < p->shape->dimension; i++) {
        const float excess = moved(p, &halves, i, inverse_sd[i]) - halves.uncertainty;

        if (excess > 0.0f)
            inverse_sd[i] /= sqrtf(1.0f + excess);
    }
}

bool habit_prototypes_moving(const struct habit_prototypes_parts *p, uint32_t count, const float *rms, float *work)
{
    struct halves halves;
    bool moving = false;

    if (!halve(p, count, &halves))
        return false;
    habit_prototypes_variance(p, rms, work);
    for (uint32_t i = 0; i < p->shape->dimension; i++)
        moving |= moved(p, &halves, i, 1.0f / sqrtf(work[i])) > MOVED * MOVED + CHANCE * CHANCE * halves.uncertainty;
    return moving;
}

void habit_prototypes_prepare(const struct habit_prototypes_parts *p, struct habit_view *view, uint32_t count,
                              const float *rms)
{
    habit_prototypes_variance(p, rms, view->inverse_sd);
    habit_view_invert(view);
    habit_blocks_factor(view->factor, p->scatter, p->shape, scatter_scale(&p->model->weights), view->inverse_sd,
                        habit_weights_worth(&p->model->weights));
    inflate(p, view->inverse_sd, count);
    for (uint32_t k = 0; k < p->model->used; k++)
        view->discount[k] = 1.0f / p->tolerance[k];
    *view->active = habit_supported(p->count, p->model->used, p->model->pinned, LEAST_SHARE * (float)count);
}

uint32_t habit_prototypes_seasoned(const struct habit_prototypes_parts *p, uint32_t active, uint32_t count)
{
    const uint32_t latest = count - count / 10, pinned = p->model->pinned;
    uint32_t seasoned = 0;

    for (uint32_t k = 0; k < p->model->used; k++)
        if (p->age[k] <= latest)
            seasoned |= active & ~pinned & 1u << k;
    return seasoned != 0 ? seasoned | pinned : active;
}

static void learn_moments(const struct habit_prototypes_parts *p, const float *x, float weight, float *difference)
{
    struct habit_weights *weights = &p->model->weights;
    float share;

    habit_weights_add(weights, weight);
    share = weight / weights->sum;
    for (uint32_t i = 0; i < p->shape->dimension; i++)
        difference[i] = x[i] - p->mean[i];
    habit_scatter_add(p->scatter, p->shape, difference, weight * (1.0f - share));
    for (uint32_t i = 0; i < p->shape->dimension; i++)
        p->mean[i] = habit_without_dust(p->mean[i] + share * difference[i], HABIT_DUST);
}

/* At every power of two the mean so far is kept. */
static void keep_mean(const struct habit_prototypes_parts *p, uint32_t count)
{
    const size_t size = 4 * (size_t)p->shape->dimension;

    if ((count & (count - 1)) != 0)
        return;
    memcpy(p->older_mean, p->newer_mean, size);
    memcpy(p->newer_mean, p->mean, size);
    p->model->older = p->model->newer;
    p->model->newer = count;
}

/* Square of the distance in plain standard deviations; the position behind the last one is the newcomer's. Where the levels
 * of a sensor jumped by many powers of ten the earlier ones are so close together that squares would become subnormal. */
static float apart(const struct habit_prototypes_parts *p, const float *x, const float *variance, uint32_t a,
                   uint32_t b)
{
    const uint32_t d = p->shape->dimension;
    const float *first = p->position + a * d;
    const float *second = b < p->model->used ? p->position + b * d : x;
    float sum = 0.0f;

    for (uint32_t i = 0; i < d; i++) {
        const float z = habit_within((first[i] - second[i]) / sqrtf(variance[i]), 1e12f);

        sum += habit_without_dust(z, 1e-12f) * habit_without_dust(z, 1e-12f);
    }
    return sum;
}

static void drop(const struct habit_prototypes_parts *p, uint32_t k)
{
    const uint32_t d = p->shape->dimension, behind = --p->model->used - k;

    memmove(p->count + k, p->count + k + 1, 4 * (size_t)behind);
    memmove(p->tolerance + k, p->tolerance + k + 1, 4 * (size_t)behind);
    memmove(p->age + k, p->age + k + 1, 4 * (size_t)behind);
    memmove(p->position + k * d, p->position + (k + 1) * d, 4 * (size_t)behind * d);
    p->model->pinned = habit_without_bit(p->model->pinned, k);
}

/* What is about to become a prototype. */
struct newcomer {
    const float *x;
    float count;
    uint32_t age;
    bool pinned;
};

static uint32_t append(const struct habit_prototypes_parts *p, const struct newcomer *newcomer)
{
    const uint32_t k = p->model->used++;

    p->count[k] = newcomer->count;
    p->tolerance[k] = 1.0f;
    p->age[k] = newcomer->age;
    memcpy(p->position + k * p->shape->dimension, newcomer->x, 4 * (size_t)p->shape->dimension);
    p->model->pinned |= (newcomer->pinned ? 1u : 0u) << (k % 32u);
    return k;
}

struct pair {
    uint32_t a, b; /* a < b */
};

static struct pair closest_pair(const struct habit_prototypes_parts *p, const struct newcomer *newcomer,
                                const float *variance)
{
    const uint32_t used = p->model->used, pinned = p->model->pinned | (newcomer->pinned ? 1u : 0u) << used;
    struct pair closest = { 0, 0 };
    float least = 0.0f;

    for (uint32_t a = 0; a < used; a++)
        for (uint32_t b = a + 1; b <= used; b++) {
            float distance;

            if (!habit_may_merge(used, pinned, p->shape, a, b))
                continue;
            distance = apart(p, newcomer->x, variance, a, b);
            if (closest.b == 0 || distance < least) {
                least = distance;
                closest = (struct pair){ a, b };
            }
        }
    return closest;
}

/* Two accepted states become one that reaches as far as both did. */
static void widen(const struct habit_prototypes_parts *p, const struct newcomer *newcomer, const float *variance,
                  struct pair pair)
{
    const uint32_t d = p->shape->dimension;
    const bool stays = pair.b < p->model->used;
    const float *b = stays ? p->position + pair.b * d : newcomer->x;
    const float count_b = stays ? p->count[pair.b] : newcomer->count;
    const float share_b = count_b / (p->count[pair.a] + count_b);
    const float between = sqrtf(apart(p, newcomer->x, variance, pair.a, pair.b) / (float)d);

    p->tolerance[pair.a] =
        habit_tolerance_merged(p->tolerance[pair.a], stays ? p->tolerance[pair.b] : 1.0f, between, share_b);
    for (uint32_t i = 0; i < d; i++)
        p->position[pair.a * d + i] += share_b * (b[i] - p->position[pair.a * d + i]);
}

/* Of the closest two the newer goes, and the older inherits its support: what stays are the corners. Accepted levels have
 * places of their own, so only where the newcomer is one do such levels merge, and nothing else does then. Returns the prototype
 * that the newcomer is, or that stands for it. */
static uint32_t take_in(const struct habit_prototypes_parts *p, const struct newcomer *newcomer, const float *rms,
                        float *variance)
{
    struct pair pair;

    if (habit_has_room(p->model->used, p->model->pinned, p->shape, newcomer->pinned))
        return append(p, newcomer);
    habit_prototypes_variance(p, rms, variance);
    pair = closest_pair(p, newcomer, variance);
    if (newcomer->pinned)
        widen(p, newcomer, variance, pair);
    p->count[pair.a] = habit_smaller(p->count[pair.a] + (pair.b < p->model->used ? p->count[pair.b] : newcomer->count),
                                     HABIT_COUNT_LIMIT);
    if (pair.b == p->model->used)
        return pair.a;
    drop(p, pair.b);
    return append(p, newcomer);
}

void habit_prototypes_learn(const struct habit_prototypes_parts *p, const float *x, float weight, uint32_t count,
                            const float *rms, float *work)
{
    const struct newcomer newcomer = { x, habit_larger(weight, HABIT_LEAST_COUNT), count + 1, false };

    learn_moments(p, x, weight, work);
    keep_mean(p, count + 1);
    (void)take_in(p, &newcomer, rms, work);
}

/* Its age is none: a mean over buffers is not a neighbour in time of any. */
uint32_t habit_prototypes_pin(const struct habit_prototypes_parts *p, const float *x, float count, const float *rms,
                              float *work)
{
    const struct newcomer newcomer = { x, count, 0, true };

    return take_in(p, &newcomer, rms, work);
}

void habit_prototypes_halve(const struct habit_prototypes_parts *p)
{
    p->model->weights.sum *= 0.5f;
    p->model->weights.squares *= 0.5f;
    p->model->older /= 2;
    p->model->newer /= 2;
    habit_scale(p->scatter, habit_triangle(p->shape->part), 0.5f);
    habit_halve_support(p->count, p->model->used);
    for (uint32_t k = 0; k < p->model->used; k++)
        p->age[k] = (p->age[k] + 1) / 2;
}
