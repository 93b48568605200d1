/* Power spectrum of a real signal, in the place of the samples. */
#ifndef HABIT_FFT_H
#define HABIT_FFT_H

#include <stdint.h>

enum {
    HABIT_FFT_ROOM = 32, /* floats that x holds at least */
    HABIT_FINE_TWIDDLES = 32,
    HABIT_COARSE_TWIDDLES = 24
};

/* With r(b) the bits of b mirrored at the binary point, 1/2, 1/4, 3/4, 1/8 ..: exp(-i pi/2 r(b)) for the first b, and
 * exp(-i pi/64 r(b)), by which they are turned for every 32 b more. Real and imaginary parts by turns. */
extern const float habit_fine_twiddles[2 * HABIT_FINE_TWIDDLES];
extern const float habit_coarse_twiddles[2 * HABIT_COARSE_TWIDDLES];

/* Returns p with p[k] = 4 |X_k|^2 for k = 1 .. size / 2; it lies within x.
 * size: samples, a power of two in 8..4096. Where that is less than HABIT_FFT_ROOM there are zeros behind them. */
float *habit_fft_power(float *x, uint32_t size);

#endif
