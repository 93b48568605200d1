/* View spectrum: a few means, merged online by Ward's cost, and one scatter pooled over them. */
#include "models.h"

#include <string.h>

#include "block.h"
#include "maths.h"

#define PRIOR       2.0f  /* pseudo-samples of the total variance within every mode */
#define FEW_VISITS  5.0f  /* that say as much of a mode's own distances as all others do */
#define LEAST_SHARE 0.03f /* of all that was learned, that makes a mode a state of the machine */
#define APART       6.0f  /* mean square distance of two modes, in variances within one: they are two states */
#define RECURS      3.0f  /* buffers that make a state; fewer are odd ones */
#define RARE        0.01f /* least share of a state that is worth waiting for: the false alarms that are promised */

/* The modes, and one more that may be about to be learned. */
struct crowd {
    const struct habit_modes_parts *modes;
    uint32_t size;
    uint32_t pinned; /* bits: what an operator accepted says nothing about the others */
    float weight;    /* of all that are not pinned */
    const float *mean[HABIT_MAX_POINTS + 1];
    float count[HABIT_MAX_POINTS + 1];
};

struct pair {
    uint32_t a, b; /* a < b */
};

struct habit_modes_parts habit_modes_open(void *words, const struct habit_shape *shape)
{
    struct habit_modes *model = words;
    struct habit_modes_parts modes = { .model = model, .shape = shape };

    modes.count = model->arrays;
    modes.excess = modes.count + shape->points;
    modes.visits = modes.excess + shape->points;
    modes.tolerance = modes.visits + shape->points;
    modes.seen = modes.tolerance + shape->points;
    modes.mean = modes.seen + shape->points;
    modes.scatter = modes.mean + shape->points * shape->dimension;
    modes.coupling = (struct habit_coupling *)(modes.scatter + shape->blocks * habit_triangle(shape->part));
    return modes;
}

static void crowd_add(struct crowd *crowd, const float *mean, float count, bool pinned)
{
    crowd->pinned |= (pinned ? 1u : 0u) << crowd->size;
    crowd->mean[crowd->size] = mean;
    crowd->count[crowd->size++] = count;
    if (!pinned)
        crowd->weight += count;
}

static void crowd_gather(struct crowd *crowd, const struct habit_modes_parts *modes)
{
    const struct habit_modes *model = modes->model;

    crowd->modes = modes;
    crowd->size = 0;
    crowd->pinned = 0;
    crowd->weight = 0.0f;
    for (uint32_t k = 0; k < model->used; k++)
        crowd_add(crowd, modes->mean + k * modes->shape->dimension, modes->count[k], habit_is_pinned(model->pinned, k));
}

/* How many modes the freedom of all is short of, were there no modes. */
static float lost_freedom(const struct crowd *crowd)
{
    return (float)habit_ordinary_points(crowd->size, crowd->pinned) - 1.0f;
}

/* Mean of feature i over all, and the scatter of the modes around it. Differences stay exact where the values are large. */
static float between(const struct crowd *crowd, uint32_t i, float *mean)
{
    const float origin = crowd->modes->mean[i]; /* of the first mode */
    float sum = 0.0f, scatter = 0.0f;

    for (uint32_t k = 0; k < crowd->size; k++) {
        const float d = crowd->mean[k][i] - origin, weighted = crowd->count[k] * d;

        if (habit_is_pinned(crowd->pinned, k))
            continue;
        sum += weighted;
        scatter += weighted * d;
    }
    *mean = origin + sum / crowd->weight;
    return habit_larger(scatter - sum * sum / crowd->weight, 0.0f);
}

/* Variance of each feature within a mode. Few buffers say little about it: it is mixed with PRIOR samples of the total. */
static void within(const struct crowd *crowd, float *variance)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const float freedom = modes->model->freedom;
    const float total_freedom = habit_larger(freedom + lost_freedom(crowd), 1.0f);

    habit_scatter_diagonal(modes->scatter, modes->shape, variance);
    for (uint32_t i = 0; i < modes->shape->dimension; i++) {
        float mean;
        const float total = (variance[i] + between(crowd, i, &mean)) / total_freedom;

        variance[i] = (variance[i] + PRIOR * total) / (freedom + PRIOR) + HABIT_FLOOR * HABIT_FLOOR;
    }
}

void habit_modes_mean(const struct habit_modes_parts *modes, float *mean)
{
    struct crowd crowd;

    crowd_gather(&crowd, modes);
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        (void)between(&crowd, i, &mean[i]);
}

void habit_modes_variance(const struct habit_modes_parts *modes, float *variance)
{
    struct crowd crowd;
    float freedom;

    crowd_gather(&crowd, modes);
    freedom = habit_larger(modes->model->freedom + lost_freedom(&crowd), 1.0f);
    habit_scatter_diagonal(modes->scatter, modes->shape, variance);
    for (uint32_t i = 0; i < modes->shape->dimension; i++) {
        float unused;

        variance[i] = (variance[i] + between(&crowd, i, &unused)) / freedom + HABIT_FLOOR * HABIT_FLOOR;
    }
}

/* In variances, of which these are the reciprocals. */
static float squared_apart(const struct crowd *crowd, const float *reciprocal, struct pair pair)
{
    const float *a = crowd->mean[pair.a], *b = crowd->mean[pair.b];
    float sum = 0.0f;

    for (uint32_t i = 0; i < crowd->modes->shape->dimension; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]) * reciprocal[i];
    return sum;
}

/* What merging two modes adds to the scatter. */
static float ward_cost(const struct crowd *crowd, const float *reciprocal, struct pair pair)
{
    const float count_a = crowd->count[pair.a], count_b = crowd->count[pair.b];

    return squared_apart(crowd, reciprocal, pair) * (count_a * count_b / (count_a + count_b));
}

static struct pair cheapest_pair(const struct crowd *crowd, const float *reciprocal)
{
    const uint32_t used = crowd->modes->model->used;
    struct pair best = { 0, 0 };
    float least = 0.0f;

    for (uint32_t a = 0; a < used; a++)
        for (uint32_t b = a + 1; b <= used; b++) {
            const struct pair pair = { a, b };
            float cost;

            if (!habit_may_merge(used, crowd->pinned, crowd->modes->shape, a, b))
                continue;
            cost = ward_cost(crowd, reciprocal, pair);
            if (best.b == 0 || cost < least) {
                least = cost;
                best = pair;
            }
        }
    return best;
}

/* Two accepted states become one that reaches as far as both did. */
static void widen(const struct crowd *crowd, struct pair pair, const float *reciprocal)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const float tolerance_b = pair.b < modes->model->used ? modes->tolerance[pair.b] : 1.0f;
    const float apart = sqrtf(squared_apart(crowd, reciprocal, pair) / (float)modes->shape->dimension);
    float *tolerance = &modes->tolerance[pair.a];

    *tolerance = habit_tolerance_merged(*tolerance, tolerance_b, apart,
                                        crowd->count[pair.b] / (crowd->count[pair.a] + crowd->count[pair.b]));
}

/* Mode a takes b in. How accepted states differ is no scatter. work: reciprocals of the variances, then the difference. */
static void merge(const struct crowd *crowd, struct pair pair, float *work)
{
    const struct habit_modes_parts *modes = crowd->modes;
    const bool states = habit_is_pinned(crowd->pinned, pair.a) && habit_is_pinned(crowd->pinned, pair.b);
    const float *b = crowd->mean[pair.b];
    const float count_b = crowd->count[pair.b];
    const float count = modes->count[pair.a] + count_b;
    float *a = modes->mean + pair.a * modes->shape->dimension;

    if (states)
        widen(crowd, pair, work);
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        work[i] = b[i] - a[i];
    if (!states) {
        habit_scatter_add(modes->scatter, modes->shape, work,
                          modes->count[pair.a] * count_b / count / modes->tolerance[pair.a]);
        modes->model->freedom += 1.0f;
    }
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        a[i] += count_b / count * work[i];
    modes->count[pair.a] = habit_smaller(count, HABIT_COUNT_LIMIT);
    if (pair.b < modes->model->used) {
        modes->excess[pair.a] += modes->excess[pair.b];
        modes->visits[pair.a] += modes->visits[pair.b];
        modes->seen[pair.a] += modes->seen[pair.b];
    } else {
        modes->seen[pair.a] += 1.0f;
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
    memmove(modes->seen + k, modes->seen + k + 1, 4 * (size_t)behind);
    memmove(modes->mean + k * d, modes->mean + (k + 1) * d, 4 * (size_t)behind * d);
    modes->model->pinned = habit_without_bit(modes->model->pinned, k);
}

static uint32_t append(const struct habit_modes_parts *modes, const float *x, float count, bool pin)
{
    const uint32_t k = modes->model->used++;

    modes->count[k] = count;
    modes->excess[k] = modes->visits[k] = 0.0f;
    modes->tolerance[k] = 1.0f;
    modes->seen[k] = 1.0f;
    memcpy(modes->mean + k * modes->shape->dimension, x, 4 * (size_t)modes->shape->dimension);
    modes->model->pinned |= (pin ? 1u : 0u) << (k % 32u);
    return k;
}

/* Returns the mode that the newcomer is, or is part of. */
static uint32_t take_in(const struct habit_modes_parts *modes, const float *x, float count, bool pin, float *work)
{
    struct crowd crowd;
    struct pair pair;

    if (habit_has_room(modes->model->used, modes->model->pinned, modes->shape, pin))
        return append(modes, x, count, pin);
    crowd_gather(&crowd, modes);
    crowd_add(&crowd, x, count, pin);
    within(&crowd, work);
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        work[i] = 1.0f / work[i];
    pair = cheapest_pair(&crowd, work);
    merge(&crowd, pair, work);
    if (pair.b == modes->model->used)
        return pair.a;
    drop(modes, pair.b);
    return append(modes, x, count, pin);
}

void habit_modes_learn(const struct habit_modes_parts *modes, const float *x, float weight, float *work)
{
    (void)take_in(modes, x, habit_larger(weight, HABIT_LEAST_COUNT), false, work);
}

uint32_t habit_modes_pin(const struct habit_modes_parts *modes, const float *x, float count, float *work)
{
    return take_in(modes, x, count, true, work);
}

/* Never inline: the crowd would stay on the stack. */
__attribute__((noinline)) static void within_modes(const struct habit_modes_parts *modes, float *variance)
{
    struct crowd crowd;

    crowd_gather(&crowd, modes);
    within(&crowd, variance);
}

void habit_modes_prepare(const struct habit_modes_parts *modes, struct habit_view *view, uint32_t count)
{
    const float freedom = modes->model->freedom;

    within_modes(modes, view->inverse_sd);
    habit_view_invert(view);
    habit_blocks_factor(view->factor, modes->scatter, modes->shape, 1.0f / (freedom + PRIOR), view->inverse_sd,
                        habit_larger(freedom, 1.0f));
    for (uint32_t k = 0; k < modes->model->used; k++)
        view->discount[k] = modes->count[k] / (modes->count[k] + 1.0f) / modes->tolerance[k];
    *view->active = habit_supported(modes->count, modes->model->used, modes->model->pinned, LEAST_SHARE * (float)count);
}

/* One over the variance of each feature within a mode. */
static void precision(const struct habit_modes_parts *modes, float *inverse)
{
    habit_scatter_diagonal(modes->scatter, modes->shape, inverse);
    for (uint32_t i = 0; i < modes->shape->dimension; i++)
        inverse[i] = 1.0f / (inverse[i] / (modes->model->freedom + PRIOR) + HABIT_FLOOR * HABIT_FLOOR);
}

/* Whether mode k is far from all modes in the mask. Means of few buffers are apart by chance. */
static bool is_apart(const struct habit_modes_parts *modes, uint32_t k, uint32_t mask, const float *inverse)
{
    const uint32_t d = modes->shape->dimension;
    const float *mean = modes->mean + k * d;

    for (uint32_t other = 0; mask >> other != 0; other++) {
        float square = 0.0f;

        if ((mask >> other & 1u) == 0)
            continue;
        for (uint32_t i = 0; i < d; i++)
            square += (mean[i] - modes->mean[other * d + i]) * (mean[i] - modes->mean[other * d + i]) * inverse[i];
        if (square < APART * (float)d * (1.0f + 1.0f / modes->seen[k] + 1.0f / modes->seen[other]))
            return false;
    }
    return true;
}

struct habit_census habit_modes_census(const struct habit_modes_parts *modes, uint32_t count, float *work)
{
    const uint32_t active =
        habit_supported(modes->count, modes->model->used, modes->model->pinned, LEAST_SHARE * (float)count);
    struct habit_census census = { 0 };
    float rarest = 2.0f * (float)count;
    uint32_t states = 0; /* of each, the mode that came first */

    precision(modes, work);
    for (uint32_t k = 0; k < modes->model->used; k++) {
        const float seen = modes->seen[k];

        if ((active >> k & 1u) != 0) {
            if (is_apart(modes, k, states, work)) {
                states |= 1u << k;
                census.states++;
            }
        } else if (seen >= RECURS && seen >= RARE * (float)count && seen < rarest && is_apart(modes, k, active, work)) {
            rarest = seen;
            census.rare = (uint32_t)(seen + 0.5f);
        }
    }
    return census;
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
    habit_halve_support(modes->seen, modes->model->used);
    habit_scale(modes->scatter,
                modes->shape->blocks * habit_triangle(modes->shape->part) + habit_coupling_words(modes->shape), 0.5f);
}
