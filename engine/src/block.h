/* Covariance in blocks: one triangle of numbers for each block, rows of the lower half after each other. Features of
 * different blocks count as independent: fewer numbers to estimate, and it detects better than the full matrix. */
#ifndef HABIT_BLOCK_H
#define HABIT_BLOCK_H

#include "layout.h"
#include "points.h"

/* scatter += weight d d' in every block. */
void habit_scatter_add(float *scatter, const struct habit_shape *shape, const float *d, float weight);

/* variance[i] = diagonal of the scatter. */
void habit_scatter_diagonal(const float *scatter, const struct habit_shape *shape, float *diagonal);

/* Factors L D L' of the shrunk correlation in every block: lower triangle, with the reciprocals of D on the diagonal. The
 * covariance is scale x scatter, inverse_sd belongs to it; samples is how many it was estimated from. */
void habit_blocks_factor(float *factor, const float *scatter, const struct habit_shape *shape, float scale,
                         const float *inverse_sd, float samples);

/* x = L^-1 x; returns the sum of x x / D: the squared length of x where its covariance is L D L'. */
float habit_block_solve(const float *factor, float *x, uint32_t size);

/* What is left of x - point where everything ordinary is taken off: unit variance, no correlation within a block. */
void habit_blocks_whiten(const float *factor, const struct habit_shape *shape, const float *inverse_sd, const float *x,
                         const float *point, float *white);

/* Squares of the distances of x from points, in standard deviations, where what the model finds ordinary has unit variance
 * in every direction. Where one is beyond all numbers it is infinite or NaN. work: HABIT_POINTS x part floats. */
void habit_blocks_distances(const float *factor, const struct habit_shape *shape, const float *inverse_sd,
                            const float *x, const float *const points[HABIT_POINTS], float *work,
                            float distance[HABIT_POINTS]);

#endif
