#include "signal.h"

#include <complex.h>
#include <math.h>
#include <string.h>

enum { HEAVY_FREEDOM = 3 };

void signal_init(struct signal *signal, unsigned int samples, unsigned int axes, struct chance *chance)
{
    memset(signal, 0, sizeof(*signal));
    signal->samples = samples;
    signal->axes = axes;
    signal->chance.state = chance_bits(chance);
}

/* --------------------------------------------------------------------------------------------- between the buffers */

static void wander_start(struct wander *wander, struct chance *chance)
{
    wander->all = chance_gauss(chance);
    for (unsigned int a = 0; a < HABIT_MAX_AXES; a++)
        wander->own[a] = chance_gauss(chance);
}

static void wander_step(struct wander *wander, const struct signal *signal, struct chance *chance)
{
    const double fresh = sqrt(1 - signal->lag * signal->lag);

    wander->all = signal->lag * wander->all + fresh * chance_gauss(chance);
    for (unsigned int a = 0; a < signal->axes; a++)
        wander->own[a] = signal->lag * wander->own[a] + fresh * chance_gauss(chance);
}

static double wander_of(const struct wander *wander, const struct signal *signal, unsigned int axis)
{
    return sqrt(signal->together) * wander->all + sqrt(1 - signal->together) * wander->own[axis];
}

void signal_start(struct signal *signal)
{
    wander_start(&signal->amplitude, &signal->chance);
    wander_start(&signal->level, &signal->chance);
}

/* ------------------------------------------------------------------------------------------------- within a buffer */

/* Bailey, Mathematics of Computation 62 (1994): the polar method for Student's t. */
static double heavy(struct chance *chance)
{
    const double u = 1 - chance_between(chance, 0, 1);

    return sqrt(HEAVY_FREEDOM * (pow(u, -2.0 / HEAVY_FREEDOM) - 1)) * cos(2 * M_PI * chance_between(chance, 0, 1));
}

static double white(const struct axis *axis, struct chance *chance)
{
    return axis->heavy ? heavy(chance) : chance_gauss(chance);
}

/* Variance of y(t) = one y(t-1) + two y(t-2) + e(t), in variances of e. */
static double resonance_variance(double one, double two)
{
    return (1 - two) / ((1 + two) * ((1 - two) * (1 - two) - one * one));
}

static void add_noise(const struct axis *axis, struct chance *chance, double gain, double *x, unsigned int samples)
{
    const double one = 2 * axis->pole * cos(2 * M_PI * axis->frequency), two = -axis->pole * axis->pole;
    const double size = gain * axis->noise / sqrt(resonance_variance(one, two));
    const unsigned int settle = axis->pole > 0 ? (unsigned int)(4 / (1 - axis->pole)) : 0;
    double last = 0, before = 0;

    if (axis->noise <= 0)
        return;
    for (unsigned int i = 0; i < settle + samples; i++) {
        const double y = one * last + two * before + white(axis, chance);

        before = last;
        last = y;
        if (i >= settle)
            x[i - settle] += size * y;
    }
}

/* So many turns around the unit circle. */
static double complex unit(double turns)
{
    return cexp(2 * M_PI * turns * (double complex)I);
}

static void add_tone(const struct signal *signal, const struct tone *tone, struct chance *chance, double gain,
                     double shift, double *x)
{
    const double turn = signal->locked ? tone->turn + tone->frequency * shift : chance_between(chance, 0, 1);
    const double complex step = unit(tone->frequency), beat = unit(tone->beat);
    double complex z = gain * tone->amplitude * unit(turn);
    double complex modulation = tone->depth * unit(chance_between(chance, 0, 1));

    for (unsigned int i = 0; i < signal->samples; i++) {
        x[i] += creal(z) * (1 + creal(modulation));
        z *= step;
        modulation *= beat;
    }
}

static unsigned int poisson(struct chance *chance, double mean)
{
    double product = chance_between(chance, 0, 1);
    unsigned int count = 0;

    for (const double least = exp(-mean); product > least; count++)
        product *= chance_between(chance, 0, 1);
    return count;
}

static void add_shocks(const struct shocks *shocks, struct chance *chance, double gain, double *x, unsigned int samples)
{
    unsigned int left = shocks->steady ? (unsigned int)shocks->each_buffer : poisson(chance, shocks->each_buffer);

    for (; left > 0; left--) {
        const double height = gain * shocks->height * chance_between(chance, 0.7, 1.3);
        const double complex step = exp(-1 / shocks->decay) * unit(shocks->frequency);
        double complex z = chance_bits(chance) % 2 ? height : -height;

        for (unsigned int i = (unsigned int)chance_between(chance, 0, samples); i < samples; i++, z *= step)
            x[i] += creal(z);
    }
}

static void make_axis(struct signal *signal, unsigned int a, double shift, double *x)
{
    const struct axis *axis = &signal->axis[a];
    const double amplitude = wander_of(&signal->amplitude, signal, a);
    const double gain = exp(signal->gain_wander * amplitude), tone_gain = gain * exp(signal->tone_wander * amplitude);

    memset(x, 0, signal->samples * sizeof(x[0]));
    add_noise(axis, &signal->chance, gain, x, signal->samples);
    for (unsigned int t = 0; t < axis->tones; t++)
        add_tone(signal, &axis->tone[t], &signal->chance, tone_gain, shift, x);
    add_shocks(&axis->shocks, &signal->chance, gain, x, signal->samples);
}

void signal_next(struct signal *signal, float *buffer)
{
    double x[HABIT_MAX_BUFFER_SIZE];
    const double shift = signal->jitter * chance_gauss(&signal->chance);

    wander_step(&signal->amplitude, signal, &signal->chance);
    wander_step(&signal->level, signal, &signal->chance);
    for (unsigned int a = 0; a < signal->axes; a++) {
        const struct axis *axis = &signal->axis[a];
        const double level = axis->level + axis->level_sd * wander_of(&signal->level, signal, a);

        make_axis(signal, a, shift, x);
        for (unsigned int i = 0; i < signal->samples; i++)
            buffer[(size_t)i * signal->axes + a] = (float)(level + x[i]);
    }
}

double signal_rms(const struct signal *signal, unsigned int axis)
{
    const struct axis *a = &signal->axis[axis];
    double square = a->noise * a->noise * (a->heavy ? HEAVY_FREEDOM / (HEAVY_FREEDOM - 2.0) : 1.0);

    for (unsigned int t = 0; t < a->tones; t++)
        square += 0.5 * a->tone[t].amplitude * a->tone[t].amplitude * (1 + 0.5 * a->tone[t].depth * a->tone[t].depth);
    return sqrt(square);
}
