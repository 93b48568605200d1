/* Isolated abnormal buffers among the learned: what they cost of the balanced accuracy. */
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "kinds.h"
#include "states.h"

enum { CLASSES = 4, TRIED = 100, AMOUNTS = 2, SIZES = 3, POISONED_KINDS = 6 };

#define POISON    0.05
#define MOST_LOST 0.03
#define TARGET    0.75

static const enum kind kinds[POISONED_KINDS] = { KIND_WHITE,     KIND_RESONANCE, KIND_TONES,
                                                 KIND_WANDERING, KIND_CYCLE,     KIND_LEVELS };
static const unsigned int amount[AMOUNTS] = { 60, 200 };

/* Faults as an engine without poison catches three of four buffers, and larger ones. Nothing is required of the
 * first: that a twentieth of the learned buffers lies at the line is what an honest line must allow for. */
static const struct size {
    const char *name;
    double factor;
    bool required;
} sizes[SIZES] = { { "graded", 1, false }, { "plain", 2, true }, { "gross", 5, true } };

struct trial {
    struct signal healthy, faulty[CLASSES];
    struct fault fault[CLASSES]; /* of the size that is graded */
    unsigned int classes;
};

/* Of one amount of learning: a value for each machine. */
struct table {
    unsigned int learned, machines;
    struct cell {
        double *clean, *poisoned;
    } cell[SIZES][POISONED_KINDS];
};

/* Faults of all sorts that the machine can have. */
static void draw_faults(struct trial *trial, struct machine *clean, struct chance *chance)
{
    trial->classes = 0;
    for (unsigned int c = 0; c < CLASSES; c++) {
        struct fault fault;
        double reached;

        if (!fault_draw(&fault, (enum fault_kind)c, &trial->healthy, chance))
            continue;
        reached = fault_grade(&fault, clean, &trial->healthy, TARGET);
        if (reached >= 0.5 && reached <= 0.95)
            trial->fault[trial->classes++] = fault;
    }
}

static void enlarge_faults(struct trial *trial, double factor)
{
    for (unsigned int c = 0; c < trial->classes; c++) {
        struct fault fault = trial->fault[c];

        fault.size *= factor;
        trial->faulty[c] = fault_apply(&fault, &trial->healthy);
    }
}

static double balanced_accuracy(const struct trial *trial, struct machine *machine)
{
    struct signal signal = trial->healthy;
    double alarms = machine_alarm_rate(machine, &signal, TRIED), caught = 0;

    for (unsigned int c = 0; c < trial->classes; c++) {
        signal = trial->faulty[c];
        caught += machine_alarm_rate(machine, &signal, TRIED) / trial->classes;
    }
    return (1 - alarms + caught) / 2;
}

/* Isolated: never two in a row. */
static void learn_poisoned(struct trial *trial, struct machine *machine, unsigned int learned, struct chance *chance)
{
    bool last = true;

    for (unsigned int i = 0; i < learned; i++) {
        last = !last && chance_between(chance, 0, 1) < POISON;
        machine_learn_from(machine, last ? &trial->faulty[chance_bits(chance) % trial->classes] : &trial->healthy, 1);
    }
}

/* Both engines learn the same healthy machine, and judge the same faults. */
static void measure_size(struct trial *trial, const struct signal *start, struct machine *clean,
                         const struct table *table, const struct cell *cell, unsigned int m, struct chance *chance)
{
    const struct signal healthy = trial->healthy;
    struct machine poisoned;

    machine_init(&poisoned, start, 0);
    cell->clean[m] = balanced_accuracy(trial, clean);
    trial->healthy = *start;
    learn_poisoned(trial, &poisoned, table->learned, chance);
    cell->poisoned[m] = balanced_accuracy(trial, &poisoned);
    trial->healthy = healthy;
    machine_deinit(&poisoned);
}

static void measure_machine(const struct table *table, unsigned int k, unsigned int m, struct chance *chance)
{
    struct trial trial;
    struct signal start;
    struct machine clean;

    kind_draw_sized(kinds[k], &trial.healthy, 128, 2, chance);
    start = trial.healthy;
    machine_init(&clean, &trial.healthy, 0);
    machine_learn_from(&clean, &trial.healthy, table->learned);
    draw_faults(&trial, &clean, chance);
    for (unsigned int s = 0; s < SIZES && trial.classes > 0; s++) {
        enlarge_faults(&trial, sizes[s].factor);
        measure_size(&trial, &start, &clean, table, &table->cell[s][k], m, chance);
    }
    machine_deinit(&clean);
}

/* Machine number m of each kind together are one draw. */
static struct interval mean_loss(const struct table *table, unsigned int s)
{
    double *lost = calloc(table->machines, sizeof(*lost));
    struct interval interval = { 0, 0, 0 };

    for (unsigned int m = 0; lost && m < table->machines; m++)
        for (unsigned int k = 0; k < POISONED_KINDS; k++)
            lost[m] += (table->cell[s][k].clean[m] - table->cell[s][k].poisoned[m]) / POISONED_KINDS;
    if (lost)
        interval = interval_of_mean(lost, table->machines);
    free(lost);
    return interval;
}

static void print_size(const struct table *table, unsigned int s, struct verdict *verdict)
{
    const struct interval loss = mean_loss(table, s);

    printf("%-7s %7u ", sizes[s].name, table->learned);
    for (unsigned int k = 0; k < POISONED_KINDS; k++) {
        const double clean = mean_of(table->cell[s][k].clean, table->machines);

        printf("  %.3f %6.3f", clean, clean - mean_of(table->cell[s][k].poisoned, table->machines));
    }
    printf("   %.3f [%.3f %.3f]%c\n", loss.mean, loss.low, loss.high,
           sizes[s].required ? require_at_most(verdict, loss, MOST_LOST) : ' ');
}

static void measure_table(struct table *table, const struct options *options, struct verdict *verdict, uint64_t group)
{
    double *values = calloc((size_t)2 * SIZES * POISONED_KINDS * table->machines, sizeof(*values));
    double *next = values;

    if (!values)
        exit(2);
    for (unsigned int s = 0; s < SIZES; s++)
        for (unsigned int k = 0; k < POISONED_KINDS; k++, next += 2 * (size_t)table->machines)
            table->cell[s][k] = (struct cell){ next, next + table->machines };
    for (unsigned int k = 0; k < POISONED_KINDS; k++)
        for (unsigned int m = 0; m < table->machines; m++) {
            struct chance chance = chance_of(options->seed, group + k, m);

            measure_machine(table, k, m, &chance);
        }
    for (unsigned int s = 0; s < SIZES; s++)
        print_size(table, s, verdict);
    free(values);
}

void poison_measure(const struct options *options, struct verdict *verdict)
{
    printf("poison: %.0f %% isolated abnormal buffers among the learned; balanced accuracy without, and what is lost "
           "with them: at\n"
           "most %.2f in the mean of plain and of gross faults; graded ones are printed only\n"
           "faults  learned ",
           100 * POISON, MOST_LOST);
    for (unsigned int k = 0; k < POISONED_KINDS; k++)
        printf("  %-12s", kind_name(kinds[k]));
    printf("   lost in the mean\n");
    for (unsigned int a = 0; a < AMOUNTS; a++) {
        struct table table = { .learned = amount[a], .machines = options->machines };

        measure_table(&table, options, verdict, 400 + 100 * a);
    }
    printf("\n");
}
