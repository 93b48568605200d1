#include "kinds.h"

#include <math.h>

enum { LEAST_SAMPLES = 16, MOST_SAMPLES = 2048, MOST_AXES = 6 };

double chance_scale(struct chance *chance, double low, double high)
{
    return low * pow(high / low, chance_between(chance, 0, 1));
}

static bool chance_half(struct chance *chance)
{
    return chance_bits(chance) % 2 != 0;
}

/* At least two cycles a buffer, and below nine tenths of half the sampling rate. */
static double any_frequency(const struct signal *signal, struct chance *chance)
{
    return chance_scale(chance, 2.0 / signal->samples, 0.45);
}

/* ------------------------------------------------------------------------------------------------------- recipes */

static void white(struct signal *signal, struct axis *axis, struct chance *chance)
{
    (void)signal;
    (void)chance;
    axis->noise = 1;
}

static void resonance(struct signal *signal, struct axis *axis, struct chance *chance)
{
    axis->noise = 1;
    axis->pole = chance_between(chance, 0.8, 0.97);
    axis->frequency = any_frequency(signal, chance);
}

static void tones(struct signal *signal, struct axis *axis, struct chance *chance)
{
    axis->noise = chance_scale(chance, 0.03, 1);
    axis->tones = 1 + (unsigned int)(chance_bits(chance) % 4);
    for (unsigned int t = 0; t < axis->tones; t++) {
        axis->tone[t].frequency = any_frequency(signal, chance);
        axis->tone[t].amplitude = chance_scale(chance, 0.1, 2);
    }
}

static void heavy(struct signal *signal, struct axis *axis, struct chance *chance)
{
    (void)signal;
    axis->noise = chance_scale(chance, 0.5, 2);
    axis->heavy = true;
}

static void wandering(struct signal *signal, struct axis *axis, struct chance *chance)
{
    tones(signal, axis, chance);
    signal->tone_wander = chance_between(chance, 0.1, 0.4);
    signal->lag = chance_between(chance, 0.4, 0.6);
}

static void impulsive(struct signal *signal, struct axis *axis, struct chance *chance)
{
    axis->noise = 1;
    axis->shocks.each_buffer = chance_scale(chance, 0.5, 8);
    axis->shocks.height = chance_scale(chance, 3, 20);
    axis->shocks.frequency = any_frequency(signal, chance);
    axis->shocks.decay = chance_scale(chance, 1, 0.1 * signal->samples + 1);
}

/* Harmonics of one to three cycles a buffer. */
static void cycle(struct signal *signal, struct axis *axis, struct chance *chance)
{
    const double cycles = 1 + (double)(chance_bits(chance) % 3);

    signal->locked = true;
    signal->jitter = chance_between(chance, 0, 0.03) * signal->samples / cycles;
    axis->noise = chance_scale(chance, 0.02, 0.3);
    axis->tones = 4;
    for (unsigned int t = 0; t < axis->tones; t++) {
        axis->tone[t].frequency = cycles * (t + 1) / signal->samples;
        axis->tone[t].amplitude = chance_between(chance, 0.3, 1) / (t + 1);
        axis->tone[t].turn = chance_between(chance, 0, 1);
    }
}

static void levels(struct signal *signal, struct axis *axis, struct chance *chance)
{
    signal->together = chance_between(chance, 0, 0.9);
    axis->noise = 1;
    axis->level = chance_between(chance, -100, 100);
    axis->level_sd = chance_scale(chance, 0.1, 5);
}

static void modulated(struct signal *signal, struct axis *axis, struct chance *chance)
{
    tones(signal, axis, chance);
    for (unsigned int t = 0; t < axis->tones; t++) {
        axis->tone[t].depth = chance_between(chance, 0.2, 0.9);
        axis->tone[t].beat = chance_scale(chance, 0.3, 5) / signal->samples;
    }
}

static void values(struct signal *signal, struct axis *axis, struct chance *chance)
{
    signal->together = chance_between(chance, 0, 0.95);
    axis->level = chance_between(chance, -100, 100);
    axis->level_sd = chance_scale(chance, 0.1, 5);
}

static const struct kind_row {
    const char *name, *about;
    void (*fill)(struct signal *signal, struct axis *axis, struct chance *chance);
    double resting; /* share of machines in which the level of an axis is far from 0 */
} kinds[KINDS] = {
    [KIND_WHITE] = { "white", "white noise", white, 0.5 },
    [KIND_RESONANCE] = { "resonance", "noise through a resonance", resonance, 0.5 },
    [KIND_TONES] = { "tones", "tones of random phase in noise", tones, 0.5 },
    [KIND_HEAVY] = { "heavy", "noise with heavy tails, Student's t with 3 degrees of freedom", heavy, 0.5 },
    [KIND_WANDERING] = { "wandering", "tones whose amplitude wanders from buffer to buffer, lag 1 about 0.5", wandering,
                         0.5 },
    [KIND_IMPULSIVE] = { "impulsive", "shocks that ring, at random", impulsive, 0.5 },
    [KIND_CYCLE] = { "cycle", "a waveform that starts in phase, with jitter", cycle, 0.5 },
    [KIND_LEVELS] = { "levels", "levels of many sensors, white from buffer to buffer", levels, 0 },
    [KIND_MODULATED] = { "modulated", "tones modulated within a buffer", modulated, 0.5 },
    [KIND_VALUES] = { "values", "one sample of many sensors", values, 0 },
};

const char *kind_name(enum kind kind)
{
    return kinds[kind].name;
}

const char *kind_about(enum kind kind)
{
    return kinds[kind].about;
}

/* ------------------------------------------------------------------------------------------------------- machines */

static void scale(struct axis *axis, double unit)
{
    axis->level *= unit;
    axis->level_sd *= unit;
    axis->noise *= unit;
    axis->shocks.height *= unit;
    for (unsigned int t = 0; t < axis->tones; t++)
        axis->tone[t].amplitude *= unit;
}

void kind_draw_sized(enum kind kind, struct signal *signal, unsigned int samples, unsigned int axes,
                     struct chance *chance)
{
    signal_init(signal, samples, axes, chance);
    signal->together = chance_half(chance) ? chance_between(chance, 0, 1) : 0;
    for (unsigned int a = 0; a < axes; a++) {
        struct axis *axis = &signal->axis[a];

        kinds[kind].fill(signal, axis, chance);
        if (chance_between(chance, 0, 1) < kinds[kind].resting)
            axis->level = chance_between(chance, -10, 10);
        scale(axis, chance_scale(chance, 1e-3, 1e3));
    }
    signal_start(signal);
}

static unsigned int any_length(struct chance *chance)
{
    const double length = chance_scale(chance, LEAST_SAMPLES, MOST_SAMPLES);

    return chance_half(chance) ? (unsigned int)(length + 0.5) : 1u << (unsigned int)(log2(length) + 0.5);
}

void kind_draw(enum kind kind, struct signal *signal, struct chance *chance)
{
    const unsigned int axes = 1 + (unsigned int)(chance_bits(chance) % MOST_AXES);
    const unsigned int samples = any_length(chance);

    kind_draw_sized(kind, signal, kind == KIND_VALUES ? 1 : samples, axes, chance);
}
