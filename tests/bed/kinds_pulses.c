/* Trains of pulses like heartbeats: each alike, at times that are never quite regular, on a baseline that breathes. */
#include <math.h>

#include "kinds.h"
#include "signal.h"

enum { WAVES = 3 }; /* bells that make up a pulse */

struct pulses {
    double period, sway, irregular; /* samples; from buffer to buffer, from pulse to pulse: relative */
    double at[WAVES], width[WAVES]; /* of the period */
    double height[WAVES][BED_AXES];
    double size_scatter, size_sway;
    double breath[BED_AXES], breath_period; /* samples */
    double offset[BED_AXES], noise[BED_AXES];
    struct wander rate, size, depth;
    struct regimes regimes; /* at rest, at work */
    double rate_of[REGIMES];
    unsigned int fault;
};

enum { MISSING, IRREGULAR, WIDE, SMALL, EXTRA, RACING, ALTERED, PULSE_FAULTS };
static const char *const pulse_faults[PULSE_FAULTS] = { "missing pulses", "irregular", "wide pulses",   "small pulses",
                                                        "extra pulses",   "racing",    "altered pulses" };

static void pulses_draw(struct machine *machine, struct chance *chance)
{
    static const double wave_at[WAVES] = { -0.18, 0, 0.25 }, wave_width[WAVES] = { 0.025, 0.012, 0.06 };
    static const double wave_height[WAVES] = { 0.15, 1, 0.3 };
    struct pulses *p = machine->state;

    machine->axes = draw_whole(chance, 1, 3);
    machine->buffer_size = draw_size(chance, 64, 1024);
    p->period = machine->buffer_size / draw_log(chance, 1.2, 12);
    machine->sampling_hz = p->period * draw_log(chance, 0.7, 3);
    p->sway = draw_log(chance, 0.01, 0.08);
    p->irregular = draw_log(chance, 0.01, 0.06);
    p->size_scatter = draw_log(chance, 0.01, 0.08);
    p->size_sway = draw_log(chance, 0.01, 0.05);
    p->breath_period = p->period * chance_between(chance, 3, 6);
    for (uint32_t a = 0; a < machine->axes; a++) {
        double size = draw_log(chance, 0.1, 100);

        for (unsigned int w = 0; w < WAVES; w++)
            p->height[w][a] = size * wave_height[w] * chance_between(chance, 0.4, 1.3);
        p->breath[a] = size * draw_log(chance, 0.01, 0.2);
        p->offset[a] = size * chance_between(chance, -0.5, 0.5);
        p->noise[a] = size * draw_log(chance, 0.005, 0.08);
    }
    for (unsigned int w = 0; w < WAVES; w++) {
        p->at[w] = wave_at[w] * chance_between(chance, 0.7, 1.3);
        p->width[w] = fmax(wave_width[w] * chance_between(chance, 0.6, 1.6), 0.8 / p->period);
    }
    p->rate = wander_start(chance, chance_between(chance, 0.7, 0.97));
    p->size = wander_start(chance, 0.95);
    p->depth = wander_start(chance, 0.9);
    p->rate_of[0] = 1;
    p->rate_of[1] = chance_between(chance, 1.15, 1.7);
    regimes_start(&p->regimes, draw_whole(chance, 1, 2), 3, 10, chance);
    p->fault = draw_one_of(chance, PULSE_FAULTS);
    machine->fault = pulse_faults[p->fault];
}

/* One pulse; scale[w] of each of its waves. */
static void add_pulse(const struct pulses *p, double at, double size, double wider, const double *scale,
                      struct block *block)
{
    for (unsigned int w = 0; w < WAVES; w++) {
        double middle = at + p->at[w] * p->period, width = p->width[w] * p->period * wider;
        double from = fmax(0, ceil(middle - 4 * width)), to = fmin(block->size, middle + 4 * width);

        for (uint32_t i = (uint32_t)from; (double)i < to; i++) {
            double off = (i - middle) / width, bell = size * scale[w] * exp(-0.5 * off * off);

            for (uint32_t a = 0; a < block->axes; a++)
                block->x[a][i] += bell * p->height[w][a];
        }
    }
}

/* How many random numbers a pulse takes does not depend on the fault, so that a weaker one is the same story told softer. */
static double add_next_pulse(const struct pulses *p, double at, double period, double size, double severity,
                             struct block *block, struct chance *chance)
{
    double scale[WAVES] = { 1, 1, 1 };
    double early = chance_gauss(chance), lot = chance_between(chance, 0, 1), other_lot = chance_between(chance, 0, 1);
    double scatter = chance_gauss(chance), wider = 1;

    size *= 1 + p->size_scatter * scatter;
    if (p->fault == MISSING && lot < 1 - exp(-0.05 * severity))
        size = 0;
    if (p->fault == SMALL)
        size *= exp(-0.05 * severity);
    if (p->fault == WIDE)
        wider += 0.1 * severity;
    if (p->fault == ALTERED)
        scale[2] -= 0.2 * severity;
    add_pulse(p, at, size, wider, scale, block);
    if (p->fault == EXTRA && lot < 1 - exp(-0.05 * severity))
        add_pulse(p, at + period * (0.35 + 0.3 * other_lot), 0.9 * size, 1, scale, block);
    early *= p->fault == IRREGULAR ? p->irregular * (1 + 0.5 * severity) : p->irregular;
    return at + period * fmax(0.3, fmin(2, 1 + early));
}

static bool pulses_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    struct pulses *p = machine->state;
    struct chance *chance = &machine->chance;
    struct tone_wave breath = { .frequency = 1 / p->breath_period, .start = chance_between(chance, 0, 1) };
    double period, size, depth, at;

    regimes_next(&p->regimes, chance);
    period = p->period / p->rate_of[p->regimes.now] * exp(p->sway * wander_next(&p->rate, chance));
    if (p->fault == RACING)
        period *= exp(-0.05 * moment->severity);
    period = fmax(period, 0.1 * p->period);
    size = exp(p->size_sway * wander_next(&p->size, chance));
    depth = exp(0.2 * wander_next(&p->depth, chance));
    at = -period * chance_between(chance, 0, 1) - 0.5 * period;
    while (at < block->size + 0.5 * period)
        at = add_next_pulse(p, at, period, size, moment->severity, block, chance);
    for (uint32_t a = 0; a < block->axes; a++) {
        breath.amplitude[a] = depth * p->breath[a];
        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] += p->offset[a];
        signal_noise(block->x[a], block->size, p->noise[a], chance);
    }
    signal_tone(block, &breath);
    return true;
}

const struct kind kind_pulses = { "pulses", sizeof(struct pulses), pulses_draw, pulses_write };
