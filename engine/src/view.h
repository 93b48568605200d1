/* A view prepared for scoring: what follows from its model, kept in the cache. All three are scored alike. */
#ifndef HABIT_VIEW_H
#define HABIT_VIEW_H

#include "knowledge.h"

struct habit_view {
    const struct habit_shape *shape;
    const float *positions; /* of the points, in the knowledge */
    float *inverse_sd;      /* from here on in the cache */
    float *factor;
    float *discount;  /* of a squared distance: 1 / (1 + 1 / count), as young means are uncertain themselves */
    uint32_t *active; /* bit k: point k counts as nominal */
};

/* Finds the parts of a prepared view in the cache; the positions are the caller's to set. */
void habit_view_open(struct habit_view *view, const struct habit_shape *shape, float *words);

/* Mean square distance of x to the nearest of the points in `mask`, over the dimensions; which one it is in *nearest.
 * work: HABIT_POINTS x part floats. */
float habit_view_distance(const struct habit_view *view, const float *x, uint32_t mask, float *work, uint32_t *nearest);

/* Variances in inverse_sd become what the name says. */
void habit_view_invert(struct habit_view *view);

/* Points that count: those with the support that is needed, which is never below one buffer, or pinned; where there are
 * none the largest. */
uint32_t habit_supported(const float *support, uint32_t used, uint32_t pinned, float needed);

/* values *= factor */
void habit_scale(float *values, uint32_t count, float factor);

/* How many equal weights these are worth. */
static inline float habit_weights_worth(const struct habit_weights *weights)
{
    return weights->squares > 0.0f ? weights->sum * weights->sum / weights->squares : 0.0f;
}

static inline void habit_weights_add(struct habit_weights *weights, float weight)
{
    weights->sum += weight;
    weights->squares += weight * weight;
}

#endif
