/* An operator accepts five buffers of a state that was never learned: from then on the state is normal, also after
 * much more of the old one was learned, and another fault is seen as before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "kinds.h"
#include "regime.h"
#include "states.h"

enum { ACCEPTED = 5, TRIED = 100, STAGES = 3, MOMENTS = 2, MOST_DRAWS = 50 };

#define LEAST_NOMINAL 0.95
#define LEAST_CAUGHT  0.95
#define MOST_ALARMS   0.015
#define STRANGE_BEFORE \
    0.5 /* what is hardly seen as strange needs no accept: such a machine is drawn anew, MOST_DRAWS times */

static const struct stage {
    unsigned int learned, later;
} stages[STAGES] = { { 60, 50 }, { 500, 600 }, { 10000, 5000 } };

/* What there is to accept, and what is a fault beside it. */
struct pair {
    struct signal old, fresh;
    struct fault other;
};

static void another_speed(struct pair *pair, struct chance *chance)
{
    struct signal regime[REGIMES];

    regimes_draw(REGIME_SPEEDS, regime, chance);
    pair->old = regime[0];
    pair->fresh = regime[2];
    (void)fault_draw(&pair->other, FAULT_SHOCKS, &pair->old, chance);
}

static void change_by(struct pair *pair, enum fault_kind kind, double size, enum fault_kind other,
                      struct chance *chance)
{
    struct fault change;

    (void)fault_draw(&change, kind, &pair->old, chance);
    change.size = size;
    pair->fresh = fault_apply(&change, &pair->old);
    (void)fault_draw(&pair->other, other, &pair->old, chance);
    pair->fresh.chance.state ^= 1;
}

static void another_tone(struct pair *pair, struct chance *chance)
{
    kind_draw_sized(KIND_TONES, &pair->old, 128, 2, chance);
    change_by(pair, FAULT_TONE, chance_scale(chance, 0.3, 2), FAULT_SHOCKS, chance);
}

static void louder(struct pair *pair, struct chance *chance)
{
    kind_draw_sized(KIND_RESONANCE, &pair->old, 128, 2, chance);
    change_by(pair, FAULT_GAIN, chance_scale(chance, 0.5, 3), FAULT_TONE, chance);
}

static void another_level(struct pair *pair, struct chance *chance)
{
    kind_draw_sized(KIND_LEVELS, &pair->old, 32, 3, chance);
    change_by(pair, FAULT_LEVEL, chance_scale(chance, 5, 20), FAULT_GAIN, chance);
}

static void other_values(struct pair *pair, struct chance *chance)
{
    struct fault *other = &pair->other;

    kind_draw_sized(KIND_VALUES, &pair->old, 1, 4, chance);
    change_by(pair, FAULT_LEVEL, chance_scale(chance, 8, 20), FAULT_LEVEL, chance);
    while (pair->fresh.axis[other->axis].level != pair->old.axis[other->axis].level)
        other->axis = (other->axis + 1) % pair->old.axes;
}

static void another_shape(struct pair *pair, struct chance *chance)
{
    kind_draw_sized(KIND_CYCLE, &pair->old, 128, 1, chance);
    pair->fresh = pair->old;
    pair->fresh.chance.state ^= 1;
    for (unsigned int t = 1; t < pair->old.axis[0].tones; t++)
        pair->fresh.axis[0].tone[t].turn += chance_between(chance, 0.25, 0.75);
    (void)fault_draw(&pair->other, FAULT_SHOCKS, &pair->old, chance);
}

static const struct scene {
    const char *name;
    void (*draw)(struct pair *pair, struct chance *chance);
} scenes[] = {
    { "speed", another_speed }, { "tone", another_tone },   { "gain", louder },
    { "level", another_level }, { "values", other_values }, { "shape", another_shape },
};

/* Values for each machine: right after the accept, and later. */
struct cell {
    const struct scene *scene;
    const struct stage *stage;
    double *nominal[MOMENTS], *alarms[MOMENTS], *caught[MOMENTS];
    double *caught_before;
};

static void judge(const struct cell *cell, struct machine *machine, struct pair *pair, unsigned int moment,
                  unsigned int m)
{
    struct signal faulty = fault_apply(&pair->other, &pair->old);

    cell->nominal[moment][m] = 1 - machine_alarm_rate(machine, &pair->fresh, TRIED);
    cell->alarms[moment][m] = machine_alarm_rate(machine, &pair->old, TRIED);
    cell->caught[moment][m] = machine_alarm_rate(machine, &faulty, TRIED);
}

static void accept(struct machine *machine, struct signal *signal)
{
    float *buffers = calloc(ACCEPTED * machine->count, sizeof(float));

    for (size_t k = 0; buffers && k < ACCEPTED; k++)
        signal_next(signal, buffers + k * machine->count);
    must(habit_accept(&machine->engine, buffers, ACCEPTED), "habit_accept");
    free(buffers);
}

/* The other fault is plain before anything is accepted: twice as large as what is seen in 90 of 100 buffers. (Graded at 98 of
 * 100 it would be any size at all: what is seen in all buffers is near enough to that.) */
static void make_plain(struct machine *machine, struct pair *pair)
{
    (void)fault_grade(&pair->other, machine, &pair->old, 0.9);
    pair->other.size *= 2.0;
}

static bool measure_machine(const struct cell *cell, unsigned int m, struct chance *chance)
{
    struct pair pair;
    struct machine machine;
    bool strange;

    cell->scene->draw(&pair, chance);
    machine_init(&machine, &pair.old, 0);
    machine_learn_from(&machine, &pair.old, cell->stage->learned);
    strange = machine_alarm_rate(&machine, &pair.fresh, TRIED) >= STRANGE_BEFORE;
    if (strange) {
        struct signal faulty;

        make_plain(&machine, &pair);
        faulty = fault_apply(&pair.other, &pair.old);
        cell->caught_before[m] = machine_alarm_rate(&machine, &faulty, TRIED);
        accept(&machine, &pair.fresh);
        judge(cell, &machine, &pair, 0, m);
        machine_learn_from(&machine, &pair.old, cell->stage->later);
        judge(cell, &machine, &pair, 1, m);
    }
    machine_deinit(&machine);
    return strange;
}

static void print_share(const double *value, unsigned int machines, double least, struct verdict *verdict)
{
    const struct interval share = interval_of_mean(value, machines);

    printf(" %5.1f%c", 100 * share.mean, require_at_least(verdict, share, least));
}

static void print_cell(const struct cell *cell, unsigned int machines, struct verdict *verdict)
{
    printf("%-7s %7u", cell->scene->name, cell->stage->learned);
    for (unsigned int t = 0; t < MOMENTS; t++) {
        const struct interval alarms = interval_of_rate(cell->alarms[t], machines, TRIED);

        if (t > 0)
            printf("    | %6u", cell->stage->later);
        print_share(cell->nominal[t], machines, LEAST_NOMINAL, verdict);
        if (t == 0)
            printf("  %5.1f >", 100 * mean_of(cell->caught_before, machines));
        print_share(cell->caught[t], machines, LEAST_CAUGHT, verdict);
        printf(" %5.2f%c", 100 * alarms.mean, require_at_most(verdict, alarms, MOST_ALARMS));
    }
    printf("\n");
}

static void measure_cell(struct cell *cell, const struct options *options, struct verdict *verdict, uint64_t group)
{
    const unsigned int machines = options->machines;
    double *values = calloc((size_t)7 * machines, sizeof(*values));

    if (!values)
        exit(2);
    cell->caught_before = values;
    for (unsigned int t = 0; t < MOMENTS; t++) {
        cell->nominal[t] = values + (size_t)(1 + 3 * t) * machines;
        cell->alarms[t] = cell->nominal[t] + machines;
        cell->caught[t] = cell->alarms[t] + machines;
    }
    for (unsigned int m = 0; m < machines; m++) {
        struct chance chance = chance_of(options->seed, group, m);

        for (int draw = 0; draw < MOST_DRAWS && !measure_machine(cell, m, &chance); draw++)
            continue;
    }
    print_cell(cell, machines, verdict);
    free(values);
}

void accept_measure(const struct options *options, struct verdict *verdict)
{
    uint64_t group = 200;

    printf("accept of %d buffers of a new state: in %%, buffers of it that are nominal then (at least %.0f), buffers "
           "with another\n"
           "fault that are caught (before > after, at least %.0f), false alarms in the old state (at most %.1f); and "
           "the same\n"
           "after more of the old state was learned\n"
           "state   learned    new  another fault   old    |   more    new fault   old\n",
           ACCEPTED, 100 * LEAST_NOMINAL, 100 * LEAST_CAUGHT, 100 * MOST_ALARMS);
    for (size_t s = 0; s < sizeof(scenes) / sizeof(scenes[0]); s++)
        for (unsigned int t = 0; t < STAGES; t++) {
            struct cell cell = { .scene = &scenes[s], .stage = &stages[t] };

            if (!options->quick || stages[t].learned < 1000)
                measure_cell(&cell, options, verdict, group);
            group++;
        }
    printf("\n");
}
