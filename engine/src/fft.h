/* Power spectrum of a real signal. */
#ifndef HABIT_FFT_H
#define HABIT_FFT_H

#include <stdint.h>

enum { HABIT_TWIDDLES = 4096 }; /* steps of the full circle; the largest transform */

extern const float habit_quarter_wave[HABIT_TWIDDLES / 4 + 1];

/* The signal is packed as complex numbers first: even samples are real parts, odd ones imaginary parts. Both pairs of
 * arrays hold size / 2 values; the answer is in the one that is returned. */
struct habit_complex {
    float *re, *im;
};

/* size: samples, a power of two in 8..4096. `other` is overwritten. */
struct habit_complex habit_fft(struct habit_complex packed, struct habit_complex other, uint32_t size);

/* power[k] = |X_k|^2 for k = 1 .. size / 2, from what habit_fft returned; power[0] = 0. May not overlap with the transform. */
void habit_fft_power(struct habit_complex z, uint32_t size, float *power);

#endif
