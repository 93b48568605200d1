#include "view.h"

#include "block.h"
#include "maths.h"

#define FARTHEST 1e24f /* square of a distance: further away is no stranger */

uint32_t habit_view_words(const struct habit_shape *shape)
{
    const uint32_t d = shape->dimension;

    return d == 0 ? 0 : d + shape->blocks * habit_triangle(shape->part) + shape->points + 1;
}

void habit_view_open(struct habit_view *view, const struct habit_shape *shape, float *words)
{
    view->shape = shape;
    view->inverse_sd = words;
    view->factor = view->inverse_sd + shape->dimension;
    view->discount = view->factor + shape->blocks * habit_triangle(shape->part);
    view->active = (uint32_t *)(view->discount + shape->points);
}

/* Distances of points from k on; of the first of them again where there are fewer than lanes. */
static void measure(const struct habit_view *view, const float *x, uint32_t k, float *work,
                    float distance[HABIT_POINTS])
{
    const float *points[HABIT_POINTS];

    for (uint32_t i = 0; i < HABIT_POINTS; i++)
        points[i] = view->positions + (k + i < view->shape->points ? k + i : k) * view->shape->dimension;
    habit_blocks_distances(view->factor, view->shape, view->inverse_sd, x, points, work, distance);
}

float habit_view_distance(const struct habit_view *view, const float *x, uint32_t mask, float *work, uint32_t *nearest)
{
    float least = FARTHEST;

    *nearest = 0;
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
    uint32_t active = pinned, largest = 0;

    for (uint32_t k = 0; k < used; k++) {
        if (support[k] >= least)
            active |= 1u << k;
        if (support[k] > support[largest])
            largest = k;
    }
    return active != 0 ? active : 1u << largest;
}

void habit_scale(float *values, uint32_t count, float factor)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = habit_without_dust(values[i] * factor, HABIT_DUST);
}
