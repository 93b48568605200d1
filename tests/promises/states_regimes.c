/* A machine with four regimes: how quiet it is in each, and how much of a fault in one of them it sees that an
 * engine sees that learned this regime alone, as many buffers. */
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "regime.h"
#include "states.h"

enum { QUIET_TRIED = 150, FAULT_TRIED = 100, SHARES = 2, AMOUNTS = 2, MOST_LEARNED = 200 };

#define MOST_ALARMS 0.015
#define LEAST_RATIO 0.8 /* of the detection of the single engines */
#define TARGET      0.75

static const unsigned int share[SHARES][REGIMES] = { { 40, 30, 20, 10 }, { 25, 25, 25, 25 } };
static const unsigned int amount[AMOUNTS] = { 60, 200 };

/* Faults that are told from other regimes: a machine at another speed is louder too. */
static const enum fault_kind faults[REGIME_FAMILIES][3] = {
    [REGIME_SPEEDS] = { FAULT_TONE, FAULT_SHOCKS, FAULT_GAIN },
    [REGIME_SPECTRUM] = { FAULT_TONE, FAULT_SHOCKS, FAULT_GAIN },
    [REGIME_LEVELS] = { FAULT_LEVEL, FAULT_TONE, FAULT_GAIN },
};

/* Values for each machine. */
struct cell {
    enum regime_family family;
    const unsigned int *share;
    unsigned int learned;
    double *alarms[REGIMES], *caught[REGIMES], *caught_alone[REGIMES];
};

static double caught(struct machine *machine, const struct fault *fault, const struct signal *healthy)
{
    struct signal faulty = fault_apply(fault, healthy);

    return machine_alarm_rate(machine, &faulty, FAULT_TRIED);
}

/* A fault that no size brings near the target is not counted, neither here nor there. */
static void compare(const struct cell *cell, struct machine *machine, struct signal *regime, unsigned int r,
                    unsigned int m, struct chance *chance)
{
    const enum fault_kind kind = faults[cell->family][chance_bits(chance) % 3];
    struct machine alone;
    struct fault fault;

    machine_init(&alone, regime, 0);
    machine_learn_from(&alone, regime, cell->learned);
    if (fault_draw(&fault, kind, regime, chance)) {
        const double reached = fault_grade(&fault, &alone, regime, TARGET);

        if (reached >= 0.5 && reached <= 0.9) {
            cell->caught_alone[r][m] = caught(&alone, &fault, regime);
            cell->caught[r][m] = caught(machine, &fault, regime);
        }
    }
    machine_deinit(&alone);
}

static void measure_machine(const struct cell *cell, unsigned int m, uint64_t seed, uint64_t group)
{
    struct chance chance = chance_of(seed, group, m);
    struct signal regime[REGIMES];
    struct machine machine;
    unsigned char order[MOST_LEARNED];

    regimes_draw(cell->family, regime, &chance);
    regimes_order(cell->share, order, cell->learned, &chance);
    machine_init(&machine, &regime[0], 0);
    for (unsigned int i = 0; i < cell->learned; i++)
        machine_learn_from(&machine, &regime[order[i]], 1);
    for (unsigned int r = 0; r < REGIMES; r++) {
        cell->alarms[r][m] = machine_alarm_rate(&machine, &regime[r], QUIET_TRIED);
        compare(cell, &machine, &regime[r], r, m, &chance);
    }
    machine_deinit(&machine);
}

static void print_ratio(const struct cell *cell, unsigned int machines, struct verdict *verdict)
{
    double *here = calloc(machines, sizeof(double)), *alone = calloc(machines, sizeof(double));
    struct interval ratio;

    for (unsigned int m = 0; here && alone && m < machines; m++)
        for (unsigned int r = 0; r < REGIMES; r++) {
            here[m] += cell->caught[r][m];
            alone[m] += cell->caught_alone[r][m];
        }
    ratio = interval_of_ratio(here, alone, machines);
    printf("   %.2f [%.2f %.2f]%c (", ratio.mean, ratio.low, ratio.high, require_at_least(verdict, ratio, LEAST_RATIO));
    for (unsigned int r = 0; r < REGIMES; r++)
        printf(" %.2f", interval_of_ratio(cell->caught[r], cell->caught_alone[r], machines).mean);
    printf(" )\n");
    free(here);
    free(alone);
}

static void print_cell(const struct cell *cell, unsigned int machines, struct verdict *verdict)
{
    printf("%-9s %2u/%2u/%2u/%2u %8u", regime_family_name(cell->family), cell->share[0], cell->share[1], cell->share[2],
           cell->share[3], cell->learned);
    for (unsigned int r = 0; r < REGIMES; r++) {
        const struct interval alarms = interval_of_rate(cell->alarms[r], machines, QUIET_TRIED);

        printf(" %6.2f%c", 100 * alarms.mean, require_at_most(verdict, alarms, MOST_ALARMS));
    }
    print_ratio(cell, machines, verdict);
}

static void measure_cell(struct cell *cell, const struct options *options, struct verdict *verdict, uint64_t group)
{
    double *values = calloc((size_t)3 * REGIMES * options->machines, sizeof(*values));

    if (!values)
        exit(2);
    for (unsigned int r = 0; r < REGIMES; r++) {
        cell->alarms[r] = values + (size_t)(3 * r) * options->machines;
        cell->caught[r] = cell->alarms[r] + options->machines;
        cell->caught_alone[r] = cell->caught[r] + options->machines;
    }
    for (unsigned int m = 0; m < options->machines; m++)
        measure_machine(cell, m, options->seed, group);
    print_cell(cell, options->machines, verdict);
    free(values);
}

void regimes_measure(const struct options *options, struct verdict *verdict)
{
    uint64_t group = 100;

    printf("four regimes: false alarms in %% in each (at most %.1f), and detection in proportion to engines that "
           "learned one\n"
           "regime alone (at least %.2f; by regime)\n"
           "family    shares       learned      1       2       3       4    caught\n",
           100 * MOST_ALARMS, LEAST_RATIO);
    for (enum regime_family family = 0; family < REGIME_FAMILIES; family++)
        for (unsigned int s = 0; s < SHARES; s++)
            for (unsigned int a = 0; a < AMOUNTS; a++) {
                struct cell cell = { .family = family, .share = share[s], .learned = amount[a] };

                measure_cell(&cell, options, verdict, group++);
            }
    printf("\n");
}
