/* Inputs that are spectra already: a sensor that sends magnitudes of bins, averaged over some transforms. */
#include <math.h>

#include "kinds.h"
#include "signal.h"

enum { LINES = 16, AVERAGED_MOST = 32 };

struct line {
    double order; /* multiple of the speed, which is in bins */
    double height[BED_AXES];
    struct wander wander;
};

struct spectra {
    double speed, speed_sway, sway;
    double floor[BED_AXES], tilt[BED_AXES]; /* noise: floor x exp(-tilt x share of the range) */
    double floor_sway;
    unsigned int lines;
    struct line line[LINES];
    unsigned int averaged; /* transforms in one spectrum: the more, the less a bin scatters */
    struct wander rate, level;
    struct regimes regimes;
    double speed_of[REGIMES];
    unsigned int fault;
    double fault_order, fault_from; /* where; share of the range above which noise rises */
    double fault_gain[BED_AXES];
};

enum { NEW_LINE, NEW_FAMILY, NOISE_ABOVE, LINE_GROWS, LINE_DIES, SPECTRA_FAULTS };
static const char *const spectra_faults[SPECTRA_FAULTS] = { "new line", "new family", "noise above", "line grows",
                                                            "line dies" };

static void draw_lines(struct spectra *s, const struct machine *machine, struct chance *chance)
{
    s->lines = draw_whole(chance, 3, LINES);
    for (unsigned int l = 0; l < s->lines; l++) {
        s->line[l].order = l < 4 ? l + 1 : draw_log(chance, 1, 0.45 * machine->buffer_size / s->speed);
        s->line[l].wander = wander_start(chance, chance_between(chance, 0.7, 0.97));
        for (uint32_t a = 0; a < machine->axes; a++)
            s->line[l].height[a] = s->floor[a] * draw_log(chance, 2, 30);
    }
}

static void spectra_draw(struct machine *machine, struct chance *chance)
{
    struct spectra *s = machine->state;

    machine->axes = draw_whole(chance, 1, 3);
    machine->buffer_size = draw_size(chance, 16, 512);
    machine->sampling_hz = 0; /* nothing that an engine could call a frequency */
    s->speed = machine->buffer_size * draw_log(chance, 0.02, 0.15);
    s->speed_sway = draw_log(chance, 0.0005, 0.01);
    s->sway = draw_log(chance, 0.02, 0.1);
    s->floor_sway = draw_log(chance, 0.02, 0.1);
    for (uint32_t a = 0; a < machine->axes; a++) {
        s->floor[a] = draw_log(chance, 0.001, 10);
        s->tilt[a] = chance_between(chance, -0.5, 2.5);
        s->fault_gain[a] = s->floor[a] * chance_between(chance, 0.2, 1);
    }
    draw_lines(s, machine, chance);
    s->averaged = draw_whole(chance, 1, AVERAGED_MOST);
    s->rate = wander_start(chance, 0.9);
    s->level = wander_start(chance, 0.95);
    for (unsigned int r = 0; r < REGIMES; r++)
        s->speed_of[r] = r == 0 ? 1 : chance_between(chance, 0.6, 1.1);
    regimes_start(&s->regimes, draw_whole(chance, 1, 3), 2, 8, chance);
    s->fault = draw_one_of(chance, SPECTRA_FAULTS);
    s->fault_order = draw_log(chance, 0.6, 0.9 * machine->buffer_size / s->speed);
    s->fault_from = chance_between(chance, 0.3, 0.8);
    machine->fault = spectra_faults[s->fault];
}

/* A line between bins shows in both: the window spreads it over about three. */
static void add_line(struct block *block, double bin, const double *height, double gain)
{
    long first = (long)floor(bin) - 1;

    for (long near = first; near <= first + 3; near++) {
        double off = ((double)near - bin) / 2, share = fabs(off) < 1 ? 0.5 * (1 + cos(M_PI * off)) : 0;

        if (near < 0 || near >= (long)block->size)
            continue;
        for (uint32_t a = 0; a < block->axes; a++)
            block->x[a][near] += gain * share * height[a];
    }
}

static void add_fault(const struct spectra *s, double speed, double severity, struct block *block)
{
    double strength = s->fault == NEW_LINE || s->fault == NEW_FAMILY ? severity : 0;
    unsigned int lines = s->fault == NEW_FAMILY ? 6 : 1;

    for (unsigned int l = 1; l <= lines; l++)
        add_line(block, s->fault_order * speed * l, s->fault_gain, strength / l);
    if (s->fault == NOISE_ABOVE)
        for (uint32_t a = 0; a < block->axes; a++)
            for (uint32_t i = (uint32_t)(s->fault_from * block->size); i < block->size; i++)
                block->x[a][i] += 0.3 * severity * s->fault_gain[a];
}

static double line_gain(const struct spectra *s, unsigned int line, double severity)
{
    if (line == 0 && s->fault == LINE_GROWS)
        return 1 + 0.2 * severity;
    return line == 0 && s->fault == LINE_DIES ? exp(-0.2 * severity) : 1;
}

/* The magnitude of a bin with the given expectation: a mean of powers that are each exponentially distributed, near enough. */
static void scatter(const struct spectra *s, struct block *block, struct chance *chance)
{
    static double noise[BED_SAMPLES];
    double relative = 0.5 / sqrt(s->averaged); /* of the magnitude: half of the power's */

    for (uint32_t a = 0; a < block->axes; a++) {
        for (uint32_t i = 0; i < block->size; i++)
            noise[i] = 0;
        signal_noise(noise, block->size, relative, chance);
        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] *= fmax(0.05, 1 + noise[i]);
    }
}

static bool spectra_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    struct spectra *s = machine->state;
    struct chance *chance = &machine->chance;
    double speed, floor_now;

    regimes_next(&s->regimes, chance);
    speed = s->speed * s->speed_of[s->regimes.now] * exp(s->speed_sway * wander_next(&s->rate, chance));
    floor_now = exp(s->floor_sway * wander_next(&s->level, chance)) * s->speed_of[s->regimes.now];
    for (uint32_t a = 0; a < block->axes; a++)
        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] = floor_now * s->floor[a] * exp(-s->tilt[a] * i / block->size);
    for (unsigned int l = 0; l < s->lines; l++)
        add_line(block, s->line[l].order * speed, s->line[l].height,
                 exp(s->sway * wander_next(&s->line[l].wander, chance)) * line_gain(s, l, moment->severity));
    add_fault(s, speed, moment->severity, block);
    scatter(s, block, chance);
    return true;
}

const struct kind kind_spectra = { "spectra", sizeof(struct spectra), spectra_draw, spectra_write };
