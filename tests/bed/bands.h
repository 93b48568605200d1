/* What the two simple detectors know of a buffer. Log energies of up to 16 log-spaced bands of a Hann-windowed spectrum, log rms
 * and mean of each axis, in double precision. Buffers of less than 8 samples have no bands, a single sample has no rms. */
#ifndef HABIT_BED_BANDS_H
#define HABIT_BED_BANDS_H

#include <stddef.h>
#include <stdint.h>

enum { FEATURE_BANDS = 16, FEATURES_PER_AXIS = FEATURE_BANDS + 2, FEATURE_MIN_SPECTRUM = 8 };

/* Where the features of an axis are; the mean is the last. */
struct feature_layout {
    uint32_t samples, axes;
    unsigned int bands;                   /* of an axis */
    unsigned int edge[FEATURE_BANDS + 1]; /* first bin of each band */
    unsigned int has_rms;                 /* 0 or 1 */
    unsigned int per_axis, count;
};
struct feature_layout features_layout(uint32_t samples, uint32_t axes);

/* Writes layout->count features of one buffer, interleaved by axis. */
void features_of(const struct feature_layout *layout, const float *samples, double *features);

#endif
