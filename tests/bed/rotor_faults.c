/* Faults of machines that turn: which tones, noise and knocks each of them adds. */
#include <math.h>

#include "rotor.h"

enum { FAULT_ORDERS = 8 };

struct range {
    double low, high;
};

struct fault_row {
    const char *name;
    double order[FAULT_ORDERS]; /* tones at multiples of the speed, ended by 0 */
    double orders;              /* share of the rotor's strength that the first of them has; the others have less */
    double mesh, teeth;         /* share of a tone at the teeth's multiple, with and without sidebands */
    double tone;                /* share of a tone that has nothing to do with the speed */
    double rush;                /* share of noise; where: share of the sampling rate; how narrow */
    struct range rush_at;
    double rush_radius, rush_swell; /* swell: amplitude modulation, once a turn or a tooth */
    double knock;                   /* share of knocks; how often a turn */
    struct range knock_rate;
    double rattle;  /* share of knocks at no fixed rate */
    double flutter; /* of all, from buffer to buffer */
    double level;   /* share by which levels move */
    bool lost;      /* one of the healthy sources dies */
};

/* clang-format off */
static const struct fault_row rows[ROTOR_FAULTS] = {
    [ROTOR_IMBALANCE]    = { "imbalance",    { 1 }, .orders = 0.5 },
    [ROTOR_MISALIGNMENT] = { "misalignment", { 2, 1, 3, 4 }, .orders = 0.4 },
    [ROTOR_LOOSENESS]    = { "looseness",    { 1, 2, 0.5, 3, 1.5, 4, 5, 6 }, .orders = 0.3, .flutter = 0.3 },
    [ROTOR_BEARING]      = { "bearing",      .knock = 0.5, .knock_rate = { 2.3, 6.5 } },
    [ROTOR_LUBRICATION]  = { "lubrication",  .rush = 0.3, .rush_at = { 0.25, 0.45 }, .rush_radius = 0.7 },
    [ROTOR_CAVITATION]   = { "cavitation",   .rush = 0.4, .rush_at = { 0.1, 0.45 }, .rush_radius = 0.4, .rush_swell = 0.6,
                                             .flutter = 0.25 },
    [ROTOR_BROKEN_TOOTH] = { "broken tooth", .knock = 1, .knock_rate = { 1, 1 }, .mesh = 0.1 },
    [ROTOR_WORN_TEETH]   = { "worn teeth",   .mesh = 0.4 },
    [ROTOR_BLADE]        = { "blade",        { 1 }, .orders = 0.25, .teeth = 0.3 },
    [ROTOR_RUB]          = { "rub",          { 0.5, 1.5 }, .orders = 0.2, .knock = 0.4, .knock_rate = { 1, 1 }, .flutter = 0.3 },
    [ROTOR_RESONANCE]    = { "resonance",    .rush = 0.4, .rush_at = { 0.02, 0.2 }, .rush_radius = 0.97 },
    [ROTOR_CLOGGING]     = { "clogging",     .level = 0.5, .teeth = 0.1, .rush = 0.1, .rush_at = { 0.02, 0.1 },
                                             .rush_radius = 0.8 },
    [ROTOR_CHATTER]      = { "chatter",      .tone = 0.4, .flutter = 0.4 },
    [ROTOR_WORN_EDGE]    = { "worn edge",    .teeth = 0.3, .rush = 0.2, .rush_at = { 0.1, 0.4 }, .rush_radius = 0.7,
                                             .rush_swell = 0.5, .flutter = 0.2 },
    [ROTOR_RATTLE]       = { "rattle",       .rattle = 0.5, .flutter = 0.3 },
    [ROTOR_VALVE_LEAK]   = { "valve leak",   .rush = 0.3, .rush_at = { 0.2, 0.45 }, .rush_radius = 0.6, .rush_swell = 0.9 },
    [ROTOR_ROD_KNOCK]    = { "rod knock",    .knock = 0.7, .knock_rate = { 2, 2 } },
    [ROTOR_LOST_SOURCE]  = { "lost source",  .lost = true },
};
/* clang-format on */

static void add_tones(struct machine *machine, const struct fault_row *row, unsigned int teeth, struct habits habits,
                      struct chance *chance)
{
    for (unsigned int i = 0; i < FAULT_ORDERS && row->order[i] > 0; i++)
        rotor_tone(machine, row->order[i], 0, row->orders * (i == 0 ? 1 : chance_between(chance, 0.2, 0.8)), habits,
                   chance);
    if (row->mesh > 0)
        rotor_mesh(machine, teeth, row->mesh, habits, chance);
    if (row->teeth > 0)
        rotor_tone(machine, teeth, 0, row->teeth, habits, chance);
    if (row->tone > 0)
        rotor_tone(machine, 0, machine->sampling_hz * chance_between(chance, 0.03, 0.4), row->tone, habits, chance);
}

static void add_noise(struct machine *machine, const struct fault_row *row, unsigned int teeth, struct habits habits,
                      struct chance *chance)
{
    struct rotor *rotor = machine->state;

    if (row->rush > 0) {
        rotor_rush(machine, chance_between(chance, row->rush_at.low, row->rush_at.high), row->rush_radius, row->rush,
                   habits, chance);
        rotor->rush[rotor->rushes - 1].swell = row->rush_swell;
        rotor->rush[rotor->rushes - 1].order = chance_between(chance, 0, 1) < 0.5 ? 1 : teeth;
    }
    if (row->knock > 0) {
        rotor_knock(machine, chance_between(chance, row->knock_rate.low, row->knock_rate.high), 0, row->knock, habits,
                    chance);
        rotor->knock[rotor->knocks - 1].zone = chance_between(chance, 0, 1) < 0.5 ? 0 : chance_between(chance, 0.5, 1);
    }
    if (row->rattle > 0) {
        rotor_knock(machine, 0, machine->sampling_hz * draw_log(chance, 0.003, 0.03), row->rattle, habits, chance);
        rotor->knock[rotor->knocks - 1].slip = 0.7;
    }
}

/* A tone or a knock that every healthy buffer has. */
static void lose_source(struct rotor *rotor, struct chance *chance)
{
    unsigned int lost = draw_one_of(chance, rotor->tones + rotor->knocks);

    if (lost < rotor->tones)
        rotor->tone[lost].source.habits.fades = true;
    else
        rotor->knock[lost - rotor->tones].source.habits.fades = true;
}

void rotor_fault(struct machine *machine, const enum rotor_fault *among, unsigned int count, unsigned int teeth,
                 struct chance *chance)
{
    const struct fault_row *row = &rows[among[draw_one_of(chance, count)]];
    struct rotor *rotor = machine->state;
    struct habits habits = { .with_load = chance_between(chance, 0, 0.6),
                             .with_speed = chance_between(chance, 1, 2),
                             .sway = 0.05,
                             .flutter = 0.05 + row->flutter,
                             .faulty = true };

    machine->fault = row->name;
    if (row->lost)
        lose_source(rotor, chance);
    for (uint32_t a = 0; a < machine->axes; a++)
        rotor->level_fault[a] = row->level * rotor->strength * chance_between(chance, -1, 1);
    add_tones(machine, row, teeth, habits, chance);
    add_noise(machine, row, teeth, habits, chance);
}
