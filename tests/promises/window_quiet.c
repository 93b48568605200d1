/* How often windows of healthy machines raise, where neighbouring buffers are more or less alike. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "windows.h"

enum { AMOUNTS = 3, WATCHED = 600, WINDOWS_APART = WATCHED / WINDOW };

#define FACTOR 2.0 /* either way, of the stated rate */

static const unsigned int amount[AMOUNTS] = { 60, 200, 1000 };

/* A row of values is one of each machine of all kinds, one kind behind the other. */
enum { SINGLE, APART, OVERLAPPING, FEATURE_LAG, SCORE_LAG, FIGURES };

struct table {
    double *row[AMOUNTS][FIGURES];
    unsigned int machines;
};

/* --------------------------------------------------------------------------------------- correlation of neighbours */

struct lag {
    double first, last, sum, square, product;
    unsigned int count;
};

static void lag_add(struct lag *lag, double value)
{
    if (lag->count++ == 0) {
        lag->first = value;
        lag->last = 0;
    }
    value -= lag->first;
    lag->sum += value;
    lag->square += value * value;
    lag->product += value * lag->last;
    lag->last = value;
}

static double lag_of(const struct lag *lag)
{
    const double mean = lag->sum / lag->count, variance = lag->square / lag->count - mean * mean;

    return variance > 0 ? (lag->product / lag->count - mean * mean) / variance : 0;
}

/* --------------------------------------------------------------------------------------------------------- measure */

static void watch(struct machine *machine, struct signal *signal, double *const row[FIGURES], size_t at)
{
    struct habit_window window;
    struct lag feature = { 0 }, score = { 0 };
    unsigned int single = 0, apart = 0, overlapping = 0;

    must(habit_window_init(&window, WINDOW), "habit_window_init");
    for (unsigned int i = 1; i <= WATCHED; i++) {
        const struct habit_result result = windows_step(machine, signal, &window);
        const bool alarm = windows_alarm(machine, &window);

        single += is_alarm(&result);
        apart += i % WINDOW == 0 && alarm;
        overlapping += alarm;
        lag_add(&feature, log((double)result.amplitude[0]));
        lag_add(&score, (double)result.score);
    }
    row[SINGLE][at] = (double)single / WATCHED;
    row[APART][at] = (double)apart / WINDOWS_APART;
    row[OVERLAPPING][at] = (double)overlapping / (WATCHED - WINDOW + 1);
    row[FEATURE_LAG][at] = lag_of(&feature);
    row[SCORE_LAG][at] = lag_of(&score);
}

static void measure_machine(const struct table *table, unsigned int l, unsigned int k, unsigned int m, uint64_t seed)
{
    struct chance chance = chance_of(seed, 1000 + l * WINDOW_KINDS + k, m);
    struct signal signal;
    struct machine machine;
    unsigned int learned = 0;

    windows_draw(window_kind[k], window_lag[l], &signal, &chance);
    machine_init(&machine, &signal, 0);
    for (unsigned int a = 0; a < AMOUNTS; a++) {
        machine_learn_from(&machine, &signal, amount[a] - learned);
        learned = amount[a];
        watch(&machine, &signal, table->row[a], (size_t)k * table->machines + m);
    }
    machine_deinit(&machine);
}

/* ----------------------------------------------------------------------------------------------------------- table */

static struct interval in_stated(struct interval rate)
{
    return (struct interval){ rate.mean / WINDOW_STATED, rate.low / WINDOW_STATED, rate.high / WINDOW_STATED };
}

static void print_row(const struct table *table, unsigned int l, unsigned int a, struct verdict *verdict)
{
    double *const *row = table->row[a];
    const size_t count = (size_t)WINDOW_KINDS * table->machines;
    const struct interval rate = in_stated(interval_of_rate(row[OVERLAPPING], count, WINDOWS_APART));

    printf("%4.1f %5.2f %5.2f %7u   %5.2f   %6.3f     %6.3f   %5.2f [%.2f %.2f]%c  ", window_lag[l],
           mean_of(row[FEATURE_LAG], count), mean_of(row[SCORE_LAG], count), amount[a],
           100 * mean_of(row[SINGLE], count), 100 * mean_of(row[APART], count), 100 * mean_of(row[OVERLAPPING], count),
           rate.mean, rate.low, rate.high, require_between(verdict, rate, 1 / FACTOR, FACTOR));
    for (unsigned int k = 0; k < WINDOW_KINDS; k++)
        printf(" %5.2f", mean_of(row[OVERLAPPING] + (size_t)k * table->machines, table->machines) / WINDOW_STATED);
    printf("\n");
}

static void print_heading(void)
{
    printf("windows of %d on healthy machines: rates in %%; single buffers, windows that do not overlap, all windows; "
           "and these\n"
           "over the stated rate of %.3f %% (within a factor of %.0f), also by kind\n"
           "     lag of                             windows\n"
           " set ampl. score learned  single   apart    overlapping  over stated       ",
           WINDOW, 100 * WINDOW_STATED, FACTOR);
    for (unsigned int k = 0; k < WINDOW_KINDS; k++)
        printf(" %.5s", kind_name(window_kind[k]));
    printf("\n");
}

void windows_quiet(const struct options *options, struct verdict *verdict)
{
    struct table table = { .machines = options->machines };
    const size_t count = (size_t)WINDOW_KINDS * table.machines;
    double *values = calloc((size_t)AMOUNTS * FIGURES * count, sizeof(*values));

    if (!values)
        exit(2);
    for (unsigned int a = 0; a < AMOUNTS; a++)
        for (unsigned int f = 0; f < FIGURES; f++)
            table.row[a][f] = values + (a * FIGURES + f) * count;
    print_heading();
    for (unsigned int l = 0; l < LAGS; l++) {
        for (unsigned int k = 0; k < WINDOW_KINDS; k++)
            for (unsigned int m = 0; m < table.machines; m++)
                measure_machine(&table, l, k, m, options->seed);
        for (unsigned int a = 0; a < AMOUNTS; a++)
            print_row(&table, l, a, verdict);
    }
    printf("\n");
    free(values);
}
