#include "signal.h"

uint32_t signal_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state;
}

int32_t signal_noise(uint32_t *state)
{
    int32_t sum = 0;

    for (int i = 0; i < 4; i++)
        sum += (int32_t)(signal_random(state) >> 18);
    return sum - 32768;
}

/* A parabola p through the zeros of each half wave, then p + 0.225 (p |p| - p), which takes out most of the third harmonic.
 * Numbers are in units of 2^-15; 0.225 is 7373. */
int32_t signal_sine(uint32_t phase)
{
    const int32_t x = 32768 - (int32_t)(phase >> 16); /* half a turn later, the other way round: the same sine */
    const int32_t p = x * (32768 - (x < 0 ? -x : x)) / 8192;
    const int32_t bent = p * (p < 0 ? -p : p) / 32768 - p;

    return p + bent * 7373 / 32768;
}
