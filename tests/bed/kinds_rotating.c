/* Machines that turn. */
#include <math.h>

#include "kinds.h"
#include "rotor.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An accelerometer on a machine: rates as sensors offer them, speeds as motors have them, units from g to mm/s^2. */
static struct rotor *start(struct machine *machine, struct chance *chance, uint32_t low, uint32_t high)
{
    draw_geometry(machine, chance, low, high);
    machine->sampling_hz = draw_log(chance, 1600, 26000);
    rotor_begin(machine, draw_log(chance, 8, 60), draw_log(chance, 0.01, 100), chance);
    return machine->state;
}

/* ---------------------------------------------------------------------------------------------------------- gearbox */

static void gearbox_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_BROKEN_TOOTH, ROTOR_WORN_TEETH, ROTOR_IMBALANCE,
                                               ROTOR_MISALIGNMENT, ROTOR_BEARING };
    struct rotor *rotor = start(machine, chance, 128, 2048);
    struct habits mesh = {
        .with_load = chance_between(chance, 0.5, 0.9), .with_speed = 1, .sway = 0.05, .flutter = 0.05
    };
    unsigned int teeth = draw_whole(chance, 11, 32), loads = draw_whole(chance, 2, 4);
    double slip = chance_between(chance, 0.005, 0.03);

    rotor_harmonics(machine, 4, 0.4, chance);
    rotor_mesh(machine, teeth, chance_between(chance, 0.3, 0.8), mesh, chance);
    rotor_mesh(machine, 2 * teeth, chance_between(chance, 0.1, 0.4), mesh, chance);
    rotor_mesh(machine, 3 * teeth, chance_between(chance, 0.02, 0.2), mesh, chance);
    rotor_rush(machine, chance_between(chance, 0.1, 0.4), 0.8, chance_between(chance, 0.1, 0.4), mesh, chance);
    for (unsigned int i = 0; i < loads; i++) {
        rotor->state[i].load = 0.25 + 1.2 * (i + chance_between(chance, 0, 0.7)) / loads;
        rotor->state[i].speed = rotor->nominal_speed * (1 - slip * (rotor->state[i].load - 1));
    }
    rotor_states(rotor, loads, 2, 12, chance);
    rotor_fault(machine, faults, COUNT(faults), teeth, chance);
}

const struct kind kind_gearbox = { "gearbox", sizeof(struct rotor), gearbox_draw, rotor_write };

/* -------------------------------------------------------------------------------------------------------------- fan */

static void fan_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_IMBALANCE, ROTOR_BLADE, ROTOR_LOOSENESS, ROTOR_BEARING,
                                               ROTOR_RUB };
    struct rotor *rotor = start(machine, chance, 64, 1024);
    struct habits air = { .with_load = 0.5, .with_speed = 2.5, .sway = 0.06, .flutter = 0.05 };
    unsigned int blades = draw_whole(chance, 3, 12), speeds = draw_whole(chance, 3, 4);

    rotor_harmonics(machine, 3, 0.7, chance);
    rotor_tone(machine, blades, 0, chance_between(chance, 0.1, 0.5), air, chance);
    rotor_tone(machine, 2 * blades, 0, chance_between(chance, 0.02, 0.2), air, chance);
    rotor_rush(machine, chance_between(chance, 0.02, 0.2), 0.6, chance_between(chance, 0.1, 0.5), air, chance);
    for (unsigned int i = 0; i < speeds; i++)
        rotor->state[i] =
            (struct rotor_state){ .speed = rotor->nominal_speed *
                                           (0.35 + 0.75 * (i + chance_between(chance, 0, 0.6)) / (speeds - 1)),
                                  .load = 1 };
    rotor_states(rotor, speeds, 2, 10, chance);
    rotor_fault(machine, faults, COUNT(faults), blades, chance);
}

const struct kind kind_fan = { "fan", sizeof(struct rotor), fan_draw, rotor_write };

/* ---------------------------------------------------------------------------------------------------------- bearing */

static void bearing_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_BEARING, ROTOR_BEARING, ROTOR_LUBRICATION };
    struct rotor *rotor = start(machine, chance, 128, 2048);
    struct habits friction = {
        .with_load = 0.5, .with_speed = 1, .sway = 0.05, .flutter = 0.05, .run_in = draw_log(chance, 0.1, 1.5)
    };
    struct habits asperities = friction;

    asperities.run_in = draw_log(chance, 0.3, 3);
    rotor_harmonics(machine, 5, chance_between(chance, 0.4, 0.9), chance);
    rotor_rush(machine, chance_between(chance, 0.1, 0.4), 0.85, chance_between(chance, 0.1, 0.5), friction, chance);
    rotor_knock(machine, 0, rotor->nominal_speed * chance_between(chance, 3, 12), chance_between(chance, 0.02, 0.1),
                asperities, chance);
    rotor->knock[0].slip = 0.5; /* grains of dirt and rough spots: at no fixed rate */
    rotor->run_in_buffers = draw_log(chance, 4, 40);
    rotor->grows = true;
    rotor_fault(machine, faults, COUNT(faults), 1, chance);
}

const struct kind kind_bearing = { "bearing", sizeof(struct rotor), bearing_draw, rotor_write };
