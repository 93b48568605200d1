/* The few functions beyond + - * / and sqrtf that the engine needs, in float32 and in a fixed order of operations: libm's
 * differ between C libraries, and knowledge must be the same bytes on every processor. */
#ifndef HABIT_MATHS_H
#define HABIT_MATHS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define HABIT_LN2 0.693147181f
#define HABIT_PI  3.14159265f

#define HABIT_DUST 1e-30f /* no sum in the knowledge is smaller without being 0 */

/* Natural logarithm. What is below 1e-37 counts as 1e-37, so 0 has one too. Relative error below 3e-7, near 1 absolute. */
float habit_log(float x);

/* 2^x and e^x; arguments beyond the range of float32 count as its ends, so neither is ever 0 or infinite. */
float habit_exp2(float x);
float habit_exp(float x);

/* Arc tangent, error below 3e-7. */
float habit_atan(float x);

/* Probability that a standard normal variable is above x; relative error below 1e-5 while it is above 1e-30. */
float habit_normal_tail(float x);

static inline uint32_t habit_bits(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline float habit_from_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static inline float habit_larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float habit_smaller(float a, float b)
{
    return a < b ? a : b;
}

/* x within +-limit. */
static inline float habit_within(float x, float limit)
{
    return x > limit ? limit : (x < -limit ? -limit : x);
}

/* Sine of 0..pi/2, error below 2e-7: the polynomial that fits best there. */
static inline float habit_sin(float x)
{
    const float x2 = x * x;

    return x + x * x2 * (-0.166666605f + x2 * (0.00833308817f + x2 * (-0.000198111128f + x2 * 2.60893267e-06f)));
}

/* Some vector units flush subnormal numbers to zero and others do not: what could lead to them is made zero early. */
static inline float habit_without_dust(float x, float dust)
{
    return fabsf(x) < dust ? 0.0f : x;
}

#endif
