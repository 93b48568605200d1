/* Machines that turn. */
#include <math.h>

#include "kinds.h"
#include "rotor.h"

/* ---------------------------------------------------------------------------------------------------------- gearbox */

static void gearbox_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_BROKEN_TOOTH, ROTOR_WORN_TEETH, ROTOR_IMBALANCE,
                                               ROTOR_MISALIGNMENT, ROTOR_BEARING };
    struct rotor *rotor = rotor_draw(machine, chance, 128, 2048);
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
    rotor_states(rotor, loads, 2, 8, chance);
    rotor_fault(machine, faults, COUNT(faults), teeth, chance);
}

const struct kind kind_gearbox = { "gearbox", sizeof(struct rotor), gearbox_draw, rotor_write };

/* -------------------------------------------------------------------------------------------------------------- fan */

static void fan_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_IMBALANCE, ROTOR_BLADE, ROTOR_LOOSENESS, ROTOR_BEARING,
                                               ROTOR_RUB };
    struct rotor *rotor = rotor_draw(machine, chance, 64, 1024);
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
    rotor_states(rotor, speeds, 2, 8, chance);
    rotor_fault(machine, faults, COUNT(faults), blades, chance);
}

const struct kind kind_fan = { "fan", sizeof(struct rotor), fan_draw, rotor_write };

/* ---------------------------------------------------------------------------------------------------------- bearing */

static void bearing_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_BEARING, ROTOR_BEARING, ROTOR_LUBRICATION };
    struct rotor *rotor = rotor_draw(machine, chance, 128, 2048);
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

/* ---------------------------------------------------------------------------------------------------------- turbine */

/* No speeds to learn one by one: the wind takes it anywhere between two limits, and the load with it. */
static void turbine_draw(struct machine *machine, struct chance *chance)
{
    static const enum rotor_fault faults[] = { ROTOR_IMBALANCE,  ROTOR_BLADE,     ROTOR_BEARING,
                                               ROTOR_WORN_TEETH, ROTOR_LOOSENESS, ROTOR_LUBRICATION };
    struct rotor *rotor = rotor_draw(machine, chance, 128, 2048);
    struct habits mesh = {
        .with_load = chance_between(chance, 0.4, 0.8), .with_speed = 1, .sway = 0.05, .flutter = 0.05
    };
    struct habits grid = { .with_load = 0.3, .sway = 0.03, .flutter = 0.02 };
    unsigned int teeth = draw_whole(chance, 13, 30);

    rotor->speed_sway = draw_log(chance, 0.06, 0.25);
    rotor->speed_wander = wander_start(chance, chance_between(chance, 0.6, 0.95));
    rotor->load_per_speed = chance_between(chance, 1.5, 3);
    rotor_harmonics(machine, 3, 0.5, chance);
    rotor_mesh(machine, teeth, chance_between(chance, 0.2, 0.7), mesh, chance);
    rotor_mesh(machine, 2 * teeth, chance_between(chance, 0.05, 0.3), mesh, chance);
    rotor_tone(machine, 0, 100, chance_between(chance, 0.02, 0.2), grid, chance);
    rotor_rush(machine, chance_between(chance, 0.02, 0.3), 0.7, chance_between(chance, 0.1, 0.5), mesh, chance);
    rotor_fault(machine, faults, COUNT(faults), teeth, chance);
}

const struct kind kind_turbine = { "turbine", sizeof(struct rotor), turbine_draw, rotor_write };
