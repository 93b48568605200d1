/* Axes of one machine rise and fall together. A matrix over all features of all axes would have too many numbers to learn and
 * to store; most of what it knows is how the same band goes on different axes. So that alone is kept: first every axis is
 * whitened by itself, then each coupled feature across the axes. */
#ifndef HABIT_COUPLING_H
#define HABIT_COUPLING_H

#include "knowledge.h"

/* white: features of a buffer that was not learned yet, whitened within each block around the nearest point.
 * work: as many floats as there are blocks. */
void habit_coupling_add(struct habit_coupling *coupling, const struct habit_shape *shape, const float *white,
                        float weight, float *work);

/* What follows from it for the distance: in `factor` a triangle of blocks for each coupled feature.
 * work: as many floats as there are blocks. */
void habit_coupling_prepare(const struct habit_coupling *coupling, const struct habit_shape *shape, float *factor,
                            float *work);

/* Squared length of such features, what is common to the blocks taken off. work: as many floats as there are blocks. */
float habit_coupling_square(const float *factor, const struct habit_shape *shape, const float *white, float *work);

#endif
