/* Where everything lies in knowledge, cache and scratch. All of it follows from the configuration. Sizes and offsets count
 * 4-byte words. */
#ifndef HABIT_LAYOUT_H
#define HABIT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "fft.h"
#include "habit/engine.h"

enum {
    HABIT_START = 8,       /* buffers that are kept and compared before the first is learned */
    HABIT_SEGMENTS = 8,    /* of the coarse waveform */
    HABIT_SHAPES = 5,      /* features of an axis after its bands: rms, kurtosis, skewness, crest, shocks */
    HABIT_MAX_POINTS = 12, /* modes or prototypes of a view */
    HABIT_MAX_PART = 21    /* features of one block: bands and shapes of the largest profile */
};

/* A buffer is seen in three ways, each with a model, a distance and a calibration of its own. */
enum habit_view_index {
    HABIT_SPECTRUM, /* log energy of bands, and the shape of the distribution; the mean removed */
    HABIT_LEVEL,    /* the mean of each axis */
    HABIT_WAVEFORM, /* the coarse waveform; of use where it repeats in phase */
    HABIT_VIEWS
};

/* Features of one view: `blocks` of `part` each. Features are correlated with those of their own block, and the first
 * `coupled` of a block with the same ones of other blocks, see coupling.h. */
struct habit_shape {
    uint32_t dimension; /* blocks x part; 0 where the view does not exist */
    uint32_t part;
    uint32_t blocks;
    uint32_t points;   /* nominal points that a buffer is compared with: modes, prototypes, means */
    uint32_t ordinary; /* of them, that learning may take */
    uint32_t
        accepted; /* of them, that an operator's accepts may take, from what was learned too if there are no others */
    uint32_t coupled;
};

struct habit_layout {
    uint32_t samples, axes;
    uint32_t transform; /* samples of the transform: the next power of two; 0 = buffer too short for one */
    uint32_t bands;
    struct habit_shape view[HABIT_VIEWS];
    uint32_t vector; /* all features of a buffer, and the rms of each axis */

    /* knowledge, from the start of the block */
    uint16_t rms, baseline, model[HABIT_VIEWS], kept, knowledge;
    /* cache */
    uint16_t prepared[HABIT_VIEWS], cache;
    /* scratch */
    uint16_t features, total, whitened, work, scratch;
};

/* False, and nothing written, where the configuration is not valid. */
bool habit_layout_make(struct habit_layout *layout, const struct habit_config *config);

bool habit_config_valid(const struct habit_config *config);

/* Floats that are needed for the samples of one axis while they are looked at. */
static inline uint32_t habit_layout_room(const struct habit_layout *layout)
{
    return layout->transform > HABIT_FFT_ROOM ? layout->transform : HABIT_FFT_ROOM;
}

/* Numbers in the lower triangle of a symmetric matrix. */
static inline uint32_t habit_triangle(uint32_t size)
{
    return size * (size + 1) / 2;
}

#endif
