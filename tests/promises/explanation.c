/* The promise of explanation: where a fault on a known axis, at a known frequency, is caught in 50 to 90 of 100
 * buffers, the first reason of an alarm names that axis and what is wrong there. */
#include <stdio.h>
#include <stdlib.h>

#include "bands.h"
#include "fault.h"
#include "kinds.h"
#include "verdict.h"

enum { LEARNED = 200, TRIED = 80, MACHINE_KINDS = 6, MOST_DRAWS = 20 };

#define LEAST_RIGHT   0.9
#define TARGET        0.7
#define LEAST_CAUGHT  0.5
#define MOST_CAUGHT   0.9
#define SAMPLING_HZ   8000.0
#define TOP_FREQUENCY 0.45 /* where white noise has most of its power: bands grow with the frequency */

static const enum kind machine_kinds[MACHINE_KINDS] = { KIND_WHITE,     KIND_RESONANCE, KIND_TONES,
                                                        KIND_MODULATED, KIND_WANDERING, KIND_CYCLE };

/* What the first reasons of a machine's alarms say. */
struct count {
    double alarms, right, axis_right;
    double named[HABIT_KINDS]; /* on the right axis */
};

struct cell {
    double *alarms, *right, *axis_right, *named[HABIT_KINDS];
};

struct table {
    struct cell cell[FAULTS][MACHINE_KINDS];
    unsigned int machines;
};

/* -------------------------------------------------------------------------------------------------- right or wrong */

struct truth {
    const struct fault *fault;
    const struct bands *bands;
    double dominating; /* frequency that carries most of the power of the axis */
};

static bool names_band(const struct truth *truth, const struct habit_reason *reason, double frequency)
{
    const unsigned int told = bands_of_reason(truth->bands, reason);
    const unsigned int true_band = bands_of_frequency(truth->bands, frequency * SAMPLING_HZ);

    return reason->kind == HABIT_KIND_BAND && told + 1 >= true_band && told <= true_band + 1;
}

static bool right_tone(const struct truth *truth, const struct habit_reason *reason)
{
    return names_band(truth, reason, truth->fault->frequency);
}

static bool right_gain(const struct truth *truth, const struct habit_reason *reason)
{
    return reason->kind == HABIT_KIND_AMPLITUDE || names_band(truth, reason, truth->dominating);
}

static bool right_level(const struct truth *truth, const struct habit_reason *reason)
{
    (void)truth;
    return reason->kind == HABIT_KIND_LEVEL;
}

static bool right_shocks(const struct truth *truth, const struct habit_reason *reason)
{
    return reason->kind == HABIT_KIND_IMPULSIVENESS || names_band(truth, reason, truth->fault->frequency);
}

static bool (*const right[FAULTS])(const struct truth *truth, const struct habit_reason *reason) = {
    [FAULT_TONE] = right_tone,     [FAULT_GAIN] = right_gain, [FAULT_LEVEL] = right_level,
    [FAULT_SHOCKS] = right_shocks, [FAULT_LOSS] = right_tone,
};

static double dominating(const struct axis *axis)
{
    double frequency = axis->pole > 0 ? axis->frequency : TOP_FREQUENCY, power = axis->noise * axis->noise;

    for (unsigned int t = 0; t < axis->tones; t++) {
        const double tone = 0.5 * axis->tone[t].amplitude * axis->tone[t].amplitude;

        if (tone > power) {
            power = tone;
            frequency = axis->tone[t].frequency;
        }
    }
    return frequency;
}

/* ---------------------------------------------------------------------------------------------------------- measure */

static void judge(const struct truth *truth, const struct habit_result *result, struct count *count)
{
    const struct habit_reason *reason = &result->reason[0];
    const bool axis_right = result->reasons > 0 && reason->axis == truth->fault->axis;

    count->alarms++;
    count->axis_right += axis_right;
    count->named[reason->kind] += axis_right;
    count->right += axis_right && right[truth->fault->kind](truth, reason);
}

static void explain(struct machine *machine, const struct truth *truth, const struct signal *healthy,
                    struct count *count)
{
    struct signal faulty = fault_apply(truth->fault, healthy);

    for (int i = 0; i < TRIED; i++) {
        const struct habit_result result = machine_detect_from(machine, &faulty);

        if (is_alarm(&result))
            judge(truth, &result, count);
    }
}

static bool measure_fault(struct machine *machine, const struct bands *bands, const struct signal *healthy,
                          enum fault_kind kind, struct chance *chance, struct count *count)
{
    struct fault fault;
    struct truth truth = { .fault = &fault, .bands = bands };
    double reached;

    if (!fault_draw(&fault, kind, healthy, chance))
        return false;
    truth.dominating = dominating(&healthy->axis[fault.axis]);
    reached = fault_grade(&fault, machine, healthy, TARGET);
    if (reached < LEAST_CAUGHT || reached > MOST_CAUGHT)
        return false;
    explain(machine, &truth, healthy, count);
    return true;
}

static void keep(const struct cell *cell, unsigned int m, const struct count *count)
{
    cell->alarms[m] = count->alarms;
    cell->right[m] = count->right;
    cell->axis_right[m] = count->axis_right;
    for (unsigned int k = 0; k < HABIT_KINDS; k++)
        cell->named[k][m] = count->named[k];
}

/* 2 to 4 axes, so that the axis can be wrong; 64 to 1024 samples. */
static void measure_machine(struct table *table, unsigned int k, unsigned int m, uint64_t seed)
{
    struct chance chance = chance_of(seed, 700 + k, m);
    const unsigned int axes = 2 + (unsigned int)(chance_bits(&chance) % 3);
    const unsigned int samples = (unsigned int)chance_scale(&chance, 64, 1024);
    struct signal healthy;
    struct machine machine;
    struct bands bands;

    bands_find(&bands, samples, SAMPLING_HZ);
    kind_draw_sized(machine_kinds[k], &healthy, samples, axes, &chance);
    machine_init(&machine, &healthy, SAMPLING_HZ);
    machine_learn_from(&machine, &healthy, LEARNED);
    for (enum fault_kind f = 0; f < FAULTS; f++) {
        struct count count = { 0 };

        for (int draw = 0; draw < MOST_DRAWS; draw++)
            if (measure_fault(&machine, &bands, &healthy, f, &chance, &count))
                break;
        keep(&table->cell[f][k], m, &count);
    }
    machine_deinit(&machine);
}

/* ------------------------------------------------------------------------------------------------------------ table */

static double sum(const double *value, size_t count)
{
    return mean_of(value, count) * (double)count;
}

static void print_share(double part, double whole)
{
    if (whole > 0)
        printf(" %10.1f", 100 * part / whole);
    else
        printf(" %10s", "-");
}

static void print_right(const struct table *table, struct verdict *verdict)
{
    printf("share of alarms in %% whose first reason is right, by kind of machine and in all (at least %.0f)\nfault  ",
           100 * LEAST_RIGHT);
    for (unsigned int k = 0; k < MACHINE_KINDS; k++)
        printf(" %10s", kind_name(machine_kinds[k]));
    printf("   all\n");
    for (enum fault_kind f = 0; f < FAULTS; f++) {
        const struct cell *cells = table->cell[f];
        const struct interval all =
            interval_of_ratio(cells[0].right, cells[0].alarms, (size_t)MACHINE_KINDS * table->machines);

        printf("%-7s", fault_name(f));
        for (unsigned int k = 0; k < MACHINE_KINDS; k++)
            print_share(sum(cells[k].right, table->machines), sum(cells[k].alarms, table->machines));
        printf("   %.1f [%.1f %.1f]%c\n", 100 * all.mean, 100 * all.low, 100 * all.high,
               require_at_least(verdict, all, LEAST_RIGHT));
    }
}

static void print_named(const struct table *table)
{
    const size_t count = (size_t)MACHINE_KINDS * table->machines;

    printf("\nwhat the first reasons name, in %% of the alarms\nfault    right axis, and there:");
    for (unsigned int k = 0; k < HABIT_KINDS; k++)
        printf(" %14s", habit_kind_name((enum habit_kind)k));
    printf("\n");
    for (enum fault_kind f = 0; f < FAULTS; f++) {
        const struct cell *cell = &table->cell[f][0];
        const double alarms = sum(cell->alarms, count);

        printf("%-8s %10.1f %11s", fault_name(f), 100 * sum(cell->axis_right, count) / alarms, "");
        for (unsigned int k = 0; k < HABIT_KINDS; k++)
            printf(" %14.1f", 100 * sum(cell->named[k], count) / alarms);
        printf("\n");
    }
}

/* All faults on a machine are one draw. */
static void print_all(const struct table *table, struct verdict *verdict)
{
    const size_t count = (size_t)MACHINE_KINDS * table->machines;
    double *rights = calloc(count, sizeof(double)), *alarms = calloc(count, sizeof(double));
    struct interval all;

    if (!rights || !alarms)
        exit(2);
    for (enum fault_kind f = 0; f < FAULTS; f++)
        for (size_t i = 0; i < count; i++) {
            rights[i] += table->cell[f][0].right[i];
            alarms[i] += table->cell[f][0].alarms[i];
        }
    all = interval_of_ratio(rights, alarms, count);
    printf("%-7s %66s   %.1f [%.1f %.1f]%c\n", "all", "", 100 * all.mean, 100 * all.low, 100 * all.high,
           require_at_least(verdict, all, LEAST_RIGHT));
    free(rights);
    free(alarms);
}

/* For each figure the machines of all kinds lie in one row. */
static double *allocate(struct table *table)
{
    const size_t row = (size_t)MACHINE_KINDS * table->machines;
    double *values = calloc(FAULTS * (3 + HABIT_KINDS) * row, sizeof(*values)), *next = values;

    if (!values)
        exit(2);
    for (enum fault_kind f = 0; f < FAULTS; f++) {
        for (unsigned int k = 0; k < MACHINE_KINDS; k++) {
            struct cell *cell = &table->cell[f][k];
            double *at = next + (size_t)k * table->machines;

            cell->alarms = at;
            cell->right = at + row;
            cell->axis_right = at + 2 * row;
            for (unsigned int n = 0; n < HABIT_KINDS; n++)
                cell->named[n] = at + (3 + n) * row;
        }
        next += (3 + HABIT_KINDS) * row;
    }
    return values;
}

int main(int argc, char **argv)
{
    struct options options = {
        .about = "Whether the first reason of an alarm names the axis and what is wrong there.",
        .machines = 40,
    };
    static struct table table;
    struct verdict verdict;
    double *values;

    options_read(&options, 5, argc, argv);
    verdict = (struct verdict){ .quick = options.quick };
    table.machines = options.machines;
    values = allocate(&table);
    for (unsigned int k = 0; k < MACHINE_KINDS; k++)
        for (unsigned int m = 0; m < options.machines; m++)
            measure_machine(&table, k, m, options.seed);
    print_right(&table, &verdict);
    print_all(&table, &verdict);
    print_named(&table);
    free(values);
    return verdict_end(&verdict);
}
