/* Machines as their currents show them. */
#include <math.h>

#include "kinds.h"
#include "signal.h"

/* ----------------------------------------------------------------------------------------------------- motor current */

enum { PHASES = 3, HARMONICS = 5, SIDEBANDS = 4 };

/* One to three phases of an induction motor. Angles are of the mains; harmonics of a phase are turned as its multiple of the
 * phase angle, as they are in a symmetric machine. */
struct current {
    double mains_hz, ampere, slip, pole_pairs;
    double harmonic[HARMONICS], harmonic_turn[HARMONICS];
    double eccentricity[2]; /* sidebands at mains +- speed that every motor has a little of */
    double unevenness[PHASES];
    double noise, load_sway, mains_sway;
    double offset[PHASES];
    struct wander load, mains, uneven, harmonics;
    struct regimes regimes;
    double load_of[REGIMES];
    unsigned int fault;
    double fault_turn, fault_at;
};

enum { PHASE_IMBALANCE, BROKEN_BAR, TURN_SHORT, ECCENTRICITY, DISTORTION, LOAD_PULSATION, CURRENT_FAULTS };
static const char *const current_faults[CURRENT_FAULTS] = { "phase imbalance", "broken bar", "turn short",
                                                            "eccentricity",    "distortion", "load pulsation" };
static const double harmonic_order[HARMONICS] = { 3, 5, 7, 11, 13 };

static void current_draw(struct machine *machine, struct chance *chance)
{
    static const uint32_t phases[] = { 3, 3, 3, 1, 2 };
    struct current *c = machine->state;

    machine->axes = phases[draw_one_of(chance, COUNT(phases))];
    machine->buffer_size = draw_size(chance, 64, 1024);
    machine->sampling_hz = draw_log(chance, 1000, 10000);
    c->mains_hz = chance_between(chance, 0, 1) < 0.6 ? 50 : 60;
    c->ampere = draw_log(chance, 0.3, 300);
    c->slip = chance_between(chance, 0.01, 0.06);
    c->pole_pairs = draw_whole(chance, 1, 4);
    for (unsigned int h = 0; h < HARMONICS; h++) {
        c->harmonic[h] = draw_log(chance, 0.003, 0.06) / (1 + h);
        c->harmonic_turn[h] = chance_between(chance, 0, 1);
    }
    c->eccentricity[0] = draw_log(chance, 0.001, 0.01);
    c->eccentricity[1] = draw_log(chance, 0.001, 0.01);
    for (unsigned int p = 0; p < PHASES; p++) {
        c->unevenness[p] = 1 + 0.02 * chance_gauss(chance);
        c->offset[p] = 0.01 * c->ampere * chance_gauss(chance);
    }
    c->noise = c->ampere * draw_log(chance, 0.002, 0.03);
    machine->resolution = c->noise * chance_between(chance, 0, 2);
    c->load_sway = draw_log(chance, 0.01, 0.1);
    c->mains_sway = draw_log(chance, 0.003, 0.015);
    c->load = wander_start(chance, chance_between(chance, 0.5, 0.97));
    c->mains = wander_start(chance, 0.95);
    c->uneven = wander_start(chance, 0.95);
    c->harmonics = wander_start(chance, 0.9);
    for (unsigned int r = 0; r < REGIMES; r++)
        c->load_of[r] = r == 0 ? 1 : chance_between(chance, 0.35, 1.2);
    regimes_start(&c->regimes, draw_whole(chance, 1, 3), 2, 8, chance);
    c->fault = draw_one_of(chance, machine->axes > 1 ? CURRENT_FAULTS : CURRENT_FAULTS - 1);
    if (machine->axes == 1 && c->fault == PHASE_IMBALANCE)
        c->fault = LOAD_PULSATION;
    c->fault_turn = chance_between(chance, 0, 1);
    c->fault_at = chance_between(chance, 3, 25); /* Hz of a load that pulsates */
    machine->fault = current_faults[c->fault];
}

struct current_now {
    double mains_turn; /* where in its period the buffer begins */
    double rotor_turn;
    double ampere, load, slip;
};

/* The same on every phase, 120 degrees later each, times its order. */
static void add_line(const struct machine *machine, const struct current *c, double hz, double order, double start,
                     double amplitude, struct block *block)
{
    struct tone_wave wave = { .frequency = hz / machine->sampling_hz, .start = start };

    if (wave.frequency > 0.45 || amplitude == 0)
        return;
    for (uint32_t a = 0; a < block->axes; a++) {
        wave.amplitude[a] = amplitude * c->unevenness[a];
        wave.turn[a] = -order * a / PHASES;
    }
    signal_tone(block, &wave);
}

/* A pair of lines beside the mains, as a current that pulsates has them. */
static void add_pair(const struct machine *machine, const struct current *c, const struct current_now *now,
                     double beside, double amplitude, struct block *block)
{
    add_line(machine, c, c->mains_hz - beside, 1, now->mains_turn - now->rotor_turn, amplitude, block);
    add_line(machine, c, c->mains_hz + beside, 1, now->mains_turn + now->rotor_turn, 0.8 * amplitude, block);
}

static void add_on_one_phase(const struct machine *machine, double hz, double start, double amplitude,
                             struct block *block)
{
    struct tone_wave wave = { .frequency = hz / machine->sampling_hz, .start = start, .amplitude = { amplitude } };

    signal_tone(block, &wave);
}

static void add_current_fault(const struct machine *machine, const struct current *c, const struct current_now *now,
                              double severity, struct block *block)
{
    double speed = c->mains_hz * (1 - now->slip) / c->pole_pairs, part = severity * now->ampere * 0.05;

    switch (c->fault) {
    case PHASE_IMBALANCE:
        add_on_one_phase(machine, c->mains_hz, now->mains_turn + c->fault_turn, part, block);
        break;
    case BROKEN_BAR:
        add_pair(machine, c, now, 2 * now->slip * c->mains_hz, part * now->load, block);
        break;
    case TURN_SHORT:
        add_on_one_phase(machine, 3 * c->mains_hz, 3 * now->mains_turn + c->fault_turn, part, block);
        add_on_one_phase(machine, c->mains_hz, now->mains_turn, 0.5 * part, block);
        break;
    case ECCENTRICITY:
        add_pair(machine, c, now, speed, part, block);
        break;
    case DISTORTION:
        for (unsigned int h = 0; h < 3; h++)
            add_line(machine, c, harmonic_order[h] * c->mains_hz, harmonic_order[h],
                     harmonic_order[h] * now->mains_turn + c->fault_turn, part / (1 + h), block);
        break;
    default:
        add_pair(machine, c, now, c->fault_at, part, block);
    }
}

static bool current_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    struct current *c = machine->state;
    struct chance *chance = &machine->chance;
    double mains, distorted, uneven;
    struct current_now now = { .mains_turn = chance_between(chance, 0, 1), .rotor_turn = chance_between(chance, 0, 1) };

    regimes_next(&c->regimes, chance);
    mains = exp(c->mains_sway * wander_next(&c->mains, chance));
    uneven = 0.005 * wander_next(&c->uneven, chance);
    distorted = exp(0.1 * wander_next(&c->harmonics, chance));
    now.load = c->load_of[c->regimes.now] * exp(c->load_sway * wander_next(&c->load, chance));
    now.slip = c->slip * now.load;
    now.ampere = c->ampere * mains * sqrt(0.1 + 0.9 * now.load * now.load); /* magnetising current and torque */
    c->unevenness[0] += uneven;
    add_line(machine, c, c->mains_hz, 1, now.mains_turn, now.ampere, block);
    for (unsigned int h = 0; h < HARMONICS; h++)
        add_line(machine, c, harmonic_order[h] * c->mains_hz, harmonic_order[h],
                 harmonic_order[h] * now.mains_turn + c->harmonic_turn[h], c->ampere * distorted * c->harmonic[h],
                 block);
    for (unsigned int e = 0; e < 2; e++)
        add_pair(machine, c, &now, c->mains_hz * (1 - now.slip) / c->pole_pairs * (e + 1),
                 now.ampere * c->eccentricity[e], block);
    c->unevenness[0] -= uneven;
    add_current_fault(machine, c, &now, moment->severity, block);
    for (uint32_t a = 0; a < block->axes; a++) {
        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] += c->offset[a];
        signal_noise(block->x[a], block->size, c->noise, chance);
    }
    return true;
}

const struct kind kind_motor_current = { "motor-current", sizeof(struct current), current_draw, current_write };
