/* A view prepared for scoring: what follows from its model, kept in the cache. All three are scored alike. */
#ifndef HABIT_VIEW_H
#define HABIT_VIEW_H

#include "knowledge.h"

#define HABIT_LEAST_COUNT       0.25f /* of a mode or prototype that was learned with a small weight */
#define HABIT_LARGEST_TOLERANCE 1e12f

struct habit_view {
    const struct habit_shape *shape;
    const float *positions; /* of the points, in the knowledge */
    float *inverse_sd;      /* from here on in the cache */
    float *factor;
    float *discount;  /* of a squared distance: 1 / (1 + 1 / count), as young means are uncertain themselves */
    uint32_t *active; /* bit k: point k counts as nominal */
    float *coupling;  /* factors of the coupled features, see coupling.h */
};

/* Finds the parts of a prepared view in the cache; the positions are the caller's to set. */
void habit_view_open(struct habit_view *view, const struct habit_shape *shape, float *words);

/* Mean square distance of x to the nearest of the points in `mask`, over the dimensions; which one it is in *nearest. The
 * mask is not 0. What is further away than anything is nearest to the first of them.
 * work: as many floats as there are in a part. */
float habit_view_distance(const struct habit_view *view, const float *x, uint32_t mask, float *work, uint32_t *nearest);

/* Variances in inverse_sd become what the name says. */
void habit_view_invert(struct habit_view *view);

/* Points that count: those that are pinned, and of the others those with the support that is needed, which is never below
 * one buffer; where there are none the largest. */
uint32_t habit_supported(const float *support, uint32_t used, uint32_t pinned, float needed);

static inline bool habit_is_pinned(uint32_t pinned, uint32_t k)
{
    return (pinned >> k & 1u) != 0;
}

/* How many of `count` points are not pinned. */
uint32_t habit_ordinary_points(uint32_t count, uint32_t pinned);

/* Whether a newcomer, which will be pinned or not, can have a point of its own without any other giving way. */
bool habit_has_room(uint32_t used, uint32_t pinned, const struct habit_shape *shape, bool pin);

/* Whether point a may take in b, which is behind it; the newcomer is behind all, at `used`, and pinned has a bit for it too.
 * What is pinned takes in newcomers, but gives way only to what is pinned too, when there are too many of them. */
bool habit_may_merge(uint32_t used, uint32_t pinned, const struct habit_shape *shape, uint32_t a, uint32_t b);

/* Tolerance of two points that become one between them, share_b of the way to the second: that which reaches as far as
 * both did. apart: standard deviations between them, the root mean square over the dimensions. */
float habit_tolerance_merged(float a, float b, float apart, float share_b);

/* Bit k is taken out, those above move down. */
uint32_t habit_without_bit(uint32_t bits, uint32_t k);

/* Counts become half, down to the least that there is. */
void habit_halve_support(float *support, uint32_t used);

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
