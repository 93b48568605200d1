#include "view.h"

#include "block.h"
#include "maths.h"

#define FARTHEST 1e24f /* square of a distance: further away is no stranger */

uint32_t habit_view_words(const struct habit_shape *shape)
{
    const uint32_t d = shape->dimension;

    return d == 0 ? 0
                  : d + shape->blocks * habit_triangle(shape->part) + shape->points + 1 +
                        shape->coupled * habit_triangle(shape->blocks);
}

void habit_view_open(struct habit_view *view, const struct habit_shape *shape, float *words)
{
    view->shape = shape;
    view->inverse_sd = words;
    view->factor = view->inverse_sd + shape->dimension;
    view->discount = view->factor + shape->blocks * habit_triangle(shape->part);
    view->active = (uint32_t *)(view->discount + shape->points);
    view->coupling = (float *)(view->active + 1);
}

/* Distances of points from k on; of the first of them again where there are fewer than lanes. With vectors the work is four
 * times as large, which the scratch, as large everywhere, has no room for while the first buffers are learned from it. */
static void measure(const struct habit_view *view, const float *x, uint32_t k, float *work,
                    float distance[HABIT_POINTS])
{
    const float *points[HABIT_POINTS];
#if HABIT_VECTORS
    float lanes_of_work[HABIT_POINTS * HABIT_MAX_PART];

    work = lanes_of_work;
#endif
    for (uint32_t i = 0; i < HABIT_POINTS; i++)
        points[i] = view->positions + (k + i < view->shape->points ? k + i : k) * view->shape->dimension;
    habit_blocks_distances(view->factor, view->shape, view->inverse_sd, x, points, work, distance);
}

float habit_view_distance(const struct habit_view *view, const float *x, uint32_t mask, float *work, uint32_t *nearest)
{
    float least = FARTHEST;

    for (*nearest = 0; (mask >> *nearest & 1u) == 0;)
        (*nearest)++;
    for (uint32_t k = 0; mask >> k != 0; k += HABIT_POINTS) {
        float distance[HABIT_POINTS];

        if ((mask >> k) % (1u << HABIT_POINTS) == 0)
            continue;
        measure(view, x, k, work, distance);
        for (uint32_t i = 0; i < HABIT_POINTS; i++)
            if ((mask >> (k + i) & 1u) != 0 && distance[i] * view->discount[k + i] < least) {
                least = distance[i] * view->discount[k + i];
                *nearest = k + i;
            }
    }
    return least / (float)view->shape->dimension;
}

void habit_view_invert(struct habit_view *view)
{
    for (uint32_t i = 0; i < view->shape->dimension; i++)
        view->inverse_sd[i] = 1.0f / sqrtf(view->inverse_sd[i]);
}

uint32_t habit_supported(const float *support, uint32_t used, uint32_t pinned, float needed)
{
    const float least = habit_larger(1.0f, needed);
    uint32_t active = 0, largest = 0;
    float most = 0.0f;

    for (uint32_t k = 0; k < used; k++) {
        if (habit_is_pinned(pinned, k))
            continue;
        if (support[k] >= least)
            active |= 1u << k;
        if (support[k] > most) {
            most = support[k];
            largest = k;
        }
    }
    return pinned | (active != 0 ? active : 1u << largest);
}

uint32_t habit_ordinary_points(uint32_t count, uint32_t pinned)
{
    for (; pinned != 0; pinned &= pinned - 1)
        count--;
    return count;
}

bool habit_has_room(uint32_t used, uint32_t pinned, const struct habit_shape *shape, bool pin)
{
    const uint32_t ordinary = habit_ordinary_points(used, pinned);

    return used < shape->points && (pin ? used - ordinary < shape->accepted : ordinary < shape->ordinary);
}

bool habit_may_merge(uint32_t used, uint32_t pinned, const struct habit_shape *shape, uint32_t a, uint32_t b)
{
    const bool a_pinned = habit_is_pinned(pinned, a), b_pinned = habit_is_pinned(pinned, b);

    if (used + 1 - habit_ordinary_points(used + 1, pinned) > shape->accepted)
        return a_pinned && b_pinned;
    return !b_pinned && (!a_pinned || b == used);
}

float habit_tolerance_merged(float a, float b, float apart, float share_b)
{
    const float reach = habit_larger(sqrtf(a) + share_b * apart, sqrtf(b) + (1.0f - share_b) * apart);

    return habit_smaller(reach * reach, HABIT_LARGEST_TOLERANCE);
}

uint32_t habit_without_bit(uint32_t bits, uint32_t k)
{
    const uint32_t below = (1u << k) - 1u;

    return (bits & below) | (bits >> 1 & ~below);
}

void habit_halve_support(float *support, uint32_t used)
{
    for (uint32_t k = 0; k < used; k++)
        support[k] = habit_larger(0.5f * support[k], HABIT_LEAST_COUNT);
}

void habit_scale(float *values, uint32_t count, float factor)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = habit_without_dust(values[i] * factor, HABIT_DUST);
}
