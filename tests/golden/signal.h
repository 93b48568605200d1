/* Signals whose samples are the same bits on every processor: integers until the last step, which is exact or one rounding. */
#ifndef SIGNAL_H
#define SIGNAL_H

#include <stdint.h>

/* Numerical Recipes' 32-bit congruential generator; its upper bits are good enough for noise. */
uint32_t signal_random(uint32_t *state);

/* Sum of four uniform values: close to normal, standard deviation 9459, within +-32768. */
int32_t signal_noise(uint32_t *state);

/* Sine of phase / 2^32 turns, amplitude 32768, off by less than 1 in 800. */
int32_t signal_sine(uint32_t phase);

#endif
