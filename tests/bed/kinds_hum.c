/* What hums with the mains: transformers, ballasts, inverters, as a sensor on the tank or a microphone hears them. */
#include <math.h>
#include <string.h>

#include "kinds.h"
#include "signal.h"

enum { HUM_HARMONICS = 8 };

struct hum {
    double twice_mains; /* Hz: iron is drawn twice a period */
    double height[HUM_HARMONICS][BED_AXES], turn[HUM_HARMONICS][BED_AXES];
    struct wander wander[HUM_HARMONICS], beat, load;
    double sway, load_sway;
    double beat_hz, depth; /* amplitude modulation */
    double noise[BED_AXES], strength;
    struct resonator ring[BED_AXES];
    double fault_gain[BED_AXES];
    unsigned int fault;
};

enum { LOOSE_CORE, DEEPER_BEAT, DC_BIAS, DISCHARGE, BUZZ, HUM_FAULTS };
static const char *const hum_faults[HUM_FAULTS] = { "loose core", "deeper beat", "DC bias", "discharge", "buzz" };

static void hum_draw(struct machine *machine, struct chance *chance)
{
    struct hum *h = machine->state;

    draw_geometry(machine, chance, 128, 2048);
    machine->sampling_hz = draw_log(chance, 2000, 20000);
    h->twice_mains = chance_between(chance, 0, 1) < 0.6 ? 100 : 120;
    h->strength = draw_log(chance, 0.001, 10);
    h->sway = draw_log(chance, 0.01, 0.08);
    h->load_sway = draw_log(chance, 0.01, 0.15);
    h->beat_hz = draw_log(chance, 0.5, 30);
    h->depth = draw_log(chance, 0.01, 0.4);
    h->beat = wander_start(chance, 0.9);
    h->load = wander_start(chance, chance_between(chance, 0.7, 0.98));
    for (unsigned int k = 0; k < HUM_HARMONICS; k++)
        h->wander[k] = wander_start(chance, chance_between(chance, 0.6, 0.97));
    for (uint32_t a = 0; a < machine->axes; a++) {
        for (unsigned int k = 0; k < HUM_HARMONICS; k++) {
            h->height[k][a] = h->strength * chance_between(chance, 0.1, 1) * exp(-0.5 * k);
            h->turn[k][a] = chance_between(chance, 0, 1);
        }
        h->noise[a] = h->strength * draw_log(chance, 0.01, 0.3);
        h->ring[a] = resonator_at(chance_between(chance, 0.15, 0.42), chance_between(chance, 0.7, 0.95));
        h->fault_gain[a] = h->strength * chance_between(chance, 0.2, 1);
    }
    h->fault = draw_one_of(chance, HUM_FAULTS);
    machine->fault = hum_faults[h->fault];
}

/* What the fault makes of one harmonic, loudness by lot from buffer to buffer where something rattles. */
static double harmonic_gain(const struct hum *h, unsigned int k, double severity, double lot)
{
    if (h->fault == LOOSE_CORE && k >= 2)
        return 1 + 0.2 * severity * exp(0.3 * lot);
    return 1;
}

static void add_harmonics(struct hum *h, const struct machine *machine, double severity, double start, double load,
                          struct block *block, struct chance *chance)
{
    double lot = chance_gauss(chance);
    struct tone_wave wave;

    for (unsigned int k = 0; k < HUM_HARMONICS; k++) {
        double gain = load * exp(h->sway * wander_next(&h->wander[k], chance)) * harmonic_gain(h, k, severity, lot);

        for (uint32_t a = 0; a < block->axes; a++) {
            wave.amplitude[a] = gain * h->height[k][a];
            wave.turn[a] = h->turn[k][a];
        }
        wave.frequency = (k + 1) * h->twice_mains / machine->sampling_hz;
        wave.start = (k + 1) * start;
        if (wave.frequency < 0.45)
            signal_tone(block, &wave);
        wave.frequency = (k + 0.5) * h->twice_mains / machine->sampling_hz;
        wave.start = (k + 0.5) * start;
        for (uint32_t a = 0; a < block->axes; a++)
            wave.amplitude[a] = 0.05 * severity * h->height[k][a];
        if (h->fault == DC_BIAS && wave.frequency < 0.45)
            signal_tone(block, &wave);
    }
}

static void add_beat(const struct hum *h, const struct machine *machine, double depth, double start,
                     struct block *block)
{
    for (uint32_t i = 0; i < block->size; i++) {
        double factor = 1 + depth * cos(2 * M_PI * (start + i * h->beat_hz / machine->sampling_hz));

        for (uint32_t a = 0; a < block->axes; a++)
            block->x[a][i] *= factor;
    }
}

/* Noise that swells around the peaks of the voltage. */
static void add_swells(double *input, uint32_t n, double start, double per_sample, struct chance *chance)
{
    signal_noise(input, n, 0.3, chance);
    for (uint32_t i = 0; i < n; i++)
        input[i] *= fmax(0, cos(2 * M_PI * (start + i * per_sample)));
}

/* A spark at about each of them. */
static void add_sparks(double *input, uint32_t n, double start, double per_sample, struct chance *chance)
{
    double next = (1 - (start - floor(start))) / per_sample;

    while (next < n) {
        input[(uint32_t)next] += chance_between(chance, 0, 2);
        next += fmax(1, (1 + 0.05 * chance_gauss(chance)) / per_sample);
    }
}

static bool hum_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    static double input[BED_SAMPLES];
    struct hum *h = machine->state;
    struct chance *chance = &machine->chance;
    double start = chance_between(chance, 0, 1), beat_start = chance_between(chance, 0, 1);
    double load = exp(h->load_sway * wander_next(&h->load, chance));
    double per_sample = h->twice_mains / machine->sampling_hz;
    double depth = h->depth * exp(0.1 * wander_next(&h->beat, chance));

    if (h->fault == DEEPER_BEAT)
        depth += 0.1 * moment->severity;
    add_harmonics(h, machine, moment->severity, start, load, block, chance);
    add_beat(h, machine, depth, beat_start, block);
    memset(input, 0, block->size * sizeof(input[0]));
    if (h->fault == BUZZ)
        add_swells(input, block->size, start, per_sample, chance);
    if (h->fault == DISCHARGE)
        add_sparks(input, block->size, start, per_sample, chance);
    for (uint32_t a = 0; a < block->axes; a++) {
        resonator_add(&h->ring[a], block->x[a], input, block->size, 0.3 * moment->severity * h->fault_gain[a]);
        signal_noise(block->x[a], block->size, h->noise[a], chance);
    }
    return true;
}

const struct kind kind_hum = { "hum", sizeof(struct hum), hum_draw, hum_write };
