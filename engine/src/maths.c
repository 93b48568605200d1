#include "maths.h"

#define SQRT_HALF_BITS 0x3f3504f3u

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); log m = 2 artanh t, t = (m - 1) / (m + 1), |t| < 0.172. The polynomials of this
 * file are those that fit best. */
float habit_log(float x)
{
    uint32_t bits = habit_bits(x > 1e-37f ? x : 1e-37f) - SQRT_HALF_BITS;
    float e = (float)((int32_t)bits >> 23);
    float m = habit_from_bits((bits & 0x007fffffu) + SQRT_HALF_BITS);
    float t = (m - 1.0f) / (m + 1.0f);
    float t2 = t * t;

    return e * HABIT_LN2 + 2.0f * (t + t * t2 * (0.333333882f + t2 * (0.199887708f + t2 * 0.149358639f)));
}

/* x = i + f with f in [-1/2, 1/2]; the scale is built from its bits. */
float habit_exp2(float x)
{
    float limited = habit_within(x, 126.0f);
    int32_t i = (int32_t)(limited + 126.5f) - 126;
    float f = limited - (float)i;
    float power = 0.0555032878f + f * (0.00961848896f + f * (0.00133999312f + f * 0.000153458122f));

    power = 1.0f + f * (0.693147206f + f * (0.240226469f + f * power));
    return power * habit_from_bits((uint32_t)(i + 127) << 23);
}

float habit_exp(float x)
{
    return habit_exp2(x * 1.44269504f);
}

/* Cephes, atanf: the argument is brought below tan(pi / 8) first. */
float habit_atan(float x)
{
    float a = fabsf(x);
    float offset = 0.0f;
    float t = a;
    float t2;

    if (a > 2.41421356f) {
        offset = 0.5f * HABIT_PI;
        t = -1.0f / a;
    } else if (a > 0.414213562f) {
        offset = 0.25f * HABIT_PI;
        t = (a - 1.0f) / (a + 1.0f);
    }
    t = habit_without_dust(t, 1e-12f);
    t2 = t * t;
    t += t * t2 * (-0.333329492f + t2 * (0.199777106f + t2 * (-0.138776856f + t2 * 0.0805374450f)));
    return x < 0.0f ? -(offset + t) : offset + t;
}

/* Half the complementary error function of x / sqrt(2), by the Chebyshev fit of Numerical Recipes, 6.2. */
float habit_normal_tail(float x)
{
    static const float fit[] = { 0.17087277f,  -0.82215223f, 1.48851587f, -1.13520398f, 0.27886807f,
                                 -0.18628806f, 0.09678418f,  0.37409196f, 1.00002368f,  -1.26551223f };
    float y = habit_smaller(fabsf(x), 12.0f) * 0.707106781f;
    float t = 1.0f / (1.0f + 0.5f * y);
    float sum = 0.0f;
    float tail;

    for (uint32_t i = 0; i < sizeof(fit) / sizeof(fit[0]); i++)
        sum = fit[i] + t * sum;
    tail = 0.5f * t * habit_exp(sum - y * y);
    return x < 0.0f ? 1.0f - tail : tail;
}
