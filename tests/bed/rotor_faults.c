/* Faults of machines that turn: which tones, noise and knocks each of them adds. */
#include <math.h>

#include "rotor.h"

enum { FAULT_ORDERS = 8 };

struct fault_row {
    const char *name;
    double order[FAULT_ORDERS]; /* multiples of the speed, ended by 0; the first is the strongest */
    double share;               /* of the first */
    double flutter;             /* of all of them, from buffer to buffer */
    double mesh;                /* share of the teeth's multiple of the speed, with its sidebands */
    double knock;               /* share, and how often a turn */
    double knock_low, knock_high;
    double rush; /* share, and about where: share of the sampling rate */
    double rush_low, rush_high;
    double rush_radius;
    double teeth_share; /* the same for a tone at the teeth's multiple without sidebands */
};

/* clang-format off */
static const struct fault_row rows[ROTOR_FAULTS] = {
    [ROTOR_IMBALANCE]    = { .name = "imbalance",    .order = { 1 },                       .share = 0.5 },
    [ROTOR_MISALIGNMENT] = { .name = "misalignment", .order = { 2, 1, 3, 4 },              .share = 0.4 },
    [ROTOR_LOOSENESS]    = { .name = "looseness",    .order = { 1, 2, 0.5, 3, 1.5, 4, 5, 6 }, .share = 0.3, .flutter = 0.3 },
    [ROTOR_BEARING]      = { .name = "bearing",      .knock = 0.5, .knock_low = 2.3, .knock_high = 6.5 },
    [ROTOR_LUBRICATION]  = { .name = "lubrication",  .rush = 0.3, .rush_low = 0.25, .rush_high = 0.45, .rush_radius = 0.7 },
    [ROTOR_CAVITATION]   = { .name = "cavitation",   .rush = 0.4, .rush_low = 0.1, .rush_high = 0.45, .rush_radius = 0.4,
                             .flutter = 0.25 },
    [ROTOR_BROKEN_TOOTH] = { .name = "broken tooth", .knock = 1, .knock_low = 1, .knock_high = 1, .mesh = 0.1 },
    [ROTOR_WORN_TEETH]   = { .name = "worn teeth",   .mesh = 0.4 },
    [ROTOR_BLADE]        = { .name = "blade",        .order = { 1 }, .share = 0.25, .teeth_share = 0.3 },
    [ROTOR_RUB]          = { .name = "rub",          .order = { 0.5, 1.5 }, .share = 0.2, .knock = 0.4, .knock_low = 1,
                             .knock_high = 1, .flutter = 0.3 },
    [ROTOR_RESONANCE]    = { .name = "resonance",    .rush = 0.4, .rush_low = 0.02, .rush_high = 0.2, .rush_radius = 0.97 },
};
/* clang-format on */

static void add_orders(struct machine *machine, const struct fault_row *row, struct habits habits,
                       struct chance *chance)
{
    for (unsigned int i = 0; i < FAULT_ORDERS && row->order[i] > 0; i++)
        rotor_tone(machine, row->order[i], 0, row->share * (i == 0 ? 1 : chance_between(chance, 0.2, 0.8)), habits,
                   chance);
}

static void add_fault(struct machine *machine, const struct fault_row *row, unsigned int teeth, struct chance *chance)
{
    struct habits habits = { .with_load = chance_between(chance, 0, 0.6),
                             .with_speed = chance_between(chance, 1, 2),
                             .sway = 0.05,
                             .flutter = 0.05 + row->flutter,
                             .faulty = true };
    struct rotor *rotor = machine->state;

    add_orders(machine, row, habits, chance);
    if (row->mesh > 0)
        rotor_mesh(machine, teeth, row->mesh, habits, chance);
    if (row->teeth_share > 0)
        rotor_tone(machine, teeth, 0, row->teeth_share, habits, chance);
    if (row->rush > 0)
        rotor_rush(machine, chance_between(chance, row->rush_low, row->rush_high), row->rush_radius, row->rush, habits,
                   chance);
    if (row->knock > 0) {
        rotor_knock(machine, chance_between(chance, row->knock_low, row->knock_high), 0, row->knock, habits, chance);
        rotor->knock[rotor->knocks - 1].zone = chance_between(chance, 0, 1) < 0.5 ? 0 : chance_between(chance, 0.5, 1);
    }
}

void rotor_fault(struct machine *machine, const enum rotor_fault *among, unsigned int count, unsigned int teeth,
                 struct chance *chance)
{
    const struct fault_row *row = &rows[among[draw_one_of(chance, count)]];

    machine->fault = row->name;
    add_fault(machine, row, teeth, chance);
}
