/* From samples to features. */
#ifndef HABIT_FEATURE_H
#define HABIT_FEATURE_H

#include "layout.h"

enum { HABIT_MAX_BANDS = HABIT_MAX_PART - HABIT_SHAPES };

/* Samples as the caller has them: one of the pointers is set. */
struct habit_source {
    const float *floats;
    const int16_t *integers;
    float scale; /* unit per step of an integer */
};

/* One vector holds the features of all views and the rms of each axis, in the order of the views. */
struct habit_features {
    float *view[HABIT_VIEWS];
    float *rms;
    uint16_t constant, clipped;          /* bit a: axis a */
    uint16_t edges[HABIT_MAX_BANDS + 1]; /* first bin of each band; behind the last one the first that is in none */
};

/* Which features a vector's words are. */
void habit_features_open(struct habit_features *features, const struct habit_layout *layout, float *words);

/* False where a value is not finite or too large: the features mean nothing then. work: the scratch's work area. */
bool habit_features_make(struct habit_features *features, const struct habit_layout *layout,
                         const struct habit_source *source, float *work);

#endif
