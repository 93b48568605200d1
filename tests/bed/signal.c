#include "signal.h"

#include <math.h>

/* ----------------------------------------------------------------------------------------------------------- noise */

enum { QUANTILE_BITS = 12, QUANTILES = 1 << QUANTILE_BITS, FRACTION_BITS = 32 - QUANTILE_BITS };

/* Edges between QUANTILES slices of equal probability of a Gaussian; the open ends stop where they keep the variance. */
static double quantile[QUANTILES + 1];

/* Newton's method on the distribution function. */
static double gauss_quantile(double probability, double guess)
{
    for (int step = 0; step < 8; step++) {
        double error = 0.5 * erfc(-guess * M_SQRT1_2) - probability;

        guess -= error * sqrt(2 * M_PI) * exp(0.5 * guess * guess);
    }
    return guess;
}

static void fill_quantiles(void)
{
    double last = 0;

    for (int i = 0; i < QUANTILES / 2; i++) {
        last = gauss_quantile(0.5 + (double)i / QUANTILES, last);
        quantile[QUANTILES / 2 + i] = last;
        quantile[QUANTILES / 2 - i] = -last;
    }
    quantile[QUANTILES] = 4.2;
    quantile[0] = -4.2;
}

static double gauss_of(uint32_t bits)
{
    uint32_t slice = bits >> FRACTION_BITS;
    double share = (double)(bits & ((1u << FRACTION_BITS) - 1)) * (1.0 / (1u << FRACTION_BITS));

    return quantile[slice] + share * (quantile[slice + 1] - quantile[slice]);
}

void signal_noise(double *x, size_t n, double sigma, struct chance *chance)
{
    if (quantile[QUANTILES] <= 0)
        fill_quantiles();
    for (size_t i = 0; i < n; i += 2) {
        uint64_t bits = chance_bits(chance);

        x[i] += sigma * gauss_of((uint32_t)bits);
        if (i + 1 < n)
            x[i + 1] += sigma * gauss_of((uint32_t)(bits >> 32));
    }
}

/* ------------------------------------------------------------------------------------------------ tones and ringing */

void signal_tone(struct block *block, const struct tone_wave *wave)
{
    static double across[BED_SAMPLES], along[BED_SAMPLES];
    double turn = 2 * M_PI * wave->frequency, c = cos(turn), s = sin(turn);

    along[0] = 1;
    across[0] = 0;
    for (uint32_t i = 1; i < block->size; i++) {
        along[i] = c * along[i - 1] - s * across[i - 1];
        across[i] = s * along[i - 1] + c * across[i - 1];
    }
    for (uint32_t a = 0; a < block->axes; a++) {
        double angle = 2 * M_PI * (wave->turn[a] + wave->start);
        double p = wave->amplitude[a] * cos(angle), q = wave->amplitude[a] * sin(angle);

        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] += p * along[i] - q * across[i];
    }
}

/* The variance of an AR(2) process: Box and Jenkins, Time Series Analysis, 3.2. */
struct resonator resonator_at(double frequency, double radius)
{
    struct resonator r = { .a1 = 2 * radius * cos(2 * M_PI * frequency), .a2 = -radius * radius };
    double variance = (1 - r.a2) / ((1 + r.a2) * ((1 - r.a2) * (1 - r.a2) - r.a1 * r.a1));

    r.for_noise = 1 / sqrt(variance);
    return r;
}

void resonator_add(struct resonator *resonator, double *x, const double *input, size_t n, double gain)
{
    double y1 = resonator->past[0], y2 = resonator->past[1];

    for (size_t i = 0; i < n; i++) {
        double y = input[i] + resonator->a1 * y1 + resonator->a2 * y2;

        y2 = y1;
        y1 = y;
        x[i] += gain * y;
    }
    resonator->past[0] = y1;
    resonator->past[1] = y2;
}

/* ------------------------------------------------------------------------------------------- from buffer to buffer */

struct wander wander_start(struct chance *chance, double memory)
{
    return (struct wander){ .value = chance_gauss(chance), .memory = memory };
}

double wander_next(struct wander *wander, struct chance *chance)
{
    wander->value = wander->memory * wander->value + sqrt(1 - wander->memory * wander->memory) * chance_gauss(chance);
    return wander->value;
}

static unsigned int draw_stay(const struct regimes *regimes, struct chance *chance)
{
    double mean = regimes->stay[regimes->now];

    return 1 + (unsigned int)(-(mean - 0.5) * log(1 - chance_between(chance, 0, 1)));
}

void regimes_start(struct regimes *regimes, unsigned int count, double stay_low, double stay_high,
                   struct chance *chance)
{
    regimes->count = count;
    for (unsigned int i = 0; i < count; i++)
        regimes->stay[i] = draw_log(chance, stay_low, stay_high);
    regimes->now = draw_one_of(chance, count);
    regimes->left = draw_stay(regimes, chance);
}

bool regimes_next(struct regimes *regimes, struct chance *chance)
{
    bool changes = regimes->count > 1 && regimes->left == 0;

    if (changes) {
        regimes->now = (regimes->now + draw_whole(chance, 1, regimes->count - 1)) % regimes->count;
        regimes->left = draw_stay(regimes, chance);
    }
    if (regimes->left > 0)
        regimes->left--;
    return changes;
}
