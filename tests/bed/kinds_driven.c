/* Machines that turn in order to move or cut something. */
#include <math.h>

#include "kinds.h"
#include "rotor.h"

/* ------------------------------------------------------------------------------------------------------------- pump */

static void pump_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_CAVITATION, ROTOR_CLOGGING,     ROTOR_IMBALANCE,
                                               ROTOR_BEARING,    ROTOR_MISALIGNMENT, ROTOR_BLADE };
    struct rotor *rotor = rotor_draw(machine, chance, 64, 1024);
    struct habits flow = { .with_load = 0.7, .with_speed = 2, .sway = draw_log(chance, 0.05, 0.25), .flutter = 0.06 };
    struct habits vanes = { .with_load = 0.5, .with_speed = 2, .sway = 0.08, .flutter = 0.05 };
    unsigned int count = draw_whole(chance, 3, 9);

    rotor->offset_sway = rotor->strength * draw_log(chance, 0.05, 1); /* the level in the tank */
    for (uint32_t a = 0; a < machine->axes; a++)
        rotor->creep[a] = wander_start(chance, chance_between(chance, 0.9, 0.99));
    rotor_harmonics(machine, 3, 0.5, chance);
    rotor_tone(machine, count, 0, chance_between(chance, 0.2, 0.7), vanes, chance);
    rotor_tone(machine, 2 * count, 0, chance_between(chance, 0.03, 0.2), vanes, chance);
    for (unsigned int i = 0; i < 2; i++) {
        rotor_rush(machine, chance_between(chance, 0.03, 0.35), chance_between(chance, 0.5, 0.85),
                   chance_between(chance, 0.2, 0.7), flow, chance);
        rotor->rush[i].swell = chance_between(chance, 0, 0.4);
        rotor->rush[i].order = count;
    }
    rotor->state[1] = rotor->state[0];
    rotor->state[1].load = chance_between(chance, 0.5, 0.9);
    rotor_states(rotor, draw_whole(chance, 1, 2), 3, 10, chance);
    rotor_fault(machine, faults, COUNT(faults), count, chance);
}

const struct kind kind_pump = { "pump", sizeof(struct rotor), pump_draw, rotor_write };

/* -------------------------------------------------------------------------------------------------------- conveyor */

/* Stands or runs. Standing, there is the hum of what stays on, and what the floor brings from other machines. */
static void conveyor_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_BEARING, ROTOR_LOOSENESS, ROTOR_RUB,
                                               ROTOR_RATTLE,  ROTOR_RESONANCE, ROTOR_LUBRICATION };
    struct rotor *rotor = rotor_draw(machine, chance, 32, 1024);
    struct habits belt = { .with_load = 0.6, .with_speed = 1, .sway = 0.08, .flutter = 0.1 };
    struct habits floor_noise = { .sway = 0.2, .flutter = 0.15 }, hum = { .sway = 0.03, .flutter = 0.02 };

    rotor_harmonics(machine, 4, 0.5, chance);
    rotor_tone(machine, 0, 100, chance_between(chance, 0.01, 0.05), hum, chance);
    rotor_rush(machine, chance_between(chance, 0.02, 0.3), 0.8, chance_between(chance, 0.3, 0.8), belt, chance);
    rotor_rush(machine, chance_between(chance, 0.01, 0.1), 0.9, draw_log(chance, 0.01, 0.08), floor_noise, chance);
    rotor_knock(machine, 0, rotor->nominal_speed * chance_between(chance, 0.3, 3), chance_between(chance, 0.05, 0.4),
                belt, chance); /* joints of the belt, goods on rollers */
    rotor->knock[0].slip = 0.4;
    rotor->load_sway = draw_log(chance, 0.05, 0.2);
    rotor->state[1] = (struct rotor_state){ .speed = 0, .load = 1 };
    rotor->splices = true;
    rotor_states(rotor, 2, 3, 10, chance);
    rotor_fault(machine, faults, COUNT(faults), 1, chance);
}

const struct kind kind_conveyor = { "conveyor", sizeof(struct rotor), conveyor_draw, rotor_write };

/* --------------------------------------------------------------------------------------------------------- cutting */

/* A spindle that mills: several cuts of different depth and speed, air between them, and no two chips alike. */
static void cutting_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_WORN_EDGE, ROTOR_WORN_EDGE, ROTOR_CHATTER, ROTOR_BROKEN_TOOTH,
                                               ROTOR_BEARING };
    struct rotor *rotor = rotor_draw(machine, chance, 128, 2048);
    struct habits cut = { .with_load = 0.9, .with_speed = 0.7, .sway = 0.1, .flutter = draw_log(chance, 0.08, 0.3) };
    struct habits chips = { .with_load = 0.7, .with_speed = 1, .sway = 0.1, .flutter = draw_log(chance, 0.05, 0.2) };
    unsigned int edges = draw_whole(chance, 2, 6), cuts = draw_whole(chance, 2, 4);

    rotor_harmonics(machine, 3, 0.3, chance);
    for (unsigned int harmonic = 1; harmonic <= 4; harmonic++)
        rotor_tone(machine, harmonic * edges, 0, chance_between(chance, 0.4, 1) / harmonic, cut, chance);
    rotor_rush(machine, chance_between(chance, 0.1, 0.4), 0.75, chance_between(chance, 0.2, 0.6), chips, chance);
    rotor->rush[0].swell = chance_between(chance, 0.2, 0.8);
    rotor->rush[0].order = edges;
    for (unsigned int i = 0; i < cuts; i++)
        rotor->state[i] = (struct rotor_state){ .speed = rotor->nominal_speed * chance_between(chance, 0.6, 1.2),
                                                .load = i == 0 ? 0.05 : chance_between(chance, 0.3, 1.3) };
    rotor->load_sway = draw_log(chance, 0.03, 0.2);
    rotor_states(rotor, cuts, 2, 8, chance);
    rotor_fault(machine, faults, COUNT(faults), edges, chance);
}

const struct kind kind_cutting = { "cutting", sizeof(struct rotor), cutting_draw, rotor_write };

/* ------------------------------------------------------------------------------------------------------- compressor */

/* Pistons: slow, rich in harmonics, with valves that knock at their angles of the crank. */
static void compressor_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_VALVE_LEAK, ROTOR_ROD_KNOCK,   ROTOR_LOST_SOURCE,
                                               ROTOR_LOOSENESS,  ROTOR_LUBRICATION, ROTOR_IMBALANCE };
    struct rotor *rotor = rotor_draw(machine, chance, 128, 2048);
    struct habits valve = { .with_load = 0.4, .with_speed = 1, .sway = 0.06, .flutter = 0.08 };
    struct habits gas = { .with_load = 0.8, .with_speed = 0.5, .sway = 0.08, .flutter = 0.05 };

    machine->sampling_hz = draw_log(chance, 500, 8000);
    rotor_harmonics(machine, 8, 0.6, chance);
    for (unsigned int i = draw_whole(chance, 1, 3); i > 0; i--)
        rotor_locked_knock(machine, chance_between(chance, 0, 1), chance_between(chance, 0.3, 1.2), valve, chance);
    rotor_rush(machine, chance_between(chance, 0.05, 0.4), 0.7, chance_between(chance, 0.1, 0.4), gas, chance);
    rotor->rush[0].swell = chance_between(chance, 0.3, 0.9);
    rotor->rush[0].order = 1;
    rotor->state[1] = (struct rotor_state){ .speed = rotor->nominal_speed * chance_between(chance, 0.95, 1.02),
                                            .load = chance_between(chance, 0.15, 0.6) }; /* unloaded */
    rotor_states(rotor, draw_whole(chance, 1, 2), 3, 10, chance);
    rotor_fault(machine, faults, COUNT(faults), 2, chance);
}

const struct kind kind_compressor = { "compressor", sizeof(struct rotor), compressor_draw, rotor_write };

/* ------------------------------------------------------------------------------------------------------------ sound */

/* A microphone near a machine in a hall: broadband noise coloured by resonances, a little of the machine's own tones, and
 * somebody else's machine that comes and goes. */
static void sound_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_CHATTER, ROTOR_RATTLE, ROTOR_CAVITATION, ROTOR_RESONANCE,
                                               ROTOR_LOOSENESS };
    struct rotor *rotor = machine->state;
    struct habits own = { .with_speed = 1, .sway = 0.06, .flutter = 0.05 };
    struct habits others = { .with_load = 1, .sway = 0.2, .flutter = 0.1 };

    machine->axes = draw_whole(chance, 1, 2);
    machine->buffer_size = draw_size(chance, 256, 2048);
    machine->sampling_hz = draw_log(chance, 8000, 48000);
    rotor_begin(machine, draw_log(chance, 15, 200), draw_log(chance, 0.001, 1), chance);
    for (uint32_t a = 0; a < machine->axes; a++)
        rotor->offset[a] *= 0.01;
    rotor->offset_sway *= 0.1;
    for (unsigned int i = 0; i < 4; i++)
        rotor_rush(machine, draw_log(chance, 0.005, 0.4), chance_between(chance, 0.6, 0.97),
                   chance_between(chance, 0.1, 0.7), own, chance);
    rotor_rush(machine, draw_log(chance, 0.005, 0.1), chance_between(chance, 0.7, 0.95),
               chance_between(chance, 0.2, 0.6), others, chance);
    rotor_harmonics(machine, 4, chance_between(chance, 0.1, 0.5), chance);
    rotor->state[1] = rotor->state[0];
    rotor->state[1].load = draw_log(chance, 0.05, 0.5);
    rotor_states(rotor, 2, 3, 10, chance);
    rotor_fault(machine, faults, COUNT(faults), 3, chance);
}

const struct kind kind_sound = { "sound", sizeof(struct rotor), sound_draw, rotor_write };
