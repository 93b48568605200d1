/* The promise of calibration: a machine that stays as it was while learned falls below the threshold on fewer than
 * 1 buffer in 100, whatever kind of machine it is and however much was learned, and not so rarely that the line is
 * of no use. */
#include <stdio.h>
#include <stdlib.h>

#include "kinds.h"
#include "machine.h"
#include "verdict.h"

enum { CHECKPOINTS = 4, TRIED = 200 };

#define MOST_MEAN 0.01
#define MOST_KIND 0.015
#define LEAST     0.0002

#define MOST_RATIO 2.0 /* of what the engine states to what is measured, and the other way round */

static const unsigned int checkpoint[CHECKPOINTS] = { 20, 60, 200, 1000 };

/* Shares of buffers, for each machine. */
struct cell {
    double *measured, *stated;
};

struct table {
    struct cell cell[KINDS][CHECKPOINTS];
    unsigned int machines;
};

static double *shares(unsigned int machines)
{
    double *values = calloc(machines, sizeof(*values));

    if (!values)
        exit(2);
    return values;
}

static void measure_machine(struct table *table, enum kind kind, unsigned int index, uint64_t seed)
{
    struct chance chance = chance_of(seed, kind, index);
    struct signal signal;
    struct machine machine;
    unsigned int learned = 0;

    kind_draw(kind, &signal, &chance);
    machine_init(&machine, &signal, 0);
    for (unsigned int c = 0; c < CHECKPOINTS; c++) {
        struct cell *cell = &table->cell[kind][c];

        machine_learn_from(&machine, &signal, checkpoint[c] - learned);
        learned = checkpoint[c];
        cell->stated[index] = (double)machine.progress.false_alarms;
        cell->measured[index] = machine_alarm_rate(&machine, &signal, TRIED);
    }
    machine_deinit(&machine);
}

static void measure(struct table *table, const struct options *options)
{
    table->machines = options->machines;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        for (unsigned int c = 0; c < CHECKPOINTS; c++) {
            table->cell[kind][c].measured = shares(options->machines);
            table->cell[kind][c].stated = shares(options->machines);
        }
        for (unsigned int m = 0; m < options->machines && options_want(options, kind_name(kind)); m++)
            measure_machine(table, kind, m, options->seed);
    }
}

static void release(struct table *table)
{
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (unsigned int c = 0; c < CHECKPOINTS; c++) {
            free(table->cell[kind][c].measured);
            free(table->cell[kind][c].stated);
        }
}

/* ----------------------------------------------------------------------------------------------------------- table */

static void print_heading(const char *title)
{
    printf("%-44s\n%-11s", title, "");
    for (unsigned int c = 0; c < CHECKPOINTS; c++)
        printf("  %13u learned ", checkpoint[c]);
    printf("\n");
}

static void print_cell(struct interval rate, char mark)
{
    printf("  %5.2f [%5.2f %5.2f]%c ", 100 * rate.mean, 100 * rate.low, 100 * rate.high, mark);
}

static char judge_kind(struct verdict *verdict, struct interval rate)
{
    return require_between(verdict, rate, LEAST, MOST_KIND);
}

static void print_kinds(const struct table *table, const struct options *options, struct verdict *verdict)
{
    print_heading("false alarms in %, [95 % over machines]");
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (!options_want(options, kind_name(kind)))
            continue;
        printf("%-11s", kind_name(kind));
        for (unsigned int c = 0; c < CHECKPOINTS; c++) {
            const struct interval rate = interval_of_rate(table->cell[kind][c].measured, table->machines, TRIED);

            print_cell(rate, judge_kind(verdict, rate));
        }
        printf("\n");
    }
}

/* All kinds count alike. Machine number m of each kind together are one draw. */
static void mean_over_kinds(const struct table *table, unsigned int checkpoint_index, double *measured, double *stated)
{
    for (unsigned int m = 0; m < table->machines; m++) {
        measured[m] = stated[m] = 0;
        for (enum kind kind = 0; kind < KINDS; kind++) {
            const struct cell *cell = &table->cell[kind][checkpoint_index];

            measured[m] += cell->measured[m] / KINDS;
            stated[m] += cell->stated[m] / KINDS;
        }
    }
}

static void print_mean(const struct table *table, struct verdict *verdict)
{
    double *mean = shares(table->machines), *stated = shares(table->machines);

    printf("%-11s", "mean");
    for (unsigned int c = 0; c < CHECKPOINTS; c++) {
        struct interval rate;

        mean_over_kinds(table, c, mean, stated);
        rate = interval_of_rate(mean, table->machines, TRIED * KINDS);
        print_cell(rate, require_at_most(verdict, rate, MOST_MEAN));
    }
    printf("\n\n");
    free(mean);
    free(stated);
}

/* In the mean of the kinds the engine knows its own rate. */
static void print_stated_mean(const struct table *table, struct verdict *verdict)
{
    double *stated = shares(table->machines), *measured = shares(table->machines);

    printf("%-11s", "mean");
    for (unsigned int c = 0; c < CHECKPOINTS; c++) {
        mean_over_kinds(table, c, measured, stated);
        printf("  %5.2f %15s", 100 * mean_of(stated, table->machines), "");
    }
    printf("\n%-11s", "/ measured");
    for (unsigned int c = 0; c < CHECKPOINTS; c++) {
        struct interval ratio;

        mean_over_kinds(table, c, measured, stated);
        ratio = interval_of_ratio(stated, measured, table->machines);
        printf("  %5.2f [%5.2f %5.2f]%c ", ratio.mean, ratio.low, ratio.high,
               require_between(verdict, ratio, 1 / MOST_RATIO, MOST_RATIO));
    }
    printf("\n");
    free(stated);
    free(measured);
}

static void print_stated(const struct table *table, const struct options *options, struct verdict *verdict)
{
    print_heading("the engine's own estimate in %");
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (!options_want(options, kind_name(kind)))
            continue;
        printf("%-11s", kind_name(kind));
        for (unsigned int c = 0; c < CHECKPOINTS; c++)
            printf("  %5.2f %15s", 100 * mean_of(table->cell[kind][c].stated, table->machines), "");
        printf("\n");
    }
    if (!options->only)
        print_stated_mean(table, verdict);
}

static void print_legend(void)
{
    printf("\n");
    for (enum kind kind = 0; kind < KINDS; kind++)
        printf("%-11s %s\n", kind_name(kind), kind_about(kind));
    printf("required: each kind between %.2f and %.1f %%, their mean at most %.1f %%;\n"
           "what the engine states within a factor of %.0f of it\n",
           100 * LEAST, 100 * MOST_KIND, 100 * MOST_MEAN, MOST_RATIO);
}

int main(int argc, char **argv)
{
    struct options options = {
        .about = "False alarms of stationary machines at threshold 90. A part is a kind.",
        .machines = 100,
    };
    static struct table table;
    struct verdict verdict;

    options_read(&options, 4, argc, argv);
    verdict = (struct verdict){ .quick = options.quick };
    measure(&table, &options);
    print_kinds(&table, &options, &verdict);
    if (!options.only)
        print_mean(&table, &verdict);
    print_stated(&table, &options, &verdict);
    print_legend();
    release(&table);
    return verdict_end(&verdict);
}
