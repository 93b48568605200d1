/* The promise of any input that makes sense: lengths, axes, offsets, gains, integers, spectra, axes that are dead
 * or clipped. Each is quiet while healthy, and sees a gross fault. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "machine.h"
#include "verdict.h"

enum { LEARNED = 60, QUIET = 100, FAULTY = 30, TRIED = QUIET + FAULTY, MOST_VALUES = HABIT_MAX_BUFFER_SIZE * 4 };

#define MOST_ALARMS  0.015
#define LEAST_CAUGHT 0.99
#define LEAST_SAME   0.995
#define ROUNDING     0.02f /* of a distance */

/* --------------------------------------------------------------------------------------------------------- measure */

struct outcome {
    float distance[TRIED];
    bool alarm[TRIED];
    unsigned int flagged; /* healthy buffers whose flags are as they must be */
};

static void next_buffer(struct machine *machine, struct input *input, bool faulty)
{
    signal_next(faulty ? &input->faulty : &input->healthy, machine->buffer);
    if (input->row->shape)
        input->row->shape(input, machine->buffer, faulty);
}

static const int16_t *as_integers(const struct machine *machine)
{
    static int16_t values[MOST_VALUES];

    for (size_t i = 0; i < machine->count && i < MOST_VALUES; i++)
        values[i] = (int16_t)lrintf(machine->buffer[i] / machine->config.scale);
    return values;
}

static void learn_next(struct machine *machine, struct input *input, bool integers)
{
    next_buffer(machine, input, false);
    if (integers)
        must(habit_learn_i16(&machine->engine, as_integers(machine), machine->count, NULL), "habit_learn_i16");
    else
        machine_learn(machine);
}

static struct habit_result detect_next(struct machine *machine, struct input *input, bool faulty, bool integers)
{
    struct habit_result result;

    next_buffer(machine, input, faulty);
    if (!integers)
        return machine_detect(machine);
    must(habit_detect_i16(&machine->engine, as_integers(machine), machine->count, &result), "habit_detect_i16");
    return result;
}

static void configure(struct machine *machine, const struct row *row)
{
    if (!row->integers)
        return;
    machine->config.scale = (float)INPUT_STEP;
    must(habit_init(&machine->engine, &machine->config, &machine->memory), "habit_init");
}

static void run(const struct row *row, double parameter, bool integers, struct chance chance, struct outcome *outcome)
{
    static struct input input;
    struct machine machine;

    memset(&input, 0, sizeof(input));
    input.row = row;
    input.parameter = parameter;
    row->setup(&input, parameter, &chance);
    machine_init(&machine, &input.healthy, 0);
    configure(&machine, row);
    for (int i = 0; i < LEARNED; i++)
        learn_next(&machine, &input, integers);
    outcome->flagged = 0;
    for (int i = 0; i < TRIED; i++) {
        const struct habit_result result = detect_next(&machine, &input, i >= QUIET, integers);

        outcome->distance[i] = result.distance;
        outcome->alarm[i] = is_alarm(&result);
        outcome->flagged +=
            i < QUIET && result.constant == row->dead && (result.clipped & row->clipped) == row->clipped;
    }
    machine_deinit(&machine);
}

/* Of each machine. */
struct figures {
    double *alarms, *caught, *same, *flagged;
};

static double share_alarms(const struct outcome *outcome, int from, int to)
{
    double alarms = 0;

    for (int i = from; i < to; i++)
        alarms += outcome->alarm[i];
    return alarms / (to - from);
}

/* Integers give the same distances to the bit; another gain the same decisions, and distances that differ by
 * rounding only. */
static bool is_same(const struct outcome *a, const struct outcome *b, int i, bool to_the_bit)
{
    const float apart = fabsf(a->distance[i] - b->distance[i]);

    return a->alarm[i] == b->alarm[i] && (to_the_bit ? apart == 0 : apart <= ROUNDING * b->distance[i]);
}

static double share_same(const struct outcome *a, const struct outcome *b, bool to_the_bit)
{
    double same = 0;

    for (int i = 0; i < TRIED; i++)
        same += is_same(a, b, i, to_the_bit);
    return same / TRIED;
}

static void measure_machine(const struct row *row, const struct figures *figures, unsigned int m, uint64_t seed)
{
    const struct chance chance = chance_of(seed, 1300 + (uint64_t)(row - input_rows), m);
    struct outcome outcome, reference;

    run(row, row->parameter, row->integers, chance, &outcome);
    figures->alarms[m] = share_alarms(&outcome, 0, QUIET);
    figures->caught[m] = share_alarms(&outcome, QUIET, TRIED);
    figures->flagged[m] = (double)outcome.flagged / QUIET;
    if (!row->compared)
        return;
    run(row, row->integers ? row->parameter : 1, false, chance, &reference);
    figures->same[m] = share_same(&outcome, &reference, row->integers);
}

/* ----------------------------------------------------------------------------------------------------------- table */

static void print_row(const struct row *row, const struct figures *figures, unsigned int machines,
                      struct verdict *verdict)
{
    const struct interval alarms = interval_of_rate(figures->alarms, machines, QUIET);
    const struct interval caught = interval_of_mean(figures->caught, machines);
    const struct interval flagged = interval_of_mean(figures->flagged, machines);

    printf("%-28s  %5.2f [%5.2f %5.2f]%c  %6.2f%c", row->name, 100 * alarms.mean, 100 * alarms.low, 100 * alarms.high,
           require_at_most(verdict, alarms, MOST_ALARMS), 100 * caught.mean,
           require_at_least(verdict, caught, LEAST_CAUGHT));
    printf("  %6.2f%c", 100 * flagged.mean, require_at_least(verdict, flagged, LEAST_CAUGHT));
    if (row->compared) {
        const struct interval same = interval_of_mean(figures->same, machines);

        printf("  %6.2f%c", 100 * same.mean, require_at_least(verdict, same, row->integers ? 1 : LEAST_SAME));
    }
    printf("\n");
}

static void measure_row(const struct row *row, const struct options *options, struct verdict *verdict)
{
    const unsigned int machines = options->machines;
    double *values = calloc((size_t)4 * machines, sizeof(*values));
    struct figures figures = { values, values + machines, values + 2 * (size_t)machines,
                               values + 3 * (size_t)machines };

    if (!values)
        exit(2);
    for (unsigned int m = 0; m < machines; m++)
        measure_machine(row, &figures, m, options->seed);
    print_row(row, &figures, machines, verdict);
    free(values);
}

int main(int argc, char **argv)
{
    struct options options = {
        .about = "Inputs of all sorts: quiet while healthy, and gross faults are seen.",
        .machines = 60,
    };
    struct verdict verdict;

    options_read(&options, 4, argc, argv);
    verdict = (struct verdict){ .quick = options.quick };
    printf("after %d learned, in %%: false alarms (at most %.1f), gross faults caught (at least %.0f), healthy buffers "
           "whose flags\n"
           "are right (at least %.0f), distances and decisions as at gain 1 (at least %.1f) or as in floats (all)\n"
           "%-28s  %21s  %7s  %7s  %7s\n",
           LEARNED, 100 * MOST_ALARMS, 100 * LEAST_CAUGHT, 100 * LEAST_CAUGHT, 100 * LEAST_SAME, "input",
           "false alarms   ", "caught", "flags", "same");
    for (size_t r = 0; r < input_row_count; r++)
        measure_row(&input_rows[r], &options, &verdict);
    return verdict_end(&verdict);
}
